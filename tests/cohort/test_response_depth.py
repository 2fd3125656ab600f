"""Confirmed response, time to response, duration of CR, undetectable MRD at any time: literal patients, by hand.

CART2 on day 100; days in the tables below are since then.
"""

from __future__ import annotations

import pytest

from helpers import read
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.declarations import Design, Rules
from reinfuse.cohort.endpoint_derivation import derive

INFUSIONS = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"
ON = {"depth": "derived"}


def row_of(folder, *, responses="", mrd="", therapies="", person="P,1000,", **rules):
    """Derive the endpoints of one patient; each table as `day value` or `day value compartment`, by commas."""
    rows = {name: [r.split() for r in text.split(",") if r] for name, text in
            (("responses", responses), ("mrd", mrd), ("therapies", therapies))}  # fmt: skip
    treated = "".join(f"\nP,{100 + int(d)},x,{k}" for d, k in rows["therapies"])
    tables = {
        "patients": "patient_id,last_contact,death,diagnosis\n" + f"{person},CLL",
        "infusions": INFUSIONS + "P,1,0,2e6,Cy/Flu\nP,2,100,2e7,Cy/Flu",
        "responses": "patient_id,day,response\n" + "\n".join(f"P,{100 + int(d)},{r}" for d, r in rows["responses"]),
        "mrd": "patient_id,day,result,compartment\n"
               + "\n".join(f"P,{100 + int(d)},{r},{where}" for d, r, where in rows["mrd"]),
        "therapies": f"patient_id,day,therapy,kind{treated}",
    }  # fmt: skip
    return derive(read(folder, **tables), 2, rules=Rules(**{**ON, **rules})).row(0, named=True)


@pytest.mark.parametrize(("responses", "therapies", "rules", "confirmed"), [
    ("30 PR,58 PR", "", {}, ("yes", "responses row 2")),
    ("30 PR,57 CR", "", {}, ("no", "responses row 2")),
    ("30 PR,57 CR", "", {"confirmation_days": 27}, ("yes", "responses row 2")),
    ("30 PR,40 CR,60 CR", "", {}, ("yes", "responses row 3")),
    ("30 PR,45 SD,60 PR", "", {}, ("yes", "responses row 3")),
    ("30 PR,45 PD,60 PR", "", {}, ("no", "responses row 1")),
    ("30 PR,60 PR", "50 anticancer", {}, ("no", "responses row 1")),
    ("30 SD,60 SD", "", {}, ("no", "responses row 1")),
    ("", "", {}, ("no", None)),
])  # fmt: skip
def test_a_response_is_confirmed_by_a_second_one_so_many_days_later(responses, therapies, rules, confirmed, tmp_path):
    row = row_of(tmp_path, responses=responses, therapies=therapies, **rules)
    assert (row["confirmed_response"], row["confirmed_response_source"]) == confirmed


@pytest.mark.parametrize(("responses", "person", "first", "docr"), [
    ("30 PR,60 CR,200 PD", "P,1000,", (30, "yes"), (140, "yes")),
    ("30 CRi,200 CR", "P,1000,", (30, "yes"), (170, "no")),
    ("30 PR,60 CR", "P,300,300", (30, "yes"), (140, "yes")),
    ("30 PR,200 PD", "P,1000,", (30, "yes"), (None, None)),
    ("30 SD", "P,1000,", (None, None), (None, None)),
])  # fmt: skip
def test_time_to_response_and_duration_of_complete_response(responses, person, first, docr, tmp_path):
    row = row_of(tmp_path, responses=responses, person=person)
    assert (row["response_time_days"], row["response_time_event"]) == first
    assert (row["docr_days"], row["docr_event"]) == docr


def test_duration_of_complete_response_ends_at_a_new_therapy_as_duration_of_response(tmp_path):
    given = {"responses": "30 CR,90 CR,200 PD", "therapies": "100 anticancer"}
    assert row_of(tmp_path, **given)["docr_days"] == 60
    row = row_of(tmp_path, censor_dor_at_new_therapy=False, **given)
    assert (row["docr_days"], row["docr_event"]) == (170, "yes")


@pytest.mark.parametrize(("mrd", "best", "duration"), [
    ("28 undetectable marrow,100 detectable marrow", "yes", (72, "yes", "mrd row 2")),
    ("28 undetectable marrow,100 undetectable marrow", "yes", (72, "no", "mrd row 2")),
    ("28 detectable marrow,100 undetectable marrow,200 detectable blood", "yes", (100, "yes", "mrd row 3")),
    ("28 undetectable blood,28 detectable marrow", "no", (None, None, None)),
    ("28 undetectable marrow,100 detectable blood,100 undetectable marrow", "yes", (72, "no", "mrd row 3")),
    ("", None, (None, None, None)),
])  # fmt: skip
def test_undetectable_mrd_at_any_time_and_how_long(mrd, best, duration, tmp_path):
    row = row_of(tmp_path, responses="28 CR", mrd=mrd)
    assert row["umrd_best"] == best
    assert (row["umrd_duration_days"], row["umrd_duration_event"], row["umrd_duration_source"]) == duration


def test_undetectable_mrd_ends_with_progression_and_death(tmp_path):
    mrd = "28 undetectable marrow,300 undetectable marrow"
    row = row_of(tmp_path, responses="28 CR,150 PD", mrd=mrd)
    assert (row["umrd_duration_days"], row["umrd_duration_source"]) == (122, "responses row 2")
    row = row_of(tmp_path, responses="28 CR", mrd="28 undetectable marrow", person="P,250,250")
    assert (row["umrd_duration_days"], row["umrd_duration_event"]) == (122, "yes")
    row = row_of(tmp_path, responses="28 CR", mrd=mrd, therapies="60 anticancer")
    assert (row["umrd_best"], row["umrd_duration_days"], row["umrd_duration_event"]) == ("yes", 0, "no")


@pytest.mark.parametrize(("day", "best"), [(20, "NE"), (21, "SD"), (22, "SD")])
def test_stable_disease_too_early_is_not_evaluable(day, best, tmp_path):
    row = row_of(tmp_path, responses=f"{day} SD", sd_min_days=21)
    assert row["response"] == best
    assert row["first_assessment_day"] == day
    assert row_of(tmp_path, responses="20 SD", sd_min_days=0)["response"] == "SD"
    assert row_of(tmp_path, responses="20 SD,60 PD", sd_min_days=21)["response"] == "PD"


def test_none_of_them_is_derived_unless_the_plan_says_so(tmp_path):
    row = row_of(tmp_path, responses="30 CR,60 CR", depth="none")
    assert not {"confirmed_response", "response_time_days", "docr_days", "umrd_best", "umrd_duration_days"} & set(row)
    assert {e.name for e in analysis_set(read(tmp_path, patients="patient_id,last_contact,death,diagnosis\nP,900,,CLL",
            infusions=INFUSIONS + "P,1,0,2e6,Cy/Flu\nP,2,100,2e7,Cy/Flu",
            responses="patient_id,day,response\nP,130,CR\nP,160,CR"), Design(rules=Rules(**ON))).endpoints} >= {
        "confirmed_response", "response_time", "docr"}  # fmt: skip

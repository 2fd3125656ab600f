"""Landmark days: the default follows from when patients were assessed, never from what came out."""

import pytest

from helpers import plain, read, write_sheet
from reinfuse import read_cohort
from reinfuse.analyses.landmark import time_dependent
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.post_baseline import factor_at, landmark_day, landmark_notes, time_dependent_factor
from reinfuse.plan.analysis_plan import Landmark, Plan
from reinfuse.study import Study


def data(folder, *days, response="PR", plan=None, **tables):
    """Return analysed patients whose first assessments were so many days after CART2 (day 100); None: never."""
    ids = [f"P{i:02d}" for i in range(len(days))]
    cohort = read(
        folder,
        patients="patient_id,last_contact,death,diagnosis\n" + "\n".join(f"{p},1000,,CLL" for p in ids),
        infusions="patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"
        + "\n".join(f"{p},{i},{day},2e6,Cy" for p in ids for i, day in ((1, 0), (2, 100))),
        responses="patient_id,day,response\nP00,50,CR\n"
        + "\n".join(f"{p},{100 + day},{response}" for p, day in zip(ids, days, strict=True) if day is not None),
        **tables,
    )
    return analysis_set(cohort, plan or Plan())


DEFAULTS = [
    ("all by day 42", (28, 29, 30, 42), 42),
    ("nine of ten by day 42", (*[28] * 9, 200), 42),
    ("eight of nine: not yet 90 %", (*[28] * 8, 44), 49),
    ("the day itself is a whole week", (49, 49), 49),
    ("assessed at three months", (88, 90, 91, 92), 98),
    ("who was never assessed does not count", (28, None, None), 42),
    ("nobody was", (None, None), 42),
]


@pytest.mark.parametrize(("days", "expected"), [d[1:] for d in DEFAULTS], ids=[d[0] for d in DEFAULTS])
def test_the_default_of_response_follows_the_first_assessments(tmp_path, days, expected):
    for response in ("PR", "SD", "PD"):
        patients = data(tmp_path, *days, response=response)
        assert landmark_day(Landmark(factor="response"), patients, rules=Plan().rules) == expected


def test_an_assessment_that_is_not_evaluable_is_none(tmp_path):
    patients = data(tmp_path, 200, 200, response="NE")
    assert landmark_day(Landmark(factor="response"), patients, rules=Plan().rules) == 42


@pytest.mark.parametrize(("window", "day"), [((21, 42), 42), ((21, 35), 42), ((21, 60), 60)])
def test_the_default_of_umrd_is_the_end_of_its_window(tmp_path, window, day):
    plan = Plan.of({"rules": {"umrd_window": window}})
    assert landmark_day(Landmark(factor="umrd_day28"), data(tmp_path, 28, plan=plan), rules=plan.rules) == day


@pytest.mark.parametrize(("known_at", "day"), [(14, 42), (60, 60)])
def test_the_default_of_another_factor_is_not_before_it_is_known(tmp_path, known_at, day):
    plan = Plan.of({"factors": [{"name": "peak", "column": "peak", "known_at": known_at}]})
    sheet = write_sheet(tmp_path, "patient_id,os_days,os_event,peak\nA,100,1,5\nB,200,0,9\nC,300,1,7")
    patients = analysis_set(read_cohort(sheet), plan)
    assert landmark_day(Landmark(factor="peak"), patients, rules=plan.rules) == day


def test_the_plan_s_own_day_stands(tmp_path):
    patients = data(tmp_path, 88, 90)
    assert landmark_day(Landmark(factor="response", day=28), patients, rules=Plan().rules) == 28


def test_responders_after_the_landmark_are_warned_of(tmp_path):
    patients, marks = data(tmp_path, 28, 29, 30, 60), (Landmark(factor="response"), Landmark(factor="response", day=28))
    assert landmark_notes(marks, patients, rules=Plan().rules) == [
        "landmark of response at day 63, not 42: 90% of first assessments were made by then",
        "landmark of response at day 28: 3 of 4 responders first responded after it and count there as no response",
    ]
    assert landmark_notes(marks[:1], data(tmp_path, 28, 29), rules=Plan().rules) == []


def test_patients_tested_for_mrd_after_the_landmark_are_warned_of(tmp_path):
    mrd = "patient_id,day,result\nP00,128,undetectable\nP01,129,detectable\nP02,130,undetectable"
    patients = data(tmp_path, 28, 29, 30, mrd=mrd)
    at_28 = landmark_notes((Landmark(factor="umrd_day28", day=28),), patients, rules=Plan().rules)
    assert at_28 == ["landmark of umrd_day28 at day 28: 2 of 3 patients were tested after it and are excluded there"]
    assert landmark_notes((Landmark(factor="umrd_day28"),), patients, rules=Plan().rules) == []


def test_the_warning_stands_in_the_report_and_at_the_record(tmp_path):
    sheet = "patient_id,os_days,os_event,response,response_day\nA,100,1,PR,29\nB,200,1,PR,28\nC,300,0,PR,31\nD,90,1,SD,"
    plan = plain(Plan.of({"landmarks": [{"factor": "response", "day": 28}], "factors": []}))
    findings = Study(read_cohort(write_sheet(tmp_path, sheet)), plan).run()
    warned = "landmark of response at day 28: 2 of 3 responders first responded after it and count there as no response"
    assert warned in [w["text"] for w in findings.warnings]
    [ratio] = [e for e in findings.estimates if e.analysis == "landmark" and e.statistic == "hazard_ratio"]
    assert "2 of 3 responders first responded after the landmark" in ratio.note


def test_read_again_the_default_is_the_same(tmp_path):
    plan = plain(Plan())
    ids, days = "ABCD", (88, 90, 91, 92)
    cohort = read(
        tmp_path,
        patients="patient_id,last_contact,death,diagnosis\n" + "\n".join(f"{p},1000,,CLL" for p in ids),
        infusions="patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"
        + "\n".join(f"{p},{i},{day},2e6,Cy" for p in ids for i, day in ((1, 0), (2, 100))),
        responses="patient_id,day,response\n"
        + "\n".join(f"{p},{100 + day},{r}" for p, day, r in zip(ids, days, ("PR", "SD", "PR", "SD"), strict=True)),
    )  # fmt: skip
    first = Study(cohort, plan).run()
    first.patients.write_csv(tmp_path / "again.csv")
    again = Study(read_cohort(tmp_path / "again.csv"), plan).run()
    for findings in (first, again):
        assert {e.at for e in findings.estimates if (e.analysis, e.term) == ("landmark", "response")} == {98}


UNDATED = """patient_id,os_days,os_event,response,response_day
A,100,1,PR,29
B,200,1,PR,28
C,300,0,CR,
D,90,1,SD,
E,150,1,,
F,400,1,PD,"""


def test_a_responder_without_a_day_is_no_non_responder(tmp_path):
    patients = analysis_set(read_cohort(write_sheet(tmp_path, UNDATED)), Plan(factors=(), models=()))
    factor, _ = factor_at("response", 42, data=patients)
    assert factor.values.to_list() == ["yes", "yes", None, "no", "no", "no"]
    turned, _ = time_dependent_factor("response", patients)
    assert turned.undated.tolist() == [False, False, True, False, False, False]
    [ratio] = time_dependent(patients.endpoint("os"), turned, [], confidence=0.95)
    assert (ratio.n, ratio.events) == (5, 5)
    assert "1 left out: the day of the change is missing" in ratio.note

"""Planned split doses: literal patients whose infusions were given in parts."""

import polars as pl
import pytest

from helpers import plain, read
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_derivation import derive
from reinfuse.cohort.paired_outcomes import pairs
from reinfuse.cohort.patient_courses import courses
from reinfuse.cohort.raw_tables import ROW
from reinfuse.cohort.split_doses import with_whole_doses
from reinfuse.plan.analysis_plan import Plan
from reinfuse.study import Study

HEADER = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion,reason,bulky\n"
IN_TWO = HEADER + "P,1,0,1e6,Cy/Flu,,no\nP,2,14,3e6,none,planned,yes"
THEN_AGAIN = IN_TWO + "\nP,3,200,2e7,Cy,relapse,yes"
RESPONSES = "patient_id,day,response\nP,28,PR\nP,60,CR\nP,190,PD\nP,230,CR"
INDEX_1 = ("response", "response_day", "pfs_days", "pfs_event", "pfs_source", "ttnt_days", "ttnt_source")


def cohort(folder, infusions=IN_TWO, people="P,400,,CLL", **tables):
    return read(folder, patients=f"patient_id,last_contact,death,diagnosis\n{people}", infusions=infusions, **tables)


def row(cohort, index=1, **rules):
    return derive(cohort, index, rules=Rules(**rules)).row(0, named=True)


def part(row, *names):
    return tuple(row[n] for n in names)


def test_a_planned_part_does_not_end_the_follow_up(tmp_path):
    outcome = row(cohort(tmp_path, responses=RESPONSES))
    assert part(outcome, *INDEX_1) == ("CR", 28, 190, "yes", "responses row 3", 400, "patients row 1")


def test_a_later_infusion_ends_it(tmp_path):
    outcome = row(cohort(tmp_path, THEN_AGAIN, responses=RESPONSES))
    assert part(outcome, *INDEX_1) == ("CR", 28, 190, "yes", "responses row 3", 200, "infusions row 3")


ENDS = [
    ("the last day of the plan's days", {}, 30, "planned", ("CR", 400)),
    ("a day later", {}, 31, "planned", ("PR", 31)),
    ("another reason", {}, 14, "progression", (None, 14)),
    ("no reason", {}, 14, "", (None, 14)),
    ("fewer days in the plan", {"split_dose_days": 13}, 14, "planned", (None, 14)),
    ("none in the plan", {"split_dose_days": 0}, 1, "planned", (None, 1)),
]


@pytest.mark.parametrize(("rules", "day", "reason", "expected"), [e[1:] for e in ENDS], ids=[e[0] for e in ENDS])
def test_what_is_a_part_and_what_is_an_infusion(tmp_path, rules, day, reason, expected):
    infusions = HEADER + f"P,1,0,1e6,Cy/Flu,,no\nP,2,{day},3e6,none,{reason},yes"
    outcome = row(cohort(tmp_path, infusions, responses=RESPONSES), **rules)
    assert part(outcome, "response", "ttnt_days") == expected


def test_three_parts_are_one_infusion(tmp_path):
    infusions = HEADER + "P,1,0,1e6,Cy/Flu,,no\nP,2,20,3e6,,planned,\nP,3,45,6e6,,planned,"
    whole = with_whole_doses(cohort(tmp_path, infusions), Rules())
    assert whole.tables["infusions"].select("infusion", "day", "dose_cells_per_kg").rows() == [(1, 0, 1e7)]
    assert whole.split_doses.select("infusion", "whole", ROW).rows() == [(2, 1, 2), (3, 1, 3)]
    assert with_whole_doses(whole, Rules()) is whole


def test_the_whole_has_its_first_part_s_columns_and_the_sum_of_the_doses(tmp_path):
    data = analysis_set(cohort(tmp_path, THEN_AGAIN), Plan())
    outcome = data.frame.row(0, named=True)
    assert part(outcome, "cart1_dose_cells_per_kg", "cart1_lymphodepletion", "cart2_dose_cells_per_kg") == (
        4e6, "Cy/Flu", 2e7,
    )  # fmt: skip
    assert part(outcome, "interval_days", "reason", "bulky") == (200, "relapse", "yes")
    assert data.factor("dose_increase").values.to_list() == ["yes"]
    first = analysis_set(cohort(tmp_path, IN_TWO), Plan.built_in(1)).frame.row(0, named=True)
    assert part(first, "cart1_dose_cells_per_kg", "reason", "bulky") == (4e6, None, "no")


def test_a_part_without_a_dose_leaves_the_sum_missing(tmp_path):
    infusions = HEADER + "P,1,0,1e6,Cy/Flu,,no\nP,2,14,,none,planned,yes"
    data = analysis_set(cohort(tmp_path, infusions), Plan.built_in(1))
    assert data.frame["cart1_dose_cells_per_kg"].to_list() == [None]
    assert "1 of 1 patient: split dose with a part whose dose is not known; the sum is missing" in data.notes


def test_the_second_infusion_is_the_second_whole_one(tmp_path):
    outcome = row(cohort(tmp_path, THEN_AGAIN, responses=RESPONSES), 2)
    assert part(outcome, "response", "response_day", "os_days") == ("CR", 30, 200)
    both = pairs(cohort(tmp_path, THEN_AGAIN, responses=RESPONSES), 2, rules=Rules())
    assert (both.pfs_days.tolist(), both.cr.tolist()) == ([[190, 30]], [[1, 1]])


def test_who_had_no_more_than_parts_is_excluded_with_that_reason(tmp_path):
    infusions = IN_TWO + "\nQ,1,0,1e6,Cy,,no\nQ,2,90,1e6,Cy,relapse,no\nR,1,0,1e6,Cy,,no"
    data = analysis_set(cohort(tmp_path, infusions, "P,400,,CLL\nQ,400,,CLL\nR,400,,CLL"), Plan())
    assert data.flow.rows() == [
        ("P", "excluded", "no infusion 2: a planned part (split dose) is none of its own"),
        ("Q", "analysed", None),
        ("R", "excluded", "no infusion 2"),
    ]
    assert ("1 of 3 patients: infusion planned within 30 days of the one before (split dose); a part of it, which "
            "counts from its first part (infusions row 2)") in data.notes  # fmt: skip


def test_an_infusion_as_soon_without_a_reason_is_asked_about(tmp_path):
    infusions = IN_TWO.replace("planned", "")
    notes = analysis_set(cohort(tmp_path, infusions), Plan()).notes
    assert ("1 of 1 patient: infusion within 30 days of the one before, reason not recorded; counted as an infusion of "
            "its own (infusions row 2)") in notes  # fmt: skip


def test_toxicities_of_a_part_belong_to_the_whole(tmp_path):
    rows = "patient_id,infusion,kind,grade,day\nP,1,CRS,1,3\nP,2,CRS,3,16\nP,3,CRS,2,203"
    both = cohort(tmp_path, THEN_AGAIN, toxicities=rows)
    assert part(row(both), "crs_grade", "crs_grade_source") == (3, "toxicities row 2")
    assert part(row(both, 2), "crs_grade", "crs_grade_source") == (2, "toxicities row 3")


def test_counts_after_a_part_belong_to_the_whole(tmp_path):
    counts = "patient_id,day,value,unit\nP,7,50,cells/uL\nP,21,90,cells/uL\nP,210,30,cells/uL"
    study = Study(cohort(tmp_path, THEN_AGAIN, counts=counts), plain(Plan()))
    assert [(p.infusion, p.day.tolist()) for p in study.counts.profiles] == [(1, [7, 21]), (2, [10])]


def test_the_swimmer_shows_the_parts(tmp_path):
    study = Study(cohort(tmp_path, THEN_AGAIN, responses=RESPONSES), plain(Plan()))
    [one] = courses(study.cohort, study.data, 2)
    shown = [(e.day, e.detail) for e in one.events if e.kind == "infusion"]
    assert shown == [(-200, "1"), (-186, "1"), (0, "2")]


def test_the_order_of_rows_does_not_matter(tmp_path):
    lines = THEN_AGAIN.splitlines()
    turned = "\n".join([lines[0], *reversed(lines[1:])])
    one, other = (derive(cohort(tmp_path, i, responses=RESPONSES), 2, rules=Rules()) for i in (THEN_AGAIN, turned))
    assert one.equals(other)
    assert isinstance(one, pl.DataFrame)

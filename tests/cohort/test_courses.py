"""Courses of single patients and changes of size, from literal tables with the answers beside them."""

from __future__ import annotations

import pytest

from helpers import plain, read
from reinfuse import Plan, Study, read_cohort
from reinfuse.cohort.declarations import Factor, Rules
from reinfuse.cohort.patient_courses import Course, Event, courses
from reinfuse.exceptions import CohortRefused, PlanRefused

COHORT = {
    "patients": """patient_id,last_contact,death,diagnosis
        A,500,,CLL
        B,,400,NHL
        C,300,,ALL""",
    "infusions": """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
        A,1,0,1e6,Cy
        A,2,100,2e6,Cy/Flu
        A,3,300,2e6,Cy/Flu
        B,1,0,2e6,Cy/Flu
        B,2,60,2e6,Cy/Flu
        C,1,0,2e6,Cy/Flu
        C,2,50,2e6,Cy/Flu""",
    "responses": """patient_id,day,response
        A,100,PD
        A,130,PR
        A,190,CRi
        A,250,CR
        A,300,CR
        A,330,nPR
        B,90,relapse
        B,200,NE
        C,50,PR
        C,80,CR""",
    "mrd": """patient_id,day,result,value
        A,130,undetectable,
        C,80,,0.00005
        C,110,,0.02""",
    "therapies": """patient_id,day,therapy,kind
        A,-20,chlorambucil,anticancer
        A,60,venetoclax,anticancer
        B,100,radiation,radiation
        B,110,acyclovir,supportive
        B,120,lenalidomide,
        C,120,transplant,allo-HCT""",
}

A = Course(
    "A", "CLL", -100, 400, False,
    (Event(-100, "infusion", "1"), Event(-40, "other therapy"), Event(0, "PD"), Event(0, "infusion", "2"),
     Event(30, "PR"), Event(30, "MRD undetectable"), Event(90, "CR"), Event(150, "CR"), Event(200, "CR"),
     Event(200, "infusion", "3"), Event(230, "PR")),
    ((30, 90, "PR"), (90, 200, "CR")),
)  # fmt: skip
"""Therapy before the first infusion is not shown; on the day of an infusion the assessment comes first."""
B = Course(
    "B", "NHL", -60, 340, True,
    (Event(-60, "infusion", "1"), Event(0, "infusion", "2"), Event(30, "PD"), Event(40, "other therapy"),
     Event(60, "other therapy"), Event(140, "NE")),
)  # fmt: skip
"""Death long after progression; a therapy of unknown kind counts, a supportive one does not."""
C = Course(
    "C", "ALL", -50, 250, False,
    (Event(-50, "infusion", "1"), Event(0, "PR"), Event(0, "infusion", "2"), Event(30, "CR"),
     Event(30, "MRD undetectable"), Event(60, "MRD detectable"), Event(70, "transplant")),
)  # fmt: skip
"""A response on the day of the infusion, or without a later assessment, is a mark and no time in response."""


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    return Study(read(tmp_path_factory.mktemp("dated"), **COHORT), plain(Plan.built_in())).run()


def whole(course):
    """Return everything of a course; its representation leaves out what it holds of the patient."""
    return (course.patient_id, course.diagnosis, course.start, course.end, course.died, course.events, course.responses)


@pytest.mark.parametrize("expected", [A, B, C], ids=["three infusions", "death after progression", "MRD values"])
def test_the_course_of_each_patient(dated, expected):
    by_patient = {c.patient_id: c for c in courses(dated.cohort, dated.data, 2, threshold=1e-4)}
    assert whole(by_patient[expected.patient_id]) == whole(expected)


def test_a_value_without_a_threshold_is_not_interpreted(dated):
    by_patient = {c.patient_id: c for c in courses(dated.cohort, dated.data, 2)}
    assert [e.kind for e in by_patient["C"].events] == ["infusion", "PR", "infusion", "CR", "transplant"]
    assert "MRD undetectable" in [e.kind for e in by_patient["A"].events]


def test_days_are_counted_from_the_index_infusion(tmp_path):
    findings = Study(read(tmp_path, **COHORT), plain(Plan.built_in(3))).run()
    (patient_courses,) = courses(findings.cohort, findings.data, 3)
    assert [(e.day, e.detail) for e in patient_courses.events if e.kind == "infusion"] == [
        (-300, "1"),
        (-200, "2"),
        (0, "3"),
    ]
    assert (patient_courses.start, patient_courses.end) == (-300, 200)


def test_cohorts_of_only_patients_and_infusions(tmp_path):
    tables = {name: COHORT[name] for name in ("patients", "infusions")}
    findings = Study(read(tmp_path, **tables), plain(Plan.built_in())).run()
    patient_courses = courses(findings.cohort, findings.data, 2)
    assert [(c.patient_id, {e.kind for e in c.events}, c.responses) for c in patient_courses] == [
        (p, {"infusion"}, ()) for p in ("A", "B", "C")]  # fmt: skip


WIDE = (
    "patient_id,diagnosis,interval_days,response,response_day,umrd_day28,umrd_day28_day,transplant_day,"
    "pfs_days,pfs_event,os_days,os_event\n"
    "P1,CLL,120,CR,30,yes,28,90,300,1,400,0\n"
    "P2,NHL,60,PR,,no,,,50,1,,\n"
    "P3,ALL,,SD,,,,,,,,\n"
    "P4,ALL,80,CR,25,,,,199,0,200,1\n"
)


def test_a_wide_sheet_shows_what_it_has(tmp_path):
    (tmp_path / "sheet.csv").write_text(WIDE)
    findings = Study(read_cohort(tmp_path / "sheet.csv"), plain(Plan.built_in())).run()
    found = [whole(c) for c in courses(findings.cohort, findings.data, 2)]
    assert found == [
        ("P1", "CLL", -120, 400, False,
         (Event(-120, "infusion", "1"), Event(0, "infusion", "2"), Event(28, "MRD undetectable"), Event(30, "CR"),
          Event(90, "transplant"), Event(300, "progression or death")), ()),
        # no overall survival: to the end of progression-free survival, and nothing is told of death
        ("P2", "NHL", -60, 50, None,
         (Event(-60, "infusion", "1"), Event(0, "infusion", "2"), Event(50, "progression or death")), ()),
        # P3 has no time at all
        ("P4", "ALL", -80, 200, True,
         (Event(-80, "infusion", "1"), Event(0, "infusion", "2"), Event(25, "CR")), ()),
    ]  # fmt: skip


def test_the_representation_holds_no_events(dated):
    assert "infusion" not in repr(courses(dated.cohort, dated.data, 2)[0])


# Changes of size. Day 60 is the index infusion of every patient.


SIZES = """
    A,50,PD,100
    A,90,PR,40
    A,150,PR,25
    B,50,PD,80
    B,90,SD,60
    B,120,PD,70
    B,200,SD,10
    C,50,PD,0
    C,90,SD,10
    D,50,PD,100
    D,90,SD,
    E,90,SD,50
    F,20,SD,200
    F,60,PD,50
    F,90,SD,55
    G,50,PD,100
    G,90,SD,80
    G,150,PR,5
    H,50,PD,100
    H,90,PD,50
    I,50,PD,30
    I,90,CR,0"""
CHANGES = {
    "A": -75,  # 100 to 25
    "B": -25,  # 80 to 60; the 10 came after progression
    "C": None,  # nothing to divide by
    "D": None,  # no later size
    "E": None,  # no size before
    "F": 10,  # the last size up to the infusion, on its day: 50 to 55
    "G": -20,  # 100 to 80; the 5 came after a new therapy
    "H": -50,  # the size of the progression itself counts
    "I": -100,
}


def sized(folder, rules=None):
    """Return the findings of the patients with sizes."""
    tables = {
        "patients": "patient_id,last_contact,death,diagnosis\n" + "\n".join(f"{p},500,,NHL" for p in CHANGES),
        "infusions": "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"
        + "\n".join(f"{p},{i},{day},1e6,Cy/Flu" for p in CHANGES for i, day in ((1, 0), (2, 60))),
        "responses": "patient_id,day,response,size" + SIZES,
        "therapies": "patient_id,day,therapy,kind\nG,100,lenalidomide,anticancer",
    }
    plan = plain(Plan.built_in())
    return Study(read(folder, **tables), plan if rules is None else plan.model_copy(update={"rules": rules})).run()


def changes(findings):
    """Return each patient's change of size."""
    return dict(findings.patients.select("patient_id", "best_size_change").iter_rows())


def test_changes_of_size_by_hand(tmp_path):
    by_patient = changes(sized(tmp_path))
    assert by_patient == {p: change if change is None else pytest.approx(change) for p, change in CHANGES.items()}


def test_sizes_after_a_new_therapy_are_left_out_whatever_pfs_does(tmp_path):
    by_patient = changes(sized(tmp_path, Rules(censor_at_new_therapy=False)))
    assert by_patient == {p: change if change is None else pytest.approx(change) for p, change in CHANGES.items()}


def test_patients_read_again_have_the_same_changes(tmp_path):
    first = sized(tmp_path)
    first.patients.write_csv(tmp_path / "again.csv")
    again = Study(read_cohort(tmp_path / "again.csv"), plain(Plan.built_in())).run()
    assert changes(again) == {p: c if c is None else pytest.approx(c) for p, c in changes(first).items()}


def test_a_change_of_size_is_no_factor_of_the_index_infusion():
    with pytest.raises(PlanRefused, match="best_size_change is known only after the index infusion"):
        Factor(name="shrunk", column="best_size_change", above=-50)


def test_sizes_below_nothing_are_refused(tmp_path):
    (tmp_path / "sheet.csv").write_text("patient_id,diagnosis,os_days,os_event,best_size_change\nP1,ALL,9,1,-101\n")
    with pytest.raises(CohortRefused) as refused:
        read_cohort(tmp_path / "sheet.csv")
    assert [(p.column, p.value) for p in refused.value.problems] == [("best_size_change", "-101")]
    with pytest.raises(CohortRefused) as refused:
        read(tmp_path, **COHORT | {"responses": "patient_id,day,response,size\nA,130,PR,-1"})
    assert [(p.table, p.column) for p in refused.value.problems if p.severity == "error"] == [("responses", "size")]


def test_without_sizes_there_is_no_column_of_changes(dated):
    assert "best_size_change" not in dated.patients.columns

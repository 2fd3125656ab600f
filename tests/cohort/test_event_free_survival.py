"""Event-free survival by hand: literal patients, CART2 on day 100, response due by day 90 after it (day 190)."""

from __future__ import annotations

import pytest

from helpers import plain, read
from reinfuse import Plan, Study, read_cohort
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_derivation import derive
from reinfuse.exceptions import CohortRefused

INFUSIONS = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"
FAILED = "no response by day 90"


def cohort_of(folder, people, responses="", therapies=""):
    """Read a cohort; `people`: id, last contact, death."""
    ids = [line.split(",")[0] for line in people.splitlines()]
    return read(
        folder,
        patients="patient_id,last_contact,death,diagnosis\n" + "\n".join(f"{p},CLL" for p in people.splitlines()),
        infusions=INFUSIONS + "\n".join(f"{i},1,0,2e6,Cy/Flu\n{i},2,100,2e7,Cy/Flu" for i in ids),
        responses=f"patient_id,day,response\n{responses}",
        therapies=f"patient_id,day,therapy,kind\n{therapies}",
    )


def efs(folder, person, responses="", therapies="", **rules):
    """Derive EFS of one patient by a rule: days, event and source."""
    row = derive(cohort_of(folder, person, responses, therapies), 2, rules=Rules(**rules)).row(0, named=True)
    return row["efs_days"], row["efs_event"], row["efs_source"]


# Name, patient (last contact, death), responses, therapies, then the row by each rule.
CASES = [
    ("in response, then relapse", "P,900,", "P,130,CR\nP,250,relapse", "",
     (150, "yes", "responses row 2"), (150, "yes", "responses row 2")),
    ("in response, then death", "P,400,400", "P,130,CR\nP,250,CR", "",
     (300, "yes", "patients row 1"), (300, "yes", "patients row 1")),
    ("in response, censored at the last assessment", "P,900,", "P,130,CR\nP,250,CR", "",
     (150, "no", "responses row 2"), (150, "no", "responses row 2")),
    ("in response, censored before a new therapy", "P,900,", "P,130,PR\nP,300,PD", "P,200,ibrutinib,anticancer",
     (30, "no", "responses row 1"), (30, "no", "responses row 1")),
    ("response on the very day", "P,900,", "P,190,PR", "",
     (90, "no", "responses row 1"), (90, "no", "responses row 1")),
    ("response a day too late", "P,900,", "P,130,SD\nP,191,CR", "",
     (0, "yes", f"{FAILED} (responses row 2)"), (90, "yes", f"{FAILED} (responses row 2)")),
    ("stable disease, followed on", "P,900,", "P,130,SD\nP,250,SD", "",
     (0, "yes", f"{FAILED} (responses row 1)"), (90, "yes", f"{FAILED} (responses row 1)")),
    ("stable disease, followed to the very day", "P,190,", "P,130,SD", "",
     (0, "yes", f"{FAILED} (responses row 1)"), (90, "yes", f"{FAILED} (responses row 1)")),
    ("stable disease, lost a day before", "P,189,", "P,130,SD", "",
     (30, "no", "responses row 1"), (30, "no", "responses row 1")),
    ("progression without a response", "P,900,", "P,130,PD", "",
     (0, "yes", f"{FAILED} (responses row 1)"), (30, "yes", "responses row 1")),
    ("stable disease, progression after the day", "P,900,", "P,130,SD\nP,250,PD", "",
     (0, "yes", f"{FAILED} (responses row 1)"), (90, "yes", f"{FAILED} (responses row 1)")),
    ("death before the day, stable disease", "P,160,160", "P,130,SD", "",
     (0, "yes", f"{FAILED} (patients row 1)"), (60, "yes", "patients row 1")),
    ("death before the day, never assessed", "P,120,120", "", "",
     (0, "yes", f"{FAILED} (patients row 1)"), (20, "yes", "patients row 1")),
    ("death before the day, in response", "P,160,160", "P,130,CR", "",
     (60, "yes", "patients row 1"), (60, "yes", "patients row 1")),
    ("death after the day, never assessed: as PFS", "P,400,400", "", "",
     (300, "yes", "patients row 1"), (300, "yes", "patients row 1")),
    ("never assessed and alive: no event", "P,900,", "", "",
     (0, "no", "infusions row 2"), (0, "no", "infusions row 2")),
    ("not evaluable only: no event", "P,900,", "P,130,NE\nP,220,NE", "",
     (0, "no", "infusions row 2"), (0, "no", "infusions row 2")),
    ("first assessed after the day, in response: no event", "P,900,", "P,220,CR", "",
     (120, "no", "responses row 1"), (120, "no", "responses row 1")),
    ("first assessed after the day, in progression", "P,900,", "P,220,PD", "",
     (120, "yes", "responses row 1"), (120, "yes", "responses row 1")),
    ("new therapy without a response", "P,900,", "P,130,SD\nP,180,CR", "P,160,ibrutinib,anticancer",
     (0, "yes", f"{FAILED} (therapies row 1)"), (60, "yes", f"{FAILED} (therapies row 1)")),
    ("new therapy, never assessed: no event", "P,900,", "P,180,CR", "P,160,ibrutinib,anticancer",
     (0, "no", "infusions row 2"), (0, "no", "infusions row 2")),
]  # fmt: skip
CASE = [pytest.param(*case[1:], id=case[0]) for case in CASES]


@pytest.mark.parametrize(("person", "responses", "therapies", "index", "failure"), CASE)
def test_each_rule(tmp_path, person, responses, therapies, index, failure):
    for rule, expected in (("index day", index), ("day of failure", failure)):
        assert efs(tmp_path, person, responses, therapies, efs=rule) == expected


def test_another_day_and_another_set_of_responses(tmp_path):
    one = ("P,900,", "P,110,SD\nP,130,PR\nP,250,CR", "")
    assert efs(tmp_path, *one, efs="index day", efs_day=29)[:2] == (0, "yes")
    assert efs(tmp_path, *one, efs="index day", efs_day=30)[:2] == (150, "no")
    assert efs(tmp_path, *one, efs="day of failure", responders=("CR",))[:2] == (90, "yes")


def test_a_death_after_a_new_therapy_counts_where_events_go_on_through_it(tmp_path):
    one = ("P,400,400", "P,130,CR", "P,200,ibrutinib,anticancer")
    assert efs(tmp_path, *one, efs="index day")[:2] == (30, "no")
    assert efs(tmp_path, *one, efs="index day", censor_at_new_therapy=False)[:2] == (300, "yes")


def test_an_event_after_too_long_a_gap_is_none(tmp_path):
    one = ("P,180,180", "P,110,SD", "")
    assert efs(tmp_path, *one, efs="day of failure")[:2] == (80, "yes")
    assert efs(tmp_path, *one, efs="day of failure", max_gap_days=60)[:2] == (10, "no")


PEOPLE = "A,900,\nB,900,\nC,900,\nD,160,160\nE,900,"
RESPONSES = "A,130,CR\nA,250,PD\nB,130,SD\nB,250,SD\nC,130,CR\nC,460,CR\nD,130,PD"


@pytest.mark.parametrize(
    ("rule", "median", "times"),
    [("index day", 150, [150, 0, 360, 0, 0]), ("day of failure", 120, [150, 90, 360, 30, 0])],
)
def test_five_patients_by_hand(tmp_path, rule, median, times):
    """Events of A, B, D; C censored on day 360, E (never assessed) on day 0.

    On the index day: 5 at risk, B and D fail on day 0, S = 3/5; then A and C, at A's relapse S = 3/10: median 150.
    On the day of failure: 4 at risk on day 30 (D), S = 3/4; on day 90 (B) S = 1/2; on day 150 (A) S = 1/4: the curve
    is one half from day 90 to 150, and the median its middle, 120.
    """
    cohort = cohort_of(tmp_path, PEOPLE, RESPONSES)
    plan = plain(Plan.built_in()).model_copy(update={"rules": Rules(efs=rule)})
    data = analysis_set(cohort, plan)
    end = data.endpoint("efs")
    assert list(end.time) == times
    assert list(end.event) == [1, 1, 0, 1, 0]
    findings = Study(cohort, plan).run()
    found = [e for e in findings.estimates if (e.endpoint, e.statistic, e.population) == ("efs", "median", "all")
             and e.group is None]  # fmt: skip
    assert [(e.estimate, e.n, e.events) for e in found] == [(median, 5, 3)]
    notes = [w["text"] for w in findings.warnings]
    assert "1 of 5 patients: no adequate assessment; censored for event-free survival at day 0" in notes
    made = {"index day": 2, "day of failure": 1}[rule]
    assert f"{made} of 5 patients: {FAILED}; counted as an event of event-free survival" in notes


def test_it_is_not_derived_unless_the_plan_says_so(tmp_path):
    cohort = cohort_of(tmp_path, PEOPLE, RESPONSES)
    assert not [c for c in derive(cohort, 2, rules=Rules()).columns if c.startswith("efs")]


def test_every_event_of_pfs_is_one_no_later(tmp_path):
    def renamed(column):
        return "\n".join(line.replace("P,", f"P{i},", 1) for i, case in enumerate(CASES)
                         for line in case[column].splitlines())  # fmt: skip

    people, responses, therapies = (renamed(column) for column in (1, 2, 3))
    cohort = cohort_of(tmp_path, people, responses, therapies)
    for rule in ("index day", "day of failure"):
        for through in (True, False):
            frame = derive(cohort, 2, rules=Rules(efs=rule, censor_at_new_therapy=not through))
            assert frame.height == len(CASES)
            for row in frame.iter_rows(named=True):
                assert row["efs_days"] <= row["pfs_days"] or row["pfs_event"] == "no"
                assert row["efs_event"] == "yes" or row["pfs_event"] == "no"


def test_a_wide_sheet_may_hold_it(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text("patient_id,efs_days,efs_event,pfs_days,pfs_event\nA,0,1,30,0\nB,50,1,50,1\nC,60,0,40,0\n")
    with pytest.raises(CohortRefused) as caught:
        read_cohort(path)
    rules = [(p.row, p.column, p.rule) for p in caught.value.problems]
    assert rules == [(3, "efs_days", "event-free survival is longer than progression-free survival")]
    cohort = read_cohort(path, confirmed=["events"])
    data = analysis_set(cohort, plain(Plan.built_in()))
    assert list(data.endpoint("efs").time) == [0, 50, 60]

"""What reads without a fault and yet cannot be: a problem with its remedy, until the plan says that somebody looked."""

import numpy as np
import pytest

from helpers import write_sheet
from reinfuse.cohort.cohort import examine
from reinfuse.cohort.raw_tables import read_raw
from reinfuse.plan.analysis_plan import Plan
from reinfuse.study import Study

HEAD = "patient_id,age_years,prior_lines,cart2_dose_cells_per_kg,umrd_day28,pfs_days,pfs_event,os_days,os_event"
PATIENTS = [
    "P1,61,3,2e6,yes,61,1,210,1",
    "P2,55,5,2e6,no,30,1,95,1",
    "P3,70,2,1e6,yes,400,0,400,0",
    "P4,48,7,2e6,,12,1,12,1",
    "P5,66,4,2e7,no,90,0,300,0",
    "P6,59,3,2e6,yes,128,1,700,0",
    "P7,63,6,2e5,no,250,1,251,1",
    "P8,52,1,1e6,yes,365,0,365,0",
]


def suspicions(folder, rows, head=HEAD, confirmed=()):
    raw = read_raw(write_sheet(folder, "\n".join([head, *rows])))
    cohort, problems = examine(raw, confirmed=confirmed)
    told = [p for p in problems if "confirmed = " in p.remedy]
    assert (cohort is None) == any(p.severity == "error" for p in problems)
    return told


def columns(rows):
    return [row.split(",") for row in rows]


def test_an_ordinary_sheet_raises_no_suspicion(tmp_path):
    assert suspicions(tmp_path, PATIENTS) == []


@pytest.mark.parametrize("name", ["TOTAL", "Total (n=8)", "Mean", "Summe", "N = 8", "Median: 60", "%", "Gesamt"])
def test_a_row_named_as_totals_is_no_patient(tmp_path, name):
    told = suspicions(tmp_path, [*PATIENTS, f"{name},,,,,,,,"])
    assert [(p.row, p.column, p.value) for p in told] == [(9, "patient_id", name)]


def test_names_that_a_pseudonym_may_have_are_totals_only_beside_others(tmp_path):
    rows = [row.replace("P1,", "Max,").replace("P2,", "N2,").replace("P3,", "Sum1,") for row in PATIENTS]
    assert suspicions(tmp_path, rows) == []
    told = suspicions(tmp_path, [*PATIENTS, "Mean,,,,,,,,", "SD,,,,,,,,", "Max,,,,,,,,"])
    assert sorted(p.row for p in told) == [9, 10, 11]


@pytest.mark.parametrize("summary", [np.sum, np.mean])
def test_a_row_of_sums_or_means_is_no_patient_whatever_its_name(tmp_path, summary):
    numbers = np.array([[float(c) for c in (row[1], row[2], row[5], row[7])] for row in columns(PATIENTS)])
    age, lines, pfs, survival = summary(numbers[:, [0, 1, 2, 3]], axis=0)
    head = HEAD.replace("age_years", "height").replace("prior_lines", "lines")
    rows = [f"{r[0]},{r[2]},{r[5]},{r[7]}" for r in columns(PATIENTS)]
    told = suspicions(tmp_path, [*rows, f"P99,{lines},{pfs},{survival}"], "patient_id,prior_lines,dor_days,os_days")
    assert head
    assert age
    assert [p.row for p in told if "sum, or the mean" in p.rule] == [9]


def doses(rows, new):
    return [",".join([*r[:3], str(new(i, float(r[3]))), *r[4:]]) for i, r in enumerate(columns(rows))]


def test_doses_that_are_totals(tmp_path):
    told = suspicions(tmp_path, doses(PATIENTS, lambda _, dose: dose * 40))
    assert {p.column for p in told} == {"cart2_dose_cells_per_kg"}
    assert len(told) == 7  # 2e5 cells per kg, times 40 kg, is below what tells
    assert "7 of 8 doses" in told[0].rule


def test_two_clusters_of_doses(tmp_path):
    told = suspicions(tmp_path, doses(PATIENTS, lambda i, _: 1.5e8 if i in (2, 5) else 2e6))
    assert [(p.row, p.value) for p in told] == [(3, "1.5e+08"), (6, "1.5e+08")]
    assert suspicions(tmp_path, doses(PATIENTS, lambda i, _: 2e7 if i in (2, 5) else 2e5)) == []


def times(rows, new):
    return [",".join([*r[:5], str(new(float(r[5]))), r[6], str(new(float(r[7]))), r[8]]) for r in columns(rows)]


def test_months_where_days_are_expected(tmp_path):
    told = suspicions(tmp_path, times(PATIENTS, lambda days: round(days / 30.4375, 1)))
    assert {p.column for p in told} == {"pfs_days", "os_days"}
    whole = suspicions(tmp_path, times(PATIENTS, lambda days: round(days / 30.4375)))
    assert {p.column for p in whole} == {"os_days"}
    assert len(whole) == 2  # nobody is followed for longer than 23; MRD of day 28, and followed for 7


def flags(rows, new):
    return [",".join([*r[:6], new(r[6]), r[7], new(r[8])]) for r in columns(rows)]


def test_flags_turned_round_are_seen_where_they_contradict(tmp_path):
    rows = [*PATIENTS, "P9,50,1,2e6,no,20,1,80,0", "P10,51,1,2e6,no,25,1,85,0", "P11,52,1,2e6,no,26,1,90,0"]
    assert suspicions(tmp_path, rows) == []
    (problem,) = suspicions(tmp_path, flags(rows, {"1": "0", "0": "1"}.get))
    assert (problem.column, problem.row) == ("pfs_event", None)


def test_no_event_of_pfs_on_the_day_of_death(tmp_path):
    rows = [row.replace("P4,48,7,2e6,,12,1,12,1", "P4,48,7,2e6,,12,0,12,1") for row in PATIENTS]
    (problem,) = suspicions(tmp_path, rows)
    assert (problem.row, problem.column) == (4, "pfs_event")


def test_what_a_person_has_looked_at_is_taken_as_it_stands(tmp_path):
    rows = doses(PATIENTS, lambda _, dose: dose * 40)
    path = write_sheet(tmp_path, "\n".join([HEAD, *rows]))
    assert suspicions(tmp_path, rows, confirmed=("doses",)) == []
    assert Study.read(path, Plan.of({"confirmed": ["doses"]})).data.frame.height == 8

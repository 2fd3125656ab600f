"""The course as states: against R's multi-state `survfit`, literal patients, and what the report shows."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from helpers import read, write_sheet
from reinfuse import read_cohort
from reinfuse.analyses.disease_states import STAYED, as_arrays, course_of
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.disease_states import SCHEMA, STATES, lacking, stretches
from reinfuse.cohort.strata import level_of, parts_of
from reinfuse.statistics.multistate import Stretches, occupation

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "competing.json").read_text(encoding="utf-8"))


def matrix(values):
    return np.array([[np.nan if v is None else v for v in row] for row in values])


@pytest.mark.parametrize("case", GOLDEN["states"], ids=lambda c: c["name"])
def test_occupation_is_that_of_r(case):
    rows = {name: np.array(values) for name, values in case["rows"].items()}
    ids = np.unique(rows["patient"], return_inverse=True)[1]
    course = occupation(Stretches(ids, rows["origin"], rows["target"], rows["start"], rows["stop"]), 6)
    assert course.time.tolist() == case["time"]
    assert course.probability == pytest.approx(matrix(case["probability"]), abs=1e-12)
    assert course.error == pytest.approx(matrix(case["error"]), abs=1e-10)
    assert course.at_risk.tolist() == case["at_risk"]
    assert course.counts.tolist() == case["counts"]
    for own, theirs in ((course.lower, matrix(case["lower"])), (course.upper, matrix(case["upper"]))):
        defined = ~np.isnan(own)
        assert own[defined] == pytest.approx(theirs[defined], abs=1e-9)
        inside = (course.probability > 0) & (course.probability < 1)
        assert (defined == inside).mean() > 0.99


INFUSIONS = "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion\n"


def cohort_of(folder, people, responses="", therapies="", more=""):
    """Read a cohort, CART2 on day 100; `people`: id, last contact, death."""
    ids = [line.split(",")[0] for line in people.splitlines()]
    given = [f"{i},1,0,2e6,Cy/Flu\n{i},2,100,2e7,Cy/Flu" for i in ids]
    return read(
        folder,
        patients="patient_id,last_contact,death,diagnosis\n" + "\n".join(f"{p},CLL" for p in people.splitlines()),
        infusions=INFUSIONS + "\n".join([*given, *more.splitlines()]),
        responses=f"patient_id,day,response\n{responses}",
        therapies=f"patient_id,day,therapy,kind\n{therapies}",
    )


# Name, patient (last contact, death), responses, therapies, further infusions, then (state, day it ends, next state).
COURSES = [
    ("no event", "P,500,", "P,130,SD", "", "", [(0, 400, None)]),
    ("response, relapse, death", "P,500,500", "P,130,PR\nP,200,CR\nP,250,PD", "", "",
     [(0, 30, 1), (1, 150, 2), (2, 400, 5)]),
    ("transplant in remission, relapse after it", "P,700,", "P,130,CR\nP,300,relapse", "P,180,allo,allo-HCT", "",
     [(0, 30, 1), (1, 80, 3), (3, 200, 2), (2, 600, None)]),
    ("progression and therapy on one day: one step", "P,500,", "P,150,PD", "P,150,ibrutinib,anticancer", "",
     [(0, 50, 4), (4, 400, None)]),
    ("response to a next therapy is part of it", "P,500,", "P,150,PD\nP,220,CR\nP,260,PD", "P,160,drug,anticancer", "",
     [(0, 50, 2), (2, 60, 4), (4, 400, None)]),
    ("therapy, then transplant", "P,500,", "P,150,PD", "P,160,ibrutinib,\nP,300,allo,allo-HCT", "",
     [(0, 50, 2), (2, 60, 4), (4, 200, 3), (3, 400, None)]),
    ("a third infusion is a next therapy", "P,500,", "P,150,PD", "", "P,3,170,2e7,Cy/Flu",
     [(0, 50, 2), (2, 70, 4), (4, 400, None)]),
    ("supportive care is none", "P,500,", "P,130,CR", "P,160,G-CSF,supportive", "", [(0, 30, 1), (1, 400, None)]),
    ("response after progression is none", "P,500,", "P,130,PD\nP,160,CR", "", "", [(0, 30, 2), (2, 400, None)]),
    ("death on the day of the infusion", "P,100,100", "", "", "", [(0, 0, 5)]),
]  # fmt: skip


@pytest.mark.parametrize(("person", "responses", "therapies", "more", "expected"), [c[1:] for c in COURSES],
                         ids=[c[0] for c in COURSES])  # fmt: skip
def test_a_course_by_hand(tmp_path, person, responses, therapies, more, expected):
    rows = stretches(cohort_of(tmp_path, person, responses, therapies, more), 2, rules=Rules())
    assert [(r["origin"], r["stop"], r["target"]) for r in rows.iter_rows(named=True)] == expected
    assert rows["start"].to_list() == [-1, *rows["stop"].to_list()[:-1]]


def test_three_patients_by_hand(tmp_path):
    """On day 30 two respond; on day 60 the third dies; on day 200 one of the two in response relapses; then nothing."""
    people = "A,900,\nB,900,\nC,160,160"
    rows = stretches(cohort_of(tmp_path, people, "A,130,CR\nB,130,CR\nA,300,PD"), 2, rules=Rules())
    records, curves = course_of(rows, 0.95)
    at = {(level_of(e.group), e.at): e.estimate for e in records if e.statistic == "probability"}
    year = 12 * 30.4375
    assert [at[state, year] for state in STATES if (state, year) in at] == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])
    moves = {
        tuple(map(level_of, parts_of(e.group))): (e.estimate, e.n) for e in records if e.statistic == "transitions"
    }
    assert moves[STATES[0], STATES[1]] == (2, 3)
    assert moves[STATES[1], STATES[2]] == (1, 2)
    assert moves[STATES[1], STAYED] == (1, 2)
    assert sum(c.survival for c in curves.values()) == pytest.approx(np.ones(3))


def test_probabilities_and_transitions_of_the_bundled_cohort_add_up(quick_findings):
    records = [e for e in quick_findings.estimates if e.analysis == "states"]
    for day in {e.at for e in records if e.statistic == "probability"}:
        assert sum(e.estimate for e in records if e.statistic == "probability" and e.at == day) == pytest.approx(1)
    moves = [e for e in records if e.statistic == "transitions"]
    for origin in dict.fromkeys(parts_of(e.group)[0] for e in moves):
        left = [e for e in moves if parts_of(e.group)[0] == origin]
        assert sum(e.estimate for e in left) == left[0].n


def test_nothing_is_made_of_no_transition_or_of_no_table(tmp_path):
    empty = pl.DataFrame([("P", 0, None, -1.0, 5.0)], schema=SCHEMA, orient="row")
    assert course_of(empty, 0.95) == ([], {})
    assert as_arrays(empty).target.tolist() == [-1]
    (tmp_path / "a").mkdir()
    assert lacking(cohort_of(tmp_path / "a", "P,500,")) is None
    sheet = read_cohort(write_sheet(tmp_path, "patient_id,pfs_days,pfs_event\nA,10,1\nB,20,0\n"))
    assert "dated tables" in lacking(sheet)


def test_influences_kept_together_are_those_of_single_patients():
    """The sum of squares of every patient's influence, taken alone at each time, in 40 courses drawn at random."""
    for seed in range(40):
        s, states = random_courses(np.random.default_rng(seed))
        occupied = occupation(s, states)
        assert occupied.error == pytest.approx(errors_by_single_patients(s, states), abs=1e-14)


def random_courses(random):
    """Return stretches, their rows shuffled, of patients who go between states and are lost at random."""
    rows, states = [], int(random.integers(3, 6))
    for patient in range(int(random.integers(3, 40))):
        state, day = 0, -1.0
        while state < states - 1:
            start, day = day, day + float(random.integers(1, 12))
            target = -1 if random.uniform() < 0.3 else int(random.choice([k for k in range(1, states) if k != state]))
            rows.append((patient, state, target, start, day))
            if target < 0:
                break
            state = target
    columns = np.array(rows)[random.permutation(len(rows))].T
    return Stretches(*(c.astype(int) for c in columns[:3]), *columns[3:]), states


def errors_by_single_patients(s, states):
    """Return the infinitesimal jackknife's errors with a row of influences for every patient."""
    p, influence, errors = np.eye(states)[0], np.zeros((int(s.patient.max()) + 1, states)), []
    for t in np.unique(s.stop[s.target >= 0]):
        here, moves = (s.start < t) & (t <= s.stop), (s.stop == t) & (s.target >= 0)
        step, shares = np.eye(states), np.zeros(states)
        for k in range(states):
            at_risk = int((here & (s.origin == k)).sum())
            shares[k] = p[k] / max(at_risk, 1)
            for to in s.target[moves & (s.origin == k)]:
                step[k, to] += 1 / at_risk
                step[k, k] -= 1 / at_risk
        influence = influence @ step
        for row in np.flatnonzero(here):
            k = s.origin[row]
            influence[s.patient[row]] -= shares[k] * (step - np.eye(states))[k]
            if moves[row]:
                influence[s.patient[row]] += shares[k] * (np.eye(states)[s.target[row]] - np.eye(states)[k])
        p = p @ step
        errors.append(np.sqrt((influence**2).sum(axis=0)))
    return np.array(errors).reshape(-1, states)

"""Outcomes of two infusions of a patient, by the same rules."""

import numpy as np
import pytest

from helpers import read, write_sheet
from reinfuse import read_cohort
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.declarations import Design, Rules
from reinfuse.cohort.paired_outcomes import pairs
from reinfuse.data import DEMO, datasets

TABLES = {
    "patients": """patient_id,last_contact,death,diagnosis
                   A,900,,CLL
                   B,700,700,ALL
                   C,300,,NHL""",
    "infusions": """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
                    B,1,0,2e6,Cy
                    B,2,400,2e6,Cy/Flu
                    A,1,0,2e6,Cy/Flu
                    A,2,200,2e7,Cy/Flu
                    C,1,0,2e6,Cy""",
    "responses": """patient_id,day,response
                    A,30,PR
                    A,150,PD
                    A,230,CR
                    A,800,CR
                    B,28,PR
                    B,300,PD
                    B,430,SD""",
}
HEAD = "patient_id,day,response\n"


def _found(tmp_path, responses=None, rules=None):
    rows = TABLES["responses"] if responses is None else HEAD + responses
    return pairs(read(tmp_path, **{**TABLES, "responses": rows}), 2, rules=rules or Rules())


def test_each_infusion_has_its_own_outcome(tmp_path):
    """A: PR, PD on day 150; then CR, no event by day 600. B (in ALL a PR is no response): PD on 300; death on 300."""
    both_infusions = _found(tmp_path)
    assert both_infusions.ids == ("A", "B")
    assert both_infusions.response.tolist() == [[1, 1], [0, 0]]
    assert both_infusions.cr.tolist() == [[0, 1], [0, 0]]
    assert both_infusions.pfs_days.tolist() == [[150, 600], [300, 300]]
    assert both_infusions.pfs_event.tolist() == [[1, 0], [1, 1]]
    assert both_infusions.assessed.tolist() == [[1, 1], [1, 1]]


def test_the_rules_of_the_plan_hold_for_both_infusions(tmp_path):
    rules = Rules(responders=("CR",), responders_by_diagnosis={"ALL": ("CR", "PR", "SD")}, complete=("CR", "PR"))
    both_infusions = _found(tmp_path, rules=rules)
    assert both_infusions.response.tolist() == [[0, 1], [1, 1]]
    assert both_infusions.cr.tolist() == [[1, 1], [1, 0]]


def test_a_patient_without_an_assessment_has_no_response(tmp_path):
    """A after CART1: none; censored on day 0. B after CART2: NE alone; death on day 300 of it."""
    both_infusions = _found(tmp_path, "A,230,CR\nB,28,CR\nB,430,NE")
    assert both_infusions.response.tolist() == [[0, 1], [1, 0]]
    assert both_infusions.cr.tolist() == [[0, 1], [1, 0]]
    assert both_infusions.assessed.tolist() == [[0, 1], [1, 0]]
    assert both_infusions.pfs_days.tolist() == [[0, 30], [28, 300]]
    assert both_infusions.pfs_event.tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    "responses",
    ["", "A,230,CR\nB,430,SD", "A,30,CR\nB,28,SD", "A,230,CR\nC,30,CR"],
    ids=["nothing", "only after CART2", "only after CART1", "after CART1 of a patient without CART2"],
)
def test_no_comparison_where_nobody_was_assessed_after_one_of_the_infusions(tmp_path, responses):
    assert _found(tmp_path, responses) is None


def test_no_pairs_without_an_earlier_infusion_or_without_responses(tmp_path):
    cohort = read(tmp_path, **TABLES)
    assert pairs(cohort, 1, rules=Rules()) is None
    assert pairs(cohort, 3, rules=Rules()).ids == ()
    assert pairs(cohort, 3, rules=Rules()).response.shape == (0, 2)
    assert pairs(read(tmp_path, **{k: v for k, v in TABLES.items() if k != "responses"}), 2, rules=Rules()) is None


def test_a_wide_sheet_has_no_pairs(tmp_path):
    cohort = read_cohort(write_sheet(tmp_path, "patient_id,response,pfs_days,pfs_event\nA,CR,10,yes\nB,PD,20,no"))
    assert pairs(cohort, 2, rules=Rules()) is None


@pytest.mark.parametrize("index", [1, 2])
def test_each_infusion_agrees_with_its_own_analysis(index):
    cohort = read_cohort(datasets()[DEMO].path)
    both_infusions = pairs(cohort, 2, rules=Rules())
    frame = analysis_set(cohort, Design(index_infusion=index))
    rows = [list(frame.frame["patient_id"]).index(i) for i in both_infusions.ids]
    for name in ("response", "cr"):
        assert np.array_equal(frame.endpoint(name).event[rows], getattr(both_infusions, name)[:, index - 1])
    pfs = frame.endpoint("pfs")
    assert np.array_equal(pfs.time[rows], both_infusions.pfs_days[:, index - 1])
    assert np.array_equal(pfs.event[rows], both_infusions.pfs_event[:, index - 1])


def test_the_bundled_cohort():
    both_infusions = pairs(read_cohort(datasets()[DEMO].path), 2, rules=Rules())
    assert len(both_infusions.ids) == 44
    assert (both_infusions.response.sum(axis=0).tolist(), both_infusions.cr.sum(axis=0).tolist()) == ([30, 17], [18, 9])
    assert both_infusions.assessed.sum(axis=0).tolist() == [44, 43]  # SYN-38 died on day 19 after CART2, not assessed
    assert np.isfinite(both_infusions.pfs_days).all()

"""Outcomes of two infusions of a patient, by the same rules."""

import numpy as np

from helpers import read
from reinfuse import read_cohort
from reinfuse.cohort.design import Rules
from reinfuse.cohort.pairs import pairs
from reinfuse.data import DEMO, datasets

TABLES = {
    "patients": """patient_id,last_contact,death,diagnosis
                   A,900,,CLL
                   B,700,700,ALL
                   C,300,,NHL""",
    "infusions": """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
                    A,1,0,2e6,Cy/Flu
                    A,2,200,2e7,Cy/Flu
                    B,1,0,2e6,Cy
                    B,2,400,2e6,Cy/Flu
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


def test_each_infusion_has_its_own_outcome(tmp_path):
    """A: PR, PD on day 150; then CR, no event by day 600. B (in ALL a PR is no response): PD on 300; death on 300."""
    found = pairs(read(tmp_path, **TABLES), 2, Rules())
    assert found.ids == ("A", "B")
    assert found.response.tolist() == [[1, 1], [0, 0]]
    assert found.cr.tolist() == [[0, 1], [0, 0]]
    assert found.days.tolist() == [[150, 600], [300, 300]]
    assert found.event.tolist() == [[1, 0], [1, 1]]


def test_no_pairs_without_an_earlier_infusion_or_without_responses(tmp_path):
    cohort = read(tmp_path, **TABLES)
    assert pairs(cohort, 1, Rules()) is None
    assert pairs(cohort, 3, Rules()).ids == ()
    assert pairs(read(tmp_path, **{k: v for k, v in TABLES.items() if k != "responses"}), 2, Rules()) is None


def test_the_bundled_cohort():
    found = pairs(read_cohort(datasets()[DEMO].path), 2, Rules())
    assert len(found.ids) == 44
    assert found.response[:, 1].sum() == 17
    assert np.isfinite(found.days).all()

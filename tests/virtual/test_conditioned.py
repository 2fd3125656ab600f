"""Twins of a centre's patients: weights by hand, free factors, and no answer for single patients."""

import numpy as np
import pytest
from scipy.special import log_ndtr

from reinfuse import Plan, Study, read_cohort
from reinfuse.data import datasets
from reinfuse.errors import CohortRefused
from reinfuse.kinetics.profiles import Profile
from reinfuse.virtual.conditioned import RESIDUAL, conditioned, fits, known, of_counts, tempered_weights
from reinfuse.virtual.ensemble import Ensemble
from reinfuse.virtual.protocol import Grid, Protocols
from reinfuse.virtual.space import UNKNOWNS

PROTOCOLS = Protocols(
    grid=Grid(regimens=(("Cy", "Cy-Flu"), ("Cy-Flu", "Cy"), ("Cy-Flu", "Cy-Flu")), cart2_dose_cells_per_kg=(2e6,))
)
ENSEMBLE = Ensemble(0.3 * np.random.default_rng(1).standard_normal((6, len(UNKNOWNS))), np.full(6, -4.0))


def profile(unit, value, below):
    return Profile("P", 1, "total", unit, np.array([7.0, 28.0]), np.array(value), np.array(below))


def test_counts_weigh_twins_by_hand():
    seen = profile("cells/uL", [10.0, 0.1], [False, True])
    twins = np.array([[10.0, 0.1], [20.0, 0.01]])
    expected = [np.log(0.5), -0.5 * (np.log(2) / RESIDUAL) ** 2 + log_ndtr(np.log(10) / RESIDUAL)]
    np.testing.assert_allclose(of_counts(seen, twins), expected)


def test_the_factor_of_copies_is_free():
    twins = np.random.default_rng(2).lognormal(0, 1, (5, 2))
    one = of_counts(profile("copies/ug", [900.0, 20.0], [False, True]), twins)
    other = of_counts(profile("copies/ug", [9000.0, 200.0], [False, True]), twins)
    np.testing.assert_allclose(one, other)
    assert np.all(of_counts(profile("copies/ug", [5.0, 5.0], [True, True]), twins) == 0)


def test_even_twins_keep_their_weights_and_a_lone_one_is_tempered():
    even, tempered = tempered_weights(np.zeros((2, 20)))
    assert np.allclose(even, 1 / 20)
    assert not tempered
    lone = np.zeros((2, 20))
    lone[:, 3] = 50.0
    weight, tempered = tempered_weights(lone)
    assert tempered
    assert np.all(1 / np.sum(weight**2, axis=1) >= 8)
    assert np.all(weight[:, 3] == weight.max(axis=1))


@pytest.fixture(scope="module")
def study():
    data = datasets()["synthetic_gauthier_2021"]
    plan = data.plan or Plan.built_in()
    return Study(read_cohort(data.path, plan.columns, plan.used_columns), plan)


@pytest.fixture(scope="module")
def patients(study):
    return known(study.data.frame, study.counts.found.profiles)


def test_what_is_known_comes_from_the_cohort(study, patients):
    assert len(patients) == study.data.frame.height
    assert sum(p.counts is not None for p in patients) > 30
    assert {p.regimen for p in patients} <= {"Cy", "Cy-Flu", "Flu", "None", None}
    assert {p.bulky for p in patients} <= {True, False, None}
    assert any(p.bulky for p in patients)


def test_a_cohorts_twins_from_start_to_end(patients):
    found = conditioned(patients[:8], PROTOCOLS, ENSEMBLE, 3, members=3, twins=24)
    told = list(found.records())
    assert all(e.population == "centre's cohort" and (e.n == 8 or "own" in e.group) for e in told)
    assert not any("SYN" in str(e.as_dict()) for e in told)
    assert found.levels.shape == (3, 2, 11)
    assert np.all(found.gains[:, 0] == 0)
    again = conditioned(patients[:8], PROTOCOLS, ENSEMBLE, 3, members=3, twins=24)
    assert np.array_equal(found.levels, again.levels)


def test_twins_are_never_of_a_few_patients(study):
    with pytest.raises(CohortRefused):
        known(study.data.frame.head(4), [])


def test_other_than_two_infusions_is_refused(patients):
    from reinfuse.virtual.protocol import Arm, Infusion

    three = Infusion(lymphodepletion="Cy", dose_cells_per_kg=2e6, after_days=100)
    arm = Arm(name="a", infusions=(Infusion(lymphodepletion="Cy", dose_cells_per_kg=2e6), three, three))
    with pytest.raises(CohortRefused):
        conditioned(patients, Protocols(arms=(arm,)), ENSEMBLE, 1)


def test_nothing_known_weighs_all_who_needed_another_alike():
    from reinfuse.virtual.conditioned import Known

    out = np.zeros((3, 2, 17))
    out[:, 1, 6] = 5.0  # antigen-positive tumour
    out[:, 0, 7] = 9.0  # no response
    out[2, 1, 6] = 0.0  # needs none
    fit = fits(Known(None, None, None, None, None, None, None), out, np.empty((3, 0)), float("nan"))
    assert fit[0] == fit[1] == 0
    assert fit[2] == -np.inf
    weight, _ = tempered_weights(fit[None])
    assert weight.tolist() == [[0.5, 0.5, 0.0]]

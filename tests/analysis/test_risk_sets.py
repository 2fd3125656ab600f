"""Risk sets of Cox models whose hazards lie far apart: beside sums written out, and a model solved by hand."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2

from reinfuse.statistics import firth
from reinfuse.statistics.firth_profile import ModelData
from reinfuse.statistics.risk_sets import RiskSets

QUANTILE = float(chi2.ppf(0.95, 1))


def _shares(eta, weights):
    """Each patient's share of each risk set, shape (sets, patients): the i-th set is the first i patients."""
    share = np.zeros((len(eta), len(eta)))
    for i in range(len(eta)):
        hazards = np.where(weights[: i + 1] > 0, eta[: i + 1], -np.inf)
        if np.isfinite(hazards.max()):
            own = weights[: i + 1] * np.exp(hazards - hazards.max())
            share[i, : i + 1] = own / own.sum()
    return share


@pytest.mark.parametrize("spread", [1.0, 50.0, 400.0, 5000.0])
def test_means_and_sums_over_risk_sets(spread):
    rng = np.random.default_rng(int(spread))
    eta = spread * rng.normal(size=(4, 9))
    eta[0] = np.arange(9) * spread  # each risk set is dominated by whoever comes into it, or by the first
    eta[1] = -eta[0]
    weights = np.array([[1.0] * 9, [1.0] * 9, [2, 1, 0, 0, 1, 3, 1, 0, 1], [0, 0, 1, 1, 2, 0, 1, 1, 1]])
    v, count = rng.normal(size=(4, 9, 2)), rng.integers(0, 3, (4, 9)) * (np.cumsum(weights, axis=1) > 0.0)
    sets = RiskSets.of(eta, weights)
    for i in range(4):
        share = _shares(eta[i], weights[i])
        assert sets.means(v)[i] == pytest.approx(share @ v[i], rel=1e-9, abs=1e-12)
        assert sets.means(v[:, :, 0])[i] == pytest.approx(share @ v[i, :, 0], rel=1e-9, abs=1e-12)
        assert sets.gathered(count, v)[i] == pytest.approx(share.T @ (count[i, :, None] * v[i]), rel=1e-9, abs=1e-12)


def test_one_row_of_weights_and_counts_serves_all():
    rng = np.random.default_rng(2)
    eta, v = 300 * rng.normal(size=(3, 6)), rng.normal(size=(3, 6, 2))
    count, one = np.array([[0, 1, 0, 2, 0, 1.0]]), np.ones((1, 6))
    sets, each = RiskSets.of(eta, one), RiskSets.of(eta, np.ones((3, 6)))
    assert (sets.means(v) == each.means(v)).all()
    assert (sets.gathered(count, v) == each.gathered(np.tile(count, (3, 1)), v)).all()
    assert (sets.gathered(count) == sets.gathered(count, np.ones((3, 6)))).all()
    assert (sets.gathered(count, one) == each.gathered(np.tile(count, (3, 1)), np.ones((3, 6)))).all()


def test_two_patients_at_risk_by_hand():
    """One event, one other at risk: p^1.5 (1 - p)^0.5 is greatest at p = 3/4, so that the effect is ln 3 over the gap.

    The third patient, censored before, is in no risk set and changes nothing, however far away.
    """
    gap = 0.0125
    x, event, time = np.array([1.0 + gap, 1.0, 900.0]), np.array([1.0, 0.0, 0.0]), np.array([9.0, 12.0, 3.0])

    def value(b):
        p = 1 / (1 + np.exp(-gap * b))
        return 1.5 * np.log(p) + 0.5 * np.log(1 - p)

    top = np.log(3) / gap
    fit = firth.fit("cox", x[:, None], event, time, 0.95)
    assert fit.coef[0] == pytest.approx(top, rel=1e-6)
    for limit, far in ((fit.lower[0], -900.0), (fit.upper[0], 1300.0)):
        exact = brentq(lambda b: 2 * (value(top) - value(b)) - QUANTILE, *sorted((top, far)))
        assert limit == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("b", [30.0, 60.0, 200.0])
def test_a_patient_with_a_great_hazard_does_not_level_those_after_it(b):
    """Two events: the first, of the outlying patient, has likelihood 1 and no information there; the second tells all.

    Its risk set is the two patients of the case by hand. Log hazards are over 300 apart; once they counted as 300.
    """
    x, event, time = np.array([1.0125, 1.0, 20.0]), np.array([1.0, 0.0, 1.0]), np.array([9.0, 12.0, 3.0])
    p = 1 / (1 + np.exp(-0.0125 * b))
    exact = np.log(p) + np.log(0.0125**2 * p * (1 - p)) / 2
    fits = ModelData(x[:, None], event, time).fit(np.zeros((1, 1)), (0, np.array([b])))
    assert fits.value[0] == pytest.approx(exact, rel=1e-9)

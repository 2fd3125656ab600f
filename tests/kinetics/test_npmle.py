"""Nonparametric maximum likelihood on places: by hand, at its optimum by every way, and with days rounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reinfuse.statistics import npmle
from reinfuse.statistics.turnbull import limits


def patients(n, seed, longest=400):
    """Return intervals as of visits, some never ending, and which of the places 0.5, 1.5, ... lie in them."""
    rng = np.random.default_rng(seed)
    low = rng.integers(0, longest, n)
    high = np.where(rng.random(n) < 0.3, longest + 1, low + rng.integers(1, longest // 3, n)).clip(max=longest + 1)
    place = np.arange(longest + 1)
    return (place >= low[:, None]) & (place < high[:, None])


def slope(inside, mass):
    return (inside / (inside @ mass)[:, None]).sum(axis=0)


def test_runs_sum_over_places_and_patients():
    inside = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [1, 1, 0, 1]], dtype=bool)
    runs = npmle.Runs.of(inside)
    assert sorted(runs.counts.tolist()) == [1, 2]
    mass = np.array([0.1, 0.2, 0.3, 0.4])
    assert runs.likelihood(mass)[runs.row] == pytest.approx([0.7, 0.5, 0.7])
    share = np.array([2.0, 5.0])
    assert runs.slope(share) == pytest.approx(share[runs.row[[0, 1]]] @ inside[[0, 1]])
    weight = share[runs.row[[0, 1]]]
    assert runs.curvature(share) == pytest.approx((inside[[0, 1]].T * weight) @ inside[[0, 1]])


@pytest.mark.parametrize("longest", [60, 300])
def test_few_and_many_places_reach_the_maximum(longest):
    """Gentleman and Geyer 1994: the slope is n where there is mass, and no more elsewhere."""
    inside = patients(400, 3, longest)
    mass, converged = npmle.greatest(inside)
    assert converged
    assert mass.sum() == pytest.approx(1)
    assert slope(inside, mass).max() < 400 * (1 + 1e-8)
    assert slope(inside, mass)[mass > 1e-6] == pytest.approx(400, rel=1e-6)


def test_both_ways_give_one_likelihood():
    inside = patients(150, 5, 100)
    runs = npmle.Runs.of(inside)
    found = [npmle._interior(runs, runs.counts / 150)[0], npmle.greatest(inside)[0]]
    assert inside.shape[1] <= npmle.FEW_PLACES
    one, other = (float(runs.counts @ np.log(runs.likelihood(mass))) for mass in found)
    assert one == pytest.approx(other, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(0, 10_000), st.sampled_from([1, 100]))
def test_every_draw_is_within_the_slack(n, seed, cycles):
    """Extrapolated steps alone, or finished by the interior point method: the slope bounds what is missing."""
    inside = patients(n, seed, 30)
    inside = inside[:, inside.any(axis=0)]
    before, npmle.MOST_CYCLES = npmle.MOST_CYCLES, cycles
    try:
        masses = npmle.resampled_masses(inside, 20, random=np.random.default_rng(seed))
    finally:
        npmle.MOST_CYCLES = before
    weight = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=20)
    for mass, counts in zip(masses, weight, strict=True):
        drawn = counts > 0
        assert mass.sum() == pytest.approx(1)
        steepest = (counts[drawn, None] * inside[drawn] / (inside[drawn] @ mass)[:, None]).sum(axis=0).max()
        assert steepest - n < npmle.SLACK * 1.001


def test_rounding_keeps_few_days_and_the_side_of_the_days_asked_for():
    low, high = np.array([1.0, 5.0]), np.array([3.0, np.inf])
    same = npmle.rounded(low, high, [28.0])
    assert (same[0].tolist(), same[1].tolist()) == (low.tolist(), high.tolist())
    rng = np.random.default_rng(2)
    low = np.round(rng.uniform(0, 900, 3000))
    high = np.where(rng.random(3000) < 0.2, np.inf, low + np.round(rng.uniform(1, 90, 3000)))
    high[:5] = np.nan
    coarse_low, coarse_high = npmle.rounded(low, high, [28.0, 365.0])
    assert len(np.unique([*coarse_low, *coarse_high])) < npmle.MOST_EDGES + 10
    assert (coarse_low <= low).all()
    assert (coarse_high[5:] >= high[5:]).all()
    assert np.isnan(coarse_high[:5]).all()
    for day in (28, 365):
        assert ((coarse_low >= day) == (low >= day)).all()
        assert ((coarse_high <= day) == (high <= day)).all()


def test_limits_from_rounded_days_are_those_of_all_days(monkeypatch):
    rng = np.random.default_rng(4)
    time = rng.exponential(150, 500)
    low = np.floor(time / 20) * 20 + rng.integers(0, 5, 500)
    high = [float(v) for v in low + rng.integers(10, 40, 500)]
    made = {}
    for edges in (100, 10_000):
        monkeypatch.setattr(npmle, "MOST_EDGES", edges)
        made[edges] = limits(low, high, [28.0, 90.0, 365.0], confidence=0.95, draws=60, random=np.random.default_rng(1))
    assert np.abs(made[100] - made[10_000]).max() < 0.01

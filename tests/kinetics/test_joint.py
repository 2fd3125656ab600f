"""The joint model: areas and cumulative hazards by hand, and planted associations that are found."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate

pytest.importorskip("jax", reason="the extra `kinetics` is not installed")
pytest.importorskip("numpyro", reason="the extra `kinetics` is not installed")

import jax
import jax.numpy as jnp

from reinfuse.kinetics.population import curve, joint, simulate
from reinfuse.kinetics.population.diagnostics import Diagnostics
from reinfuse.kinetics.population.layout import layout
from reinfuse.kinetics.population.parameters import centres
from reinfuse.kinetics.population.sampler import Effort, PosteriorDraws
from reinfuse.results.estimate import NOT_ESTIMABLE

UNIT = "copies/ug"
DAYS = np.array([2.0, 5, 8, 11, 14, 21, 28, 60, 120, 200, 300, 365])
TRUTH = simulate.Truth(centres(UNIT), np.array([0.2, 0.3, 1.2, 0.5, 1.0, 0.5]), np.full(6, 0.5), 0.4, np.zeros((0, 4)))


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def test_the_area_is_the_integral_of_the_curve():
    theta = jnp.asarray(centres(UNIT) + np.array([0.1, 0.2, -0.3, 0.2, 0.4, -0.2]))[:, None]

    def count(day):
        return float(jnp.exp(curve.log_count(theta, jnp.array([[day]]))[0, 0]))

    tmax = float(jnp.exp(theta[1, 0]))
    for end in (3.0, tmax, 28.0, 200.0):
        parts = [p for p in (0.0, tmax - 1, tmax - 0.2, tmax, tmax + 0.2, tmax + 1, 30.0) if p < end]
        area = sum(integrate.quad(count, a, b, epsabs=1e-9, epsrel=1e-9)[0] for a, b in zip(parts, [*parts[1:], end],
                                                                                            strict=True))  # fmt: skip
        assert float(curve.area(theta, jnp.array([[end]]))[0, 0]) == pytest.approx(
            area, rel=0.006
        )  # the rounded corner


def test_the_hazard_of_a_constant_count_by_hand():
    """With g = 2 throughout, the cumulative hazard is exp(2 a) sum(h0 x days)."""
    told = np.array([[10.0, 1], [20.0, 1], [30.0, 1], [40.0, 1], [25.0, 0]])
    s = joint.survival(np.arange(5), told, limit=1.0)
    log_h0 = jnp.log(jnp.array([0.01, 0.02, 0.03, 0.04]))
    a = 0.3
    log_lik = joint.log_likelihood(jnp.zeros((6, 5)), jnp.asarray(a), log_h0, s=s,
                                 log=lambda theta, day, limit: jnp.full(day.shape, 2 * np.log(10)))  # fmt: skip
    cuts = np.quantile([10, 20, 30, 40], [0.25, 0.5, 0.75])  # 17.5, 25, 32.5
    assert cuts.tolist() == [17.5, 25, 32.5]
    days = {10: [10, 0, 0, 0], 20: [17.5, 2.5, 0, 0], 30: [17.5, 7.5, 5, 0], 40: [17.5, 7.5, 7.5, 7.5],
            25: [17.5, 7.5, 0, 0]}  # fmt: skip
    h0 = np.array([0.01, 0.02, 0.03, 0.04])
    at = {10: 0, 20: 1, 30: 2, 40: 3, 25: 1}
    for i, (end, event) in enumerate(told):
        expected = event * (np.log(h0[at[int(end)]]) + 2 * a) - np.exp(2 * a) * float(np.dot(days[int(end)], h0))
        assert float(log_lik[i]) == pytest.approx(expected, abs=1e-10)


def count(theta, day):
    """Return Stein's curve of one infusion with the rounded corner, written once more."""
    tmax, alpha, beta = np.exp(theta[[1, 3, 5]])
    share = 0.25 / (1 + np.exp(-theta[4]))
    rising = theta[2] + np.exp(theta[0]) / tmax * (day - tmax)
    since = day - tmax
    falling = theta[2] + np.log((1 - share) * np.exp(-alpha * since) + share * np.exp(-beta * since))
    near = max(0.2 - abs(rising - falling), 0.0)
    return float(np.exp(min(rising, falling) - near**2 / 0.8))


def area(theta, day):
    """Return the area under it without the rounding."""
    tmax, alpha, beta = np.exp(theta[[1, 3, 5]])
    share, peak, rate = 0.25 / (1 + np.exp(-theta[4])), np.exp(theta[2]), np.exp(theta[0]) / tmax
    until, since = min(day, tmax), max(day - tmax, 0.0)
    rise = (np.exp(rate * (until - tmax)) - np.exp(-rate * tmax)) / rate
    falling = (1 - share) * (1 - np.exp(-alpha * since)) / alpha + share * (1 - np.exp(-beta * since)) / beta
    return peak * (rise + falling)


@pytest.mark.parametrize("a", [-3.0, 3.0])
@pytest.mark.parametrize(("kind", "told_by"), [("current", count), ("area", area)])
def test_the_cumulative_hazard_of_tied_events_and_a_large_association(kind, told_by, a):
    """Adaptive quadrature, cut where the hazard bends; 7 nodes between quartiles of the events were 0.06 to 16 off."""
    random = np.random.default_rng(3)
    theta = centres(UNIT)[:, None] + np.diag(TRUTH.tau) @ random.standard_normal((6, 6))
    told = np.array([[30.0, 1], [30.0, 1], [30.0, 1], [90.0, 1], [90.0, 0], [365.0, 0]])
    s = joint.survival(np.arange(6), told, limit=10.0)
    assert s.cuts.tolist() == [30, 30, 45]

    def hazard(day, i):
        return np.exp(a * np.log10(1 + told_by(theta[:, i], day) / 10))

    def cumulative(i):
        tmax, fall = np.exp(theta[1, i]), np.exp(-theta[3, i])
        bends = [
            0,
            1e-3,
            0.01,
            0.1,
            1,
            tmax - 1,
            tmax - 0.3,
            tmax,
            tmax + 0.3,
            tmax + 1,
            tmax + 3 * fall,
            tmax + 9 * fall,
        ]
        ends = sorted({min(max(float(d), 0.0), told[i, 0]) for d in (*bends, 30, 45, told[i, 0])})
        return np.array([sum(integrate.quad(hazard, p, q, (i,), epsrel=1e-10, limit=200)[0]
                             for p, q in pairwise(ends) if low <= p and q <= high)
                         for low, high in ((0, 30), (30, 30), (30, 45), (45, np.inf))])  # fmt: skip

    parts = np.array([cumulative(i) for i in range(6)])
    log_h0 = np.log(4 / parts.sum()) + np.array([0.3, 0.0, -0.2, 0.5])  # about as many events as there were
    right = -parts @ np.exp(log_h0)
    for i, piece in ((0, 0), (1, 0), (2, 0), (3, 3)):
        right[i] += log_h0[piece] + np.log(hazard(told[i, 0], i))
    log_lik = joint.log_likelihood(jnp.asarray(theta), jnp.asarray(a), jnp.asarray(log_h0), s=s, log=joint.LOGS[kind])
    assert np.asarray(log_lik) == pytest.approx(right, abs=2e-3)


def test_a_hazard_that_is_not_summed_well_is_told():
    draws = PosteriorDraws(
        {"association": np.full((2, 50), 0.1)}, np.zeros((2, 50), bool), np.zeros((2, 50)), np.zeros((2, 50))
    )
    good = Diagnostics(1.0, 1000.0, ("mu", "mu"), 0, 100, 2, 0.9)
    for inexact, said in ((0.01, False), (0.2, True)):
        fitted = joint.JointFit("area", 60, 30, draws, good, inexact)
        notes = {e.statistic: e.note for e in joint.estimates(fitted, "area", confidence=0.95)}
        assert ("the cumulative hazard is up to 0.2 off in log likelihood" in (notes["hazard_ratio"] or "")) is said
        assert ((notes["rhat"] or "") != "") is said


def planted(association, patients=60, seed=5):
    """Counts, and a hazard of 0.004 a day times exp(a log10(1 + C/L)), censored at a year."""
    random = np.random.default_rng(seed)
    ids = [f"p{i:02d}" for i in range(patients)]
    X = np.zeros((patients, 0))
    theta = simulate.parameters(TRUTH, X, ids, random=random)
    grid = np.arange(0.5, 366, 0.5)
    log = np.asarray(curve.log_count(jnp.asarray(theta), jnp.broadcast_to(grid, (patients, len(grid)))))
    value = np.exp(np.asarray(curve.log_count(jnp.asarray(theta), jnp.broadcast_to(DAYS, (patients, len(DAYS))))))
    value *= np.exp(TRUTH.sigma * random.standard_normal(value.shape))
    profiles, outcome = [], {}
    for i, patient in enumerate(ids):
        hazard = 0.004 * np.exp(association * np.log1p(np.exp(log[i]) / 10) / np.log(10))
        reached = np.searchsorted(np.cumsum(hazard * 0.5), random.exponential())
        end, event = (grid[reached], 1.0) if reached < len(grid) else (365.0, 0.0)
        outcome[patient] = (float(end), event)
        seen = end > DAYS
        seen[0] = True
        v = value[i][seen]
        profiles.append(simulate.Profile(patient, 1, "total", UNIT, DAYS[seen], np.maximum(v, 10.0), v < 10.0))
    return layout(profiles, {}), outcome


def test_a_planted_association_is_found_and_told():
    made, outcome = planted(-1.0)
    fitted = joint.fit(made, 1, outcome, kind="current", seed=1, effort=Effort(2, 125, 125))
    draws = fitted.draws.flat("association")
    low, high = np.quantile(draws, (0.005, 0.995))
    assert low < -1.0 < high
    assert np.quantile(draws, 0.95) < 0
    records = {e.statistic: e for e in joint.estimates(fitted, "current", confidence=0.95)}
    told = records["hazard_ratio"]
    assert (told.n, told.events) == (60, int(sum(e for _, e in outcome.values())))
    if fitted.diagnostics.refused is None:
        assert told.lower < told.estimate < 1
    else:
        assert told.estimate is None
    assert records["prior_hazard_ratio"].estimate == pytest.approx(1)
    assert records["prior_hazard_ratio"].upper == pytest.approx(np.exp(1.959964), rel=1e-6)
    assert {"rhat", "effective_draws", "divergences"} <= set(records)


def test_too_few_events_are_said():
    made, outcome = planted(0.0, patients=12)
    outcome = {i: (day, 0.0) for i, (day, _) in outcome.items()}
    why = joint.fit(made, 1, outcome, kind="area", seed=1)
    assert why == "0 events among 12 patients with counts, fewer than 5"
    (record,) = joint.estimates(why, "area", confidence=0.95)
    assert (record.estimate, record.note) == (None, f"{NOT_ESTIMABLE}: {why}")

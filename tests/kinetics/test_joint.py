"""The joint model: areas and cumulative hazards by hand, and planted associations that are found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

pytest.importorskip("jax", reason="the extra `kinetics` is not installed")
pytest.importorskip("numpyro", reason="the extra `kinetics` is not installed")

import jax
import jax.numpy as jnp

from reinfuse.analysis.estimate import NOT_ESTIMABLE
from reinfuse.kinetics.population import curve, joint, simulate
from reinfuse.kinetics.population.layout import layout
from reinfuse.kinetics.population.parameters import centres
from reinfuse.kinetics.population.sampler import Effort

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
    s = joint.survival(np.arange(5), told, 1.0)
    log_h0 = jnp.log(jnp.array([0.01, 0.02, 0.03, 0.04]))
    a = 0.3
    found = joint.log_likelihood(jnp.zeros((6, 5)), jnp.asarray(a), log_h0, s,
                                 lambda theta, day, limit: jnp.full(day.shape, 2 * np.log(10)))  # fmt: skip
    cuts = np.quantile([10, 20, 30, 40], [0.25, 0.5, 0.75])  # 17.5, 25, 32.5
    assert cuts.tolist() == [17.5, 25, 32.5]
    days = {10: [10, 0, 0, 0], 20: [17.5, 2.5, 0, 0], 30: [17.5, 7.5, 5, 0], 40: [17.5, 7.5, 7.5, 7.5],
            25: [17.5, 7.5, 0, 0]}  # fmt: skip
    h0 = np.array([0.01, 0.02, 0.03, 0.04])
    at = {10: 0, 20: 1, 30: 2, 40: 3, 25: 1}
    for i, (end, event) in enumerate(told):
        expected = event * (np.log(h0[at[int(end)]]) + 2 * a) - np.exp(2 * a) * float(np.dot(days[int(end)], h0))
        assert float(found[i]) == pytest.approx(expected, abs=1e-10)


def planted(association, patients=60, seed=5):
    """Counts, and a hazard of 0.004 a day times exp(a log10(1 + C/L)), censored at a year."""
    random = np.random.default_rng(seed)
    ids = [f"p{i:02d}" for i in range(patients)]
    X = np.zeros((patients, 0))
    theta = simulate.parameters(TRUTH, X, ids, random)
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
    found = joint.fit(made, 1, outcome, "current", 1, Effort(2, 300, 300))
    draws = found.draws.flat("association")
    low, high = np.quantile(draws, (0.005, 0.995))
    assert low < -1.0 < high
    assert np.quantile(draws, 0.95) < 0
    records = {e.statistic: e for e in joint.estimates(found, "current", 0.95)}
    told = records["hazard_ratio"]
    assert (told.n, told.events) == (60, int(sum(e for _, e in outcome.values())))
    if found.diagnostics.refused is None:
        assert told.lower < told.estimate < 1
    else:
        assert told.estimate is None
    assert records["prior_hazard_ratio"].estimate == pytest.approx(1)
    assert records["prior_hazard_ratio"].upper == pytest.approx(np.exp(1.959964), rel=1e-6)
    assert {"rhat", "effective_draws", "divergences"} <= set(records)


def test_too_few_events_are_said():
    made, outcome = planted(0.0, patients=12)
    outcome = {i: (day, 0.0) for i, (day, _) in outcome.items()}
    why = joint.fit(made, 1, outcome, "area", 1)
    assert why == "0 events among 12 patients with counts, fewer than 5"
    (record,) = joint.estimates(why, "area", 0.95)
    assert (record.estimate, record.note) == (None, f"{NOT_ESTIMABLE}: {why}")

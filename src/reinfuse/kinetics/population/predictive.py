"""What a fitted population model says of the data: visual predictive check, curves of each infusion, shrinkage.

Visual predictive check: counts are drawn anew for patients with the same infusions, days and factors, from draws of the
posterior; quantiles of the observed counts by time are set against their distribution in the drawn cohorts. A count
below the limit keeps its place at the lower end of the order, so that a quantile there reads "below the limit", and
the share below the limit is checked beside (Bergstrand and Karlsson, AAPS J 2009;11:371-380).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

from reinfuse.arrays import Floats
from reinfuse.kinetics.population.curve import log_count
from reinfuse.kinetics.population.fit import PopulationFit
from reinfuse.kinetics.population.parameters import ACTED_ON, PARAMETERS

EDGES = (0.0, 4.0, 8.5, 12.0, 17.0, 24.0, 35.0, 75.0, 135.0, 250.0, 450.0, 5000.0)
"""Days that bound the bins of time; bins with fewer than `FEWEST` counts are left out."""
FEWEST = 5
QUANTILES = (0.1, 0.5, 0.9)
COHORTS = 300
LEVEL = 0.9
GRID = tuple(float(d) for d in (*np.arange(0.5, 28.5, 0.5), *range(30, 366, 5)))
CURVES = 400


@dataclass(frozen=True)
class Check:
    """A visual predictive check of one infusion number.

    Attributes
    ----------
    infusion
        1, 2, ...
    day, counts
        Median day of each bin, and the counts in it; shape (bins,).
    observed, low, high
        Quantiles of the counts, and their 90 % interval in drawn cohorts; shape (3, bins), NaN = below the limit.
    below, below_low, below_high
        Share below the limit, shape (bins,).
    limit
        Median limit; None where no count was below.
    """

    infusion: int
    day: Floats = field(repr=False)
    counts: Floats = field(repr=False)
    observed: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    below: Floats = field(repr=False)
    below_low: Floats = field(repr=False)
    below_high: Floats = field(repr=False)
    limit: float | None = None


def checks(fit: PopulationFit, random: np.random.Generator) -> list[Check]:
    """Return the check of each infusion number that has bins with enough counts."""
    layout = fit.layout
    day, value, present, below = _joined(fit)
    infusion = np.array([p.infusion for p in layout.profiles])
    drawn = _drawn(fit, day, random=random)
    limits = _limits(fit)
    by_infusion = []
    for number in sorted(set(infusion.tolist())):
        mask = present & (infusion == number)[:, None]
        bins = [(a, b) for a, b in pairwise(EDGES)
                if (mask & (day > a) & (day <= b)).sum() >= FEWEST]  # fmt: skip
        if bins:
            by_infusion.append(
                _check(
                    int(number),
                    [mask & (day > a) & (day <= b) for a, b in bins],
                    day,
                    value=value,
                    below=below,
                    drawn=drawn,
                    limits=limits,
                )
            )
    return by_infusion


def _check(infusion: int, bins: Sequence[np.ndarray], day: Floats, *, value: Floats, below: np.ndarray, drawn: Floats,
           limits: Floats) -> Check:  # fmt: skip
    observed, low, high = (np.full((len(QUANTILES), len(bins)), np.nan) for _ in range(3))
    days, counts, share, share_low, share_high = (np.zeros(len(bins)) for _ in range(5))
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    for j, here in enumerate(bins):
        limit = np.broadcast_to(limits[:, None], day.shape)[here]
        counted = np.where(below[here], -np.inf, value[here])
        again = drawn[:, here]
        again = np.where(again < limit, -np.inf, again)
        days[j], counts[j] = np.median(day[here]), here.sum()
        observed[:, j] = _finite(np.quantile(counted, QUANTILES, method="inverted_cdf"))
        each = np.quantile(again, QUANTILES, axis=1, method="inverted_cdf")
        low[:, j] = _finite(np.quantile(each, tails[0], axis=1, method="inverted_cdf"))
        high[:, j] = _finite(np.quantile(each, tails[1], axis=1, method="inverted_cdf"))
        share[j] = np.isneginf(counted).mean()
        share_low[j], share_high[j] = np.quantile(np.isneginf(again).mean(axis=1), tails)
    finite = limits[np.isfinite(limits)]
    return Check(infusion, days, counts, np.exp(observed), np.exp(low), np.exp(high), share, share_low, share_high,
                 float(np.exp(np.median(finite))) if finite.size else None)  # fmt: skip


def _finite(value: Floats) -> Floats:
    return np.where(np.isfinite(value), value, np.nan)


def _joined(fit: PopulationFit) -> tuple[Floats, Floats, np.ndarray, np.ndarray]:
    """Return day, log value, presence and whether below the limit, of all counts; shape (profiles, counts)."""
    above, low = fit.layout.above, fit.layout.below
    day, value, present = (np.concatenate(pair, axis=1) for pair in zip(above, low, strict=True))
    below = np.concatenate([np.zeros(above[0].shape, dtype=bool), np.ones(low[0].shape, dtype=bool)], axis=1)
    return day, value, present > 0, below


def _limits(fit: PopulationFit) -> Floats:
    """Return the log limit of each profile: its own, else the cohort's median, else -inf."""
    _, value, present = fit.layout.below
    own = np.array([np.median(v[t > 0]) if (t > 0).any() else np.nan for v, t in zip(value, present, strict=True)])
    cohort = np.nanmedian(own) if (~np.isnan(own)).any() else -np.inf
    return np.where(np.isnan(own), cohort, own)


def _drawn(fit: PopulationFit, day: Floats, *, random: np.random.Generator) -> Floats:
    """Return log counts of new patients at the same days, shape (cohorts, profiles, counts)."""
    mu, tau, share, sigma = (fit.draws.flat(s) for s in ("mu", "tau", "share", "sigma"))
    chosen = random.integers(0, len(mu), COHORTS)
    patient = np.concatenate([np.arange(n) for n in fit.layout.blocks])
    log_values = np.empty((COHORTS, *day.shape))
    k = len(PARAMETERS)
    for i, d in enumerate(chosen):
        own = random.standard_normal((k, fit.layout.patients)) * (tau[d] * np.sqrt(1 - share[d]))[:, None]
        theta = mu[d][:, None] + own[:, patient]
        theta += random.standard_normal(theta.shape) * (tau[d] * np.sqrt(share[d]))[:, None]
        if fit.layout.names:
            theta[list(ACTED_ON)] += (fit.layout.X @ fit.draws.flat("coef")[d]).T
        log_values[i] = log_counts(theta, day) + sigma[d] * random.standard_normal(day.shape)
    return log_values


def log_counts(theta: Floats, day: Floats) -> Floats:
    """Return log counts of parameters of shape (6, n) at days of shape (n, m)."""
    with jax.enable_x64(True):
        return np.asarray(log_count(jnp.asarray(theta), jnp.asarray(day)))


@dataclass(frozen=True)
class Fitted:
    """The curve of one infusion given its counts: posterior median and 90 % interval by day (days of `GRID`)."""

    median: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)


def fitted(fit: PopulationFit) -> list[Fitted]:
    """Return the curve of each profile of the layout, in its order."""
    theta = fit.draws.flat("theta")
    theta = theta[np.linspace(0, len(theta) - 1, min(CURVES, len(theta))).astype(int)]
    bands = []
    for i in range(theta.shape[2]):
        curves = log_counts(theta[:, :, i].T, np.broadcast_to(np.array(GRID), (len(theta), len(GRID))))
        low, median, high = np.exp(np.quantile(curves, ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2), axis=0))
        bands.append(Fitted(median, low, high))
    return bands


def shrinkage(fit: PopulationFit) -> Floats:
    """Return how far the infusions' deviations are drawn together, one a parameter: 1 - SD(means) / posterior SD.

    Near 0: the counts of each infusion tell its parameter; near 1: it is hardly told, and stands at the typical value
    (Savic and Karlsson, AAPS J 2009;11:558-569).
    """
    theta, mu, tau = fit.draws.flat("theta"), fit.draws.flat("mu"), fit.draws.flat("tau")
    away = theta - mu[:, :, None]
    if fit.layout.names:
        acted = np.einsum("nq,dqa->dan", fit.layout.X, fit.draws.flat("coef"))
        away[:, list(ACTED_ON)] -= acted
    means = away.mean(axis=0)
    return np.asarray(1 - means.std(axis=1, ddof=1) / np.sqrt((tau**2).mean(axis=0)))

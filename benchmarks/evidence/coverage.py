"""How often intervals and prediction intervals of published proportions hold the truth.

``nice python benchmarks/evidence/coverage.py [--small]``: 2 to 8 studies of 5 to 45 patients, a median proportion of 20
or 40 %, a standard deviation of the log odds between studies of 0, 0.5 or 1; 2,000 replicates a cell (standard error
0.5 points). Likelihoods come from a table of every count on a grid of mean and heterogeneity, so that a cell takes
seconds; the first data sets of each cell are fitted by the functions of the package too, and must agree.

Writes results/evidence_coverage.csv: coverage of the median proportion by each interval, the share of further studies'
log odds within each prediction interval, and the median width of each on the scale of proportions.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import expit, logit, ndtr, ndtri, stdtrit

from reinfuse.statistics.binomial_normal import fit_binomial_normal
from reinfuse.statistics.inverse_variance import fit_inverse_variance, log_odds
from reinfuse.statistics.meta_analytic_predictive import predictive_distribution
from reinfuse.statistics.study_likelihood import ProportionCounts, marginal_likelihood

OUT = Path(__file__).resolve().parents[1] / "results" / "evidence_coverage.csv"
SIZES = np.array([5, 7, 9, 12, 16, 21, 28, 36, 45])
MU = np.arange(-8.0, 6.001, 0.1)
TAU = np.arange(0.0, 5.001, 0.1)
Z, CHI = float(ndtri(0.975)), 3.841458820694124
PRIORS = {"Bayes, tau HN(1)": 1.0, "Bayes, tau HN(0.5)": 0.5}
CHECKED, MOST_APART, APART_ON_AVERAGE, RARELY = 4, 0.05, 0.005, 0.02
BLOCK = 250
GRID = np.linspace(-7.5, 6.0, 271)
BELOW = ndtr((GRID - MU[:, None, None]) / np.maximum(TAU, 0.05)[:, None]).reshape(-1, len(GRID)).astype(np.float32)
"""Probability of a further study's log odds below each point of the grid, for each mean and heterogeneity."""


class Table:
    """Log likelihood, slope and expected squared slope of each count, at every point of the grid."""

    def __init__(self, sizes) -> None:
        self.sizes = sizes
        self.place: dict[tuple[int, int], int] = {}
        logs, slopes, informations = [], [], []
        for n in sizes:
            counts = ProportionCounts(np.arange(n + 1.0), np.full(n + 1, float(n)))
            part = marginal_likelihood(counts, mean=MU[:, None], tau=TAU[None, :])
            information = (np.exp(part.log) * part.by_mean**2).sum(axis=-1)
            for y in range(n + 1):
                self.place[int(y), int(n)] = len(logs)
                logs.append(part.log[..., y])
                slopes.append(part.by_mean[..., y])
                informations.append(information)
        self.log, self.slope, self.information = (np.stack(x) for x in (logs, slopes, informations))

    def places(self, y, n):
        return np.array(
            [[self.place[int(a), int(b)] for a, b in zip(*row, strict=True)] for row in zip(y, n, strict=True)]
        )


def newton_step(log, i, j):
    """Return mean, tau, log likelihood and standard error at the maximum, one step of Newton from the best grid point.

    The step is taken in tau^2, in which the likelihood is nearly quadratic. With tau = 0 at that point the mean alone
    moves, and its variance is that of a known tau, as in the package.
    """
    rows, h = np.arange(len(log)), MU[1] - MU[0]
    inner = np.maximum(j, 1)
    square = TAU**2
    below, above = square[inner] - square[inner - 1], square[inner + 1] - square[inner]

    def at(a, b):
        return log[rows, i + a, b]

    def slope(a):
        low, mid, high = (at(a, inner + b) for b in (-1, 0, 1))
        return (mid - low) * above / (below * (below + above)) + (high - mid) * below / (above * (below + above))

    by_mean, by_tau2 = (at(1, j) - at(-1, j)) / (2 * h), slope(0)
    mean2 = (at(1, j) - 2 * at(0, j) + at(-1, j)) / h**2
    steepness = (at(0, inner + 1) - at(0, inner)) / above - (at(0, inner) - at(0, inner - 1)) / below
    second = 2 * steepness / (below + above)
    cross = (slope(1) - slope(-1)) / (2 * h)
    boundary = j == 0
    by_tau2, cross, second = (
        np.where(boundary, 0, by_tau2),
        np.where(boundary, 0, cross),
        np.where(boundary, -1, second),
    )
    determinant = mean2 * second - cross**2
    step = np.clip(-(second * by_mean - cross * by_tau2) / determinant, -h, h)
    further = np.clip(-(mean2 * by_tau2 - cross * by_mean) / determinant, -below, above)
    top = at(0, j) + (by_mean * step + by_tau2 * further) / 2
    tau = np.sqrt(np.maximum(square[j] + np.where(boundary, 0, further), 0))
    return MU[i] + step, tau, top, np.sqrt(np.maximum(-second / determinant, 1e-6))


def mixed_model(table, places, log, k, truth):
    """Return the intervals of the binomial-normal model, its tau, and whether profile and common one hold the truth."""
    flat = log.reshape(len(log), -1).argmax(axis=1)
    i, j = np.unravel_index(flat, log.shape[1:])
    mean, tau, top, se = newton_step(log, np.clip(i, 1, len(MU) - 2), np.minimum(j, len(TAU) - 2))
    shift = mean - MU[i]
    information = table.information[places, i[:, None], j[:, None]]
    u = table.slope[places, i[:, None], j[:, None]] - shift[:, None] * information
    q = (u**2 / information).sum(axis=1) / (k - 1)
    t = stdtrit(k - 1, 0.975)
    around = slice(np.searchsorted(MU, truth) - 5, np.searchsorted(MU, truth) + 5)
    at_truth = CubicSpline(MU[around], log[:, around], axis=1)(truth)
    common_top = CubicSpline(MU, log[:, :, 0], axis=1)(np.linspace(-5, 4, 1801)).max(axis=1)
    common = 2 * (common_top - at_truth[:, 0]) <= CHI
    held = 2 * (np.maximum(top, at_truth.max(axis=1)) - at_truth.max(axis=1)) <= CHI
    further = Z * np.hypot(se, tau)
    intervals = {"Wald": (mean - Z * se, mean + Z * se),
                 "scaled": (mean - t * np.sqrt(q) * se, mean + t * np.sqrt(q) * se)}  # fmt: skip
    return intervals, {"profile": held, "common": common}, (mean - further, mean + further)


def restricted(y, n, k):
    """Return intervals and prediction by REML with Hartung and Knapp, of many data sets at once."""
    edge = np.where((y == 0) | (y == n), 0.5, 0.0)
    a, b = y + edge, n - y + edge
    x, v = np.log(a / b), 1 / a + 1 / b
    tau2 = np.maximum(0.0, x.var(axis=1, ddof=1) - v.mean(axis=1))
    for _ in range(300):
        w = 1 / (v + tau2[:, None])
        m = (w * x).sum(axis=1) / w.sum(axis=1)
        total, square = w.sum(axis=1), (w**2).sum(axis=1)
        slope = (w**2 * (x - m[:, None]) ** 2).sum(axis=1) - total + square / total
        tau2 = np.maximum(0.0, tau2 + slope / (square - 2 * (w**3).sum(axis=1) / total + (square / total) ** 2))
    w = 1 / (v + tau2[:, None])
    m = (w * x).sum(axis=1) / w.sum(axis=1)
    q = (w * (x - m[:, None]) ** 2).sum(axis=1) / (k - 1)
    t, plain = stdtrit(k - 1, 0.975), 1 / np.sqrt(w.sum(axis=1))
    half, wide = t * np.sqrt(q) * plain, t * np.sqrt(np.maximum(q, 1)) * plain
    further = t * np.sqrt(q * plain**2 + tau2)
    return {"REML, HK": (m - half, m + half), "REML, modified HK": (m - wide, m + wide)}, (m - further, m + further)


def bayesian(log, scale):
    """Return interval and prediction of the posterior, mu N(0, 2), tau half-normal."""
    weights = np.exp(log - log.max(axis=(1, 2), keepdims=True) - (TAU / scale) ** 2 / 2 - (MU[:, None] / 2) ** 2 / 2)
    weights *= np.gradient(TAU)
    weights[:, :, 0] /= 2  # the trapezoidal rule's weight at an end
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    cumulative = weights.sum(axis=2).cumsum(axis=1) - weights.sum(axis=2) / 2
    predicted = weights.reshape(len(log), -1).astype(np.float32) @ BELOW
    ends = [np.array([np.interp(p, row, at) for row in rows]) for rows, at in ((cumulative, MU), (predicted, GRID))
            for p in (0.025, 0.975)]  # fmt: skip
    return (ends[0], ends[1]), (ends[2], ends[3])


def share_within(interval, truth, tau):
    if tau == 0:
        return (interval[0] <= truth) & (truth <= interval[1])
    return ndtr((interval[1] - truth) / tau) - ndtr((interval[0] - truth) / tau)


def one_cell(table, k, share, tau, replicates, rng):
    truth = float(logit(share))
    n = rng.choice(table.sizes, size=(replicates, k))
    y = rng.binomial(n, expit(truth + tau * rng.standard_normal((replicates, k))))
    estimable = (y.sum(axis=1) > 0) & (y.sum(axis=1) < n.sum(axis=1))
    y, n = y[estimable], n[estimable]
    totals: dict[tuple[str, str], list] = {}
    apart: list[float] = []

    def note(kind, method, held, interval=None):
        totals.setdefault((kind, method), []).append(held)
        if interval is not None:
            totals.setdefault((f"{kind} width", method), []).append(expit(interval[1]) - expit(interval[0]))

    for start in range(0, len(y), BLOCK):
        part = slice(start, start + BLOCK)
        places = table.places(y[part], n[part])
        log = table.log[places].sum(axis=1)
        intervals, held, further = mixed_model(table, places, log, k, truth)
        classical, further_classical = restricted(y[part].astype(float), n[part].astype(float), k)
        for name, one in held.items():
            note("interval", name, one)
        for name, one in {**intervals, **classical}.items():
            note("interval", name, share_within(one, truth, 0), one)
        note("interval", "scaled and floored", share_within(intervals["scaled"], truth, 0) | held["common"])
        note("prediction", "Wald", share_within(further, truth, tau), further)
        note("prediction", "REML, HK", share_within(further_classical, truth, tau), further_classical)
        for name, scale in PRIORS.items():
            one, further = bayesian(log, scale)
            note("interval", name, share_within(one, truth, 0), one)
            note("prediction", name, share_within(further, truth, tau), further)
            if start == 0:
                apart += compare(y, n, intervals=intervals, classical=classical, bayes=(scale, one, further))
    return {key: np.concatenate(values) for key, values in totals.items()}, float(estimable.mean()), apart


def compare(y, n, *, intervals, classical, bayes):
    """Return how far the table's intervals are from the package's own, on the scale of proportions."""
    every = []
    for r in range(CHECKED):
        events, size = y[r].astype(float), n[r].astype(float)
        fit = fit_binomial_normal(events=events, n=size)
        effects, variances = log_odds(events=events, n=size)
        normal = fit_inverse_variance(effects=effects, variances=variances)
        prior = predictive_distribution(ProportionCounts(events, size), tau_scale=bayes[0])
        predicted, average = prior.predicted(), prior.average()
        pairs = [(fit.scaled, intervals["scaled"]), (fit.wald, intervals["Wald"]),
                 (normal.interval, classical["REML, HK"]), (normal.modified, classical["REML, modified HK"]),
                 (logit((average.lower, average.upper)), bayes[1]),
                 (logit((predicted.lower, predicted.upper)), bayes[2])]  # fmt: skip
        every += [np.abs(expit(np.array(ours)) - expit([table[0][r], table[1][r]])).max() for ours, table in pairs
                  if np.isfinite(ours).all()]  # fmt: skip
    return every


def agree(apart):
    """Stop if the table and the package differ on average, or in more than a few data sets near tau = 0."""
    far = np.mean(np.array(apart) > MOST_APART)
    print(f"table and package: {np.mean(apart):.4f} apart on average, {100 * far:.1f} % of intervals by more than 0.05")
    if np.mean(apart) > APART_ON_AVERAGE or far > RARELY:
        raise SystemExit("the table does not agree with the package")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="one cell, nothing written")
    small = parser.parse_args().small
    table, rng = Table(SIZES[:4] if small else SIZES), np.random.default_rng(20261129)
    cells = [(k, p, t) for k in (2, 3, 5, 8) for p in (0.2, 0.4) for t in (0.0, 0.5, 1.0)]
    rows, apart = [], []
    for k, p, tau in [(4, 0.4, 0.5)] if small else cells:
        shares, estimable, further = one_cell(table, k, p, tau, 250 if small else 2000, rng)
        apart += further
        for (kind, method), values in shares.items():
            if kind in ("interval", "prediction"):
                width = shares.get((f"{kind} width", method))
                rows.append({"studies": k, "median_proportion": p, "tau": tau, "kind": kind, "method": method,
                             "coverage": round(100 * float(values.mean()), 2),
                             "median_width": "" if width is None else round(float(np.median(width)), 3),
                             "replicates": len(values), "estimable": round(100 * estimable, 2)})  # fmt: skip
        print(k, p, tau, {f"{r['kind'][:4]} {r['method']}": r["coverage"] for r in rows if
                          (r["studies"], r["median_proportion"], r["tau"]) == (k, p, tau)}, flush=True)  # fmt: skip
    agree(apart)
    if not small:
        with OUT.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()

"""Type I error of each way to allow for centres, which differ in outcome and in the factor's prevalence.

Run from the repository's root: `python benchmarks/centre_effects/error_rates.py [processes [replicates]]` (or
--small); 1,000 replicates take some three minutes of one core. It writes benchmarks/results/centres.csv. The factor
is yes in 20 % to 80 % of a centre's patients, another share in each; the log odds or log hazard of a centre is normal
with a standard deviation of 1. Times are exponential, a third of the patients are censored. The factor has no effect:
the share of p < 0.05 is the type I error. Replicates in which a way has no estimate do not count for it; their share
stands beside.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import chdtrc, ndtr, stdtr

from reinfuse.statistics import cluster_robust, firth_batch, frailty, random_intercept
from reinfuse.statistics.firth_risk_sets import RiskSetModel

ALPHA = 0.05
SETTINGS = ((1.0, 1.0),)
"""Standard deviation of the centres, ratio of the factor."""
SIZES = ((44, 4), (44, 11), (100, 5), (100, 20))
"""Patients and centres."""
RESULTS = Path(__file__).parents[1] / "results"


def of_ratio(full: firth_batch.Fits, held: firth_batch.Fits) -> float:
    """Return the p-value of a penalised likelihood ratio; NaN where a fit did not converge."""
    good = full.converged[0] and held.converged[0]
    return float(chdtrc(1, max(0.0, 2 * (full.value[0] - held.value[0])))) if good else float("nan")


def of_t(coef: float, error: float, df: float) -> float:
    """Return the p-value of a t statistic; NaN where there is no error."""
    return float(2 * stdtr(df, -abs(coef / error))) if np.isfinite(error) and error > 0 and df > 0 else float("nan")


Way = tuple[str, float]


def survival_ways(x: np.ndarray, time: np.ndarray, event: np.ndarray, centre: np.ndarray) -> Iterator[Way]:
    """Yield the p-values of a time to event."""
    X, none = ((x - x.mean()) / x.std())[:, None], (0, np.zeros(1))
    yield "ignored", of_ratio(firth_batch.cox(X, time, event), firth_batch.cox(X, time, event, held=none))
    died = event == 1
    sets, count = np.unique(np.column_stack([centre[died], time[died]]), axis=0, return_counts=True)
    weight = ((centre[None] == sets[:, :1]) & (time[None] >= sets[:, 1:])).astype(float)
    model = RiskSetModel(X, event, count.astype(float), weight)
    yield "stratum", of_ratio(model.fit(np.zeros((1, 1))), model.fit(np.zeros((1, 1)), none))
    robust = cluster_robust.cox(X, time, event, centre)
    yield "robust", of_t(robust.coef[0], robust.error[0], robust.df[0])
    shared = frailty.fit(X, time, event, centre)
    yield "frailty", float(2 * ndtr(-abs(shared.coef[0] / shared.error[0]))) if shared.converged else float("nan")


def response_ways(x: np.ndarray, y: np.ndarray, centre: np.ndarray) -> Iterator[Way]:
    """Yield the p-values of a response."""
    X, none = np.column_stack([(x - x.mean()) / x.std(), np.ones(len(x))]), (0, np.zeros(1))
    yield "ignored", of_ratio(firth_batch.logistic(X, y), firth_batch.logistic(X, y, held=none))
    own = np.column_stack([X[:, :1], centre[:, None] == np.unique(centre)])
    yield "stratum", of_ratio(firth_batch.logistic(own, y), firth_batch.logistic(own, y, held=none))
    robust = cluster_robust.logistic(X, y, centre)
    yield "robust", of_t(robust.coef[0], robust.error[0], robust.df[0])
    shared = random_intercept.fit(X[:, :1], y, centre)
    yield "frailty", float(2 * ndtr(-abs(shared.coef[0] / shared.error[0]))) if shared.converged else float("nan")


def replicate(rng: np.random.Generator, n: int, centres: int, *, spread: float, ratio: float) -> dict[str, float]:
    """Return the p-values of one data set."""
    centre = np.arange(n) % centres
    x = (rng.random(n) < rng.uniform(0.2, 0.8, centres)[centre]).astype(float)
    log_effect = np.log(ratio) * x + spread * rng.normal(size=centres)[centre]
    time, stop = rng.exponential(size=n) / np.exp(log_effect), rng.exponential(2.0, size=n)
    event, y = (time <= stop) * 1.0, (rng.random(n) < 1 / (1 + np.exp(-log_effect))) * 1.0
    if not 0 < x.sum() < n or not event.any() or not 0 < y.sum() < n:
        return {}
    ways = {f"time {name}": p for name, p in survival_ways(x, np.minimum(time, stop), event, centre)}
    return ways | {f"response {name}": p for name, p in response_ways(x, y, centre)}


def rates(setting: tuple[int, int, float, float, int]) -> list[dict[str, object]]:
    """Return error rates of each way in one setting: patients, centres, their SD, ratio, replicates."""
    n, centres, spread, ratio, replicates = setting
    rng = np.random.default_rng([n, centres, int(10 * spread), int(ratio)])
    with np.errstate(all="ignore"):
        runs = [replicate(rng, n, centres, spread=spread, ratio=ratio) for _ in range(replicates)]
    rows: list[dict[str, object]] = []
    for way in dict.fromkeys(name for run in runs for name in run):
        p = np.array([run.get(way, np.nan) for run in runs])
        told = p[~np.isnan(p)]
        rows.append({"n": n, "centres": centres, "centre_sd": spread, "ratio": ratio, "endpoint": way.split()[0],
                     "way": way.split()[1], "rejected": round(float((told < ALPHA).mean()), 4),
                     "not_estimable": round(1 - len(told) / replicates, 4), "replicates": replicates})  # fmt: skip
    return rows


if __name__ == "__main__":
    if "--small" in sys.argv:
        print(rates((*SIZES[0], *SETTINGS[0], 2)))
        sys.exit()
    processes, replicates = (*map(int, sys.argv[1:]), *(1, 1000)[len(sys.argv) - 1 :])
    settings = [(*size, *how, replicates) for how in SETTINGS for size in SIZES]
    with ProcessPoolExecutor(max_workers=processes) as pool:
        pl.DataFrame([row for rows in pool.map(rates, settings) for row in rows]).write_csv(RESULTS / "centres.csv")

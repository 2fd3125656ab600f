"""Type I error, coverage and power of the tests of one factor adjusted for another, by simulation.

Each cell is one of n (20, 44, 100), prevalence of the factor, true odds or hazard ratio, and model. A row of the CSV is
one cell and one method; cells that stand there already are not run again, so that the study can be stopped and gone on
with. Data: see `simulated`. Run: python benchmarks/operating_characteristics/run.py [--replicates 2000] [--draws 199]
[--methods chi-square,calibrated,unpenalised,permutation,bayesian] [--workers 2]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import polars as pl
from scipy.special import chdtrc

from reinfuse.analyses import permutation, simulated_inference
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.statistics import bayesian_effects, firth_batch

HERE = Path(__file__).parent
RESULTS = HERE / "cells.csv"
LEVEL = 0.05
SIZES, PREVALENCES, EFFECTS, KINDS = (20, 44, 100), (0.1, 0.2, 0.3, 0.5), (1, 3, 6), ("logistic", "cox")
HEAD = ("model", "n", "prevalence", "exposed", "effect", "method", "replicates", "no_answer", "rejected_null",
        "rejected_truth", "events_mean")  # fmt: skip
SEED = 20261123


def simulated(kind, n, prevalence, effect, rng):
    """Return factor and a numeric covariate that goes with it, and the outcome.

    The covariate has an odds or hazard ratio of 2 a standard deviation, and is half a standard deviation higher in the
    exposed. Logistic: 38 % have the event where both are 0. Cox: exponential times; the exposed are censored twice as
    fast.
    """
    x = np.zeros(n)
    x[: round(n * prevalence)] = 1
    z = rng.normal(size=n) + 0.5 * x
    eta = math.log(effect) * x + math.log(2) * z
    if kind == "logistic":
        return np.column_stack([x, z]), (rng.random(n) < 1 / (1 + np.exp(0.5 - eta))).astype(float), None
    time, censored = rng.exponential(size=n) / np.exp(eta), rng.exponential(size=n) * 2.5 / (1 + x)
    return np.column_stack([x, z]), (time <= censored).astype(float), np.minimum(time, censored)


def observed(kind, X, event, time):
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    Z = np.column_stack([Z, np.ones(len(Z))]) if kind == "logistic" else Z
    return simulated_inference.Observed(kind, Z, event, time, X[:, 0].astype(np.int64)), X[:, 0].std()


def chi_square(kind, X, event, time, effect, draws, rng):
    """Firth's penalised likelihood ratio against chi-square: p-values of no effect and of the true one."""
    data, scale = observed(kind, X, event, time)
    test = simulated_inference.Test(data, 0, 1, rng)
    ratios, fits = test.ratio(np.array([0.0, math.log(effect) * scale]))
    return chdtrc(1, ratios) if fits.converged.all() and test.full.converged.all() else (math.nan, math.nan)


def simulated_reference(kind, X, event, time, effect, draws, rng):
    """The recommended method."""
    data, scale = observed(kind, X, event, time)
    test = simulated_inference.Test(data, 0, draws, rng)
    truth = test.p_value(math.log(effect) * scale)
    return (truth if effect == 1 else test.p_value(0.0)), truth


def unpenalised(kind, X, event, time, effect, draws, rng):
    """Maximum likelihood and Wald, as most programs print; no answer where the estimate does not exist."""
    data, scale = observed(kind, X, event, time)
    if kind == "logistic":
        fit = firth_batch.logistic(data.X, event[None], penalised=False)
    else:
        fit = firth_batch.cox(data.X, time[None], event[None], penalised=False)
    if not fit.converged[0] or not np.linalg.cond(fit.information[0]) < 1e8:
        return math.nan, math.nan
    se = math.sqrt(np.linalg.inv(fit.information[0])[0, 0])
    return tuple(chdtrc(1, ((fit.coef[0, 0] - b) / se) ** 2) for b in (0.0, math.log(effect) * scale))


def permuted(kind, X, event, time, effect, draws, rng):
    """The permutation test; it tests no effect only."""
    end = EndpointColumn("y", "y", "binary" if time is None else "time", event, time)
    x = pl.Series("x", np.where(X[:, 0] == 1, "yes", "no").tolist())
    factors = [FactorColumn("x", "x", "binary", x, ("no", "yes")), FactorColumn("z", "z", "number", pl.Series(X[:, 1]))]
    p = permutation.permutations(end, factors, "multivariable", draws, rng)[0].p_value
    return (math.nan if p is None else p,) * 2


def bayesian(kind, X, event, time, effect, draws, rng):
    """Default prior of Bayesian models: twice the smaller posterior tail at no effect, and at the true one."""
    sample = bayesian_effects.posterior(X / [1, 2 * X[:, 1].std()], event, time, prior=bayesian_effects.Prior())
    if sample is None or sample.effective < bayesian_effects.FEWEST_EFFECTIVE:
        return math.nan, math.nan
    above = [sample.above(0, b) for b in (0.0, math.log(effect))]
    return tuple(2 * min(p, 1 - p) for p in above)


METHODS = {
    "calibrated": simulated_reference, "chi-square": chi_square, "unpenalised": unpenalised, "permutation": permuted,
    "bayesian": bayesian,
}  # fmt: skip


def cell(task):
    """Run one method in one cell. No event, or all of them, is no evidence: p = 1."""
    (kind, n, prevalence, effect), method, replicates, draws, first = task
    p, events = np.full((replicates, 2), np.nan), 0.0
    for i in range(replicates):
        seed = (first, KINDS.index(kind), n, int(prevalence * 100), effect, i)
        X, event, time = simulated(kind, n, prevalence, effect, np.random.default_rng(seed))
        events += event.sum() / replicates
        none = event.sum() == 0 or (kind == "logistic" and event.sum() == n)
        rng = np.random.default_rng((*seed, 1))
        p[i] = (1.0, 1.0) if none else METHODS[method](kind, X, event, time, effect, draws, rng)
    known = p[~np.isnan(p).any(axis=1)]
    return (kind, n, prevalence, round(n * prevalence), effect, method, replicates, replicates - len(known),
            int((known[:, 0] < LEVEL).sum()), int((known[:, 1] < LEVEL).sum()), round(events, 2))  # fmt: skip


def main():
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--replicates", type=int, default=2000)
    parse.add_argument("--draws", type=int, default=199)
    parse.add_argument("--methods", default=",".join(METHODS))
    parse.add_argument("--workers", type=int, default=2)
    parse.add_argument("--out", type=Path, default=RESULTS)
    parse.add_argument("--only", nargs="+", help="cells, such as cox,20,0.3,6")
    parse.add_argument("--seed", type=int, default=SEED)
    parse.add_argument("--small", action="store_true", help="one cell, few replicates, into a folder that goes")
    told = parse.parse_args()
    if told.small:
        told.replicates, told.draws, told.workers, told.only = 5, 19, 1, ["cox,20,0.3,6"]
        told.out = Path(tempfile.mkdtemp()) / "cells.csv"
    done = set()
    if told.out.exists():
        with told.out.open() as file:
            done = {tuple(r[:3] + r[4:6]) for r in list(csv.reader(file))[1:]}
    else:
        told.out.write_text(",".join(HEAD) + "\n")
    cells = list(itertools.product(KINDS, SIZES, PREVALENCES, EFFECTS))
    if told.only:
        cells = [c for c in cells if ",".join(map(str, c)) in told.only]
    tasks = [(c, m, told.replicates, told.draws, told.seed) for m in told.methods.split(",") for c in cells
             if tuple(str(v) for v in (*c, m)) not in done]  # fmt: skip
    with ProcessPoolExecutor(told.workers) as pool:
        for row in pool.map(cell, tasks):
            with told.out.open("a") as file:
                csv.writer(file, lineterminator="\n").writerow(row)
            print(*row, flush=True)


if __name__ == "__main__":
    main()

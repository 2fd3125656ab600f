"""Type I error and power of the test of interaction of two yes/no factors, by simulation.

Half of the patients have the first factor, 3 of 10 the second, independently. Both have an odds or hazard ratio of 2;
those with both have in addition the ratio of the cell (1: no interaction). Logistic: 27 % have the event where both
factors are absent. Cox: exponential times, exponential censoring. Methods: Firth's penalised likelihood ratio against
chi-square, and against its distribution in outcomes simulated without interaction. A replicate in which a combination
has no patient, or with fewer than 5 events for each of 3 parameters, has no answer, as in the program.
Run: python benchmarks/operating_characteristics/interactions.py [--replicates 1000] [--draws 199]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import polars as pl

from reinfuse.analyses.design_matrix import design_of
from reinfuse.analyses.interactions import Pair
from reinfuse.analyses.simulated_inference import Observed, Test
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.statistics.firth_joint import joint_test

RESULTS = Path(__file__).parent / "interactions.csv"
LEVEL = 0.05
KINDS, SIZES, RATIOS = ("logistic", "cox"), (44, 100), (1, 6)
HEAD = (
    "model",
    "n",
    "interaction",
    "replicates",
    "no_answer",
    "rejected_chi_square",
    "rejected_simulated",
    "events_mean",
)
SEED = 20261130


def simulated(kind, n, ratio, rng):
    """Return the endpoint and both factors of one cohort."""
    a, b = (rng.random(n) < 0.5).astype(float), (rng.random(n) < 0.3).astype(float)
    eta = math.log(2) * (a + b) + math.log(ratio) * a * b
    if kind == "logistic":
        event = (rng.random(n) < 1 / (1 + np.exp(1 - eta))).astype(float)
        end = EndpointColumn("y", "y", "binary", event)
    else:
        time, censored = rng.exponential(size=n) / np.exp(eta), rng.exponential(size=n) * 1.5
        end = EndpointColumn("y", "y", "time", (time <= censored).astype(float), np.minimum(time, censored))
    words = [pl.Series(name, np.where(x == 1, "yes", "no").tolist()) for name, x in (("a", a), ("b", b))]
    return end, [FactorColumn(w.name, w.name, "binary", w, ("no", "yes")) for w in words]


def p_values(end, factors, draws, rng):
    """Return the p-values by chi-square and by simulation; None where the program gives none."""
    pair = Pair(design_of(end, factors), *factors)
    if pair.impossible:
        return None
    d, X = pair.design, pair.columns()
    strata = np.zeros(d.n, dtype=np.int64)
    for place, (_, here) in enumerate(pair.cells()):
        strata[here] = place
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    Z = np.column_stack([Z, np.ones(d.n)]) if d.time is None else Z
    chi = joint_test(d.kind, X, d.event, d.time, columns=[2]).p_value
    return chi, Test(Observed(d.kind, Z, d.event, d.time, strata), 2, draws, rng).p_value(0.0)


def cell(kind, n, ratio, replicates, draws):
    """Return one row of the results."""
    p, events = [], 0.0
    for i in range(replicates):
        rng = np.random.default_rng((SEED, KINDS.index(kind), n, ratio, i))
        end, factors = simulated(kind, n, ratio, rng)
        events += end.event.sum() / replicates
        values = p_values(end, factors, draws, rng)
        if values is not None and np.isfinite(values).all():
            p.append(values)
    rejected = (np.array(p).reshape(-1, 2) < LEVEL).sum(axis=0)
    return kind, n, ratio, replicates, replicates - len(p), int(rejected[0]), int(rejected[1]), round(events, 1)


def main():
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--replicates", type=int, default=1000)
    parse.add_argument("--draws", type=int, default=199)
    parse.add_argument("--only", help="one cell, such as cox,44,1")
    parse.add_argument("--small", action="store_true", help="one cell, few replicates, into a folder that goes")
    options = parse.parse_args()
    cells, place = list(itertools.product(KINDS, SIZES, RATIOS)), RESULTS
    if options.only:
        cells = [c for c in cells if ",".join(map(str, c)) == options.only]
    if options.small:
        options.replicates, options.draws, cells = 3, 19, [("cox", 44, 1)]
        place = Path(tempfile.mkdtemp()) / "interactions.csv"
    done = set()
    if place.exists():
        with place.open() as file:
            done = {tuple(row[:3]) for row in list(csv.reader(file))[1:]}
    else:
        place.write_text(",".join(HEAD) + "\n")
    for one in (c for c in cells if tuple(map(str, c)) not in done):
        row = cell(*one, options.replicates, options.draws)
        with place.open("a") as file:
            csv.writer(file, lineterminator="\n").writerow(row)
        print(*row, flush=True)


if __name__ == "__main__":
    main()

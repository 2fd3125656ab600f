"""Coverage and bias of multiple imputation beside complete cases, n = 44 and 100, truth known.

Run: python benchmarks/imputation.py [--replicates 1000 | --small].
A yes/no factor x (30 % yes) with an odds or hazard ratio of 1
or 3, and a number z (mean 0.5 higher where x is yes, SD 1) with a log ratio of 0.5. Outcome: 40 % with the event, or a
time of which 30 % are censored. x is missing in 30 %, the more often the greater z (log odds 0.75 per unit) and where
there was an event (log odds 1): missing at random given z and the outcome. Model: x and z. In the same replicates: all
data before deletion and complete cases (both with profile intervals, as reports show them), and 20 imputations.
Samples with a constant x or outcome, before or after deletion, are drawn again and counted. Writes
results/imputation.csv; a row is one approach of one cell; bias and RMSE are of the log ratio.
"""

from __future__ import annotations

import argparse
import math
import time as clock
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import brentq

from reinfuse.analyses.association import associations
from reinfuse.analyses.multiple_imputation import imputed
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.estimate import Estimate

SEED, LEVEL, IMPUTATIONS = 20240617, 0.95, 20
PREVALENCE, MISSING, EVENTS, CENSORED = 0.3, 0.3, 0.4, 0.3
Z_EFFECT, Z_SHIFT = 0.5, 0.5
Sample = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class World:
    """A truth to draw samples from; its constants are set on one large sample."""

    def __init__(self, kind: str, ratio: float) -> None:
        self.kind, self.effect, self.base, self.away = kind, math.log(ratio), 0.0, 0.0
        goal = EVENTS if kind == "logistic" else 1 - CENSORED
        self.base = brentq(lambda a: self._with(base=a)[2].mean() - goal, -12, 12, xtol=1e-3)
        _, z, event, _ = self._with(base=self.base)
        self.away = brentq(lambda a: self.chance(z, event, a).mean() - MISSING, -12, 12)

    def _with(self, base: float) -> Sample:
        self.base = base
        return self.draw(np.random.default_rng(SEED), 100_000)

    def draw(self, rng: np.random.Generator, n: int) -> Sample:
        """Draw a factor, a number, an event and a time."""
        x = (rng.random(n) < PREVALENCE).astype(float)
        z = rng.normal(size=n) + Z_SHIFT * (x - PREVALENCE)
        eta = self.effect * x + Z_EFFECT * z
        if self.kind == "logistic":
            return x, z, (rng.random(n) < 1 / (1 + np.exp(-eta - self.base))).astype(float), np.ones(n)
        died, censored = rng.exponential(100, n) * np.exp(-eta), rng.exponential(100 * math.exp(self.base), n)
        return x, z, (died <= censored).astype(float), np.minimum(died, censored)

    @staticmethod
    def chance(z: np.ndarray, event: np.ndarray, base: float) -> np.ndarray:
        """Return the probability that the factor is missing."""
        return 1 / (1 + np.exp(-(base + 0.75 * z + event)))


def fits(kind: str, sample: Sample, gone: np.ndarray, rng: np.random.Generator) -> dict[str, Estimate]:
    """Return the estimate of x by each approach."""
    x, z, event, time = sample
    end = (
        EndpointColumn("y", "y", "binary", event)
        if kind == "logistic"
        else EndpointColumn("y", "y", "time", event, time)
    )
    words = np.where(x == 1, "yes", "no").tolist()
    number = FactorColumn("z", "z", "number", pl.Series(z))
    full, part = (FactorColumn("x", "x", "binary", pl.Series(w, dtype=pl.String), ("no", "yes"))
                  for w in (words, [None if g else w for g, w in zip(gone, words, strict=True)]))  # fmt: skip
    return {
        "all data": associations(end, [full, number], "multivariable", confidence=LEVEL)[0],
        "complete cases": associations(end, [part, number], "multivariable", confidence=LEVEL)[0],
        "imputed": imputed(end, [part, number], "multivariable", LEVEL, IMPUTATIONS, rng)[0],
    }


def row(approach: str, made: list[Estimate], truth: float) -> dict[str, object]:
    """Return one line of the table."""
    usable = [e for e in made if None not in (e.estimate, e.lower, e.upper)]
    logs = np.log([[e.estimate, e.lower, e.upper] for e in usable])
    covered, excludes = (logs[:, 1] <= truth) & (truth <= logs[:, 2]), (logs[:, 1] > 0) | (logs[:, 2] < 0)
    rate, error = float(covered.mean()), logs[:, 0] - truth
    return {
        "approach": approach, "replicates": len(made), "not_estimable": len(made) - len(usable),
        "coverage": round(rate, 4), "monte_carlo_se": round(math.sqrt(rate * (1 - rate) / len(usable)), 4),
        "truth_above_upper": round(float((truth > logs[:, 2]).mean()), 4),
        "truth_below_lower": round(float((truth < logs[:, 1]).mean()), 4),
        "mean_bias": round(float(error.mean()), 4), "bias_se": round(float(error.std() / math.sqrt(len(error))), 4),
        "rmse": round(float(np.sqrt((error**2).mean())), 4),
        "median_width": round(float(np.median(logs[:, 2] - logs[:, 1])), 4),
        "interval_excludes_1": round(float(excludes.mean()), 4),
    }  # fmt: skip


def cell(kind: str, n: int, ratio: float, replicates: int) -> list[dict[str, object]]:
    """Simulate one cell."""
    world, rng = World(kind, ratio), np.random.default_rng([SEED, len(kind), n, round(ratio)])
    made: dict[str, list[Estimate]] = {}
    again = done = 0
    lost = 0.0
    while done < replicates:
        sample = world.draw(rng, n)
        x, z, event, _ = sample
        gone = rng.random(n) < world.chance(z, event, world.away)
        if not gone.any() or any(np.ptp(v) == 0 for v in (x[~gone], event[~gone])):
            again += 1
            continue
        done, lost = done + 1, lost + gone.mean()
        for approach, estimate in fits(kind, sample, gone, rng).items():
            made.setdefault(approach, []).append(estimate)
    head = {"model": kind, "n": n, "ratio": ratio, "drawn_again": again, "missing": round(lost / done, 3)}
    return [head | row(approach, estimates, math.log(ratio)) for approach, estimates in made.items()]


def main() -> None:
    """Simulate every cell and write the results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--small", action="store_true", help="one cell, three replicates, nothing written")
    told = parser.parse_args()
    replicates = 3 if told.small else told.replicates
    started, rows = clock.time(), []
    for kind, n, ratio in ((k, n, r) for k in ("logistic", "cox") for n in (44, 100) for r in (1.0, 3.0)):
        if told.small and (kind, n, ratio) != ("cox", 44, 3.0):
            continue
        rows += cell(kind, n, ratio, replicates)
        print(kind, n, ratio, f"{clock.time() - started:.0f} s", flush=True)
    table = pl.DataFrame(rows)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=220):
        print(table)
    if replicates >= 200:
        table.write_csv(Path(__file__).resolve().parent / "results" / "imputation.csv")


if __name__ == "__main__":
    main()

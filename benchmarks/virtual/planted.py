"""Recovery: planted populations make the group results, with the errors of the published ones; are they found again?

Populations are drawn from the priors, and with them the discrepancy. Of each, the results are simulated in many
patients, and the error of each study and the discrepancy added; the posterior is drawn by surfaces that were learnt
from populations of the priors (the bundled ensemble's also from populations around its posterior). Results that were
held out are simulated in some of those drawn. Kept of each population, so that an interrupted run goes on: the rank of
every unknown, and of every result that was held out, which nothing was calibrated on, among those drawn.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit

from reinfuse.simulation.calibration.emulator import Emulator, fit
from reinfuse.simulation.calibration.posterior import (
    CalibrationEffort,
    discrepancy,
    draw,
    from_prior,
    simulate_targets,
)
from reinfuse.simulation.calibration.targets import TARGETS, Target
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members

SMALL = "--small" in sys.argv
POPULATIONS, LARGE, AGAIN, SIMULATED = (2, 352, 88, 20) if SMALL else (50, 1408, 704, 50)
EFFORT = CalibrationEffort(88, 120, 0, 0, 64, 2, 2) if SMALL else CalibrationEffort(352, 1000, 0, 0, 800, 8, 30)
SEED, INTERVAL, BINS = 700, (0.05, 0.95), 10
SIZED = [t for t in TARGETS if t.kind != "association"]
NAMES = (*UNKNOWNS, "discrepancy")
FILE = (Path(tempfile.mkdtemp()) if SMALL else Path(__file__).parents[1] / "results") / "virtual_planted.csv"


def published(target: Target, scaled: float, spread: float, random: np.random.Generator) -> Target:
    """Return a target as a study of its size would have published it of a population."""
    value = scaled + spread * random.standard_normal()
    if target.kind == "proportion":
        return replace(target, value=float(random.binomial(target.n, expit(value)) / target.n))
    return replace(target, value=float(np.exp(value + target.error * random.standard_normal())))


@dataclass(frozen=True)
class Population:
    """A planted population: its unknowns, its own results on the targets' scales, and what was published of it."""

    truth: np.ndarray
    own: np.ndarray
    results: list[Target]
    held: list[int]
    random: np.random.Generator

    def again(self, drawn: np.ndarray, seed: int, cores: int) -> np.ndarray:
        """Return the results that were held out, simulated in some of what was drawn."""
        some = members(drawn[self.random.permutation(len(drawn))[:SIMULATED], :-1])
        return simulate_targets(some, [SIZED[j] for j in self.held], seed=seed, patients=AGAIN, cores=cores)


def population(k: int, cores: int) -> Population:
    """Return population `k`."""
    random = np.random.default_rng(SEED + k)
    truth = random.standard_normal((1, len(NAMES)))
    own = simulate_targets(members(truth[:, :-1]), SIZED, seed=SEED, patients=LARGE, cores=cores)[0]
    spread = float(discrepancy(truth)[0])
    results = [published(t, own[j], spread, random) if np.isfinite(own[j]) else replace(t, role="held out")
               for j, t in enumerate(SIZED)]  # fmt: skip
    held = [j for j, t in enumerate(SIZED) if t.role == "held out" and np.isfinite(own[j])]
    return Population(truth[0], own, results, held, random)


def recovered(k: int, emulator: Emulator, cores: int) -> pl.DataFrame:
    """Return the rank of what was planted in population `k`, and whether the 90 % interval holds it."""
    one = population(k, cores)
    drawn = draw(emulator, one.results, EFFORT, seed=SEED + k, last_moves=EFFORT.last_moves).z
    again = one.again(drawn, SEED + k, cores)
    return pl.concat([
        _ranks(k, "unknown", NAMES, drawn=drawn, truth=one.truth),
        _ranks(k, "held-out result", [SIZED[j].name for j in one.held], drawn=again, truth=one.own[one.held]),
    ])  # fmt: skip


def _ranks(k: int, kind: str, names: tuple[str, ...] | list[str], *, drawn: np.ndarray,
           truth: np.ndarray) -> pl.DataFrame:  # fmt: skip
    low, high = np.nanquantile(drawn, INTERVAL, axis=0)
    return pl.DataFrame({"population": k, "kind": kind, "name": names, "rank": np.round(below(drawn, truth),
                         4), "within": (low <= truth) & (truth <= high)})  # fmt: skip


def below(drawn: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the share of what was drawn below the truth, half of ties with it; where it is not defined it is left."""
    defined = np.isfinite(drawn).sum(axis=0)
    share: np.ndarray = (np.sum(drawn < truth, axis=0) + 0.5 * np.sum(drawn == truth, axis=0)) / np.maximum(defined, 1)
    return share


def planted(cores: int = 1) -> dict[str, object]:
    """Return how often the planted populations were found again; populations in the file are not simulated anew."""
    earlier = pl.read_csv(FILE) if FILE.exists() else None
    missing = [k for k in range(POPULATIONS) if earlier is None or k not in set(earlier["population"])]
    if missing:
        began, z = time.perf_counter(), from_prior(EFFORT.first, SEED)
        emulator = fit(z, simulate_targets(members(z), SIZED, seed=SEED, patients=EFFORT.patients, cores=cores))
        for k in missing:
            print(k, round(time.perf_counter() - began), flush=True)
            parts = ([] if earlier is None else [earlier]) + [recovered(k, emulator, cores)]
            earlier = pl.concat(parts).sort("population", maintain_order=True)
            earlier.write_csv(FILE)
    assert earlier is not None
    return {**{n: getattr(EFFORT, n) for n in ("first", "patients", "particles", "moves", "last_moves")},
            "simulated": SIMULATED, **summed(earlier)}  # fmt: skip


def summed(table: pl.DataFrame) -> dict[str, object]:
    """Return what the ranks of all populations say."""
    unknowns, results = (table.filter(pl.col("kind") == kind) for kind in ("unknown", "held-out result"))
    by_population = unknowns.group_by("population", maintain_order=True).agg(pl.col("within").mean())["within"]
    by_unknown = unknowns.group_by("name", maintain_order=True).agg(pl.col("within").mean()).sort("within")
    return {
        "populations": len(by_population), "unknowns": len(NAMES), "unknowns_within_90": unknowns["within"].mean(),
        "discrepancy_within_90": unknowns.filter(pl.col("name") == "discrepancy")["within"].mean(),
        "results": results["name"].n_unique(), "results_within_90": results["within"].mean(),
        "populations_by_unknowns_within_90": by_population.round(4).to_list(),
        "unknowns_least_within_90": dict(by_unknown.head(6).iter_rows()),
        "ranks": np.histogram(unknowns["rank"], BINS, (0, 1))[0].tolist(),
        "ranks_of_results": np.histogram(results["rank"], BINS, (0, 1))[0].tolist(),
    }  # fmt: skip

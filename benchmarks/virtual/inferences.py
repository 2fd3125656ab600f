"""Inferences compared, by which populations meet published results: the same planted populations, the same simulations.

Sequential Monte Carlo with response surfaces (the program's), ensemble Kalman inversion as it is and corrected
(`kalman`), and neural posterior estimation (`neural`), learnt from the simulations or from the surfaces; each has 1,000
simulated populations, Kalman inversion 1,000 of its own for every planted one. Twice more with 8,000. The prior beside.
Planted populations are those of `planted.py`; then the published results themselves.

    python benchmarks/virtual/inferences.py            (hours on two cores, goes on where it was; writes results)
    python benchmarks/virtual/inferences.py --small    (few of all; writes nothing)
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from kalman import inverted
from neural import Flow
from planted import BINS, EFFORT, INTERVAL, NAMES, SEED, SIZED, below, population

from reinfuse.runtime.parallel import CORES
from reinfuse.simulation.calibration.emulator import Emulator, fit
from reinfuse.simulation.calibration.posterior import discrepancy, draw, from_prior, simulate_targets
from reinfuse.simulation.calibration.scores import score
from reinfuse.simulation.calibration.targets import Target
from reinfuse.simulation.population.parameter_space import members

SMALL = "--small" in sys.argv
POPULATIONS, MORE, CHECKED, CHECK_PATIENTS = (1, 160, 8, 88) if SMALL else (20, 8000, 400, 1408)
TIMES, PAIRS = (2, 400) if SMALL else (20, 60_000)
"""How often each simulated population is published to learn from; pairs to learn from of the surfaces."""
FOLDER = Path(tempfile.mkdtemp()) if SMALL else Path(__file__).parents[1] / "results"
FILE, PUBLISHED = FOLDER / "virtual_inferences.csv", FOLDER / "virtual_inferences.json"
Method = Callable[[list[Target], int], np.ndarray]
"""Draws (draws, unknowns and the discrepancy's) given published results, and a seed."""


def methods() -> dict[str, Method]:
    """Return each inference, with what all its planted populations share learnt."""
    made: dict[str, Method] = {"prior": lambda _, seed: _prior(seed)}
    for count, more in ((EFFORT.first, ""), (MORE, f", {MORE:,}")):
        z = from_prior(count, SEED)
        values = _simulated(SEED)(z)
        surfaces = fit(z, values)
        made["sequential Monte Carlo" + more] = _by_surfaces(surfaces)
        made["neural, simulations" + more] = _by_flow(Flow(z, values, SIZED, times=TIMES, seed=SEED))
        if not more:
            made["neural, surfaces"] = _by_flow(_of_surfaces(surfaces))
    return made | {"Kalman": _by_kalman(corrected=False), "Kalman, corrected": _by_kalman(corrected=True)}


def _prior(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((EFFORT.particles, len(NAMES)))


def _simulated(seed: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda z: simulate_targets(members(z), SIZED, seed=seed, patients=EFFORT.patients, cores=CORES)


def _by_surfaces(surfaces: Emulator) -> Method:
    return lambda results, seed: draw(surfaces, results, EFFORT, seed=seed, last_moves=EFFORT.last_moves).z


def _by_flow(flow: Flow) -> Method:
    return lambda results, _: flow.draws(results, EFFORT.particles)


def _of_surfaces(surfaces: Emulator) -> Flow:
    """Return a flow that is learnt from the surfaces, with their own error around them."""
    random = np.random.default_rng(SEED)
    z = random.standard_normal((PAIRS, len(NAMES) - 1))
    error = np.where(np.isfinite(surfaces.error), surfaces.error, 0.0)
    values = surfaces(z) + error * random.standard_normal((PAIRS, len(SIZED)))
    return Flow(z, values, SIZED, times=1, seed=SEED)


def _by_kalman(*, corrected: bool) -> Method:
    def drawn(results: list[Target], seed: int) -> np.ndarray:
        z, simulated = inverted(results, _simulated(seed), populations=EFFORT.first, seed=seed)
        if corrected:
            return _by_surfaces(simulated.emulator())(results, seed)
        return np.column_stack([z, np.random.default_rng(seed).standard_normal(len(z))])

    return drawn


def planted(made: dict[str, Method]) -> pl.DataFrame:
    """Return how each inference finds planted populations again; those in the file are not done anew."""
    table = pl.read_csv(FILE) if FILE.exists() else pl.DataFrame()
    for k in range(POPULATIONS):
        if k in set(table.get_column("population", default=pl.Series())):
            continue
        rows, one = [], population(k, CORES)
        for name, method in made.items():
            began = time.perf_counter()
            drawn = method(one.results, SEED + k)
            seconds = time.perf_counter() - began
            again = one.again(drawn, SEED + k, CORES)
            for what, values, truth in (("unknowns", drawn[:, :-1], one.truth[:-1]),
                                        ("discrepancy", drawn[:, -1:], one.truth[-1:]),
                                        ("held-out results", again, one.own[one.held])):  # fmt: skip
                rows.append({"population": k, "inference": name, "what": what, **_found(values, truth),
                             "seconds": round(seconds, 1)})  # fmt: skip
            print(k, name, round(seconds), flush=True)
        table = pl.concat([table, pl.DataFrame(rows)])
        table.write_csv(FILE)
    return table


def _found(drawn: np.ndarray, truth: np.ndarray) -> dict[str, object]:
    """Return how many of a population's numbers lie in their 90 % intervals, the intervals' mean score and width, and
    the ranks."""
    low, high = np.nanquantile(drawn, INTERVAL, axis=0)
    missed = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    ranks = np.histogram(below(drawn, truth), BINS, (0, 1))[0]
    return {"n": len(truth), "within": int((missed == 0).sum()),
            "interval_score": round(float(np.mean(high - low + missed * 2 / (1 - INTERVAL[1] + INTERVAL[0]))), 3),
            "width": round(float(np.mean(high - low)), 3), "ranks": " ".join(map(str, ranks))}  # fmt: skip


def published(made: dict[str, Method]) -> dict[str, object]:
    """Return the scores of each inference by the published results themselves, calibrated and held out."""
    entries: dict[str, object] = {}
    for name, method in made.items():
        drawn = method(SIZED, SEED)
        drawn = drawn[np.linspace(0, len(drawn) - 1, min(CHECKED, len(drawn))).astype(int)]
        scaled = simulate_targets(members(drawn[:, :-1]), SIZED, seed=SEED + 1, patients=CHECK_PATIENTS, cores=CORES)
        entries[name] = {role: _scored(scaled, discrepancy(drawn), role) for role in ("calibrated", "held out")}
        print(name, entries[name], flush=True)
    return entries


def _scored(scaled: np.ndarray, spread: np.ndarray, role: str) -> dict[str, object]:
    which = [j for j, t in enumerate(SIZED) if t.role == role]
    judged = [score(SIZED[j], SIZED[j].from_scale(scaled[:, j]), discrepancy=spread) for j in which]
    predicted = [one.predicted for one in judged if one.predicted]
    return {"met": f"{sum(one.met for one in judged)} of {len(judged)}",
            "inside": f"{sum(p.inside for p in predicted)} of {len(predicted)}",
            "log_score": round(float(np.mean([p.log_score for p in predicted])), 3),
            "interval_score": round(float(np.mean([p.interval_score for p in predicted])), 3),
            "discrepancy": round(float(np.median(spread)), 3)}  # fmt: skip


def main() -> None:
    """Compare; write the full comparison."""
    made = methods()
    found = planted(made)
    PUBLISHED.write_text(json.dumps(published(made), indent=1) + "\n")
    summed = found.group_by("inference", "what", maintain_order=True).agg(
        (pl.col("within").sum() / pl.col("n").sum()).alias("covered"),
        pl.col("interval_score", "width", "seconds").mean(),
    )
    with pl.Config(tbl_rows=40):
        print(summed)


if __name__ == "__main__":
    main()

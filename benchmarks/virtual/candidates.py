"""Compares structures of the model of populations by what they predict of published results held out in turn.

    python benchmarks/virtual/candidates.py [NAME ...]     (minutes a candidate; writes results/virtual_candidates.csv)

Each candidate has its own simulated populations and response surfaces. The results of some sources are held out at
a time, the populations drawn from the posterior given the others, and those held out predicted by the surfaces. The
results that are held out of every calibration (`published.csv`), and those that were read after the bundled one
(`later_targets.csv`), are predicted as well, from all that calibrate.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from later import LATER
from products import results_by_product
from structures import STRUCTURES, Structure, discrepancy_of

from reinfuse.simulation.calibration.abc_smc import PosteriorSample
from reinfuse.simulation.calibration.emulator import Emulator
from reinfuse.simulation.calibration.posterior import CalibrationEffort, calibrate, draw
from reinfuse.simulation.calibration.scores import score
from reinfuse.simulation.calibration.targets import TARGETS, Target
from reinfuse.simulation.model.parameters import DISEASES, INDEX, MIXTURE, MIXTURE_INDEX
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members
from reinfuse.simulation.population.virtual_patients import Member

SMALL = "--small" in sys.argv
SEED = 20261130
EFFORT = (
    CalibrationEffort(88, 80, 20, 1, 64, 2, 2)
    if SMALL
    else CalibrationEffort(patients=352, first=800, more=250, rounds=1, particles=500, moves=6, last_moves=10)
)
ROOM = Path(tempfile.mkdtemp()) if SMALL else Path(__file__).parents[1] / "results"
EVERY = (*TARGETS, *LATER)
FORMER: Mapping[str, tuple[float, float]] = {"kphi": (0.01, 1.0), "g": (0.05, 0.8), "sT": (0.15, 0.8)}
FORMER_LOSS: Mapping[str, tuple[float, float]] = {"fN": (1e-7, 3.0), "mu": (1e-8, 3.0)}
FORMER_CV = (1.2, 0.5)
OWN = tuple(m.name for m in MIXTURE if " of " in m.name)
RESISTANT = tuple(f"resistant in {d}" for d in DISEASES)
Change = Callable[[Member, np.ndarray], None]


def former_priors(several: Member, z: np.ndarray) -> None:
    """Residual effect, growth and effect of lymphodepletion on tumour as they were, without bounds of biology."""
    _medians(several, z, FORMER)
    several.cv[:, INDEX["g"]] = FORMER_CV[0] * np.exp(FORMER_CV[1] * z[:, UNKNOWNS.index("cv of g")])


def former_loss(several: Member, z: np.ndarray) -> None:
    """Loss of antigen as frequent as it was."""
    _medians(several, z, FORMER_LOSS)


def _medians(several: Member, z: np.ndarray, of: Mapping[str, tuple[float, float]]) -> None:
    for name, (median, spread) in of.items():
        several.median[:, INDEX[name]] = median * np.exp(spread * z[:, UNKNOWNS.index(name)])


def one_population(several: Member, _: np.ndarray) -> None:
    """All diseases alike."""
    several.mixture[:, [MIXTURE_INDEX[n] for n in OWN]] = 1.0
    one_resistance(several, _)


def one_resistance(several: Member, _: np.ndarray) -> None:
    """The same share resistant in all diseases."""
    for name in RESISTANT[:-1]:
        several.mixture[:, MIXTURE_INDEX[name]] = several.mixture[:, MIXTURE_INDEX[RESISTANT[-1]]]


def no_resistance(several: Member, _: np.ndarray) -> None:
    """Nobody resistant."""
    several.mixture[:, [MIXTURE_INDEX[n] for n in RESISTANT]] = 0.0


def no_failure(several: Member, _: np.ndarray) -> None:
    """Every product expands."""
    several.mixture[:, MIXTURE_INDEX["products that fail"]] = 0.0


_RESISTANCE = (*RESISTANT, "killing if resistant")
FOLDS = (("Hirayama",), ("Kochenderfer", "liso-cel", "Turtle"), ("Kimmel", "Ogasawara"), ("Hay", "Liu"),
         ("Porter", "Liang"), ("Gauthier",))  # fmt: skip
"""Sources that are held out together: of the same disease and kind."""
CANDIDATES: Mapping[str, tuple[tuple[Change, ...], tuple[str, ...]]] = {
    "as it was: one population": (
        (former_priors, former_loss, one_population, no_resistance, no_failure),
        (*OWN, *_RESISTANCE, "products that fail"),
    ),
    "bounds of biology": (
        (former_loss, one_population, no_resistance, no_failure), (*OWN, *_RESISTANCE, "products that fail"),
    ),
    "bounds, diseases": (
        (former_loss, no_resistance, no_failure), (*_RESISTANCE, "products that fail"),
    ),
    "bounds, diseases, resistance": (
        (former_loss, one_resistance, no_failure), (*RESISTANT[:-1], "products that fail"),
    ),
    "bounds, diseases, resistance, weaker antigen loss": (
        (one_resistance, no_failure), (*RESISTANT[:-1], "products that fail"),
    ),
    "bounds, diseases, own resistance, weaker antigen loss, failing products": ((), ()),
    **{f"the model with {name}": ((), ()) for name in STRUCTURES},
}  # fmt: skip
"""What is changed of the model as it is now, and the unknowns that then mean nothing."""


def fold_of(target: Target) -> int:
    """Return the fold of a target's source."""
    return next((k for k, fold in enumerate(FOLDS) if target.source.startswith(fold)), -1)


def space_of(changes: tuple[Change, ...]) -> Callable[[np.ndarray], Member]:
    """Return the members of a candidate at points."""

    def space(z: np.ndarray) -> Member:
        several = members(z)
        for change in changes:
            change(several, z)
        return several

    return space


def predicted(emulator: Emulator, drawn: PosteriorSample, random: np.random.Generator, *,
              own: bool) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return results of members by the surfaces, as published, with the surfaces' error, and discrepancies."""
    scaled = emulator(drawn.z[:, :-1])
    error = np.where(np.isfinite(emulator.error), emulator.error, np.nan)
    scaled = scaled + error * random.standard_normal(scaled.shape)
    values = np.column_stack([t.from_scale(scaled[:, k]) for k, t in enumerate(EVERY)])
    return values, np.column_stack([discrepancy_of(t, drawn.z, own=own) for t in EVERY])


def compare(name: str) -> list[dict[str, object]]:
    """Return the scores of a candidate for each target."""
    changes, without = CANDIDATES[name]
    structure = STRUCTURES.get(name.removeprefix("the model with "))
    unknowns = len(UNKNOWNS) - len(without) + (len(structure.unknowns) if structure else 0)
    with structure.in_use() if structure else nullcontext():
        rows = _scores(name, structure.members if structure else space_of(changes), structure)
    return [{"unknowns": unknowns, **row} for row in rows]


def _scores(name: str, space: Callable[[np.ndarray], Member],
            structure: Structure | None) -> list[dict[str, object]]:  # fmt: skip
    began, own = time.perf_counter(), structure is not None and structure.own_discrepancy
    by_product = (results_by_product(space, EVERY, seed=SEED, patients=EFFORT.patients, cores=1)
                  if structure is not None and structure.own_products else None)  # fmt: skip
    posterior = calibrate(EFFORT, seed=SEED, cores=1, targets=EVERY, space=space, results=by_product)
    emulator, random = posterior.populations.emulator(), np.random.default_rng(SEED)
    rows, full = [], predicted(emulator, posterior.drawn, random, own=own)
    for fold in range(len(FOLDS)):
        others = [replace(t, role="held out") if fold_of(t) == fold else t for t in EVERY]
        values, spread = predicted(emulator, draw(emulator, others, EFFORT, seed=SEED), random, own=own)
        rows += [_row(name, t, "in turn", values[:, k], spread[:, k]) for k, t in enumerate(EVERY)
                 if t.role == "calibrated" and t.kind != "association" and fold_of(t) == fold]  # fmt: skip
    for k, target in enumerate(EVERY):
        held = target.role if k < len(TARGETS) else "read later"
        rows.append(_row(name, target, held, full[0][:, k], full[1][:, k]))
    seconds = round(time.perf_counter() - began)
    return [{"seconds": seconds, **row} for row in rows]


def _row(name: str, target: Target, role: str, values: np.ndarray, spread: np.ndarray) -> dict[str, object]:
    scored = score(target, values, discrepancy=spread, others=TARGETS)
    one, other = scored.predicted, scored.reference
    return {"candidate": name, "target": target.name, "held": role, "median": float(np.nanmedian(values)),
            "published": target.value, "within": scored.within_error,
            **{n: None if one is None else getattr(one, n) for n in ("low", "high", "inside", "log_score",
                                                                      "interval_score")},
            "reference_log_score": other and other.log_score,
            "reference_interval_score": other and other.interval_score}  # fmt: skip


def main() -> None:
    """Compare, write, print."""
    chosen = [n for n in CANDIDATES if not sys.argv[1:] or any(a == n for a in sys.argv[1:]) or SMALL]
    path = ROOM / "virtual_candidates.csv"
    for name in chosen[:1] if SMALL else chosen:
        rows = compare(name)
        earlier = [r for r in pl.read_csv(path, infer_schema_length=None).iter_rows(named=True)
                   if r["candidate"] != name] if path.exists() else []  # fmt: skip
        table = pl.DataFrame([*earlier, *rows], infer_schema_length=None)
        table.write_csv(path, float_precision=4)
        summed = (table.filter(pl.col("candidate") == name).filter(pl.col("log_score").is_not_null()).group_by("held")
                  .agg(pl.len(), pl.col("log_score").mean(), pl.col("inside").sum(), pl.col("within").sum(),
                       pl.col("interval_score").mean(), pl.col("seconds").first()))  # fmt: skip
        print(name, summed, sep="\n", flush=True)


if __name__ == "__main__":
    main()

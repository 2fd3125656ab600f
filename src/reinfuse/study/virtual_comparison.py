"""Two protocols of repeat infusions compared in the same virtual patients, quickly enough to be asked by a slider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from pydantic import ValidationError

from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.report.export.trial_folder import BANNER
from reinfuse.report.tables.simulation import LABELS, LEVELS, valued
from reinfuse.results.estimate import Estimate
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.posterior_checks import agreement, bundled_targets
from reinfuse.simulation.population.ensemble import bundled
from reinfuse.simulation.trial.protocol import Protocols
from reinfuse.simulation.trial.records import records
from reinfuse.simulation.trial.trial import Trial, in_threads, run
from reinfuse.simulation.trial.trial_results import SEED
from reinfuse.tabular.toml import parse_toml
from reinfuse.tabular.toml_document import toml_document

NAMES = ("A", "B")
BOUNDS: Mapping[str, tuple[float, float]] = {"log10_dose": (5.0, 8.0), "interval": (31.0, 365.0)}
"""Of sliders: log10 of CAR-positive cells per kg, and days between the infusions."""
_LEVEL = {"proportion", "mean", "geometric_mean"}


def protocols_text(arms: Sequence[Mapping[str, Any]]) -> str:
    """Return two protocols as the file that `reinfuse virtual trial` reads.

    Parameters
    ----------
    arms
        Each with `cart1` and `cart2` (regimen classes), `dose1` and `dose2` (cells/kg) and `interval` (days).
    """
    return toml_document({"title": "Two protocols of a second infusion", "reference": NAMES[0], "arms": [
        {"name": name, "infusions": [
            {"lymphodepletion": a["cart1"], "dose_cells_per_kg": float(a["dose1"])},
            {"lymphodepletion": a["cart2"], "dose_cells_per_kg": float(a["dose2"]), "after_days": float(a["interval"])},
        ]} for name, a in zip(NAMES, arms, strict=True)]})  # fmt: skip


def compare(arms: Sequence[Mapping[str, Any]], *, patients: int = 2000, seed: int = SEED,
            progress: Progress | None = None) -> dict[str, Any]:  # fmt: skip
    """Return outcomes of two protocols in the same virtual patients, and their differences, in words.

    Parameters
    ----------
    arms
        As in `protocols_text`.

    Raises
    ------
    PlanRefused
        If the protocols cannot be followed.
    """
    try:
        protocols = Protocols.model_validate(parse_toml(protocols_text(arms).encode()))
    except ValidationError as error:
        raise PlanRefused([Problem(table="protocols", column=".".join(map(str, e["loc"])), rule="cannot be followed",
                                   remedy=e["msg"].removeprefix("Value error, "))
                           for e in error.errors()]) from None  # fmt: skip
    simulated = Trial(protocols, bundled().for_patients(patients), seed)
    every = list(records(protocols, run(simulated, patients, in_threads(), progress=progress)))
    given = {e.group: f"{e.events:,} of {e.n:,}" for e in every if e.endpoint == "given" and e.events is not None}
    rows = [[LABELS[q], *(valued(_level(every, q, name)) for name in NAMES),
             valued(_difference(every, q, "same patients")), valued(_difference(every, q, "as selected"))]
            for q in LEVELS if _level(every, q, NAMES[0])]  # fmt: skip
    return {"rows": rows, "given": [given.get(name, "") for name in NAMES], "patients": patients, "seed": seed}


def _level(every: Sequence[Estimate], quantity: str, arm: str) -> Estimate | None:
    return next((e for e in every if (e.endpoint, e.group, e.model) == (quantity, arm, None)
                 and e.statistic in _LEVEL), None)  # fmt: skip


def _difference(every: Sequence[Estimate], quantity: str, model: str) -> Estimate | None:
    return next((e for e in every if (e.endpoint, e.group, e.model) == (quantity, NAMES[1], model)
                 and e.statistic != "probability_greater"), None)  # fmt: skip


def missed_results() -> tuple[str, str, list[dict[str, str]]]:
    """Return what whoever shows virtual patients says with them: a banner, how much the ensemble meets, what it misses.

    The last is a list of published results outside of what the ensemble's populations give.
    """
    table = bundled_targets()
    missed = table.filter(~pl.col("met"))
    rows = [{"result": str(r["target"]), "published": "direction only" if r["published"] is None else
             f"{r['published']:g}", "simulated": f"{r['simulated']:.3g} ({r['low']:.3g} to {r['high']:.3g})",
             "source": str(r["source"])} for r in missed.iter_rows(named=True)]  # fmt: skip
    return BANNER, agreement(table), rows

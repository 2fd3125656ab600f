"""Ensembles of virtual populations: which one, how well it meets published results, and its recalibration."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.output import Destination
from reinfuse.runtime import signals
from reinfuse.runtime.parallel import CORES
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.centre_targets import read_centre_targets
from reinfuse.simulation.calibration.posterior import CalibrationEffort
from reinfuse.simulation.calibration.posterior_checks import (
    HELD_OUT,
    Agreement,
    bundled_targets,
    by_role,
    simulated_targets,
    table_of_targets,
    unknowns,
)
from reinfuse.simulation.calibration.recalibration import MEMBERS, recalibrate, recalibration_key
from reinfuse.simulation.calibration.targets import TARGETS
from reinfuse.simulation.population.ensemble import Ensemble, bundled, read
from reinfuse.simulation.trial.array_store import ArrayStore
from reinfuse.simulation.trial.trial_results import SEED
from reinfuse.tabular.csv_files import write_csv
from reinfuse.tabular.files import Unreadable, read_bytes

__all__ = ["CHECKED_BY", "Agreement", "CentreCalibration", "Validation", "calibration_effort", "ensemble_of",
           "run_calibration", "validate", "validation_of"]  # fmt: skip
CHECKED_BY = 1024
"""Virtual patients of each population by whom results are checked."""
_FARTHEST = 12.0
"""Standard deviations of the prior: farther is no population of this model."""
_REACH = {"crs_intercept": (-1e3, 1e3), "discrepancy": (1e-3, 10.0)}


def ensemble_of(path: Path | None) -> Ensemble:
    """Return the ensemble of a file (`ensemble.csv` of `reinfuse virtual calibrate`); without one the bundled ensemble.

    Raises
    ------
    PlanRefused
        With every problem of the file.
    """
    if path is None:
        return bundled()
    try:
        frame = pl.read_csv(read_bytes(path), infer_schema_length=None)
    except Unreadable as error:
        raise PlanRefused([Problem(table="ensemble", value=str(path), rule=error.rule, remedy=error.remedy)]) from None
    except pl.exceptions.PolarsError:
        raise PlanRefused([Problem(table="ensemble", value=str(path), rule="is no CSV file", remedy=_REMEDY)]) from None
    problems = _problems_of(frame)
    if problems:
        raise PlanRefused(problems)
    return read(frame)


_REMEDY = "give the ensemble.csv that `reinfuse virtual calibrate` wrote with this version"


def _problems_of(frame: pl.DataFrame) -> list[Problem]:
    needed = bundled().frame().columns
    problems = [Problem(table="ensemble", column=c, rule="is missing", remedy=_REMEDY)
                for c in needed if c not in frame.columns]  # fmt: skip
    problems += [Problem(table="ensemble", column=c, rule="is no unknown of the model", remedy=_REMEDY)
                 for c in frame.columns if c not in needed]  # fmt: skip
    if frame.height < 2:
        problems.append(Problem(table="ensemble", rule="holds fewer than 2 populations", remedy=_REMEDY))
    for column in (c for c in needed if c in frame.columns):
        values = frame[column].cast(pl.Float64, strict=False).to_numpy()
        low, high = _REACH.get(column, (-_FARTHEST, _FARTHEST))
        for row in np.flatnonzero(~((low <= values) & (values <= high))):
            value = str(frame[column][int(row)])
            problems.append(Problem(table="ensemble", row=int(row) + 1, column=column, value=value,
                                    rule="is no number within reach", remedy=_REMEDY))  # fmt: skip
    return problems


@dataclass(frozen=True)
class Validation:
    """Published results beside an ensemble: the table, and counts of those it was developed with and those held out."""

    table: pl.DataFrame
    development: Agreement
    held_out: Agreement

    def as_dict(self) -> dict[str, object]:
        """Return table and counts for JSON."""
        return {"development": vars(self.development), "held_out": vars(self.held_out),
                "targets": self.table.to_dicts()}  # fmt: skip


def validate(path: Path | None, *, patients: int | None = None, seed: int | None = None,
             progress: Progress | None = None) -> Validation:  # fmt: skip
    """Return how an ensemble meets the published results.

    Parameters
    ----------
    path
        File of the ensemble; None: the bundled one.
    patients
        Virtual patients of each population. None: 1,024; of the bundled ensemble, the table that comes with it.

    Raises
    ------
    PlanRefused
        With every problem of the file.
    """
    ensemble = ensemble_of(path)
    if path is None and patients is None and seed is None:
        return validation_of(bundled_targets())
    values = simulated_targets(ensemble, SEED + 1 if seed is None else seed, patients or CHECKED_BY, progress=progress)
    return validation_of(table_of_targets(ensemble, values))


def validation_of(table: pl.DataFrame) -> Validation:
    """Return a table of targets (`posterior_checks.table_of_targets`) with its counts."""
    return Validation(table, *by_role(table))


@dataclass(frozen=True)
class CentreCalibration:
    """An ensemble calibrated to a centre's results too, beside the bundled one.

    Attributes
    ----------
    before, after
        The centre's results beside the bundled ensemble and the calibrated one.
    published_before, published_after
        The published ones.
    members, distinct, simulated
        Members of the ensemble; those that differ; populations simulated.
    """

    before: Validation
    after: Validation
    published_before: Validation
    published_after: Validation
    members: int
    distinct: int
    simulated: int


def calibration_effort(populations: int, patients: int) -> CalibrationEffort:
    """Return how much a calibration simulates: populations in all (half of them from the priors), patients of each."""
    usual = CalibrationEffort()
    more = max(populations // (2 * usual.rounds), 1)
    return replace(usual, patients=patients, first=max(populations - usual.rounds * more, 1), more=more)


def run_calibration(path: Path, *, place: Destination, effort: CalibrationEffort, members: int = MEMBERS,
                    seed: int | None = None, resume: bool = False, cores: int = CORES,
                    progress: Progress | None = None) -> CentreCalibration:  # fmt: skip
    """Calibrate an ensemble to the published results and to a centre's own, and write it.

    Parameters
    ----------
    path
        The centre's results (CSV).
    place
        The folder to write; refused before anything is computed.
    effort
        Of `calibration_effort`.
    resume
        Keep what is simulated beside the folder, and go on from what is there.

    Raises
    ------
    PlanRefused
        With every problem of the file.
    OutputRefused
        If the folder cannot be written.
    """
    place.check()
    targets, seeded = read_centre_targets(path), SEED if seed is None else seed
    store = None
    if resume:
        folder = place.path.parent / f".{place.path.name}-populations"
        store = ArrayStore(folder, recalibration_key(targets, seeded, effort))
        signals.note_remains(f"What was simulated is kept in {folder}: the same command goes on from it.")
    result = recalibrate(targets, effort=effort, size=members, seed=seeded, cores=cores, store=store, progress=progress)
    every, checks = (*targets, *TARGETS), list[Validation]()
    for ensemble in (bundled(), result.ensemble):
        values = simulated_targets(ensemble, seeded + 1, effort.patients, targets=every, progress=progress)
        for some, columns in ((targets, slice(0, len(targets))), (TARGETS, slice(len(targets), None))):
            checks.append(validation_of(table_of_targets(ensemble, values[:, columns], targets=some)))
    calibrated = CentreCalibration(checks[0], checks[2], checks[1], checks[3], len(result.ensemble), result.distinct,
                                   result.simulated)  # fmt: skip
    about = {"targets_file": path.name, "calibrated": [t.name for t in targets if t.role != HELD_OUT],
             "held_out": [t.name for t in targets if t.role == HELD_OUT], "seed": seeded, **vars(effort),
             "members": calibrated.members, "distinct": calibrated.distinct, "ancestors": result.ancestors}  # fmt: skip
    place.write(lambda draft: _write(draft, result.ensemble, calibrated, about=about))
    if store:
        shutil.rmtree(store.folder, ignore_errors=True)
    return calibrated


def _write(draft: Path, ensemble: Ensemble, result: CentreCalibration, *, about: Mapping[str, object]) -> None:
    write_csv(ensemble.frame(), draft / "ensemble.csv")
    for name, before, after in (("targets", result.before, result.after),
                                ("published", result.published_before, result.published_after)):  # fmt: skip
        both = [v.table.with_columns(pl.lit(which).alias("ensemble"))
                for which, v in (("bundled", before), ("calibrated", after))]  # fmt: skip
        write_csv(pl.concat(both, how="vertical_relaxed"), draft / f"{name}.csv")
    write_csv(unknowns(ensemble), draft / "unknowns.csv")
    (draft / "calibration.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

"""Posterior predictive checks: agreement of the ensemble with the published results, and prior against posterior."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from typing import cast

import numpy as np
import polars as pl

from reinfuse.arrays import Floats
from reinfuse.results.estimate import Estimate
from reinfuse.runtime.parallel import CORES
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.reference_study import simulate
from reinfuse.simulation.calibration.scores import Prediction, score
from reinfuse.simulation.calibration.targets import TARGETS, Target
from reinfuse.simulation.model.parameters import INDEX, MIXTURE, MIXTURE_INDEX, PARAMETERS
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members
from reinfuse.simulation.population.virtual_patients import Member

INFORMED = 0.8
"""A posterior standard deviation below this share of the prior's, or a median this many of them away, counts as
informed."""
_MOVED = 0.5
_CV = "cv of "
_SCORES = ("log_score", "interval_score")
_FILE, _ABLATION = "targets.csv", "ablation.csv"
HELD_OUT = "held out"
_COLUMNS = ["target", "role", "kind", "published", "n", "simulated", "low", "high", "predictive_low", "predictive_high",
            "share_above", "within_error", "within_sampling_error", "in_range", "met", "log_score", "interval_score",
            "reference_log_score", "reference_interval_score", "unit", "source"]  # fmt: skip


def simulated_targets(ensemble: Ensemble, seed: int, patients: int, *, targets: Sequence[Target] = TARGETS,
                      progress: Progress | None = None) -> Floats:  # fmt: skip
    """Return what each member gives for each target; shape (members, targets)."""

    def of(k: int) -> list[float]:
        study = simulate(ensemble.one(k), seed, patients)
        return [t.simulated(study) for t in targets]

    with ThreadPoolExecutor(CORES) as pool:
        values = []
        for completed, row in enumerate(pool.map(of, range(len(ensemble))), 1):
            values.append(row)
            if progress:
                progress("published results", completed, len(ensemble))
    return np.array(values)


def targets(ensemble: Ensemble, seed: int, patients: int, *, progress: Progress | None = None) -> pl.DataFrame:
    """Return each target beside the ensemble (`table_of_targets`)."""
    return table_of_targets(ensemble, simulated_targets(ensemble, seed, patients, progress=progress))


def table_of_targets(ensemble: Ensemble, values: Floats, *, targets: Sequence[Target] = TARGETS) -> pl.DataFrame:
    """Return each target beside the ensemble: published value, median and 95 % range of the members' simulated ones,
    predictive range of a study of its size, whether it is met, and its scores (`scores`).

    `within_error`: the ensemble's median lies within 1.96 of the target's errors (sampling and discrepancy); of an
    association: at least 95 % of the ensemble lie on the published side. `within_sampling_error`: within 1.96 of the
    sampling errors alone. `in_range`: the published value lies in the predictive range. The last two are null for an
    association, whose size was not published. `met`: within the error, and in the range if there is one.

    Parameters
    ----------
    values
        Of `simulated_targets`.

    Raises
    ------
    ValueError
        If a result is defined in no member.
    """
    rows = []
    for target, simulated in zip(targets, values.T, strict=True):
        defined = simulated[np.isfinite(simulated)]
        if not len(defined):
            raise ValueError(f"no virtual patient tells {target.name}: simulate more")
        scored = score(target, simulated, discrepancy=ensemble.discrepancy, others=targets)
        middle, low, high = np.quantile(defined, [0.5, 0.025, 0.975])
        association = target.kind == "association"
        if association:
            middle, low, high = np.exp([middle, low, high])
        rows.append((target.name, target.role, target.kind, None if association else target.value, target.n,
                     *map(float, (middle, low, high)), *_predicted(scored.predicted),
                     float(np.mean(defined > 0)) if association else None,
                     scored.within_error, scored.within_sampling_error, scored.predicted and scored.predicted.inside,
                     scored.met, *_scores(scored.predicted), *_scores(scored.reference),
                     target.unit, "; ".join(filter(None, (target.source, target.note)))))  # fmt: skip
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row", infer_schema_length=None)


def _predicted(one: Prediction | None) -> tuple[float | None, float | None]:
    return (None, None) if one is None else (one.low, one.high)


def _scores(one: Prediction | None) -> tuple[float | None, float | None]:
    return (None, None) if one is None else (one.log_score, one.interval_score)


def bundled_targets() -> pl.DataFrame:
    """Return the table of targets of the bundled ensemble."""
    return pl.read_csv(files("reinfuse.simulation").joinpath(_FILE).read_bytes())


@dataclass(frozen=True)
class Agreement:
    """How many published results an ensemble meets: the counts of (some rows of) a table of targets.

    Attributes
    ----------
    of, sized
        Results; those whose size was published (an association has a direction alone).
    within_error, within_sampling_error, in_range, met
        Of the columns of `table_of_targets`; the two in the middle are of the results that are sized.
    """

    of: int
    sized: int
    within_error: int
    within_sampling_error: int
    in_range: int
    met: int

    @classmethod
    def among(cls, table: pl.DataFrame) -> Agreement:
        """Count them in (some rows of) a table of targets."""
        counts = (int(table[c].sum()) for c in ("within_error", "within_sampling_error", "in_range", "met"))
        return cls(table.height, table["in_range"].count(), *counts)


def by_role(table: pl.DataFrame) -> tuple[Agreement, Agreement]:
    """Return the counts of a table of targets: of those that an ensemble was calibrated to, and of those held out."""
    held = pl.col("role") == HELD_OUT
    return Agreement.among(table.filter(~held)), Agreement.among(table.filter(held))


def agreement(table: pl.DataFrame) -> str:
    """Return how many results of a table of targets are met, by each count, in sentences."""
    every, held = Agreement.among(table), by_role(table)[1]
    return (f"The ensemble meets {every.met} of {every.of} published results (held out: {held.met} of {held.of}): the "
            f"published value lies in its predictive 95 % range ({every.in_range} of the {every.sized} that have a "
            f"size; held out: {held.in_range} of {held.sized}), and its median within 1.96 errors, of sampling and the "
            f"model's discrepancy together ({every.within_error} of {every.of}; held out: {held.within_error} of "
            f"{held.of}). By the sampling errors alone the median lies within 1.96 of them in "
            f"{every.within_sampling_error} of the {every.sized} (held out: {held.within_sampling_error} of "
            f"{held.sized}).")  # fmt: skip


def totals(table: pl.DataFrame) -> dict[str, float | None]:
    """Return the mean scores of (some rows of) a table of targets: of those whose size was published, and, beside the
    pooled results of other studies, of those of them that have such."""
    sized = table.filter(pl.col("log_score").is_not_null())
    both = sized.filter(pl.col("reference_log_score").is_not_null())
    means = {f"{prefix}{name}": rows[name].mean()
             for prefix, rows, names in (("", sized, _SCORES), ("compared_", both, _SCORES),
                                         ("", both, tuple(f"reference_{s}" for s in _SCORES)))
             for name in names}  # fmt: skip
    return {"sized": sized.height, "compared": both.height, **cast("dict[str, float | None]", means)}


def bundled_ablation() -> tuple[Estimate, ...]:
    """Return the records of the mechanisms of the bundled ensemble (`ablation.ablation`)."""
    text = files("reinfuse.simulation").joinpath(_ABLATION).read_bytes()
    frame = pl.read_csv(text, infer_schema_length=None)
    rows = ({k: v for k, v in row.items() if v is not None} for row in frame.iter_rows(named=True))
    return tuple(Estimate(**{"endpoint": None, **row}) for row in rows)


def unknowns(ensemble: Ensemble) -> pl.DataFrame:
    """Return each unknown's prior and posterior: median and 95 % limits, and whether the published results inform
    it."""
    rows = []
    ends = np.array([[-1.959964], [0.0], [1.959964]]) * np.ones((1, len(UNKNOWNS)))
    prior, posterior = members(ends), ensemble.member
    for k, name in enumerate(UNKNOWNS):
        label, unit, source = _described(name)
        before, after = (_of(name, several) for several in (prior, posterior))
        low, middle, high = np.quantile(after, [0.025, 0.5, 0.975])
        z = ensemble.z[:, k]
        informed = bool(z.std() < INFORMED or abs(np.median(z)) > _MOVED)
        rows.append((name, label, unit, *map(float, before[[1, 0, 2]]), *map(float, (middle, low, high)),
                     float(z.std()), informed, source))  # fmt: skip
    schema = ["unknown", "label", "unit", "prior", "prior_low", "prior_high", "posterior", "low", "high", "sd_ratio",
              "informed", "source"]  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _described(name: str) -> tuple[str, str, str]:
    """Return label, unit and source of an unknown."""
    if name in MIXTURE_INDEX:
        mixed = MIXTURE[MIXTURE_INDEX[name]]
        return mixed.label, mixed.unit, mixed.source
    one = PARAMETERS[INDEX[name.removeprefix(_CV)]]
    if not name.startswith(_CV):
        return one.label, one.unit, one.source
    return f"CV of {one.label[0].lower()}{one.label[1:]}", "ratio", one.source


def _of(name: str, several: Member) -> Floats:
    """Return the values of an unknown in several members."""
    if name in MIXTURE_INDEX:
        return several.mixture[:, MIXTURE_INDEX[name]]
    return (several.cv if name.startswith(_CV) else several.median)[:, INDEX[name.removeprefix(_CV)]]

"""Posterior predictive checks: agreement of the ensemble with the published results, and prior against posterior."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import polars as pl

from reinfuse.results.estimate import Estimate
from reinfuse.runtime.parallel import CORES
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.reference_study import simulate
from reinfuse.simulation.calibration.targets import TARGETS
from reinfuse.simulation.model.parameters import INDEX, PARAMETERS
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members

INFORMED = 0.8
"""A posterior standard deviation below this share of the prior's, or a median this many of them away, counts as
informed."""
_MOVED = 0.5
_FILE, _ABLATION = "targets.csv", "ablation.csv"
_INSIDE = 1.96


def targets(ensemble: Ensemble, seed: int, patients: int, *, progress: Progress | None = None) -> pl.DataFrame:
    """Return each target beside the ensemble: published value, median and 95 % range of the simulated one, whether it
    is met and in that range.

    `met`: the ensemble's median lies within 1.96 of the target's errors (sampling and discrepancy); of an association:
    at least 95 % of the ensemble lie on the published side. `in_range`: the published value lies in the ensemble's 95 %
    range; null for an association, whose size was not published.
    """

    def of(k: int) -> list[float]:
        study = simulate(ensemble.one(k), seed, patients)
        return [t.simulated(study) for t in TARGETS]

    with ThreadPoolExecutor(CORES) as pool:
        studies = pool.map(of, range(len(ensemble)))
        values = []
        for completed, row in enumerate(studies, 1):
            values.append(row)
            if progress:
                progress("published results", completed, len(ensemble))
    rows = []
    for t, target in enumerate(TARGETS):
        simulated = np.array([v[t] for v in values])
        simulated = simulated[np.isfinite(simulated)]
        middle, low, high = np.quantile(simulated, [0.5, 0.025, 0.975])
        if target.kind == "association":
            met = bool(np.mean(simulated > 0) >= 0.95)
            middle, low, high = np.exp([middle, low, high])
            share: float | None = float(np.mean(simulated > 0))
        else:
            away = (target.on_scale(middle) - target.on_scale(target.value)) / target.spread
            met, share = bool(abs(away) <= _INSIDE), None
        published = None if target.kind == "association" else target.value
        inside = None if published is None else bool(low <= published <= high)
        rows.append((target.name, target.role, target.kind, published, target.n, *map(float, (middle, low, high)),
                     share, met, inside, target.unit, target.source))  # fmt: skip
    schema = [
        "target",
        "role",
        "kind",
        "published",
        "n",
        "simulated",
        "low",
        "high",
        "share_above",
        "met",
        "in_range",
        "unit",
        "source",
    ]
    return pl.DataFrame(rows, schema=schema, orient="row", infer_schema_length=None)


def bundled_targets() -> pl.DataFrame:
    """Return the table of targets of the bundled ensemble."""
    return pl.read_csv(files("reinfuse.simulation").joinpath(_FILE).read_bytes())


@dataclass(frozen=True)
class Agreement:
    """How many published results the ensemble meets, by both counts.

    Attributes
    ----------
    met, of
        Results within 1.96 of their errors of the ensemble's median (`targets`), of all.
    inside, values
        Published values within the ensemble's 95 % range, of those whose size was published.
    """

    met: int
    of: int
    inside: int
    values: int

    @classmethod
    def among(cls, table: pl.DataFrame) -> Agreement:
        """Count them in (some rows of) a table of targets."""
        sized = table["in_range"].drop_nulls()
        return cls(int(table["met"].sum()), table.height, int(sized.sum()), len(sized))


def agreement(table: pl.DataFrame) -> str:
    """Return both counts of a table of targets in a sentence."""
    every, held = Agreement.among(table), Agreement.among(table.filter(pl.col("role") == "held out"))
    return (f"The median of the ensemble lies within 1.96 errors of {every.met} of {every.of} published results (held "
            f"out: {held.met} of {held.of}); the 95 % range of its populations holds {every.inside} of the "
            f"{every.values} published values (held out: {held.inside} of {held.values}).")  # fmt: skip


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
        of_cv = name.startswith("cv of ")
        j = INDEX[name.removeprefix("cv of ")]
        before = (prior.cv if of_cv else prior.median)[:, j]
        after = np.quantile((posterior.cv if of_cv else posterior.median)[:, j], [0.025, 0.5, 0.975])
        z = ensemble.z[:, k]
        informed = bool(z.std() < INFORMED or abs(np.median(z)) > _MOVED)
        unit = "ratio" if of_cv else PARAMETERS[j].unit
        label = f"CV of {PARAMETERS[j].label[0].lower()}{PARAMETERS[j].label[1:]}" if of_cv else PARAMETERS[j].label
        rows.append((name, label, unit, *map(float, before[[1, 0, 2]]), *map(float, after[[1, 0, 2]]),
                     float(z.std()), informed, PARAMETERS[j].source))  # fmt: skip
    schema = ["unknown", "label", "unit", "prior", "prior_low", "prior_high", "posterior", "low", "high", "sd_ratio",
              "informed", "source"]  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")

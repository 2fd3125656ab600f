"""Global sensitivity: which uncertain parameters explain the variance of each outcome of a protocol.

Sobol's first-order and total indices: the share of an outcome's variance that goes when an unknown is known, and the
share that stays when all others are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from reinfuse.arrays import Floats
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite
from reinfuse.runtime.parallel import CORES
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.reference_study import CALIBRATION_RTOL, YEAR, run_protocol
from reinfuse.simulation.model.parameters import Disease
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members
from reinfuse.simulation.population.virtual_patients import Member, RandomNumbers, draws, parameters
from reinfuse.simulation.search.design_space import Question
from reinfuse.simulation.trial.outcomes import needs_another, outcomes
from reinfuse.simulation.trial.protocol import Arm
from reinfuse.simulation.trial.trial import QUANTITIES, quantities

OUTCOMES = ("response", "cr", "pfs_6_months", "persistence_days", "log10_peak", "crs_log_odds")
"""Of CART2, means over those who need it; CRS as log odds, so that no ensemble is needed."""
SAMPLES, PATIENTS, RESAMPLES = 256, 256, 200
ANALYSIS = "virtual"
_ENDS = (0.025, 0.975)
_LEAST = 1e-12
_AT_ONCE = 64
_MODEL = {False: "prior", True: "ensemble"}


@dataclass(frozen=True)
class SobolIndex:
    """Sobol's indices of an outcome to an unknown, each with its 95 % bootstrap interval (value, lower, upper)."""

    outcome: str
    unknown: str
    first: tuple[float, float, float]
    total: tuple[float, float, float]


@dataclass(frozen=True)
class Sensitivity:
    """Indices of all outcomes to all unknowns.

    Attributes
    ----------
    protocol
        Name of the arm.
    samples, patients, runs
        Points of the base sequence; virtual patients of each population; populations simulated.
    scaled
        Whether the unknowns vary as in the ensemble (mean and standard deviation of each; independent, as Sobol's
        indices need), not as in the prior.
    empty
        Populations in which nobody needed CART2; their outcomes are taken as the mean of the others.
    """

    protocol: str
    indices: tuple[SobolIndex, ...]
    samples: int
    patients: int
    runs: int
    scaled: bool
    empty: int

    def frame(self) -> pl.DataFrame:
        """Return the indices as a table."""
        names = ("", "_low", "_high")
        rows = [{"outcome": i.outcome, "unknown": i.unknown,
                 **{f"first{n}": v for n, v in zip(names, i.first, strict=True)},
                 **{f"total{n}": v for n, v in zip(names, i.total, strict=True)}} for i in self.indices]  # fmt: skip
        return pl.DataFrame(rows)

    def records(self) -> Iterator[Estimate]:
        """Yield the indices as records."""
        method = f"Sobol index of the {_MODEL[self.scaled]}, {self.samples} samples, bootstrap interval"
        for one in self.indices:
            for statistic, interval in (("sobol_first", one.first), ("sobol_total", one.total)):
                value, low, high = (finite(v) for v in interval)
                yield Estimate(ANALYSIS, one.outcome, statistic, group=self.protocol, model=_MODEL[self.scaled],
                               term=one.unknown, estimate=value, lower=low, upper=high,
                               confidence=None if low is None else 0.95, method=method, n=self.runs,
                               note=NOT_ESTIMABLE if value is None else None)  # fmt: skip


def sensitivity(seed: int, ensemble: Ensemble | None = None, *, arm: Arm | None = None, samples: int = SAMPLES,
                patients: int = PATIENTS, resamples: int = RESAMPLES, cores: int = CORES,
                diseases: Mapping[Disease, float] | None = None,
                progress: Progress | None = None) -> Sensitivity:  # fmt: skip
    """Return the sensitivity of the outcomes of a protocol of two infusions.

    Parameters
    ----------
    ensemble
        Gives the unknowns' means and spreads; the prior's without it.
    arm
        The protocol; default: the usual one (`Question.usual`).
    samples
        A power of two; populations simulated are (unknowns + 2) times as many.
    diseases
        Weights of the diseases of the patients, as in `Question`.
    """
    question = Question()
    arm = arm or question.arm(question.usual)
    drawn = draws(seed, 0, patients)
    mean = np.zeros(len(UNKNOWNS)) if ensemble is None else ensemble.z.mean(axis=0)
    sd = np.ones(len(UNKNOWNS)) if ensemble is None else ensemble.z.std(axis=0)

    def of(u: Floats) -> Floats:
        population = members(mean + sd * u).of_diseases(diseases)
        each = [population[k] for k in range(len(u))]
        outputs = np.empty((len(each), len(OUTCOMES)))
        with ThreadPoolExecutor(cores) as pool:
            for k in range(0, len(each), _AT_ONCE):
                part = each[k : k + _AT_ONCE]
                outputs[k : k + len(part)] = list(pool.map(lambda m: means(m, drawn, arm), part))
                if progress:
                    progress("sensitivity analysis", k + len(part), len(each))
        return outputs

    indices, runs, empty = sobol(of, UNKNOWNS, OUTCOMES, samples=samples, resamples=resamples, seed=seed)
    return Sensitivity(arm.name, indices, samples, patients, runs, ensemble is not None, empty)


def means(member: Member, drawn: RandomNumbers, arm: Arm) -> Floats:
    """Return `OUTCOMES` of a member, means over the patients who need CART2; NaN if none does."""
    day = np.tile(arm.schedule.day, (len(drawn.normal), 1))
    out, _ = run_protocol(
        member,
        parameters(member, drawn),
        drawn,
        schedule=arm.schedule,
        day=day,
        follow=YEAR,
        rtol=CALIBRATION_RTOL,
        counted=np.empty(0),
    )
    given, outcome = needs_another(out[:, -2], out[:, -1]), outcomes(out[:, -1])
    if not given.any():
        return np.full(len(OUTCOMES), np.nan)
    values = quantities(outcome, outcome.crs)[given]
    averages = [values[:, QUANTITIES.index(name)].mean() for name in OUTCOMES[:-1]]
    crs = outcome.crs[given]
    return np.array([*averages, crs[np.isfinite(crs)].mean() if np.isfinite(crs).any() else np.nan])


def sobol(of: Callable[[Floats], Floats], unknowns: tuple[str, ...], names: tuple[str, ...], *, samples: int,
          resamples: int, seed: int) -> tuple[tuple[SobolIndex, ...], int, int]:  # fmt: skip
    """Return indices of a function of standard normal unknowns; how often it was called; how often it had no value.

    Estimators of Saltelli 2010 (Comput Phys Commun 181:259-270) by SALib, on a scrambled Sobol sequence.

    Parameters
    ----------
    of
        Gives the values of all outcomes at points (points, unknowns).
    """
    from SALib.analyze.sobol import analyze
    from SALib.sample.sobol import sample

    problem = {"num_vars": len(unknowns), "names": list(unknowns), "bounds": [[0.0, 1.0]] * len(unknowns),
               "dists": ["norm"] * len(unknowns)}  # fmt: skip
    at = sample(problem, samples, calc_second_order=False, seed=seed)
    values = of(at)
    missing = ~np.isfinite(values)
    indices = list[SobolIndex]()
    for k, name in enumerate(names):
        y = np.where(missing[:, k], values[~missing[:, k], k].mean() if not missing[:, k].all() else 0.0, values[:, k])
        if np.std(y) < _LEAST:
            indices += [SobolIndex(name, u, *(((float("nan"),) * 3,) * 2)) for u in unknowns]
            continue
        analysis = analyze(
            problem, y, calc_second_order=False, num_resamples=resamples, keep_resamples=True, seed=seed + 1
        )
        first, total = (
            np.column_stack([analysis[s], *np.quantile(analysis[f"{s}_conf_all"], _ENDS, axis=0)]).tolist()
            for s in ("S1", "ST"))  # fmt: skip
        indices += [SobolIndex(name, u, tuple(a), tuple(b)) for u, a, b in zip(unknowns, first, total, strict=True)]
    return tuple(indices), len(at), int(missing.any(axis=1).sum())

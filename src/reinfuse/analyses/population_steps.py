"""The sampled models of the CAR-T counts, in order: population model, joint models. Needs the extra `kinetics`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from reinfuse.analyses.base import random
from reinfuse.cohort.analysis_set import ID, AnalysisSet
from reinfuse.kinetics.cohort_kinetics import CohortKinetics
from reinfuse.kinetics.infusion_factors import declared, factors
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.runtime.extras import require
from reinfuse.runtime.progress import Progress

if TYPE_CHECKING:
    from reinfuse.kinetics.population.fit import PopulationFit
    from reinfuse.kinetics.population.predictive import Check, Fitted
    from reinfuse.kinetics.population.sampler import Effort, Report


@dataclass(frozen=True)
class Sampled:
    """What was sampled.

    Attributes
    ----------
    estimates
        Records of analysis ``population`` and ``joint``.
    fit
        The population model; None where it was not fitted or did not converge: nothing is drawn of it then.
    checks, fitted, grid
        Its visual predictive checks; the curve of each profile of its layout, on the days of the grid.
    """

    estimates: tuple[Estimate, ...] = field(repr=False)
    fit: PopulationFit | None = None
    checks: tuple[Check, ...] = ()
    fitted: tuple[Fitted, ...] = ()
    grid: tuple[float, ...] = ()

    @property
    def summary(self) -> str:
        """How the sampling of the population model went, in one line."""
        if self.fit is not None:
            d = self.fit.diagnostics
            return (f"Population model: {d.chains} chains, {d.iterations} draws, R-hat {d.rhat:.3f}, at least "
                    f"{d.ess:.0f} effective draws, {d.divergences} divergences.")  # fmt: skip
        why = next((e.note for e in self.estimates if e.statistic == "typical" and e.note), NOT_ESTIMABLE)
        return f"Population model: {why}."


def sampled(data: AnalysisSet, counts: CohortKinetics, plan: Plan, *, draws: int | None = None,
            progress: Progress | None = None) -> Sampled:  # fmt: skip
    """Sample the population model, and the joint models of the counts and PFS.

    Parameters
    ----------
    draws
        Draws of each chain, rounded to 25; default: enough for this size.

    Raises
    ------
    ExtraMissing
        Without the libraries that sample.
    """
    require("kinetics")
    from reinfuse.kinetics.population import predictive
    from reinfuse.kinetics.population.fit import effort_for, fit
    from reinfuse.kinetics.population.records import records

    effort = effort_for(len(counts.profiles), draws)
    infusion_factors = factors(counts.cohort, counts.profiles) | declared(data, counts.profiles)
    fitted = fit(
        counts.profiles,
        infusion_factors,
        plan.seed,
        effort=effort,
        report=_reporting("sampling the population model", progress),
    )
    estimates = records(fitted, plan.confidence)
    if isinstance(fitted, str):
        return Sampled(tuple(estimates))
    estimates += _joint(fitted, data, plan, effort=effort, progress=progress)
    if fitted.diagnostics.refused:
        return Sampled(tuple(estimates))
    checks = predictive.checks(fitted, random(plan, "predictive check"))
    return Sampled(tuple(estimates), fitted, tuple(checks), tuple(predictive.fitted(fitted)), predictive.GRID)


def _joint(fitted_population: PopulationFit, data: AnalysisSet, plan: Plan, *, effort: Effort,
           progress: Progress | None) -> list[Estimate]:  # fmt: skip
    from reinfuse.kinetics.population import joint

    end = data.endpoint("pfs")
    if end is None or end.entry is not None:
        return []
    rows = zip(data.frame[ID].to_list(), np.asarray(end.time), end.event, end.known, strict=True)
    outcome = {i: (float(day), float(event)) for i, day, event, evaluated in rows if evaluated}
    estimates = []
    for kind in joint.KINDS:
        reporting = _reporting(f"sampling the joint model, {joint.LABELS[kind].lower()}", progress)
        fitted = joint.fit(
            fitted_population.layout,
            plan.index_infusion,
            outcome,
            kind=kind,
            seed=plan.seed,
            effort=effort,
            report=reporting,
        )
        estimates += joint.estimates(fitted, kind, confidence=plan.confidence)
    return estimates


def _reporting(what: str, progress: Progress | None) -> Report | None:
    return None if progress is None else lambda finished, total: progress(what, finished, total)

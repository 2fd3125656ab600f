"""A study: a plan and a cohort in, findings out."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from reinfuse import __version__
from reinfuse.analysis import association, baseline, proportion, survival, toxicity
from reinfuse.analysis.estimate import FIELDS, Estimate
from reinfuse.analysis.survival import Curve
from reinfuse.cohort.analysed import Analysed, analysed
from reinfuse.cohort.cohort import Cohort, examine
from reinfuse.cohort.declared import DAYS_A_MONTH, EndpointColumn
from reinfuse.cohort.design import TIME_ENDPOINTS
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.patients import patients_frame
from reinfuse.errors import CohortRefused, Problem
from reinfuse.plan import Plan

Progress = Callable[[str, int, int], None]
RATE_MONTHS = (6, 12, 24)
TICK_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
MOST_TICKS = 7
FIRST_ROWS = 5
CurveKey = tuple[str, str, str | None]
LIBRARIES = ("greenwood", "firthmodels", "numpy", "scipy", "polars", "matplotlib")


@dataclass(frozen=True)
class Findings:
    """What a study found: every number of its report, and where each comes from.

    Attributes
    ----------
    estimates
        The records; `to_frame` gives them as a frame.
    flow
        Every patient of the input once: `patient_id`, `status`, `reason`.
    warnings
        What a reader must know, as ``{"about": ..., "text": ...}``.
    provenance
        Inputs and plan by SHA-256, versions, seed, date.
    curves
        (endpoint, population, group) -> Kaplan-Meier curve.
    patients
        One row an analysed patient (`patients.csv`).
    """

    estimates: tuple[Estimate, ...] = field(repr=False)
    flow: pl.DataFrame = field(repr=False)
    warnings: tuple[dict[str, str], ...] = field(repr=False)
    provenance: Mapping[str, Any] = field(repr=False)
    curves: Mapping[CurveKey, Curve] = field(repr=False)
    patients: pl.DataFrame = field(repr=False)
    plan: Plan = field(repr=False)
    cohort: Cohort
    data: Analysed = field(repr=False)

    def to_frame(self) -> pl.DataFrame:
        """Return the estimates as a frame, one row a record."""
        kinds = {"n": pl.Int64, "events": pl.Int64, **dict.fromkeys(_NUMBERS, pl.Float64)}
        schema = {name: kinds.get(name, pl.String) for name in FIELDS}
        return pl.DataFrame([e.as_dict() for e in self.estimates], schema=schema, orient="row")

    def as_dict(self) -> dict[str, Any]:
        """Return the contents of `findings.json`."""
        return {"provenance": dict(self.provenance), "flow": self.flow.to_dicts(),
                "estimates": [e.as_dict() for e in self.estimates], "warnings": list(self.warnings)}  # fmt: skip

    def save(self, directory: str | Path, progress: Progress | None = None) -> Path:
        """Write report, findings, estimates, patients and figures; nothing is left half-written.

        Raises
        ------
        OutputRefused
            If the folder cannot be written.
        """
        from reinfuse.report.write import write

        return write(self, Path(directory), progress)

    def __repr__(self) -> str:
        return f"<Findings of {self.patients.height} patients: {len(self.estimates)} estimates>"

    def _repr_html_(self) -> str:
        """Show the report's main tables in a notebook."""
        from reinfuse.report.html import fragment

        return fragment(self)


_NUMBERS = ("at", "estimate", "lower", "upper", "confidence", "p_value")


class Study:
    """A plan applied to a cohort.

    Parameters
    ----------
    cohort
        From `read_cohort`. The columns that the plan maps are read again under their standard names.
    plan
        Default: the design of the reference study.

    Raises
    ------
    CohortRefused, PlanRefused
        With every problem.
    """

    def __init__(self, cohort: Cohort, plan: Plan | None = None) -> None:
        self.plan = plan or Plan.built_in()
        self.cohort = cohort
        if cohort.read_with != (self.plan.columns, self.plan.used_columns):
            again, problems = examine(cohort.raw, self.plan.columns, self.plan.used_columns)
            if again is None:
                raise CohortRefused(problems)
            self.cohort = again
        self.data = analysed(self.cohort, self.plan)

    def run(self, progress: Progress | None = None) -> Findings:
        """Estimate what the plan asks for.

        Parameters
        ----------
        progress
            Called with what is done, how many steps are done, and how many there are.
        """
        from threadpoolctl import threadpool_limits

        steps = list(self._steps())
        estimates: list[Estimate] = []
        curves: dict[CurveKey, Curve] = {}
        with threadpool_limits(limits=1):  # the matrices are small: threads would wait for each other
            for done, (name, step) in enumerate(steps):
                if progress:
                    progress(name, done, len(steps))
                made, drawn = step()
                estimates += made
                curves |= drawn
        if progress:
            progress("done", len(steps), len(steps))
        return Findings(tuple(estimates), self.data.flow, tuple(self._warnings()), self._provenance(), curves,
                        patients_frame(self.data, self.plan), self.plan, self.cohort, self.data)  # fmt: skip

    def _steps(self) -> Iterator[tuple[str, Callable[[], tuple[list[Estimate], dict[CurveKey, Curve]]]]]:
        data, confidence = self.data, self.plan.confidence
        yield "flow", lambda: (baseline.flow(data), {})
        yield "baseline", lambda: (baseline.baseline(data), {})
        for end in data.endpoints:
            step = self._proportions if end.kind == "binary" else self._survival
            yield end.label, lambda end=end, step=step: step(end)  # type: ignore[misc]
        yield "toxicity", lambda: (toxicity.toxicity(data, confidence), {})
        for end in data.endpoints:
            if self._modelled(end):
                for factor in data.factors:
                    yield end.label, lambda end=end, f=factor: (self._model(end, [f], "univariable"), {})  # type: ignore[misc]
        for model in self.plan.models:
            known, factors = data.endpoint(model.endpoint), [data.factor(f) for f in model.factors]
            there = [f for f in factors if f is not None]
            if known is not None and len(there) == len(factors):
                yield known.label, lambda end=known, fs=there: (self._model(end, fs, "multivariable"), {})  # type: ignore[misc]

    def _modelled(self, end: EndpointColumn) -> bool:
        own = {e.name for e in self.plan.endpoints}
        return end.kind == "binary" or end.name in TIME_ENDPOINTS or end.name in own

    def _model(self, end: EndpointColumn, factors: list[FactorColumn], model: str) -> list[Estimate]:
        return association.associations(end, factors, model, self.plan.confidence)

    def _groups(self) -> Iterator[tuple[str, str, np.ndarray[tuple[int], np.dtype[np.bool_]]]]:
        """Yield factor, group name and mask for each level of each factor that has levels."""
        for factor in self.data.factors:
            if factor.kind != "number":
                for level in sorted(factor.levels):
                    mask = (factor.values == level).fill_null(False).to_numpy()
                    yield factor.name, f"{factor.name}={level}", mask

    def _proportions(self, end: EndpointColumn) -> tuple[list[Estimate], dict[CurveKey, Curve]]:
        made: list[Estimate] = []

        def add(mask: Any, population: str, group: str | None) -> None:
            values = end.event[mask & end.known]
            made.extend(proportion.proportion(int(values.sum()), len(values), self.plan.confidence, "response",
                                              end.name, population, group))  # fmt: skip

        for population, mask in self.data.populations.items():
            add(mask, population, None)
        for _, group, mask in self._groups():
            add(mask, "all", group)
        return made, {}

    def _survival(self, end: EndpointColumn) -> tuple[list[Estimate], dict[CurveKey, Curve]]:
        time, event = np.asarray(end.time), end.event
        days = [m * DAYS_A_MONTH for m in RATE_MONTHS]
        if end.competing is not None:
            return self._incidence(end, time, days), {}
        confidence, known = self.plan.confidence, end.known
        ticks = _ticks(float(time[known].max()) if known.any() else 0.0)
        made: list[Estimate] = []
        curves: dict[CurveKey, Curve] = {}

        def add(mask: Any, population: str, group: str | None) -> None:
            here = mask & known
            records, curve = survival.survival(time[here], event[here], confidence, end.name, population, group, days,
                                               ticks)  # fmt: skip
            made.extend(records)
            if curve is not None:
                curves[end.name, population, group] = curve

        for population, mask in self.data.populations.items():
            add(mask, population, None)
            here = mask & known
            if end.name in ("os", "pfs") or end.name not in TIME_ENDPOINTS:
                made += survival.follow_up(time[here], event[here], confidence, end.name, population)
        for _, group, mask in self._groups():
            add(mask, "all", group)
        for factor in self.data.factors:
            if factor.kind != "number":
                here = known & factor.values.is_not_null().to_numpy()
                groups = factor.values.filter(pl.Series(here)).to_numpy().astype(str)
                made.append(survival.log_rank(time[here], event[here], groups, end.name, factor.name))
        return made, curves

    def _incidence(self, end: EndpointColumn, time: Any, days: list[float]) -> list[Estimate]:
        made = []
        for population, mask in self.data.populations.items():
            here = mask & end.known & ~np.isnan(np.asarray(end.competing))
            made += survival.cumulative_incidence(time[here], end.event[here], np.asarray(end.competing)[here],
                                                  self.plan.confidence, end.name, population, days)  # fmt: skip
        return made

    def _warnings(self) -> Iterator[dict[str, str]]:
        for note in self.data.notes:
            yield {"about": "rules and data", "text": note}
        for text in _grouped(self.cohort.warnings):
            yield {"about": "check", "text": text}
        for r in self.cohort.readings:
            where = ".".join(x for x in (r.table, r.column) if x)
            examples = f" ({'; '.join(r.examples)})" if r.examples else ""
            yield {
                "about": "reading",
                "text": f"{where}: {r.what}{f', {r.count} times' if r.count > 1 else ''}{examples}",
            }

    def _provenance(self) -> dict[str, Any]:
        plan, about = self.plan, self.cohort.about
        return {
            "title": plan.title, "cohort": self.cohort.name, "synthetic": about.synthetic, "source": about.source,
            "inputs": dict(self.cohort.sources), "plan": plan.digest, "index_infusion": plan.index_infusion,
            "confidence": plan.confidence, "seed": plan.seed, "rules": json.loads(plan.rules.model_dump_json()),
            "wide": self.cohort.wide, "reinfuse": __version__, "python": platform.python_version(),
            "packages": {name: version(name) for name in LIBRARIES}, "date": date.today().isoformat(),
        }  # fmt: skip


def _grouped(problems: Sequence[Problem]) -> Iterator[str]:
    """Say each kind of problem once, with the first rows that have it."""
    kinds: dict[tuple[str | None, str | None, str], list[int]] = {}
    for p in problems:
        rows = kinds.setdefault((p.table, p.column, p.rule), [])
        rows += [p.row] if p.row is not None else []
    for (table, column, rule), rows in kinds.items():
        where = ", ".join(x for x in (table, column) if x)
        first = ", ".join(str(r) for r in rows[:FIRST_ROWS])
        more = f" and {len(rows) - FIRST_ROWS} more" if len(rows) > FIRST_ROWS else ""
        told = f" (row{'s' if len(rows) > 1 else ''} {first}{more})" if rows else ""
        yield f"{where}: {rule}{told}"


def _ticks(last: float) -> list[float]:
    """Return the days of the time axis: 0 and equal steps of whole months, few enough to stand apart."""
    fits = [m for m in TICK_MONTHS if last / (m * DAYS_A_MONTH) < MOST_TICKS]
    step = (fits[0] if fits else TICK_MONTHS[-1]) * DAYS_A_MONTH
    return [i * step for i in range(int(last // step) + 1)]

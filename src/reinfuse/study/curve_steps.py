"""Kaplan-Meier curves of a folder of results as steps that can be asked: what each says, and how it is computed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reinfuse.cohort.strata import factor_of, level_of
from reinfuse.report.text.journal_style import printed_as
from reinfuse.report.text.labels import Labels, with_own_labels
from reinfuse.report.text.number_format import limits, percent
from reinfuse.results.curves import Curve
from reinfuse.results.findings import Findings

_TICKS = 7
"""About how many days the axis names, and gives numbers at risk at."""


@dataclass(frozen=True)
class CurveStep:
    """One distinct time of a curve.

    Attributes
    ----------
    day
        Days since time zero.
    before, survival
        The estimate just before the day, and from the day on.
    lower, upper
        Of the estimate from the day on; None where not defined.
    share, interval
        Estimate and limits as the report prints them; no interval: "".
    at_risk, events, censored
        Patients: at risk just before the day, with an event on it, censored on it.
    """

    day: float
    before: float
    survival: float
    lower: float | None
    upper: float | None
    at_risk: int
    events: int
    censored: int
    share: str
    interval: str

    @property
    def arithmetic(self) -> str | None:
        """How the estimate follows from the one before, as a product; None of a day without an event."""
        product = self.before * (1 - self.events / self.at_risk) if self.at_risk else math.nan
        if not self.events or not math.isclose(product, self.survival, abs_tol=1e-9):
            return None
        return f"S({self.day:g}) = {self.before:.4f} × (1 − {self.events}/{self.at_risk}) = {self.survival:.4f}"


@dataclass(frozen=True)
class SteppedCurve:
    """One curve: the level of a factor whose patients it shows ("" of all patients), and its steps in order."""

    label: str
    level: str
    patients: int
    events: int
    steps: tuple[CurveStep, ...]
    at_risk: tuple[int, ...]


@dataclass(frozen=True)
class CurveChart:
    """Curves of one endpoint that are shown together.

    Attributes
    ----------
    name
        ``pfs`` or ``pfs_by_sex``.
    factor
        By whose levels patients are divided; "": not divided.
    method
        Of the estimates and their intervals.
    confidence
        Level of the intervals.
    until
        The last day of all curves.
    times
        Days at which `at_risk` counts patients.
    inputs
        Name of each file that was analysed -> its SHA-256.
    """

    name: str
    endpoint: str
    label: str
    factor: str
    factor_label: str
    method: str
    confidence: float
    until: float
    times: tuple[float, ...]
    curves: tuple[SteppedCurve, ...]
    inputs: Mapping[str, str] = field(repr=False)

    def step(self, curve: int, day: float) -> CurveStep | None:
        """Return the step of a curve on a day."""
        return next((s for s in self.curves[curve].steps if s.day == day), None) if curve < len(self.curves) else None


def charts(results: Path, *, until: float | None = None) -> tuple[CurveChart, ...]:
    """Return the curves of all patients, and those by the levels of each factor; none of events that compete.

    Parameters
    ----------
    until
        The last day that is shown; None: the last of each chart's curves.

    Raises
    ------
    CohortRefused
        If the folder holds no results.
    """
    findings = with_own_labels(Findings.load(results))
    drawn = {e.name for e in findings.described.endpoints if not e.competing}
    groups: dict[tuple[str, str], list[tuple[str, Curve]]] = {}
    for (endpoint, population, group), curve in findings.curves.items():
        if population == "all" and len(curve.time) and endpoint in drawn:
            groups.setdefault((endpoint, factor_of(group)), []).append((level_of(group), curve))
    with printed_as(findings.plan.report):
        return tuple(_chart(findings, *key, curves, until=until) for key, curves in groups.items())


def _chart(findings: Findings, endpoint: str, factor: str, curves: Sequence[tuple[str, Curve]], *,
           until: float | None) -> CurveChart:  # fmt: skip
    labels = Labels(findings)
    last = max(float(c.time[-1]) for _, c in curves)
    last = last if until is None else min(last, until)
    times = tuple(_ticks(last))
    methods = [e.method for e in findings.estimates if (e.analysis, e.endpoint) == ("survival", endpoint)
               and e.statistic == "rate_at" and e.method]  # fmt: skip
    shown = tuple(SteppedCurve(labels.level_label(factor, level) if level else "All patients", level, c.n,
                               c.n_events, tuple(_steps(c)), tuple(_at_risk(c, t) for t in times))
                  for level, c in curves)  # fmt: skip
    return CurveChart(f"{endpoint}_by_{factor}" if factor else endpoint, endpoint, labels.endpoint(endpoint), factor,
                      labels.factor(factor) if factor else "", methods[0] if methods else "Kaplan-Meier",
                      findings.plan.confidence, last, times, shown,
                      findings.provenance["inputs"])  # fmt: skip


def _steps(curve: Curve) -> Iterator[CurveStep]:
    before = 1.0
    for k in range(len(curve.time)):
        survival, low, high = float(curve.survival[k]), _or_none(curve.lower[k]), _or_none(curve.upper[k])
        interval = ""
        if low is not None and high is not None:
            interval = limits(percent(low, curve.n), percent(high, curve.n))
        yield CurveStep(float(curve.time[k]), before, survival, low, high, round(curve.at_risk[k]),
                        round(curve.events[k]), round(curve.censored[k]), percent(survival, curve.n),
                        interval)  # fmt: skip
        before = survival


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _at_risk(curve: Curve, day: float) -> int:
    """Return how many patients have neither event nor censoring before a day."""
    later = np.flatnonzero(curve.time >= day)
    return round(curve.at_risk[later[0]]) if later.size else 0


def _ticks(until: float) -> Iterator[float]:
    """Yield round days from 0 on, as many as a narrow axis holds."""
    rough = max(until, 1.0) / _TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
    day = 0.0
    while day <= until:
        yield day
        day += step

"""Kaplan-Meier, reverse Kaplan-Meier and log-rank.

Conventions. Times in days, from the index infusion; a patient is at risk at t if the time is >= t. Intervals of the
survival probability on the log-log scale with Greenwood's variance (Kalbfleisch and Prentice, The Statistical
Analysis of Failure Time Data, 2002, section 1.4). Median: the first time at which the curve is at or below one half;
where it is flat at exactly one half, the middle of that step. Its limits invert the limits of the curve in the
same way (Brookmeyer and Crowley, Biometrics 1982;38:29-41). Follow-up: the same with events and censorings
exchanged (Schemper and Smith, Control Clin Trials 1996;17:343-346).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reinfuse.analyses.base import Analysis, Inputs, Output, Step, independent, level_masks, rate_days, without_curves
from reinfuse.analyses.curve_numbers import curve_numbers, numbers_at_risk
from reinfuse.analyses.small_groups import groups_of_enough, median_of_enough
from reinfuse.analyses.time_axis import axis_days, axis_end
from reinfuse.arrays import Bools, Floats
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.endpoint_catalog import declaration
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.plan.figure_options import FigureOptions
from reinfuse.results.curves import Curve, CurveKey
from reinfuse.results.estimate import NOT_ESTIMABLE, NOT_REACHED, Estimate, finite, joined
from reinfuse.statistics import nonparametric

METHOD = "Kaplan-Meier, log-log CI"
FOLLOW_UP_METHOD = "reverse Kaplan-Meier, log-log CI"
LOG_RANK = "log-rank test"
_HALF_TOLERANCE = 1e-8


def kaplan_meier(time: Floats, event: Floats, confidence: float, *, entry: Floats | None = None) -> Curve:
    """Fit the product-limit estimator.

    Parameters
    ----------
    time, event
        Days and 1 or 0, of the same length, none missing, at least one patient.
    entry
        Days after which each patient was under observation.
    """
    t, s, low, high, risk, died, censored = nonparametric.kaplan_meier(time, event, confidence, entry=entry)
    return Curve(t, s, low, high, risk, died, censored, len(time))


def half_time(time: Floats, level: Floats) -> float | None:
    """Return when a falling step function first is at or below one half, or None.

    Steps where the level is NaN are passed over. A step at exactly one half gives the middle of the step, if the
    level falls further.
    """
    reached = ~np.isnan(level) & (level < 0.5 + _HALF_TOLERANCE)
    if not reached.any():
        return None
    times, levels = time[reached], level[reached]
    further = levels < levels[0] - _HALF_TOLERANCE
    if abs(levels[0] - 0.5) < _HALF_TOLERANCE and further.any():
        return float(times[0] + times[further][0]) / 2
    return float(times[0])


def axis_marks(time: Floats, event: Floats, *, entry: Floats | None = None) -> list[float]:
    """Return the days at which numbers at risk are counted: of patients whose curve is drawn, or of parts of them."""
    if not len(time):
        return [0.0]
    curve = kaplan_meier(time, event, 0.95, entry=entry)
    return axis_days(axis_end([curve]), median=half_time(curve.time, curve.survival), n=curve.n)


_Point = tuple[float | None, float | None, float | None, str | None]


def just_before(curve: Curve, time: float) -> _Point:
    """Return the probability of a time of at least so much, with its limits, or the reason why there is none."""
    return _at(curve, float(np.nextafter(time, 0)))


def _at(curve: Curve, day: float) -> _Point:
    """Return survival at a day with its limits, or the reason why there is none."""
    before = np.flatnonzero(curve.time <= day)
    last = float(curve.time[-1])
    if day > last and curve.survival[-1] > 0:
        return None, None, None, f"{NOT_ESTIMABLE}: beyond the last follow-up, day {last:g}"
    if not before.size or curve.events[before].sum() == 0:
        return 1.0, None, None, f"no event by then: interval {NOT_ESTIMABLE}"
    i = before[-1]
    lower, upper = finite(curve.lower[i]), finite(curve.upper[i])
    note = None if lower is not None and upper is not None else f"interval {NOT_ESTIMABLE}"
    return float(curve.survival[i]), lower, upper, note


def median(curve: Curve, confidence: float, endpoint: str, *, population: str, group: str | None,
           statistic: str = "median", method: str = METHOD) -> Estimate:  # fmt: skip
    """Return the median time of a curve."""
    values = [half_time(curve.time, level) for level in (curve.survival, curve.lower, curve.upper)]
    note = NOT_REACHED if values[0] is None else "upper limit not reached" if values[2] is None else None
    if values[1] is None:
        note = f"{note}; lower limit not reached" if note else "lower limit not reached"
    return Estimate("survival", endpoint, statistic, population, group, estimate=values[0], lower=values[1],
                    upper=values[2], confidence=confidence, unit="days", method=method, n=curve.n,
                    events=curve.n_events, note=note)  # fmt: skip


def survival(time: Floats, event: Floats, confidence: float, *, endpoint: str, population: str, group: str | None,
             days: Sequence[float], ticks: Sequence[float],
             entry: Floats | None = None) -> tuple[list[Estimate], Curve | None]:  # fmt: skip
    """Return median, survival at `days`, numbers at risk at `ticks`, and the curve."""
    if not len(time):
        note = f"{NOT_ESTIMABLE}: no patient with a known time"
        return [Estimate("survival", endpoint, "median", population, group, confidence=confidence, unit="days",
                         method=METHOD, n=0, events=0, note=note)], None  # fmt: skip
    curve = kaplan_meier(time, event, confidence, entry=entry)
    records = [median(curve, confidence, endpoint, population=population, group=group)]
    for day in days:
        value, lower, upper, why = _at(curve, day)
        records.append(Estimate("survival", endpoint, "rate_at", population, group, None, None, day, value, lower,
                                upper, confidence, None, "fraction", METHOD, curve.n, curve.n_events, why))  # fmt: skip
    for tick in ticks:
        at_risk = numbers_at_risk(time, entry, tick)
        records.append(Estimate("survival", endpoint, "at_risk", population, group, at=tick, estimate=at_risk,
                                unit="patients", method="count", n=curve.n, events=curve.n_events))  # fmt: skip
    return records, curve


def follow_up(time: Floats, event: Floats, confidence: float, *, endpoint: str, population: str) -> list[Estimate]:
    """Return the median follow-up by the reverse Kaplan-Meier method; `events` counts the censored patients."""
    if not len(time):
        return []
    curve = kaplan_meier(time, 1 - event, confidence)
    return [
        median(
            curve,
            confidence,
            endpoint,
            population=population,
            group=None,
            statistic="median_follow_up",
            method=FOLLOW_UP_METHOD,
        )
    ]


def log_rank(time: Floats, event: Floats, groups: NDArray[np.str_], *, endpoint: str, term: str,
             population: str = "all") -> Estimate:  # fmt: skip
    """Return the log-rank test of equal curves in all groups.

    A group of whom nobody is at risk at an event says nothing and is left out, as R's ``survdiff`` does; like it, `n`
    counts all.
    """
    here, without = compared(time, event, groups)
    record = {"n": len(time), "events": int(event.sum()), "method": LOG_RANK}
    if len(set(groups[here])) < 2 or event.sum() == 0:
        why = "no event" if event.sum() == 0 else "only one group at risk at an event" if without else "only one group"
        return Estimate("survival", endpoint, "p_value", population, term=term,
                        note=joined([f"{NOT_ESTIMABLE}: {why}", left_out(without)]), **record)  # type: ignore[arg-type]  # fmt: skip
    p = finite(nonparametric.log_rank(time[here], event[here], groups[here]))
    not_estimable = None if p is not None else f"{NOT_ESTIMABLE}: no event while groups could be compared"
    return Estimate("survival", endpoint, "p_value", population, term=term, estimate=p, p_value=p,
                    note=joined([not_estimable, left_out(without)]), **record)  # type: ignore[arg-type]  # fmt: skip


def compared(time: Floats, event: Floats, groups: NDArray[np.str_],
             *, stays: Floats | None = None) -> tuple[Bools, list[str]]:  # fmt: skip
    """Return the patients of groups that are at risk at an event, and the names of the other groups.

    Parameters
    ----------
    stays
        1 for those who stay at risk after their time, as in a test of cumulative incidence after a competing event.
    """
    first = time[event == 1].min(initial=np.inf)
    at_risk = (time >= first) | (np.zeros(len(time)) if stays is None else stays).astype(np.bool_)
    present = set(groups[at_risk].tolist())
    return np.isin(groups, list(present)), sorted(set(groups.tolist()) - present) if event.sum() else []


def left_out(groups: Sequence[str]) -> str | None:
    """Say which groups are left out of a test."""
    return f"left out, censored before the first event: {', '.join(groups)}" if groups else None


def _marks(end: EndpointColumn) -> list[float]:
    time, entry = np.asarray(end.time)[end.known], None if end.entry is None else end.entry[end.known]
    return axis_marks(time, end.event[end.known], entry=entry)


def _of(data: AnalysisSet, end: EndpointColumn, *, confidence: float) -> Output:
    """Return the curves of one endpoint, in each population and at each level of each factor."""
    time, event, marks = np.asarray(end.time), end.event, _marks(end)
    records: list[Estimate] = []
    curves: dict[CurveKey, Curve] = {}

    def add(mask: Bools, population: str, group: str | None) -> None:
        here = mask & end.known
        entry = None if end.entry is None else end.entry[here]
        own, curve = survival(time[here], event[here], confidence, endpoint=end.name, population=population,
                              group=group, days=rate_days(), ticks=marks, entry=entry)  # fmt: skip
        records.extend(median_of_enough(e) if e.statistic == "median" else e for e in own)
        if curve is not None:
            curves[end.name, population, group] = curve

    for population, mask in data.populations.items():
        add(mask, population, None)
        here = mask & end.known
        if end.entry is None and declaration(end.name).among is None:
            records += follow_up(time[here], event[here], confidence, endpoint=end.name, population=population)
    for group, mask in level_masks(data):
        add(mask, "all", group)
    records += [] if end.entry is not None else _log_ranks(data, end)
    return records, curves


def _log_ranks(data: AnalysisSet, end: EndpointColumn) -> list[Estimate]:
    records = []
    for factor in data.factors:
        if factor.kind != "number":
            here = end.known & factor.values.is_not_null().to_numpy()
            groups = factor.values.filter(pl.Series(here)).to_numpy().astype(str)
            time, event = np.asarray(end.time)[here], end.event[here]
            inside, _ = compared(time, event, groups)
            test = log_rank(time, event, groups, endpoint=end.name, term=factor.name)
            records.append(groups_of_enough(test, event, groups={g: groups == g for g in sorted(set(groups[inside]))}))
    return records


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end in inputs.data.endpoints:
        if end.kind != "binary" and end.competing is None:
            name = f"survival, {end.label}"
            work = partial(_of, inputs.data, end, confidence=inputs.plan.confidence)
            yield independent(name, work, endpoint=end.name)
    yield from _further_steps(inputs)


def _further_steps(inputs: Inputs) -> Iterator[Step]:
    """Yield what the plan's figures show under their curves, where that is more than every study has."""
    options = inputs.plan.report.figure_style
    if not options.adds_records:
        return
    for end in inputs.data.endpoints:
        if end.kind != "binary" and end.competing is None:
            work = partial(_numbers, inputs.data, end, options=options)
            yield without_curves(f"survival, {end.label}: numbers under the curves", work, endpoint=end.name)


def _numbers(data: AnalysisSet, end: EndpointColumn, *, options: FigureOptions) -> list[Estimate]:
    return curve_numbers(data, end, options=options, marks=_marks(end))


ANALYSIS = Analysis(
    "survival",
    records="survival",
    section="survival",
    steps=_steps,
    first=True,
    what="curves, rates at 6, 12 and 24 months, medians, follow-up, comparison of groups",
    method=(
        "Kaplan-Meier, log-log interval with Greenwood's variance; beyond the last follow-up not estimable "
        "(Kalbfleisch and Prentice 2002, 1.4). Medians: first time at or below one half, a step at exactly "
        "one half gives its middle, limits by inverting the curve's (Biometrics 1982;38:29). Follow-up: "
        "reverse Kaplan-Meier (Control Clin Trials 1996;17:343). Log-rank test; a group of whom nobody is at "
        "risk at an event is left out, as by R's `survdiff`, and named (Cancer Chemother Rep 1966;50:163)"
    ),
    lacking="no time-to-event endpoint in the data",
    disclosure="counts",
)

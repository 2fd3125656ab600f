"""Competing events: cumulative incidence, Gray's test, Fine and Gray's subdistribution hazard.

Cumulative incidence: Aalen and Johansen, Scand J Stat 1978;5:141-150, limits on the log-log scale. Equal incidence in
groups: Gray, Ann Stat 1988;16:1141-1154. Effects: Fine and Gray, J Am Stat Assoc 1999;94:496-509, with their robust
errors; the interval and p-value are of the same normal approximation, which has no answer where a group has no event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from reinfuse.analyses.association import ratio
from reinfuse.analyses.base import Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.analyses.small_groups import events_for_normal, groups_of_enough, withheld
from reinfuse.analyses.survival import compared, left_out
from reinfuse.arrays import Bools, Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.curves import Curve
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics import fine_gray as finegray
from reinfuse.statistics import nonparametric

CUMULATIVE = "Aalen-Johansen cumulative incidence, log-log CI"
GRAY = "Gray's test"
FINE_GRAY = "Fine-Gray, robust standard error, normal CI"
MOST_PATIENTS = 5000
_RUNS_AWAY = 10.0
"""Standard deviations of a column: an effect per one of them beyond this is taken as infinite."""


def cumulative_incidence(time: Floats, event: Floats, competing: Floats, confidence: float, endpoint: str,
                         population: str, *, days: Sequence[float]) -> list[Estimate]:  # fmt: skip
    """Return the cumulative incidence of an event at `days`, the competing event accounted for.

    After the last time it stays as it is where nobody is left, as ``survival`` in R has it; where a patient is left it
    is not known.
    """
    n, events = len(time), int(event.sum())
    own = Estimate("competing", endpoint, "rate_at", population, unit="fraction", method=CUMULATIVE, n=n, events=events,
                   confidence=confidence)  # fmt: skip
    if not n:
        return [replace(own, at=day, note=f"{NOT_ESTIMABLE}: no patient") for day in days]
    last, left = float(time.max()), (event + competing)[time == time.max()].min() == 0
    at, level, low, high = (
        nonparametric.aalen_johansen(time, event, competing, confidence=confidence) if events else [np.zeros(0)] * 4
    )
    records = []
    for day in days:
        if day > last and left:
            note = f"{NOT_ESTIMABLE}: beyond the last follow-up, day {last:g}"
            records.append(replace(own, at=day, note=note))
            continue
        before = np.flatnonzero(at <= day)
        if not before.size or level[before[-1]] <= 0:
            none = "no event by then" if events else "no event"
            records.append(replace(own, at=day, estimate=0.0, note=f"{none}: interval {NOT_ESTIMABLE}"))
            continue
        i = before[-1]
        limits = (finite(float(low[i])), finite(float(high[i])))
        why = f"interval {NOT_ESTIMABLE}" if None in limits else None
        records.append(replace(own, at=day, estimate=float(level[i]), lower=limits[0], upper=limits[1], note=why))
    return records


def curve(time: Floats, event: Floats, competing: Floats, confidence: float) -> Curve | None:
    """Return the incidence as a curve, to be drawn.

    Its `survival` is one minus the cumulative incidence, its limits one minus those of the incidence; None without
    an event. A patient whose competing event came counts as an event of neither kind, and is not at risk afterwards.
    """
    if not event.sum():
        return None
    at, level, low, high = nonparametric.aalen_johansen(time, event, competing, confidence=confidence)

    def before(times: Floats, side: Literal["left", "right"]) -> Floats:
        return np.searchsorted(np.sort(times), at, side).astype(np.float64)

    def on(times: Floats) -> Floats:
        return before(times, "right") - before(times, "left")

    events, other = on(time[event == 1]), on(time[competing == 1])
    at_risk, censored = len(time) - before(time, "left"), on(time) - events - other
    return Curve(at, 1 - level, 1 - high, 1 - low, at_risk, events, censored, len(time))


def numbers_at_risk(time: Floats, events: int, endpoint: str, *, population: str,
                    ticks: Sequence[float]) -> list[Estimate]:  # fmt: skip
    """Return how many patients had neither event yet and were still followed at each of `ticks`."""
    return [Estimate("competing", endpoint, "at_risk", population, at=tick, estimate=float((time >= tick).sum()),
                     unit="patients", method="count", n=len(time), events=events) for tick in ticks]  # fmt: skip


def gray(endpoint: EndpointColumn, factor: FactorColumn) -> Estimate:
    """Return Gray's test of equal cumulative incidence at all levels of a factor."""
    competing = np.asarray(endpoint.competing)
    here = endpoint.known & ~np.isnan(competing) & factor.values.is_not_null().to_numpy()
    groups = [str(v) for v, h in zip(factor.values.to_list(), here, strict=True) if h]
    time, event, other = np.asarray(endpoint.time)[here], endpoint.event[here], competing[here]
    inside, without = compared(time, event, np.array(groups, dtype=np.str_), stays=other)
    own = Estimate("competing", endpoint.name, "p_value", term=factor.name, method=GRAY, n=len(groups),
                   events=int(event.sum()))  # fmt: skip
    if len(groups) > MOST_PATIENTS:
        return replace(own, note=f"{NOT_ESTIMABLE}: over {MOST_PATIENTS} patients: not run")
    groups = [g for g, i in zip(groups, inside, strict=True) if i]
    if len(set(groups)) < 2 or not event.sum():
        why = "no event" if not event.sum() else "only one group at risk at an event" if without else "only one group"
        return replace(own, note=joined([f"{NOT_ESTIMABLE}: {why}", left_out(without)]))
    _, p = nonparametric.gray(time[inside], event[inside], other[inside], groups=groups)
    value = finite(p)
    no_variance = None if value is not None else f"{NOT_ESTIMABLE}: the test has no variance in these patients"
    return replace(own, estimate=value, p_value=value, note=joined([no_variance, left_out(without)]))


def fine_gray(
    endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str, *, confidence: float
) -> list[Estimate]:
    """Return subdistribution hazard ratios, one a term.

    A level without an event has an infinite effect, which is said; the others are those of the limit, as R gives them.
    """
    competing = np.asarray(endpoint.competing)
    design = design_of(endpoint, factors, subdistribution=True)
    here = ~np.isnan(competing[design.rows])
    events = int(design.event[here].sum())
    own = Estimate("competing", endpoint.name, "subdistribution_hazard_ratio", model=model, confidence=confidence,
                   unit="ratio", method=FINE_GRAY, n=int(here.sum()), events=events)  # fmt: skip
    if here.sum() > MOST_PATIENTS:
        return [
            replace(own, term=t, note=f"{NOT_ESTIMABLE}: over {MOST_PATIENTS} patients: not run") for t in design.terms
        ]
    empty, silent = _without_event(design, here) if events else ({}, np.zeros(int(here.sum()), dtype=np.bool_))
    X = design.X[here]
    usable = [j for j in design.usable if j not in empty and np.ptp(X[~silent, j]) > 0]
    fit = _fit(design, here, usable, competing=competing, silent=silent) if usable and events else None
    z = float(ndtri(0.5 + confidence / 2))
    records = []
    for j, term in enumerate(design.terms):
        place = usable.index(j) if j in usable else None
        if fit is None or place is None or not np.isfinite(fit[1][place]) or fit[1][place] <= 0:
            why = empty.get(j) or design.why(j) or ("no event" if not events else "the fit did not converge")
            records.append(replace(own, term=term, note=joined([f"{NOT_ESTIMABLE}: {why}", *design.notes])))
            continue
        b, se = float(fit[0][place]), float(fit[1][place])
        records.append(replace(own, term=term, estimate=ratio(b), lower=ratio(b - z * se), upper=ratio(b + z * se),
                               p_value=float(2 * ndtr(-abs(b / se))), note=joined(design.notes)))  # fmt: skip
    return records


def _fit(design: DesignMatrix, here: Bools, usable: list[int], *, competing: Floats,
         silent: Bools) -> tuple[Floats, Floats] | None:  # fmt: skip
    """Fit on standardised columns; None where an effect runs away."""
    X = design.X[here][:, usable]
    scale = X.std(axis=0)
    rows = design.rows[here]
    fit = finegray.fine_gray((X - X.mean(axis=0)) / scale, np.asarray(design.time)[here], design.event[here],
                             competing=competing[rows], silent=silent)  # fmt: skip
    if fit is None or not np.isfinite(fit[0]).all() or (np.abs(fit[0]) > _RUNS_AWAY).any():
        return None
    return fit[0] / scale, np.sqrt(np.diag(fit[1])) / scale


def _without_event(design: DesignMatrix, here: Bools) -> tuple[dict[int, str], Bools]:
    """Return columns whose effect is infinite as a level has no event, with the reason, and that level's patients."""
    X, died = design.X[here], design.event[here] == 1
    empty: dict[int, str] = {}
    silent = np.zeros(len(X), dtype=np.bool_)
    for factor in design.factors:
        columns = design.columns_of(factor)
        if factor.kind == "number" or not columns:
            continue
        rest = (X[:, columns] == 0).all(axis=1)
        if not (died & rest).any():  # the reference: against it every level is infinite
            what = "one of the two groups has no event" if len(columns) == 1 else "the reference has no event"
            empty |= dict.fromkeys(columns if len(design.factors) == 1 else design.usable, what)
            silent |= rest
        for j in columns:
            if not (died & (X[:, j] == 1)).any():
                what = "one of the two groups has no event" if len(columns) == 1 else "no event at this level"
                empty.setdefault(j, what)
                silent |= X[:, j] == 1
    return empty, silent


def _compared(inputs: Inputs, end: EndpointColumn) -> list[Estimate]:
    """Return Gray's test and Fine and Gray's model of each factor."""
    factors = inputs.data.factors
    records = [_gray_of_enough(end, f) for f in factors if f.kind != "number"]
    for factor in factors:
        effects = fine_gray(end, [factor], "univariable", confidence=inputs.plan.confidence)
        columns = sum(e.estimate is not None for e in effects)
        records += [withheld(e, events_for_normal(e.events or 0, columns)) for e in effects]
    return records


def _gray_of_enough(end: EndpointColumn, factor: FactorColumn) -> Estimate:
    """Return Gray's test where each group that it compares has enough patients and events."""
    here = end.known & ~np.isnan(np.asarray(end.competing)) & factor.values.is_not_null().to_numpy()
    groups = np.array([str(v) for v in factor.values.to_list()])
    inside, _ = compared(
        np.asarray(end.time)[here], end.event[here], groups[here], stays=np.asarray(end.competing)[here]
    )
    names = sorted(set(groups[here][inside].tolist()))
    return groups_of_enough(gray(end, factor), end.event, groups={g: here & (groups == g) for g in names})


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end in inputs.data.endpoints:
        if end.competing is not None:
            yield of_endpoint("competing events", end, work=partial(_compared, inputs, end))


ANALYSIS = Analysis(
    "competing events",
    records="competing",
    section="survival",
    steps=_steps,
    what="groups and factors with competing events",
    method=(
        "Gray's test, without groups that are never at risk (Ann Stat 1988;16:1141); Fine and Gray's model, "
        "robust variance: a level without an event has no ratio, the other levels have theirs (J Am Stat "
        "Assoc 1999;94:496)"
    ),
    lacking="no competing event with a factor",
    switches=("competing",),
)

"""Restricted mean survival time (RMST): the mean time without the event up to a horizon, by group, and contrasts.

The area under the Kaplan-Meier curve from 0 to the horizon, with the variance of Greenwood's type (Klein and
Moeschberger, Survival Analysis, 2003, section 4.5; R's ``survfit`` with ``rmean``): the sum, over the times t of events
up to the horizon, of (area from t to the horizon)^2 d / (r (r - d)), with d events among r patients at risk. Groups are
compared by the difference, and by the ratio on the log scale, with normal limits and p-value (Uno et al., J Clin Oncol
2014;32:2380-2385; R's survRM2). Where no plan names a horizon, it is the least of the groups' largest follow-up times.
A curve that is not at 0 at its last time is not known beyond it, and neither is the mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator
from scipy.special import ndtr, ndtri

from reinfuse.analyses.base import Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.small_groups import FEWEST_EVENTS_A_PARAMETER, withheld
from reinfuse.analyses.survival import kaplan_meier
from reinfuse.arrays import Bools
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.schema import DAYS
from reinfuse.cohort.strata import Stratum
from reinfuse.plan.switches import Switch
from reinfuse.results.curves import Curve
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined

METHOD = "restricted mean survival time, area under Kaplan-Meier, normal CI"


@dataclass(frozen=True)
class RestrictedMean:
    """The mean time up to a horizon of one group.

    Attributes
    ----------
    mean, variance
        Days, and days squared; None where the mean is not known. No event: a variance of 0.
    n, events
        Patients, and events up to the horizon.
    note
        Why there is no mean, or no variance.
    """

    mean: float | None
    variance: float
    n: int
    events: int
    note: str | None = None


def restricted_mean(curve: Curve, horizon: float) -> RestrictedMean:
    """Return the area under a Kaplan-Meier curve up to a horizon, with its variance."""
    upto = curve.time <= horizon
    died, at_risk = curve.events[upto], curve.at_risk[upto]
    events, last = round(float(died.sum())), float(curve.time[-1])
    if horizon > last and curve.survival[-1] > 0:
        why = f"{NOT_ESTIMABLE}: the horizon, day {horizon:g}, is beyond the last follow-up, day {last:g}"
        return RestrictedMean(None, 0.0, curve.n, events, why)
    areas = np.diff([0.0, *curve.time[upto], horizon]) * np.array([1.0, *curve.survival[upto]])
    after = np.cumsum(areas[::-1])[::-1][1:]  # from each time to the horizon
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.where(at_risk > died, died / (at_risk * (at_risk - died)), 0.0)  # else nothing is left after it
    mean, variance = float(areas.sum()), float(np.sum(after**2 * greenwood))
    if mean <= 0:
        return RestrictedMean(None, 0.0, curve.n, events, f"{NOT_ESTIMABLE}: nobody was followed beyond day 0")
    early = (died > 0) & (curve.time[upto] < horizon)
    note = None if variance > 0 else "all had the event at one time" if early.any() else "no event before the horizon"
    return RestrictedMean(mean, variance, curve.n, events, note)


def by_group(end: EndpointColumn, factor: FactorColumn, confidence: float, *, horizon: float | None) -> list[Estimate]:
    """Return the restricted mean of each level of a factor, and its difference and ratio to the first level's.

    Parameters
    ----------
    horizon
        Days; None: the least of the groups' largest follow-up times.
    """
    time = np.asarray(end.time)
    masks: dict[str, Bools] = {
        level: end.known & (factor.values == level).fill_null(False).to_numpy() for level in factor.levels
    }
    curves = {level: kaplan_meier(time[m], end.event[m], confidence) for level, m in masks.items() if m.any()}
    if len(curves) < 2:
        return []
    day = horizon or min(float(curve.time[-1]) for curve in curves.values())
    own = Estimate("rmst", end.name, "restricted_mean", at=day, confidence=confidence, unit="days", method=METHOD)
    means = {level: restricted_mean(curve, day) for level, curve in curves.items()}
    records = [_mean(replace(own, group=Stratum(factor.name, level)), mean) for level, mean in means.items()]
    first, *others = factor.levels
    for level in (name for name in others if name in means and first in means):
        term = factor.name if factor.kind == "binary" else Stratum(factor.name, level)
        records += _contrasts(
            replace(own, group=Stratum(factor.name, level), term=term), means[level], reference=means[first]
        )
    return records


def _mean(own: Estimate, group: RestrictedMean) -> Estimate:
    own = replace(own, n=group.n, events=group.events)
    if group.mean is None:
        return replace(own, note=group.note)
    if not group.variance:
        return replace(own, estimate=group.mean, note=f"{group.note}: interval {NOT_ESTIMABLE}")
    half = _quantile(own) * group.variance**0.5
    lower, upper = group.mean - half, group.mean + half
    ends = (("0", lower < 0), ("the horizon", upper > (own.at or 0)))
    passed = [name for name, beyond in ends if beyond]
    beyond = f"the normal interval passes {' and '.join(passed)}" if passed else None
    return replace(own, estimate=group.mean, lower=lower, upper=upper, note=joined([_rough([group]), beyond]))


def _contrasts(own: Estimate, one: RestrictedMean, *, reference: RestrictedMean) -> list[Estimate]:
    """Return difference and ratio; without a variance in both groups they have no limits."""
    groups = (one, reference)
    own = replace(own, n=one.n + reference.n, events=one.events + reference.events)
    difference, ratio = (replace(own, statistic=f"restricted_mean_{s}") for s in ("difference", "ratio"))
    ratio = replace(ratio, unit="ratio")
    if one.mean is None or reference.mean is None:
        note = joined(list(dict.fromkeys(g.note for g in groups if g.mean is None)))
        return [replace(e, note=note) for e in (difference, ratio)]
    if not one.variance and not reference.variance:
        return [replace(e, note=f"{NOT_ESTIMABLE}: {one.note} in either group") for e in (difference, ratio)]
    if not one.variance or not reference.variance:
        why = joined(list(dict.fromkeys(g.note for g in groups if not g.variance)))
        note = f"{why} in a group: interval {NOT_ESTIMABLE}"
        return [replace(difference, estimate=one.mean - reference.mean, note=note),
                replace(ratio, estimate=one.mean / reference.mean, note=note)]  # fmt: skip
    spread = float(np.sqrt(one.variance + reference.variance))
    relative = float(np.sqrt(one.variance / one.mean**2 + reference.variance / reference.mean**2))
    far, log = one.mean - reference.mean, float(np.log(one.mean / reference.mean))
    z, note = _quantile(own), _rough(groups)
    return [
        replace(difference, estimate=far, lower=far - z * spread, upper=far + z * spread, p_value=_p(far / spread),
                note=note),
        replace(ratio, estimate=float(np.exp(log)), lower=float(np.exp(log - z * relative)),
                upper=float(np.exp(log + z * relative)), p_value=_p(log / relative), note=note),
    ]  # fmt: skip


def _rough(groups: Sequence[RestrictedMean]) -> str | None:
    fewest = FEWEST_EVENTS_A_PARAMETER
    few = min(g.events for g in groups) < fewest
    return f"fewer than {fewest} events by the horizon in a group: normal interval rough" if few else None


def _quantile(own: Estimate) -> float:
    return float(ndtri(0.5 + (own.confidence or 0) / 2))


def _p(z: float) -> float:
    return float(2 * ndtr(-abs(z)))


def _horizon(value: Any) -> bool | float:
    """Return a setting of the plan: true, false or days."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and 0 < value <= DAYS[1]:
        return float(value)
    raise ValueError(f"is neither true nor false nor a number of days above 0 and up to {DAYS[1]}")


def _of(inputs: Inputs, end: EndpointColumn) -> list[Estimate]:
    setting = inputs.plan.analyses.value("rmst")
    horizon = None if setting is True else float(setting)
    factors = [f for f in inputs.data.factors if f.kind != "number"]
    return [e for f in factors
            for e in contrasts_of_enough(by_group(end, f, inputs.plan.confidence, horizon=horizon))]  # fmt: skip


def contrasts_of_enough(records: Sequence[Estimate]) -> list[Estimate]:
    """Return the means, and the contrasts with a normal interval of those groups that have enough events for it."""
    events = {e.group: e.events or 0 for e in records if e.statistic == "restricted_mean"}
    reference = next(iter(events.values()), 0)
    why = f"fewer than {FEWEST_EVENTS_A_PARAMETER} events by the horizon in a group: a normal interval does not hold"
    return [withheld(e, why) if e.statistic != "restricted_mean" and
            min(events.get(e.group, 0), reference) < FEWEST_EVENTS_A_PARAMETER else e for e in records]  # fmt: skip


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end in inputs.data.endpoints:
        if end.kind == "time" and end.competing is None and end.entry is None:
            yield of_endpoint("restricted mean survival time", end, work=partial(_of, inputs, end))


ANALYSIS = Analysis(
    "restricted mean survival time",
    records="rmst",
    section="survival",
    steps=_steps,
    what="restricted mean survival time by group, with differences and ratios",
    method=(
        "area under the Kaplan-Meier curve to the plan's horizon, or to the least of the groups' largest "
        "follow-up times; Greenwood's variance (R's `survfit`), normal intervals, the ratio's on the log "
        "scale; not estimable where the horizon is beyond the follow-up of a group whose curve is not at 0 (J"
        " Clin Oncol 2014;32:2380)"
    ),
    lacking="no time-to-event endpoint without delayed entry, or no factor with two groups",
    own_switch=Switch(
        "rmst",
        Annotated[Any, AfterValidator(_horizon)],
        "restricted mean survival time by group: the horizon in days, or true for the least of the groups' largest "
        "follow-up times",
    ),
)

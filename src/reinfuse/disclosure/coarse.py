"""Survival curves at whole months, far enough apart that no step is the time of a few patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reinfuse.analysis.survival import Curve
from reinfuse.cohort.declared import DAYS_A_MONTH
from reinfuse.disclosure.cells import ALL, SIZE, Group, Hiding, families
from reinfuse.findings import CurveKey

Floats = NDArray[np.float64]
Place = tuple[str, Group]
"""An endpoint and a group."""
_TENTH_OF_A_DAY = 0.1


@dataclass(frozen=True)
class Coarse:
    """Which times of which curves are kept, and the curves at those times."""

    times: Mapping[Place, tuple[float, ...]]
    at_risk: Mapping[Place, tuple[float, ...]]
    curves: Mapping[CurveKey, Curve]

    def tells_rate(self, place: Place, at: float) -> bool:
        """Tell whether the probability on a day may be shown."""
        return any(abs(t - at) < _TENTH_OF_A_DAY for t in self.times.get(place, ()))

    def tells_at_risk(self, place: Place, at: float) -> bool:
        """Tell whether the number at risk on a day may be shown."""
        return any(abs(t - at) < _TENTH_OF_A_DAY for t in self.at_risk.get(place, ()))


def coarse(curves: Mapping[CurveKey, Curve], hiding: Hiding, group_of: Callable[[tuple[str, str | None]], Group],
           endpoints: set[str]) -> Coarse:  # fmt: skip
    """Choose the times at which each curve tells no small number.

    Parameters
    ----------
    endpoints
        Those of which curves may be kept.
    group_of
        The group of a population and a level.
    """
    places: dict[Place, Curve] = {}
    for (endpoint, population, level), curve in curves.items():
        place = endpoint, group_of((population, level))
        here = any((m, place[1]) in hiding.hidden for m in (SIZE, ("evaluated", endpoint)))
        whole = len(curve.time) > 0 and curve.at_risk[0] == curve.n  # else patients enter later
        if endpoint in endpoints and place[1] in hiding.cells[SIZE] and whole and not here:
            places[place] = curve
    times: dict[Place, tuple[float, ...]] = defaultdict(tuple)
    at_risk: dict[Place, tuple[float, ...]] = defaultdict(tuple)
    for endpoint in dict.fromkeys(e for e, _ in places):
        if (endpoint, ALL) in places:
            _choose(endpoint, places, hiding, times, at_risk)
    kept = {}
    for key, curve in curves.items():
        place = key[0], group_of(key[1:])
        if place in places and times[place]:
            kept[key] = _at(curve, times[place])
    return Coarse(times, at_risk, kept)


def _choose(endpoint: str, places: Mapping[Place, Curve], hiding: Hiding, times: dict[Place, tuple[float, ...]],
            at_risk: dict[Place, tuple[float, ...]]) -> None:  # fmt: skip
    """Choose the times of all patients, then, among them, those of each set of groups."""
    every = places[endpoint, ALL]
    months = [m * DAYS_A_MONTH for m in range(1, int(every.time[-1] // DAYS_A_MONTH) + 1)]
    times[endpoint, ALL] = _months([every], months, hiding)
    at_risk[endpoint, ALL] = _at_risk([every], [0.0, *months], hiding)
    for members, total in families(g for e, g in places if e == endpoint):
        if total != ALL:
            continue
        shown = [places[endpoint, g] for g in members]
        compared = [*shown, _rest(every, shown)]
        for group in members:
            times[endpoint, group] = _months(compared, times[endpoint, ALL], hiding)
            at_risk[endpoint, group] = _at_risk(compared, at_risk[endpoint, ALL], hiding)


def _rest(every: Curve, shown: Sequence[Curve]) -> Curve:
    """Return the numbers of the patients who are in none of the groups shown; its probabilities mean nothing."""
    time = np.asarray(every.time, dtype=np.float64)
    events, censored = every.events.copy(), every.censored.copy()
    for curve in shown:
        at = np.searchsorted(time, curve.time)
        np.subtract.at(events, at, curve.events)
        np.subtract.at(censored, at, curve.censored)
    nothing = np.full(len(time), np.nan)
    return Curve(time, nothing, nothing, nothing, nothing, events, censored, every.n - sum(c.n for c in shown))


def _months(compared: Sequence[Curve], months: Iterable[float], hiding: Hiding) -> tuple[float, ...]:
    """Return the months at which every curve compared has had enough events since the one before, or none."""
    kept: list[float] = []
    before = np.zeros(len(compared))
    for month in months:
        happened = np.array([_until(c, c.events, month) for c in compared])
        left = np.array([c.n for c in compared]) - happened - [_until(c, c.censored, month) for c in compared]
        to_come = np.array([c.events.sum() for c in compared]) - happened
        numbers = (*(happened - before), *left, *to_come)
        if not any(hiding.few(float(x)) for x in numbers) and (happened > before).any() and (left > 0).any():
            kept.append(month)
            before = happened
    return tuple(kept)


def _at_risk(compared: Sequence[Curve], days: Iterable[float], hiding: Hiding) -> tuple[float, ...]:
    """Return the days at which no number that left, is left or was censored is small."""
    kept: list[float] = []
    last = np.array([float(c.n) for c in compared])
    gone = np.zeros(len(compared))
    for day in days:
        censored = np.array([_until(c, c.censored, day, before=True) for c in compared])
        events = np.array([_until(c, c.events, day, before=True) for c in compared])
        left = np.array([c.n for c in compared]) - events - censored
        if not any(hiding.few(float(x)) for x in (*left, *(last - left), *(censored - gone))):
            kept.append(day)
            last, gone = left, censored
    return tuple(kept)


def _until(curve: Curve, counts: Floats, day: float, before: bool = False) -> float:
    return float(counts[curve.time < day if before else curve.time <= day].sum())


def _at(curve: Curve, days: Sequence[float]) -> Curve:
    """Return a curve's probabilities on these days, to 0.01; the numbers behind them are not told."""
    i = np.searchsorted(curve.time, days, side="right")
    survival, lower, upper = (
        np.round(np.concatenate([[1.0], values])[i], 2) for values in (curve.survival, curve.lower, curve.upper)
    )
    unknown = np.full(len(i), np.nan)
    return Curve(np.array(days), survival, lower, upper, unknown, unknown, unknown, curve.n)

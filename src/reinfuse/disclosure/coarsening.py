"""Survival curves at whole months, far enough apart that no step is the time of a few patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.disclosure.cell_suppression import ALL, SIZE, Group, Hiding, families
from reinfuse.results.curves import Curve, CurveKey

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
        return _holds(self.times.get(place, ()), at)

    def tells_at_risk(self, place: Place, at: float) -> bool:
        """Tell whether the number at risk on a day may be shown."""
        return _holds(self.at_risk.get(place, ()), at)


def coarse(curves: Mapping[CurveKey, Curve], hiding: Hiding, group_of: Callable[[tuple[str, str | None]], Group],
           *, endpoints: set[str], pairs: Sequence[tuple[str, str]] = ()) -> Coarse:  # fmt: skip
    """Choose the times at which each curve tells no small number.

    Parameters
    ----------
    endpoints
        Those of which curves may be kept.
    group_of
        The group of a population and a level.
    pairs
        Endpoints of which the second's events are a part of the first's: their curves can be subtracted.
    """
    places: dict[Place, Curve] = {}
    for (endpoint, population, level), curve in curves.items():
        place = endpoint, group_of((population, level))
        here = any((m, place[1]) in hiding.hidden for m in (SIZE, ("evaluated", endpoint)))
        whole = len(curve.time) > 0 and curve.at_risk[0] == curve.n  # else patients enter later
        if endpoint in endpoints and place[1] in hiding.cells[SIZE] and whole and not here:
            places[place] = curve
    chosen = _Choice(places, hiding, pairs)
    coarsened = {}
    for key, curve in curves.items():
        place = key[0], group_of(key[1:])
        if place in places and chosen.times[place]:
            coarsened[key] = _at(curve, chosen.times[place])
    return Coarse(chosen.times, chosen.at_risk, coarsened)


class _Choice:
    """The times at which curves are told, chosen endpoint by endpoint, what is a part of another after it."""

    def __init__(self, places: Mapping[Place, Curve], hiding: Hiding, pairs: Sequence[tuple[str, str]]) -> None:
        self.places, self.hiding, self.pairs = places, hiding, pairs
        self.times: dict[Place, tuple[float, ...]] = defaultdict(tuple)
        self.at_risk: dict[Place, tuple[float, ...]] = defaultdict(tuple)
        self.chosen: set[str] = set()
        waiting = dict.fromkeys(e for e, _ in places)
        for endpoint in sorted(waiting, key=lambda e: len(self._outer(e, set()))):
            if (endpoint, ALL) in places:
                self._choose(endpoint)
            self.chosen.add(endpoint)

    def _outer(self, endpoint: str, visited: set[str]) -> set[str]:
        """Return all that an endpoint is a part of, directly or by another."""
        for outer, inner in self.pairs:
            if inner == endpoint and outer not in visited:
                visited |= {outer} | self._outer(outer, visited | {outer})
        return visited - {endpoint}

    def _choose(self, endpoint: str) -> None:
        """Choose the times of all patients, then, among them, those of each set of groups."""
        every = self.places[endpoint, ALL]
        months = [m * DAYS_A_MONTH for m in range(1, int(every.time[-1] // DAYS_A_MONTH) + 1)]
        self._keep(endpoint, [ALL], [every], months=months, days=[0.0, *months])
        for members, total in families(g for e, g in self.places if e == endpoint):
            if total == ALL:
                shown = [self.places[endpoint, g] for g in members]
                compared = [*shown, _rest(every, shown)]
                self._keep(
                    endpoint, members, compared, months=self.times[endpoint, ALL], days=self.at_risk[endpoint, ALL]
                )

    def _keep(self, endpoint: str, groups: Sequence[Group], compared: Sequence[Curve], *, months: Sequence[float],
              days: Sequence[float]) -> None:  # fmt: skip
        """Keep the times at which neither the curves compared nor their differences from others tell a small number."""
        months = [
            m
            for m in months
            if not any(self._differs(endpoint, o, groups, day=m, events=True) for o in self._beside(endpoint))
        ]
        days = [
            d
            for d in days
            if not any(self._differs(endpoint, o, groups, day=d, events=False) for o in self._beside(endpoint))
        ]
        times, at_risk = _months(compared, months, hiding=self.hiding), _at_risk(compared, days, hiding=self.hiding)
        for group in groups:
            self.times[endpoint, group], self.at_risk[endpoint, group] = times, at_risk

    def _beside(self, endpoint: str) -> list[str]:
        """Return the endpoints whose times are chosen and with which an endpoint can be compared."""
        pairs = [pair for pair in self.pairs if endpoint in pair]
        return [e for e in dict.fromkeys(x for pair in pairs for x in pair) if e in self.chosen and e != endpoint]

    def _differs(self, endpoint: str, other: str, groups: Sequence[Group], *, day: float, events: bool) -> bool:
        """Tell whether few patients have one event but not the other by a day on which both are told."""
        common_times = self.times if events else self.at_risk
        common = [g for g in groups if (other, g) in self.places and _holds(common_times[other, g], day)]
        if not common:
            return False
        numbers = np.array([_number(self.places[endpoint, g], day, events) - _number(self.places[other, g], day, events)
                            for g in common])  # fmt: skip
        whole = _number(self.places[endpoint, ALL], day, events) - _number(self.places[other, ALL], day, events)
        return any(self.hiding.few(abs(float(x))) for x in (*numbers, whole - numbers.sum()))


def _holds(days: Iterable[float], day: float) -> bool:
    return any(abs(d - day) < _TENTH_OF_A_DAY for d in days)


def _number(curve: Curve, day: float, events: bool) -> float:
    """Return how many had the event by a day; or how many were at risk on it."""
    if events:
        return _until(curve, curve.events, day)
    gone = _until(curve, curve.events, day, before=True) + _until(curve, curve.censored, day, before=True)
    return curve.n - gone


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


def _months(compared: Sequence[Curve], months: Iterable[float], *, hiding: Hiding) -> tuple[float, ...]:
    """Return the months at which every curve compared has had enough events since the one before, or none."""
    shown: list[float] = []
    before = np.zeros(len(compared))
    for month in months:
        happened = np.array([_until(c, c.events, month) for c in compared])
        left = np.array([c.n for c in compared]) - happened - [_until(c, c.censored, month) for c in compared]
        to_come = np.array([c.events.sum() for c in compared]) - happened
        numbers = (*(happened - before), *left, *to_come)
        if not any(hiding.few(float(x)) for x in numbers) and (happened > before).any() and (left > 0).any():
            shown.append(month)
            before = happened
    return tuple(shown)


def _at_risk(compared: Sequence[Curve], days: Iterable[float], *, hiding: Hiding) -> tuple[float, ...]:
    """Return the days at which no number that left, is left or was censored is small."""
    shown: list[float] = []
    last = np.array([float(c.n) for c in compared])
    gone = np.zeros(len(compared))
    for day in days:
        censored = np.array([_until(c, c.censored, day, before=True) for c in compared])
        events = np.array([_until(c, c.events, day, before=True) for c in compared])
        left = np.array([c.n for c in compared]) - events - censored
        if not any(hiding.few(float(x)) for x in (*left, *(last - left), *(censored - gone))):
            shown.append(day)
            last, gone = left, censored
    return tuple(shown)


def _until(curve: Curve, counts: Floats, day: float, *, before: bool = False) -> float:
    return float(counts[curve.time < day if before else curve.time <= day].sum())


def _at(curve: Curve, days: Sequence[float]) -> Curve:
    """Return a curve's probabilities on these days, to 0.01; the numbers behind them are not told."""
    i = np.searchsorted(curve.time, days, side="right")
    survival, lower, upper = (
        np.round(np.concatenate([[1.0], values])[i], 2) for values in (curve.survival, curve.lower, curve.upper)
    )
    unknown = np.full(len(i), np.nan)
    return Curve(np.array(days), survival, lower, upper, unknown, unknown, unknown, curve.n)

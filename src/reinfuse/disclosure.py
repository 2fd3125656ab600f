"""Disclosure control: findings in which no small number of patients can be read or worked out.

A number of patients from 1 to k - 1 is small (0 may be shown). The rules, for a smallest number k:

1. Groups. Where a group is small, nothing of it is shown; where only one group of a set with a shown total would be
   hidden, the next smallest is hidden too, so that the total does not tell it (complementary suppression).
2. Cells. A number of events, or of patients without the event, that is small goes with its share and interval, from
   which it could be computed; again not alone in its set, in either direction of a table with two.
3. Nested cells. Response includes complete response, any grade includes grade 3: where the difference is small, the
   inner one goes. Counts by category go all together if one of them goes.
4. Effects. An odds or hazard ratio of a factor is shown only where every level has enough patients with and without
   the event: with known margins, a ratio tells the cells.
5. Times. A curve keeps the whole months between which at least k events happened and after which at least k are at
   risk; a rate at a set time as its curve does; a median where at least k had the event.
6. A number of patients that differs from all analysed by a small number is not shown (it tells how many are missing).
7. Analyses that leave out, pair or single out patients are not kept; see `KEPT`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import polars as pl

from reinfuse.analysis.estimate import SO_THAT, SUPPRESSED, Estimate
from reinfuse.analysis.survival import Curve
from reinfuse.cohort.declared import DAYS_A_MONTH
from reinfuse.findings import CurveKey, Findings

KEPT = frozenset({"flow", "baseline", "response", "survival", "competing", "toxicity", "association", "calibrated",
                  "permutation", "sensitivity"})  # fmt: skip
"""Analyses of which anything is kept."""
EFFECTS = frozenset({"association", "calibrated", "permutation", "sensitivity"})
T = TypeVar("T")
_Group = tuple[str, str | None]
"""A population and a group in it: one of them stands for all patients."""


@dataclass(frozen=True)
class Removed:
    """What was taken away: the kind of thing, why, and how many."""

    what: str
    why: str
    count: int


def suppressed(findings: Findings, smallest: int) -> tuple[Findings, tuple[Removed, ...]]:
    """Return findings without small numbers, without patients' own data, and what was removed.

    Parameters
    ----------
    findings
        As analysed, or read back.
    smallest
        The smallest number of patients that may be shown.
    """
    control = _Control(findings, smallest)
    estimates = tuple(control.estimates())
    curves = dict(control.curves())
    removed = [Removed(what, why, n) for (what, why), n in sorted(control.removed.items())]
    removed += [Removed("curve", "too few events or patients at risk", len(findings.curves) - len(curves))]
    removed += [Removed("row of a patient", "single patients", findings.flow.height)]
    notes = sum(w["about"] != "rules and data" for w in findings.warnings)
    removed += [Removed("note on reading or checking", "may quote a value or a row", notes)]
    removed += [Removed("note on rules and data", "may count few patients", len(findings.warnings) - notes)]
    kept = replace(findings, estimates=estimates, curves=curves, flow=findings.flow.clear(), warnings=(),
                   patients=pl.DataFrame(), cohort=None, data=None)  # fmt: skip
    return kept, tuple(r for r in removed if r.count)


class _Control:
    """The decisions on one study."""

    def __init__(self, findings: Findings, smallest: int) -> None:
        self.findings = findings
        self.k = smallest
        self.total = findings.described.patients
        self.small = f"{SUPPRESSED}fewer than {smallest}"
        self.removed: Counter[tuple[str, str]] = Counter()
        self.kept = [e for e in findings.estimates if e.analysis in KEPT]
        self.sizes = self._sizes()
        self.groups = self._small_groups()
        self.cells = self._cells()
        self.hidden = self._hidden_cells()

    def few(self, number: float | None) -> bool:
        """Tell whether a number of patients is small."""
        return number is not None and 0 < number < self.k

    def estimates(self) -> Iterator[Estimate]:
        """Yield every record that is kept, suppressed where it must be."""
        for e in self.findings.estimates:
            if e.analysis not in KEPT:
                self.removed[e.analysis, "leaves out, pairs or simulates single patients"] += 1
                continue
            why = self._why(e)
            if why is not None:
                self.removed[e.analysis, why.removeprefix(SUPPRESSED)] += 1
            yield self._shown(e) if why is None else self._without(e, why)

    # Groups

    def _sizes(self) -> dict[_Group, int]:
        """Return the largest number of patients that any record of a group tells."""
        sizes: dict[_Group, int] = {}
        for e in self.kept:
            if e.n is not None and e.analysis not in EFFECTS:
                sizes[e.population, e.group] = max(sizes.get((e.population, e.group), 0), e.n)
        return sizes

    def _small_groups(self) -> frozenset[_Group]:
        """Return the groups of which nothing is shown."""
        sizes = self.sizes
        found: set[_Group] = {("all", None), *sizes} if self.few(self.total) else set()
        for members in _sets(sizes):
            small = [g for g in members if sizes[g] < self.k]
            known = sum(sizes[g] for g in members)
            if self.few(self.total - known):  # those of no group would be told apart
                small += (
                    [min((g for g in members if g not in small), key=sizes.__getitem__)]
                    if len(small) < len(members)
                    else []
                )
            found |= set(_completed(small, {g: float(sizes[g]) for g in members}))
        return frozenset(found)

    # Cells

    def _cells(self) -> dict[tuple[object, ...], dict[_Group, tuple[int, int]]]:
        """Return events and patients by measure and group, of shares and counts."""
        cells: dict[tuple[object, ...], dict[_Group, tuple[int, int]]] = defaultdict(dict)
        for e in self.kept:
            if e.statistic in ("proportion", "count", "missing") and e.n is not None:
                events = e.events if e.statistic == "proportion" else int(e.estimate or 0)
                cells[_measure(e)][e.population, e.group] = (events or 0, e.n)
        return dict(cells)

    def _hidden_cells(self) -> dict[tuple[tuple[object, ...], _Group], str]:
        """Return the cells that are not shown, with the reason."""
        hidden: dict[tuple[tuple[object, ...], _Group], str] = {}
        for measure, cells in self.cells.items():
            for group, (events, n) in cells.items():
                if self.few(events) or self.few(n - events):
                    hidden[measure, group] = self.small
        self._hide_nested(hidden)
        before = -1
        while before != len(hidden):
            before = len(hidden)
            for measure, cells in self.cells.items():
                self._complete(hidden, [(measure, g) for g in cells], lambda key: _across(key[1]))
            for members in _columns(self.cells):
                self._complete(hidden, members, lambda _key: "one")
        return hidden

    def _hide_nested(self, hidden: dict[tuple[tuple[object, ...], _Group], str]) -> None:
        """Hide an inner cell whose difference to the outer one is small, and categories if one of them is hidden."""
        for outer, inner in _nested(self.cells):
            for group, (events, _) in self.cells[inner].items():
                if group in self.cells[outer] and self.few(self.cells[outer][group][0] - events):
                    hidden.setdefault((inner, group), SO_THAT)
        for members in _columns(self.cells):
            if any(key in hidden for key in members):
                for key in members:
                    hidden.setdefault(key, SO_THAT)

    def _complete(self, hidden: dict[tuple[tuple[object, ...], _Group], str],
                  keys: list[tuple[tuple[object, ...], _Group]],
                  family: Callable[[tuple[tuple[object, ...], _Group]], str | None]) -> None:  # fmt: skip
        """Hide a second cell of each set in which one alone is hidden."""
        sets: dict[str, list[tuple[tuple[object, ...], _Group]]] = defaultdict(list)
        for key in keys:
            name = family(key)
            if name is not None:
                sets[name].append(key)
        for members in sets.values():
            out = [k for k in members if k in hidden or k[1] in self.groups]
            sizes = {k: float(self.cells[k[0]][k[1]][0]) for k in members}
            for key in set(_completed(out, sizes)) - set(out):
                hidden[key] = SO_THAT

    # Records

    def _why(self, e: Estimate) -> str | None:
        """Return why a record is suppressed; None if it may be shown."""
        if (e.population, e.group) in self.groups:
            return self.small if self.few(e.n) else SO_THAT
        if self.few(e.n):
            return self.small
        if e.analysis in EFFECTS or (e.analysis == "survival" and e.statistic == "p_value"):
            return None if self._effect_is_safe(e) else SO_THAT
        if e.analysis == "competing" and e.statistic != "rate_at":
            return SO_THAT
        if e.statistic in ("proportion", "count", "missing"):
            return self.hidden.get((_measure(e), (e.population, e.group)))
        if e.analysis in ("survival", "competing"):
            return None if self._time_is_safe(e) else self.small
        if e.statistic in ("min", "max"):
            return f"{SUPPRESSED}the value of one patient"
        return None

    def _effect_is_safe(self, e: Estimate) -> bool:
        """Tell whether every level of an effect's factor has enough patients with and without the event."""
        factor = (e.term or "").partition("=")[0]
        levels = [g for g in self.sizes if g[1] is not None and g[1].partition("=")[0] == factor]
        if self.few(e.events) or any(g in self.groups for g in levels):
            return False
        end = next((x for x in self.findings.described.endpoints if x.name == e.endpoint), None)
        if end is not None and end.kind == "binary":
            found = self.cells.get(("response", e.endpoint, "proportion", None), {})
            return not self.few((e.n or 0) - (e.events or 0)) and not any(
                self.few(found[g][0]) or self.few(found[g][1] - found[g][0]) for g in levels if g in found)  # fmt: skip
        events = [x.events for g in levels for x in self.kept if x.analysis == "survival" and x.statistic == "median"
                  and (x.population, x.group) == g and x.endpoint == e.endpoint]  # fmt: skip
        return not any(self.few(x) for x in events)

    def _time_is_safe(self, e: Estimate) -> bool:
        if e.statistic == "at_risk":
            return not self.few(e.estimate)
        if e.statistic == "rate_at":
            curve = self.findings.curves.get((e.endpoint or "", e.population, e.group))
            coarse = None if curve is None else self._coarse(curve)
            return coarse is not None and e.at is not None and self._rate_is_safe(curve, coarse, e.at)
        return not self.few(e.events)

    def _rate_is_safe(self, curve: Curve | None, coarse: Curve, at: float) -> bool:
        """Tell whether the curve at a time is one of its coarse values."""
        if curve is None or at > curve.time[-1]:
            return True  # not estimable: nothing is told
        value = curve.survival[curve.time <= at][-1] if (curve.time <= at).any() else 1.0
        return bool(value == 1.0 or np.isclose(coarse.survival, value, atol=1e-12).any())

    def _shown(self, e: Estimate) -> Estimate:
        """Return a record that is kept, without numbers of patients that tell others, and without notes that count."""
        n, events = self._n(e), e.events
        timed = e.analysis in EFFECTS or e.analysis in ("survival", "competing")
        if n is None or (timed and events is not None and (self.few(events) or self.few(n - events))):
            events = None
        note = None if e.note is None or any(c.isdigit() for c in e.note) else e.note
        return replace(e, n=n, events=events, note=note)

    def _without(self, e: Estimate, why: str) -> Estimate:
        return replace(e, estimate=None, lower=None, upper=None, p_value=None, events=None, n=self._n(e), note=why)

    def _n(self, e: Estimate) -> int | None:
        """Return a record's number of patients, if it tells no small one."""
        group = (e.population, e.group)
        responders = (("response", "response", "proportion", None), group)
        if e.n is None or self.few(e.n) or group in self.groups or self.few(self.sizes.get(group, self.total) - e.n):
            return None
        return None if e.endpoint == "dor" and responders in self.hidden else e.n

    # Curves

    def curves(self) -> Iterator[tuple[CurveKey, Curve]]:
        """Yield the curves that are kept, coarse."""
        for key, curve in self.findings.curves.items():
            if key[1].startswith("landmark=") or (key[1], key[2]) in self.groups:
                continue
            coarse = self._coarse(curve)
            if coarse is not None and len(coarse.time):
                yield key, coarse

    def _coarse(self, curve: Curve) -> Curve | None:
        """Return a curve's values at whole months, enough events apart and with enough patients left; None if none."""
        total, last = 0.0, curve.n
        points: list[tuple[float, ...]] = []
        for month in range(1, int(curve.time[-1] // DAYS_A_MONTH) + 1):
            passed = curve.time <= month * DAYS_A_MONTH
            happened = float(curve.events[passed].sum())
            left = curve.n - happened - float(curve.censored[passed].sum())
            if happened - total < self.k or left < self.k:
                continue
            i = int(np.flatnonzero(passed)[-1])
            points.append((month * DAYS_A_MONTH, curve.survival[i], curve.lower[i], curve.upper[i], float(last),
                           happened - total, 0.0))  # fmt: skip
            total, last = happened, int(left)
        if not points:
            return None
        time, survival, lower, upper, at_risk, events, censored = np.array(points).T
        return Curve(time, survival, lower, upper, at_risk, events, censored, curve.n)


def _measure(e: Estimate) -> tuple[object, ...]:
    return (e.analysis, e.endpoint, e.statistic, e.term)


def _across(group: _Group) -> str | None:
    """Return the name of the set that a group is one of: the levels of a factor, or the populations of a subgroup."""
    population, level = group
    if level is not None:
        return f"{population}|{level.partition('=')[0]}"
    return population.partition("=")[0] if population != "all" else None


def _sets(groups: Iterable[_Group]) -> Iterator[list[_Group]]:
    """Yield the sets of groups that make up all patients."""
    sets: dict[str, list[_Group]] = defaultdict(list)
    for group in groups:
        name = _across(group)
        if name is not None:
            sets[name].append(group)
    yield from sets.values()


def _columns(cells: Mapping[tuple[object, ...], Mapping[_Group, tuple[int, int]]]
             ) -> Iterator[list[tuple[tuple[object, ...], _Group]]]:  # fmt: skip
    """Yield the categories of each variable in each group: levels, best responses, grades."""
    sets: dict[tuple[object, ...], list[tuple[tuple[object, ...], _Group]]] = defaultdict(list)
    for measure, groups in cells.items():
        analysis, endpoint, statistic, term = measure
        if isinstance(term, str) and "=" in term and ">=" not in term:
            for group in groups:
                sets[analysis, endpoint, statistic, term.partition("=")[0], group].append((measure, group))
    yield from sets.values()


def _nested(cells: Mapping[tuple[object, ...], object]) -> Iterator[tuple[tuple[object, ...], tuple[object, ...]]]:
    """Yield pairs of measures of which the second is part of the first."""
    response = ("response", "response", "proportion", None)
    complete = ("response", "cr", "proportion", None)
    if response in cells and complete in cells:
        yield response, complete
    for measure in cells:
        term = measure[3]
        if measure[0] == "toxicity" and isinstance(term, str) and term.endswith(">=3"):
            outer = (*measure[:3], term.replace(">=3", ">=1"))
            if outer in cells:
                yield outer, measure


def _completed(out: list[T], sizes: Mapping[T, float]) -> list[T]:
    """Return the hidden members of a set, and the smallest other one if one alone is hidden."""
    if len(out) != 1 or len(sizes) < 2:
        return out
    rest = sorted((k for k in sizes if k not in out), key=lambda k: (sizes[k] == 0, sizes[k]))
    return [*out, rest[0]]

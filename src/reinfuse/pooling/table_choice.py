"""Which tables a centre tells in tables mode: those in which no small number stands or can be worked out.

For a threshold k (0: everything is told, the guards of every mode aside):

1. An endpoint is told with k events and k patients without, if nobody, or at least k, were not evaluated. Of two that
   are related (one a part of the other, or both made of the same events) the later is told only where their numbers
   differ by nobody or by at least k.
2. A table of patterns of factors has k patients with and k without the event in each pattern that occurs: fewer would
   tell of few, none or all would tell of each.
3. Of one factor, levels of fewer than 2k patients are left out, missing values as one of them, together with the next
   smallest until they are 2k: by sizes alone, so that what is left out does not depend on the outcome.
4. Of several factors nothing is left out or missing. Tables of an endpoint are told as long as that of all their
   factors together could be: else the cells of one would follow from the others.
5. The order of events tells of one patient at a time: it is told only if the study says so. As orders of the same
   events can be laid beside each other, rule 4 then holds of all their factors together.

A table that is lacking for its sizes leaves out patients whatever their outcome. One that is lacking for its numbers of
events (rule 2) does not: whoever pooled the others would choose them by the outcome. The coordinating centre then gives
no estimate (`table_combining`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reinfuse.arrays import Bools, Integers
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, declaration, wholes
from reinfuse.pooling.centre_data import FEWEST_EVENTS, FEWEST_PATIENTS, CentreData, too_few
from reinfuse.pooling.pooled_model import PooledModel

NOT_SHARED = "numbers of other endpoints could be subtracted from it, and small ones are hidden"
A_NUMBER = "a factor is a number, of which there is no table"


def for_size(k: int) -> str:
    """Say that some level has too few patients, whatever their outcome."""
    return f"too few patients at some level, or without a value, for {k} with and {k} without the event"


def for_outcome(k: int) -> str:
    """Say that some level has too few patients with or without the event."""
    return f"at some level fewer than {k} patients have the event, or fewer than {k} have not"


def for_order(k: int) -> str:
    """Say that the order of events is not told."""
    return f"the order of events tells of one patient at a time, and numbers below {k} are hidden"


Cell = tuple[int, int, int]
"""Patients evaluated, those of them with the event, and patients not evaluated."""


@dataclass(frozen=True)
class PatternTable:
    """A table that may be told.

    Attributes
    ----------
    patterns
        Places of the levels of each factor, shape (patterns, factors).
    place
        Of each analysed patient the pattern; -1 where not in the table.
    """

    patterns: Integers = field(repr=False)
    place: Integers = field(repr=False)

    @classmethod
    def of(cls, groups: Sequence[Integers], chosen: Bools) -> PatternTable:
        """Return the table of chosen patients."""
        every = np.column_stack(groups)
        patterns, of_chosen = np.unique(every[chosen], axis=0, return_inverse=True)
        place = np.full(len(every), -1, dtype=np.int64)
        place[chosen] = of_chosen.ravel()
        return cls(patterns, place)


class TableChoice:
    """What one centre tells.

    Attributes
    ----------
    withheld
        Endpoint or model's key -> why it is not told.
    tables
        Model's key -> table.
    """

    def __init__(self, centre: CentreData) -> None:
        self.centre, self.k = centre, centre.study.threshold
        self.withheld: dict[str, str] = {}
        self.tables: dict[str, PatternTable] = {}
        self._joint: dict[str, tuple[str, ...]] = {}
        for name in centre.study.endpoints:
            if why := self._why_no_endpoint(name):
                self.withheld[name] = why
        for model in (m for m in centre.study.models if not m.pair):
            table = self.withheld.get(model.endpoint) or self._table(model)
            if isinstance(table, str):
                self.withheld[model.key] = table
            else:
                self.tables[model.key] = table

    def few(self, number: int) -> bool:
        """Tell whether a number of patients is not to be told."""
        return 0 < number < self.k

    def related(self, name: str) -> Iterator[str]:
        """Yield the endpoints before one whose events or patients can be subtracted from its own."""
        names = self.centre.study.endpoints
        for other in names[: names.index(name)]:
            if other not in self.withheld and _related(name, other):
                yield other

    def _why_no_endpoint(self, name: str) -> str | None:
        end = self.centre.endpoint(name)
        everybody = np.ones(len(end.event), dtype=np.bool_)
        event = end.event[end.known]
        if not self.k:
            return too_few(event)
        if not declaration(name).shared:
            return NOT_SHARED
        least, n, events = max(self.k, FEWEST_EVENTS), len(event), int(event.sum())
        for number, smallest, what in ((n, FEWEST_PATIENTS, "patients"), (events, least, "events"),
                                       (n - events, least, "patients without the event")):  # fmt: skip
            if number < smallest:
                return f"fewer than {smallest} {what}"
        if self.few(len(end.event) - n):
            return f"fewer than {self.k} patients were not evaluated"
        other = next((o for o in self.related(name) if self._tells_by_subtraction(name, o, among=everybody)), None)
        return other and f"its numbers and those of {other} differ by fewer than {self.k} patients"

    def _tells_by_subtraction(self, name: str, other: str, *, among: Bools) -> bool:
        """Tell whether numbers of two endpoints give one of few patients."""
        one, two = self.centre.endpoint(name), self.centre.endpoint(other)
        n, m = int((one.known & among).sum()), int((two.known & among).sum())
        x, y = int(one.event[one.known & among].sum()), int(two.event[two.known & among].sum())
        differences = [n - m, x - y, (n - x) - (m - y)]
        if other in (declaration(name).among, declaration(name).lack_of):
            differences += [n - y, x + y - n, x + y - m]
        if name in (declaration(other).among, declaration(other).lack_of):
            differences += [m - x, x + y - n, x + y - m]
        return any(self.few(abs(d)) for d in differences)

    def _table(self, model: PooledModel) -> PatternTable | str:
        """Return a model's table, or why there is none."""
        centre = self.centre
        if not all(factor in centre.groups for factor in model.factors):
            return A_NUMBER
        complete = centre.complete(model)
        why = too_few(centre.endpoint(model.endpoint).event[complete])
        if why or not self.k:
            return why or self._of(model.factors, complete)
        is_time = centre.study.kind_of(model.endpoint) == "time"
        if is_time and not centre.study.event_order:
            return for_order(self.k)
        if len(model.factors) == 1 and not is_time:
            return self._of_one_factor(model)
        key = "times" if is_time else model.endpoint
        joint = tuple(dict.fromkeys((*self._joint.get(key, ()), *model.factors)))
        others = [n for n in centre.study.endpoints if is_time and centre.study.kind_of(n) == "time"
                  and any(m.key in self.tables for m in centre.study.models if m.endpoint == n)]  # fmt: skip
        for name in dict.fromkeys((model.endpoint, *others)):
            if why := self._why_not_whole(name, joint):
                return why
        self._joint[key] = joint
        return self._of(model.factors, complete)

    def _of(self, factors: Sequence[str], chosen: Bools) -> PatternTable:
        return PatternTable.of([self.centre.groups[f] for f in factors], chosen)

    def _cells(self, endpoint: str, place: Integers) -> dict[int, Cell]:
        """Return patients evaluated, with the event, and not evaluated, of each place, -1 among them."""
        end = self.centre.endpoint(endpoint)
        cells = {}
        for at in np.unique(place):
            inside = place == at
            n = int((inside & end.known).sum())
            cells[int(at)] = (n, int(end.event[inside & end.known].sum()), int(inside.sum()) - n)
        return cells

    def _is_thin(self, cell: Cell) -> bool:
        """Tell whether patients are too few for a table, whatever their outcome."""
        n, _, without = cell
        return 0 < n < 2 * self.k or self.few(without)

    def _tells(self, endpoint: str, place: Integers, cells: Mapping[int, Cell]) -> bool:
        """Tell whether numbers with and without the event tell of few, or of each."""
        if any(n and (x < self.k or n - x < self.k) for n, x, _ in cells.values()):
            return True
        return any(self._tells_by_subtraction(endpoint, other, among=place == at)
                   for at in cells for other in self.related(endpoint))  # fmt: skip

    def _why_not_whole(self, endpoint: str, factors: Sequence[str]) -> str | None:
        """Return why the table of these factors, all patients in it, is not told, or None."""
        groups = [self.centre.groups[f] for f in factors]
        table = PatternTable.of(groups, np.ones(len(groups[0]), dtype=np.bool_))
        cells = self._cells(endpoint, table.place)
        missing = any((g < 0).any() for g in groups)
        if missing or any(map(self._is_thin, cells.values())) or any(n == 0 for n, _, _ in cells.values()):
            return for_size(self.k)
        return for_outcome(self.k) if self._tells(endpoint, table.place, cells) else None

    def _of_one_factor(self, model: PooledModel) -> PatternTable | str:
        """Return the table of one factor, levels that are too small left out."""
        (factor,), end = model.factors, self.centre.endpoint(model.endpoint)
        place = self.centre.groups[factor].copy()
        cells = self._cells(model.endpoint, place)
        out = {at for at, cell in cells.items() if at < 0 or self._is_thin(cell) or cell[0] == 0}
        shown = sorted((at for at in cells if at not in out), key=lambda at: cells[at][0])
        while shown and self._is_thin(_together([cells[at] for at in out])):
            out.add(shown.pop(0))
        if not shown:
            return for_size(self.k)
        place[np.isin(place, list(out))] = -1
        if self._tells(model.endpoint, place, self._cells(model.endpoint, place)):
            return for_outcome(self.k)
        return self._of(model.factors, (place >= 0) & end.known)


def _together(cells: Sequence[Cell]) -> Cell:
    return sum(c[0] for c in cells), sum(c[1] for c in cells), sum(c[2] for c in cells)


def _related(one: str, other: str) -> bool:
    """Tell whether events of two endpoints may be parts of each other; of a plan's own nothing is declared."""
    if one not in ENDPOINTS or other not in ENDPOINTS:
        return True
    if declaration(one).kind == declaration(other).kind == "time":
        return True
    return any(b in wholes(a) or b in (declaration(a).among, declaration(a).lack_of)
               for a, b in ((one, other), (other, one)))  # fmt: skip

"""Which numbers of patients must be hidden so that no small one can be read or worked out by adding and subtracting.

A cell is x patients of n: those with an event, of a group, evaluated, or of a category. A number from 1 to k - 1 is
small. A cell is hidden where x or n - x is small; 0 may be shown, but an outcome of none or all of a group is hidden,
as it tells that of each. Then, until nothing changes:

1. where a group is hidden, all its cells are;
2. cells that stand together (the categories of one variable; a part and the rest of it) are hidden together;
3. in a set of groups that make up a shown total, few patients without a known group counted as one more, the smallest
   other groups are hidden until the hidden ones are two or more, neither their x nor their n - x comes to a small
   number, and the sum of hidden small numbers leaves them open (two hidden numbers below 5 that make 8 are 4 and 4).

Willenborg L, de Waal T. Elements of Statistical Disclosure Control. Springer 2001, chapter 6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from reinfuse.cohort.strata import factor_of

Group = tuple[str, str | None]
"""A population, and a level of a factor in it or None."""
Measure = tuple[str | None, ...]
"""What is counted."""
Key = tuple[Measure, Group]
ALL: Group = ("all", None)
SIZE: Measure = ("size",)
"""How many patients a group has, of those that it is a part of."""


@dataclass(frozen=True)
class Cell:
    """x of n patients."""

    x: int
    n: int


@dataclass(frozen=True)
class CellRules:
    """What follows from what.

    Attributes
    ----------
    categories
        Measures that make up a whole: hidden in a group as soon as one of them is, and none is told to be small.
    together
        Measures that are hidden in a group as soon as one of them is.
    then
        (a, b): where a is hidden in a group, b is too.
    keys
        (a, b): the same for one cell each.
    inner
        Measures that are a part of another: none but that of all patients is told to be small.
    twins
        Of a cell another one with the same number.
    outcomes
        Measures of which 0 of a group, or all of it, would tell the outcome of each patient in it.
    """

    categories: tuple[tuple[Measure, ...], ...] = ()
    together: tuple[tuple[Measure, ...], ...] = ()
    then: tuple[tuple[Measure, Measure], ...] = ()
    keys: tuple[tuple[Key, Key], ...] = ()
    inner: tuple[Measure, ...] = ()
    twins: Mapping[Key, Key] = field(default_factory=dict)
    outcomes: frozenset[Measure] = frozenset()


@dataclass
class Hiding:
    """The hidden cells of one study.

    Parameters
    ----------
    cells
        Of each measure, by group.
    rules
        What is hidden with what.
    k
        The smallest number that may be shown.
    """

    cells: Mapping[Measure, Mapping[Group, Cell]]
    rules: CellRules
    k: int
    hidden: set[Key] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.hidden |= {(m, g) for m, of in self.cells.items() for g, c in of.items()
                        if self.is_small(c) or self._tells_each((m, g))}  # fmt: skip
        before = -1
        while before != len(self.hidden):
            before = len(self.hidden)
            self._follow()
            for members, total in self.sets:
                self._complete(members, total)

    def few(self, number: float | None) -> bool:
        """Tell whether a number of patients is small."""
        return number is not None and 0 < number < self.k

    def is_small(self, cell: Cell) -> bool:
        """Tell whether a cell or the rest of it is small."""
        return self.few(cell.x) or self.few(cell.n - cell.x)

    @cached_property
    def sets(self) -> list[tuple[list[Key], Key]]:
        """The cells that make up a total, and the total."""
        return [([(m, g) for g in groups], (m, total)) for m, of in self.cells.items()
                for groups, total in families(of) if total in of]  # fmt: skip

    @cached_property
    def named_small(self) -> set[Key]:
        """The hidden cells of which it may be told that they are small: it does not give their number away."""
        small = {key for key in self.hidden if self.few(self._cell(key).x)}
        for members, total in self.sets:
            small_members = [key for key in members if key in small]
            if total in small and len(small_members) >= self.k - 1:  # each one patient
                small -= set(small_members)
            if (
                small_members
                and not self._is_unknown(total)
                and not self._leaves_open(members, total, small=small_members)
            ):
                small -= set(small_members)
        never = {m for measures in self.rules.categories for m in measures}
        return {(m, g) for m, g in small if m not in never and (g == ALL or m not in self.rules.inner)}

    def _tells_each(self, key: Key) -> bool:
        """Tell whether a cell tells the outcome of each patient of a group."""
        measure, group = key
        is_outcome = measure in self.rules.outcomes and (group != ALL or measure in self.rules.inner)
        return is_outcome and self._cell(key).n > 0 and self._cell(key).x in (0, self._cell(key).n)

    def _is_unknown(self, key: Key) -> bool:
        """Tell whether a cell is hidden, and its twin too."""
        twin = self.rules.twins.get(key)
        return key in self.hidden and (twin is None or twin in self.hidden)

    def _cell(self, key: Key) -> Cell:
        return self.cells[key[0]][key[1]]

    def _hide(self, key: Key) -> None:
        if key[1] in self.cells.get(key[0], {}):
            self.hidden.add(key)

    def _follow(self) -> None:
        """Hide what goes with hidden cells."""
        before = -1
        while before != len(self.hidden):
            before = len(self.hidden)
            for measure, group in sorted(self.hidden, key=repr):
                for other in self._with(measure):
                    self._hide((other, group))
            for first, second in self.rules.keys:
                if first in self.hidden:
                    self._hide(second)

    def _with(self, measure: Measure) -> Iterable[Measure]:
        """Return the measures that are hidden in a group where this one is."""
        if measure == SIZE:
            return self.cells
        return self._others.get(measure, ())

    @cached_property
    def _others(self) -> dict[Measure, list[Measure]]:
        others: dict[Measure, list[Measure]] = defaultdict(list)
        for measures in (*self.rules.categories, *self.rules.together):
            for measure in measures:
                others[measure] += measures
        for one, other in self.rules.then:
            others[one].append(other)
        return others

    def _complete(self, members: list[Key], total: Key) -> None:
        """Hide more of a set, at last its total, until what is hidden can be neither read nor worked out."""
        shown = sorted((key for key in members if key not in self.hidden), key=self._order)
        while shown and not self._is_safe(members, total):
            self.hidden.add(shown.pop(0))
        if not shown and total[0] != SIZE and self._is_extreme(members, total):
            self.hidden.add(total)

    def _order(self, key: Key) -> tuple[bool, int, str]:
        cell, size = self._cell(key), self.cells.get(SIZE, {}).get(key[1], self._cell(key))
        return cell.x == 0, size.x, repr(key[1])

    def _is_safe(self, members: list[Key], total: Key) -> bool:
        out = sum(key in self.hidden for key in members)
        if self._is_unknown(total):
            return out > 0
        rest, hidden, open_ = self._told_of(members, total)
        if self.is_small(rest) or self.is_small(hidden) or self._is_extreme(members, total):
            return False
        if out and total[0] in self.rules.outcomes and rest.x in (0, rest.n):  # it would tell each of them
            return False
        return out == 0 or out + open_ > 1

    def _leaves_open(self, members: list[Key], total: Key, *, small: list[Key]) -> bool:
        """Tell whether each number told to be small may have two values, the others being 0 to all of theirs."""
        rest = self._told_of(members, total)[0].x
        others = sum(self._cell(key).n for key in members if key in self.hidden and key not in small)
        others += max(0, self._cell(total).n - self._sum(members, total).n)
        low = rest - others - (len(small) - 1) * (self.k - 1)
        high = rest - (len(small) - 1)
        return min(self.k - 1, high) > max(1, low)

    def _told_of(self, members: list[Key], total: Key) -> tuple[Cell, Cell, bool]:
        """Return what anybody can work out of a set: the total less the shown members; and less those of no group.

        Those of no group are told elsewhere, but where they are few: then nothing tells them, and True stands last.
        """
        whole = self._cell(total)
        shown = self._sum((key for key in members if key not in self.hidden), total)
        every = self._sum(members, total)
        rest = Cell(whole.x - shown.x, whole.n - shown.n)
        if self.is_small(Cell(whole.x - every.x, whole.n - every.n)):
            return rest, rest, True
        return rest, Cell(every.x - shown.x, every.n - shown.n), False

    def _is_extreme(self, members: list[Key], total: Key) -> bool:
        """Tell whether the sum of what is hidden tells its parts: each is 1, or each is k - 1."""
        hidden = [key for key in members if key in self.hidden]
        small = sum(self.few(self._cell(key).x) for key in hidden)
        if self._is_unknown(total) or not small:
            return False
        _, rest, open_ = self._told_of(members, total)
        return rest.x <= small or (small == len(hidden) and not open_ and rest.x == small * (self.k - 1))

    def _sum(self, keys: Iterable[Key], total: Key) -> Cell:
        """Return how many patients cells stand for; of sizes n is x, as they are parts of one another."""
        cells = [self._cell(key) for key in keys]
        return Cell(sum(c.x for c in cells), sum(c.x if total[0] == SIZE else c.n for c in cells))


def families(groups: Iterable[Group]) -> Iterator[tuple[list[Group], Group]]:
    """Yield the groups that make up a population, one set a factor, and that population."""
    sets: dict[tuple[Group, str], list[Group]] = defaultdict(list)
    for group in groups:
        population, level = group
        if level is not None:
            sets[(population, None), factor_of(level)].append(group)
        elif population != "all":
            sets[ALL, factor_of(population)].append(group)
    for (total, _), members in sets.items():
        yield members, total

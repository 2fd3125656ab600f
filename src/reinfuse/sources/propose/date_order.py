"""The order of day, month and year: decided by a cell that can be read in one way only, or asked; never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.source_map import OPEN
from reinfuse.sources.values.dates import date_orders, dates_within, depends_on_order, readings
from reinfuse.sources.values.understood import plain

_SPELT = (
    ("dmy",
    r"d{1,2}[./-]m{1,3}[./-]y{2,4}|t{1,2}[./-]m{1,2}[./-]j{2,4}|j{1,2}[./-]m{1,2}[./-]a{2,4}|d{1,2}[./-]m{1,2}[./-]a{2,4}"),
    ("mdy", r"m{1,2}[./-]d{1,2}[./-]y{2,4}"), ("ymd", r"y{2,4}[./-]m{1,2}[./-]d{1,2}"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a source: one for all (`OPEN`: to be asked; empty: none is needed), and those of single columns.

    Attributes
    ----------
    why
        What decided it, in words.
    """

    whole: str
    columns: Mapping[tuple[str, str], str] = field(default_factory=dict)
    why: str = ""

    def of(self, sheet: str, header: str) -> str:
        """Return the order of a column."""
        return self.columns.get((sheet, header), self.whole)


def order_of(columns: Iterable[tuple[str, ColumnCells]], *, latest: date) -> Order:
    """Find the order in which the dates of a source are written.

    Parameters
    ----------
    columns
        Sheet and cells of each column that is read as dates.
    latest
        A day after which no date can lie.
    """
    listed = list(columns)
    dependent = [(s, c) for s, c in listed if any(depends_on_order(d) for t in c.counts for d in dates_within(t))]
    spelt = {o for _, c in listed if (o := _in_header(c.column.header))}
    orders = date_orders((d for _, c in listed for t in c.counts for d in dates_within(t)), latest=latest)
    if spelt and orders:
        orders = tuple(o for o in orders if o in spelt)
        if not orders:
            return Order(OPEN)  # a header says one order, and a cell another
    if not dependent:
        return Order("")
    if len(orders) == 1:
        decided = next((t for _, c in listed for t in c.counts if set(readings(t)) == {orders[0]}), "")
        return Order(orders[0], {}, f"{decided!r} can be read in this order alone" if decided else "the headers say so")
    if orders:
        return Order(OPEN)
    return _by_column(dependent, latest=latest)


def _by_column(dependent: Iterable[tuple[str, ColumnCells]], *, latest: date) -> Order:
    """Decide each column by itself where columns contradict each other; one that contradicts itself is asked about."""
    columns = {}
    for sheet, cells in dependent:
        orders = date_orders((d for t in cells.counts for d in dates_within(t)), latest=latest)
        columns[sheet, cells.column.header] = orders[0] if len(orders) == 1 else OPEN
    return Order("", columns, "the columns are written in different orders")


def _in_header(header: str) -> str | None:
    """Return the order that a header spells out: ``Date (dd/mm/yyyy)``."""
    low = plain(header)
    return next((order for order, pattern in _SPELT if re.search(rf"\b(?:{pattern})\b", low)), None)

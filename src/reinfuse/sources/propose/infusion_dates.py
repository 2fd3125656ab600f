"""Dates that may not be an infusion's: `1. CAR-T | am` behind its response, or one of two dates of an infusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from reinfuse.sources.propose.concepts import concepts
from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.matching import Key, Match, match
from reinfuse.sources.propose.names import Name
from reinfuse.sources.source_table import HEADER_JOINT

_DATE = "infusions.date"
_BARE: tuple[tuple[str, ...], ...] = ((), ("date",))
"""Words of a header that says no more than `on`, `am`, `le` or `date`."""
_EVENTS = ("responses", "mrd", "toxicities", "therapies")
_MOSTLY = 0.8


def dates_behind_events(names: Sequence[Name], cells: Mapping[str, ColumnCells]) -> dict[str, str]:
    """Return the headers of dates that say of nothing what they date, each with that of the event before it."""
    events = [c for c in concepts().values() if c.table in _EVENTS and not c.is_date]
    behind = {}
    for before, name in pairwise(names):
        alike = name.infusion == before.infusion and _group(name) == _group(before)
        if not alike or name.words not in _BARE or cells[name.header].dates < _MOSTLY:
            continue
        if before.words and any(match(before, cells[before.header], c, context=True) for c in events):
            behind[name.header] = before.header
    return behind


def with_doubted_dates(
    keyed: Mapping[Key, tuple[Match, str]], names: Sequence[Name], cells: Mapping[str, ColumnCells], *,
    behind: Mapping[str, str], context: bool,
) -> dict[Key, tuple[Match, str]]:  # fmt: skip
    """Return matches in which the date of an infusion is asked about where it may be an event's, or another's.

    Parameters
    ----------
    behind
        As `dates_behind_events` returns them.
    context
        The table speaks of an infusion in every row.
    """
    used = {m.name.header for m, _ in keyed.values()}
    completed = dict(keyed)
    for key, (own, doubt) in keyed.items():
        if own.concept.key != _DATE:
            continue
        if event := behind.get(own.name.header):
            completed[key] = own, doubt or f"it may be the date of {event!r}, behind which it stands"
            continue
        rivals = [
            n.header
            for n in names
            if n.header not in used
            and n.header not in behind
            and n.infusion == own.name.infusion
            and cells[n.header].dates >= _MOSTLY
            and (m := match(n, cells[n.header], own.concept, context=context))
            and m.name_score >= own.name_score
        ]
        if rivals:
            completed[key] = own, doubt or f"{' and '.join(map(repr, rivals))} may be the date of the infusion as well"
    return completed


def _group(name: Name) -> str:
    return name.header.rpartition(HEADER_JOINT)[0]

"""Days of events in columns of unknown names: dates beside what they date, and days counted from an infusion."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from reinfuse.sources.propose.concepts import Concept, concepts
from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.filled import ProposedLine
from reinfuse.sources.propose.matching import Key, Match, likeness
from reinfuse.sources.propose.names import Name
from reinfuse.sources.propose.table_shape import Shape
from reinfuse.sources.source_map import OPEN, Block, Field
from reinfuse.sources.source_table import HEADER_JOINT

_DAYS, _DATE = "days", "date"
_NUMBER = re.compile(r"-?\d{1,4}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LEAST_NAME, _MOSTLY = 86.0, 0.8
_TABLES = ("patients", "infusions", "responses", "mrd", "therapies")
_ASSESSED = ("responses.response", "mrd.result", "mrd.value")
_SAYS = frozenset("response assessed assessment evaluated evaluation staging restaging mrd".split())
_OTHER = frozenset("progression relapse pd death died deceased last followup infusion dose birth therapy".split())
"""Words of a date that is none of an assessment."""
_CONFIDENCE = 0.5


def numbered_days(
    names: Sequence[Name], cells: Mapping[str, ColumnCells], shape: Shape, *, taken: Collection[Key]
) -> Iterator[tuple[Key, ProposedLine]]:
    """Yield columns named for the day of something, of whole numbers: what a date of that name would be.

    Parameters
    ----------
    names
        Headers that nothing else is read from.
    taken
        What other columns hold.
    """
    seen = set(taken)
    for name in names:
        own = cells[name.header]
        if _DAYS not in name.words or not are_numbers_of_days(own):
            continue
        one_infusion = shape.infusions[0] if shape.row_of == "patient" and len(shape.infusions) == 1 else None
        best = max(((_score(name, c, of_infusion=shape.in_context), c) for c in concepts().values()
                    if c.is_date and c.table in _TABLES), key=lambda both: both[0])  # fmt: skip
        concept = best[1]
        number = (name.infusion or one_infusion) if concept.infusion else None
        key = (concept.key, number, name.day if concept.table in ("responses", "mrd") else None)
        if best[0] < _LEAST_NAME or key in seen:
            continue
        seen.add(key)
        numbers = [int(t) for t in own.counts if _NUMBER.fullmatch(t)]
        why = f"whole numbers from {min(numbers)} to {max(numbers)}: days, and no dates"
        if concept.key == "infusions.date":
            concept = replace(concept, target="infusions.day")
            filled = Field(column=name.header, confirm=True, confidence=_CONFIDENCE, reason=why)
            key = ("infusions.day", number, None)
        else:
            filled = Field(column=name.header, after=OPEN, confidence=_CONFIDENCE, reason=why)
        yield key, ProposedLine(Match(name, own, concept, best[0], 0.0, number), filled)


def are_numbers_of_days(cells: ColumnCells) -> bool:
    """Tell whether most filled cells are whole numbers that are no years."""
    fits = sum(n for t, n in cells.counts.items() if _NUMBER.fullmatch(t) and not _YEAR.fullmatch(t))
    return cells.seen > 0 and fits >= _MOSTLY * cells.seen and any(_NUMBER.fullmatch(t) for t in cells.counts)


def _score(name: Name, concept: Concept, *, of_infusion: bool) -> float:
    spoken = (tuple(sorted({*name.words} - {_DAYS} | {_DATE})), tuple(w for w in name.words if w != _DAYS))
    about = name.of_infusion or of_infusion
    return max(likeness(words, concept.phrases, of_infusion=about) for words in spoken if words) if any(spoken) else 0.0


def dates_beside_events(
    names: Sequence[Name], cells: Mapping[str, ColumnCells], lines: Mapping[Key, ProposedLine], *,
    free: Collection[str], by_patient: bool,
) -> Iterator[tuple[Key, Match, str]]:  # fmt: skip
    """Yield an unknown column of dates as that of the response, or MRD, in whose group of headers it stands.

    Parameters
    ----------
    free
        Headers that nothing is read from.
    by_patient
        Infusions stand side by side, so that headers tell of which one a column is.
    """
    used: set[str] = set()
    done: set[int | None] = set()
    for key, line in sorted(lines.items(), key=lambda item: not item[0][0].startswith("responses.")):
        table = key[0].partition(".")[0]
        if key[0].partition(":")[0] not in _ASSESSED or (by_patient and key[1] is None):
            continue
        days = [k for k in lines if k[0].startswith(f"{table}.") and k[1] == key[1] and k[0].split(":")[0] in _ASSESSED]
        dated = {t for t in ("responses", "mrd") for k in lines if k[:2] == (f"{t}.date", key[1])}
        if len({d for *_, d in days}) > 1 or table in dated or "responses" in dated or key[1] in done:
            continue
        found = _date_of(line.match.name, names, cells, free={*free} - used, number=key[1] if by_patient else None)
        if found is not None:
            used.add(found.header)
            done.add(key[1])
            concept = concepts()[f"{table}.date"]
            why = f"it stands beside {line.match.name.header!r}, which no other column dates"
            yield (f"{table}.date", key[1], None), Match(found, cells[found.header], concept, 100 * _CONFIDENCE,
                                                          cells[found.header].dates, key[1]), why  # fmt: skip


def _date_of(
    event: Name, names: Sequence[Name], cells: Mapping[str, ColumnCells], *, free: Collection[str], number: int | None
) -> Name | None:
    """Return the unknown column of dates that is of an event: by its words, else right behind it, else the only one."""
    possible = [n for n in names if n.header in free and not n.before and cells[n.header].dates >= _MOSTLY
                and (number is None or n.infusion == number) and not _OTHER & {*n.words}]  # fmt: skip
    worded = [n for n in possible if _SAYS & {*n.words}]
    place = [n.header for n in names].index(event.header)
    behind = [n for n in possible if n is names[min(place + 1, len(names) - 1)]]
    together = [n for n in possible if HEADER_JOINT in n.header and _group(n) == _group(event)]
    alone = together if number is None else possible
    return next((ones[0] for ones in (worded, behind, alone) if len(ones) == 1), None)


def _group(name: Name) -> str:
    return name.header.rpartition(HEADER_JOINT)[0]


def with_days(blocks: Sequence[Block]) -> list[Block]:
    """Return blocks whose events are counted in days, not dated, where no infusion has a date but each has its day."""
    given = [b for b in blocks if b.table == "infusions"]
    if not given or any("date" in b.fields for b in given) or not all("day" in b.fields for b in given):
        return list(blocks)
    undated = ("patients", "infusions")
    return [
        b if b.table in undated else replace(b, fields={"day" if c == "date" else c: f for c, f in b.fields.items()})
        for b in blocks
    ]

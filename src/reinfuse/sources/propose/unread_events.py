"""Events that stand in columns which no line reads: a third infusion, a progression or a death told in a remark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reinfuse.sources.propose.names import parse
from reinfuse.sources.source_map import Block, Field
from reinfuse.sources.source_table import HEADER_JOINT, SourceTable
from reinfuse.sources.values.dates import dates_within, read_source_date, readings
from reinfuse.sources.values.understood import plain, unaccented
from reinfuse.sources.values.vital_status import DEAD, WORDS, read_vital_status
from reinfuse.tabular.cell_parsing import clean, is_missing

INFUSION, PROGRESSION, DEATH = "an infusion", "a progression", "a death"
TRANSPLANT, RESPONSE = "a transplant", "a response"
_DEAD = "|".join(sorted(w for w, s in WORDS.items() if s == DEAD and w.isalpha() and len(w) > 2))
_PATTERNS: Mapping[str, re.Pattern[str]] = {
    PROGRESSION: re.compile(
        r"\b(?:(?:relaps|progress|progred|progredi|recurren|rezidiv|recidiv|rechut|recai|recaid|recidief|aterfall|"
        r"tilbagefald|tilbakefall|wznow|progresj|nawrot|ruckfall|rueckfall|recair)\w*|pd|pod)\b"),
    DEATH: re.compile(rf"\b(?:{_DEAD}|verst|zmarl\w*|zgon|obito|faleceu|murio|deces)\b|†"),
    TRANSPLANT: re.compile(r"移植|\b(?:all?o(?:geneic)?|allo\w*|[abh]?sct|hct|hsct|bmt|tph|tmo|tcse|tcth|kmt|szt|"
                           r"transplant\w*|trasplant\w*|greffe\w*|trapiant\w*|przeszczep\w*)\b"),
    RESPONSE: re.compile(r"\b(?:cr|cri|cmr|pr|pmr|sd|rc|rp|remission|remision|remissione|umrd|mrd ?neg\w*)\b"),
}  # fmt: skip
_OF_INFUSION = re.compile(r"car|inf|perfus|inje")
_EARLIER = re.compile(r"\b(?:prior|pre|before|previous|vor|avant|antes|prev|history)\b")
_BY_HEADER = (PROGRESSION, DEATH, TRANSPLANT)
_FIRST_BEYOND = 3
"""Number of an infusion from which on it is told without a date too: the first two have columns as a rule."""
_OF_VISITS = ("responses", "mrd", "counts")
_SHOWN = 5
_LONGEST = 40
"""Letters before the date of an infusion: with more of them, it may be of something else."""


@dataclass(frozen=True)
class UnreadEvent:
    """What one cell tells that no line reads.

    Attributes
    ----------
    row
        Row of the table, from 0.
    kinds
        What it looks like: `INFUSION`, ...
    infusion
        Number of the infusion that it names.
    dates
        Texts of its dates that no cell tells that is read of the patient.
    """

    row: int
    text: str
    kinds: tuple[str, ...]
    infusion: int | None
    dates: tuple[str, ...]


class UnreadColumns:
    """The columns of a source that no line of its map reads, searched for events.

    Parameters
    ----------
    tables
        The tables of the source that are mapped.
    blocks
        The map's blocks.
    """

    def __init__(self, tables: Iterable[SourceTable], blocks: Iterable[Block]) -> None:
        self._tables = {t.name: t for t in tables}
        self._blocks = tuple(blocks)
        self._read: dict[str, dict[str, None]] = {}
        self._who: dict[str, Field] = {}
        self._dead: set[str] = set()
        self._visits: set[str] = set()
        """Sheets with a row a visit, so that a remark is of the day of its row."""
        for block in self._blocks:
            if block.sheet not in self._tables:
                continue
            self._read.setdefault(block.sheet, {}).update((h, None) for f in block.fields.values() for h in f.headers)
            self._who.setdefault(block.sheet, block.fields["patient_id"])
            if block.table in _OF_VISITS and block.fields.get("date", Field()).column:
                self._visits.add(block.sheet)
            if block.table == "patients" and "death" in block.fields:
                table, who = self._tables[block.sheet], block.fields["patient_id"].column
                patients = table.texts(who) if who in table.positions else []
                died = block.fields["death"]
                self._dead |= {clean(p) for row, p in enumerate(patients) if _is_dead(died, table, row)}
        self._visits -= {b.sheet for b in self._blocks if b.table == "infusions" and not b.where}
        self._known: dict[str, set[str]] = {}
        self._by_patient: dict[str, Mapping[str, list[int]]] = {}

    def notes(self, sheet: str, headers: Iterable[str]) -> Iterator[tuple[str, str, str, list[Block]]]:
        """Yield header, what it tells, the part of it that no block can read, and the blocks, of each such column."""
        table, who = self._tables[sheet], self._who.get(sheet)
        if who is None or who.column not in table.positions:
            return
        for header in headers:
            events = [] if header in self._read[sheet] else list(self._events(table, header, who=who.column))
            if events:
                rest = [e for e in events if not _is_dated_infusion(e)]
                left = in_words(table, rest) if rest else ""
                yield header, in_words(table, events), left, list(blocks_of_infusions(table, header, events, who))

    def _events(self, table: SourceTable, header: str, *, who: str) -> Iterator[UnreadEvent]:
        leaf = unaccented(plain(header.rpartition(HEADER_JOINT)[2]))
        told = tuple(k for k in _BY_HEADER if _PATTERNS[k].search(leaf) and not _EARLIER.search(leaf))
        texts, patients = table.texts(header), table.texts(who)
        events = {text: _event_in(clean(text), told=told) for text in set(texts)}
        for row, text in enumerate(texts):
            event = events[text]
            if event is None:
                continue
            known = self._days_of(clean(patients[row]))
            dates = tuple(d for d in event.dates if not any(_same(o, k) for o in _days(d) for k in known))
            beyond = not event.dates and (event.infusion or 0) >= _FIRST_BEYOND
            alive = clean(patients[row]) not in self._dead
            own_day = not event.dates and table.name in self._visits
            kinds = tuple(k for k in event.kinds if (k == DEATH and alive) or (k != DEATH and dates)
                          or (k == INFUSION and beyond) or (k == TRANSPLANT and own_day))  # fmt: skip
            if kinds:
                yield replace(event, row=row, kinds=kinds, dates=dates)

    def _rows(self, name: str) -> Mapping[str, list[int]]:
        """Return the rows of each patient in a table."""
        if name not in self._by_patient:
            table, who = self._tables[name], self._who[name].column
            rows: dict[str, list[int]] = {}
            for row, text in enumerate(table.texts(who) if who in table.positions else ()):
                rows.setdefault(clean(text), []).append(row)
            self._by_patient[name] = rows
        return self._by_patient[name]

    def _days_of(self, patient: str) -> set[str]:
        """Return the days that are read of a patient, in whichever table."""
        if patient not in self._known:
            days: set[str] = set()
            for name, headers in self._read.items():
                table = self._tables[name]
                for row in self._rows(name).get(patient, ()):
                    for header in headers:
                        days |= _days(clean(table.rows[row].texts[table.positions[header]]))
            self._known[patient] = days
        return self._known[patient]


def _event_in(cell: str, *, told: tuple[str, ...]) -> UnreadEvent | None:
    """Return what a text tells, wherever it stands; `told`: what its header speaks of."""
    low = unaccented(plain(cell))
    if not cell or is_missing(cell) or not (told or re.search("[a-z]{2}|†|[\u3040-\u9fff]", low)):
        return None
    kinds = [k for k, pattern in _PATTERNS.items() if pattern.search(low)]
    number = parse(cell).infusion if _OF_INFUSION.search(low) and len(low.split()) > 1 else None
    if not (kinds or told or number is not None):
        return None
    dates = tuple(d for d in dates_within(cell) if _days(d))
    if number is not None:
        kinds = [INFUSION, *kinds]
    kinds += [k for k in told if k not in kinds and dates]
    return UnreadEvent(0, cell, tuple(kinds), number, dates) if kinds else None


def _is_dead(death: Field, table: SourceTable, row: int) -> bool:
    """Tell whether a line of the map takes the patient of a row for dead."""
    if death.where:
        return all(clean(table.rows[row].texts[table.positions[h]]) in wanted for h, wanted in death.where.items()
                   if h in table.positions)  # fmt: skip
    text = clean(table.rows[row].texts[table.positions[death.column]]) if death.column in table.positions else ""
    if death.part:
        status = read_vital_status(text, order="dmy") or read_vital_status(text, order="mdy")
        return status is not None and status.parts.get("status") == DEAD
    return not is_missing(text)


def _is_dated_infusion(event: UnreadEvent) -> bool:
    """Tell whether a text names an infusion right before its one date, or tells of nothing else."""
    if event.infusion is None or len(event.dates) != 1:
        return False
    low = unaccented(plain(event.text))
    before = low[: low.find(event.dates[0])]
    return INFUSION in event.kinds and (event.kinds == (INFUSION,) or (
        parse(before).infusion == event.infusion and len(before) <= _LONGEST))  # fmt: skip


def _days(text: str) -> set[str]:
    """Return the days, or months, that the dates in a text can mean."""
    days: set[str] = set()
    for one in dates_within(text):
        days |= {d.isoformat() for d in readings(one).values()}
        if (own := read_source_date(one)) is not None:
            days.add(own.iso)
    return days


def speaks_of_transplant(text: str) -> bool:
    """Tell whether a text names a transplant."""
    return _PATTERNS[TRANSPLANT].search(unaccented(plain(text))) is not None


def _same(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def in_words(table: SourceTable, events: Sequence[UnreadEvent]) -> str:
    """Say which rows hold what, without their texts."""
    by_kind: dict[str, list[str]] = {}
    for event in events:
        for kind in event.kinds:
            by_kind.setdefault(kind, []).append(table.rows[event.row].place)
    parts = [f"{kind} ({', '.join(places[:_SHOWN])}{', ...' if len(places) > _SHOWN else ''})"
             for kind, places in by_kind.items()]  # fmt: skip
    return f"it tells of what looks like {' and '.join(parts)}, which no line reads"


def blocks_of_infusions(table: SourceTable, header: str, events: Sequence[UnreadEvent], who: Field) -> Iterator[Block]:
    """Yield blocks that read further infusions from a remark, where it tells of one with one date.

    Each is a guess that a person confirms.
    """
    by_number: dict[int, list[UnreadEvent]] = {}
    for event in events:
        if event.infusion is not None and _is_dated_infusion(event):
            by_number.setdefault(event.infusion, []).append(event)
    for number, ones in sorted(by_number.items()):
        why = f"{in_words(table, ones)}: infusion {number}; what else it tells is left out"
        date = Field(column=header, pattern="*{date}*", confirm=True, reason=why)
        fields = {"patient_id": who, "infusion": Field(const=str(number)), "date": date}
        yield Block("infusions", table.name, fields, {header: tuple(dict.fromkeys(e.text for e in ones))})

"""To which infusion a row of a REDCap export belongs: by its event, or by its instance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reinfuse.sources.propose.concepts import concepts
from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.filled import ProposedLine
from reinfuse.sources.propose.matching import Key, Match
from reinfuse.sources.propose.names import parse
from reinfuse.sources.redcap.headings import EVENT, GROUP, INSTANCE, INSTRUMENT
from reinfuse.sources.source_map import OPEN, OWN_INFUSION, Answer, Block, Field
from reinfuse.sources.source_table import SourceTable

NUMBER: Key = ("infusions.infusion", None, None)
ROW_HEADERS: Mapping[str, str] = {
    EVENT: "the event of REDCap in which a form was filled",
    INSTRUMENT: "the repeating instrument of REDCap to which a row belongs",
    INSTANCE: "the place of a row among those of its instrument in REDCap",
    GROUP: "who and where",
}  # fmt: skip
"""Columns that REDCap adds -> why they are left out where nothing is read from them."""
_ARM = re.compile(r"_arm_\d+[a-z]?$|\s*\(arm \d+:.*\)$", re.IGNORECASE)
_ITS_DATE = "infusions.date"
_BESIDE_DATE = ("infusions.lymphodepletion", "infusions.dose_cells_per_kg", "infusions.product")
_DATED = {"responses.response": "responses.date", "mrd.result": "mrd.date", "mrd.value": "mrd.date"}


@dataclass(frozen=True, slots=True)
class RowNumber:
    """What numbers the infusions of a table.

    Attributes
    ----------
    header
        The event, or the instance.
    answers
        Event -> number of its infusion, `OPEN` where its name says none; empty for instances.
    of_infusions
        A row is an infusion, or all that was noted of one; else there are several rows of one infusion.
    """

    header: str
    reason: str
    of_infusions: bool
    answers: Mapping[str, Answer] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def match(self, cells: ColumnCells) -> Match:
        """Return its column as taken for the number of the infusion."""
        return Match(parse(self.header), cells, concepts()["infusions.infusion"], 100.0, 1.0, None)

    def line(self, match: Match) -> ProposedLine:
        """Return the line of the map."""
        open_answers = tuple(text for text, k in self.answers.items() if k == OPEN)
        doubts = self.doubts
        if open_answers:
            doubts = (*doubts, f"no infusion is named by the event {', '.join(open_answers)}")
        filled = Field(column=self.header, values=self.header if self.answers else "", confidence=1.0,
                       reason=self.reason, confirm=bool(self.doubts))  # fmt: skip
        return ProposedLine(match, filled, doubts, open_answers, self.answers)


def holds_infusions(matched: Sequence[Match]) -> bool:
    """Tell whether a table's columns are those of an infusion: its date, and dose, lymphodepletion or product."""
    exact = {m.concept.target for m in matched if m.name_score >= 100 and m.infusion is None}
    return _ITS_DATE in exact and bool(exact & set(_BESIDE_DATE))


def row_numbers(tables: Sequence[tuple[SourceTable, str]]) -> list[RowNumber | None]:
    """Return, for each table of an export, what numbers its infusions.

    Parameters
    ----------
    tables
        Each with the header of the date of its infusions; empty where it does not hold infusions.
    """
    repeated = {e for t, dated in tables if dated for e, i, n in _frame(t) if n and not i}
    return [_number(t, dated, repeated) for t, dated in tables]


def _frame(table: SourceTable) -> Iterator[tuple[str, str, str]]:
    """Yield event, instrument and instance of each row, empty where the export has none."""
    blank = [""] * len(table.rows)
    columns = (table.texts(h) if h in table.positions else blank for h in (EVENT, INSTRUMENT, INSTANCE))
    yield from zip(*columns, strict=True)


def _number(table: SourceTable, dated: str, repeated: set[str]) -> RowNumber | None:
    rows = list(_frame(table))
    events = dict.fromkeys(e for e, _, _ in rows if e)
    numbers = {e: k for e in events if (k := infusion_of_event(e))}
    several = any(i for _, i, _ in rows)
    if numbers:
        answers: dict[str, Answer] = {e: str(numbers[e]) if e in numbers else OPEN for e in events}
        named = ", ".join(f"{e}: CART{k}" for e, k in numbers.items())
        return RowNumber(EVENT, f"the event names the infusion ({named})", bool(dated) or not several, answers)
    by_event = [(n and not i and e in repeated) for e, i, n in rows]
    if any(by_event):
        doubts = () if all(by_event) else ("rows of other events have no instance, or one of another kind",)
        why = "the event is repeated, once an infusion: its instance is the infusion's number"
        return RowNumber(INSTANCE, why, True, {}, (*doubts, *_disorder(table, dated)))
    if dated and several:
        why = "the form is repeated, once an infusion: its instance is the infusion's number"
        return RowNumber(INSTANCE, why, True, {}, tuple(_disorder(table, dated)))
    return None


def infusion_of_event(event: str) -> int | None:
    """Return the infusion that an event names.

    Examples
    --------
    >>> [infusion_of_event(e) for e in ("cart2_arm_1", "2nd CAR-T infusion (Arm 1: A)", "visit_2_arm_1")]
    [2, 2, None]
    """
    return parse(_ARM.sub("", event)).infusion


def _disorder(table: SourceTable, dated: str) -> Iterator[str]:
    """Say it where instances do not follow the dates, or do not count from 1."""
    if not dated:
        return
    by_record: dict[str, list[tuple[int, str]]] = {}
    for record, number, day in zip(table.texts(table.columns[0].header), table.texts(INSTANCE), table.texts(dated),
                                   strict=True):  # fmt: skip
        if number.isdigit() and day:
            by_record.setdefault(record, []).append((int(number), day))
    for record, infusions in by_record.items():
        infusions.sort()
        if [n for n, _ in infusions] != list(range(1, len(infusions) + 1)):
            yield f"instances do not count 1, 2, ... in record {record}"
            return
        if [d for _, d in infusions] != sorted(d for _, d in infusions):
            yield f"instances are not in the order of the dates in record {record}"
            return


def needs_number(keys: Sequence[Key]) -> bool:
    """Tell whether what was found in a table hangs on the number of the infusion."""
    targets = {key for key, _, _ in keys} - {NUMBER[0]}
    dated = "responses.date" in targets  # MRD without a date of its own has that of the response
    undated = any(t in targets and date not in targets and not dated for t, date in _DATED.items())
    return undated or any(t.startswith(("infusions.", "toxicities.")) for t in targets)


def without_idle(blocks: Sequence[Block]) -> list[Block]:
    """Leave out blocks of infusions that hold a number alone, unless something is placed after that infusion."""
    placed = {b.sheet for b in blocks for f in b.fields.values() if f.after == OWN_INFUSION}
    return [b for b in blocks if b.table != "infusions" or set(b.fields) - {"patient_id", "infusion"}
            or b.sheet in placed]  # fmt: skip

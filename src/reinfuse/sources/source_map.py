"""The map from a foreign source to a cohort: what a person confirms, and what `import` follows and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reinfuse.cohort.schema import TABLES
from reinfuse.sources.source_table import SheetLayout, SourceKind

OPEN = "?"
"""Stands where a person must answer before anything is imported."""
WIDE_SHEET = "sheet"
"""Stands for a table of a cohort in a block that fills a wide sheet with derived times."""
BLOCK_TABLES = (*TABLES, WIDE_SHEET)
"""What a block may fill, in the order of a map."""
BY_DATE = "by date"
"""A constant for `infusion`: the infusions of a patient are numbered in the order of their dates; in a block of another
table, the number of the infusion in the same row of the source."""
OWN_INFUSION = "infusion"
"""In `Field.after`: the infusion in the same row of the source."""
ID_RULES = ("keep", "number")
FIRST_DAY = "first_day"
"""Question of a map: which number the first day of a clock has in the cohort."""
FIRST_DAYS = ("0", "1")
LEFT_OUT = "left_out"
"""Question of a map: whether all columns that are left out and not asked about one by one are rightly so."""
EMPTY_GRADES = "empty_grades"
"""Question of a map: what an empty cell among grades means, `EMPTY_MEANINGS`."""
EMPTY_MEANINGS = ("0", "missing")
"""Grade 0: the toxicity did not occur; or the grade is not known."""
UNITS = (
    "cells/kg", "1e6 cells/kg", "1e5 cells/kg", "1e8 cells/kg", "cells", "1e6 cells", "1e8 cells", "days", "weeks",
    "months", "years", "fraction", "percent", "cells/uL", "copies/ug",
)  # fmt: skip
Answer = str | Mapping[str, str]
"""What a centre's word means: one text, or parts of it (`response`, `mrd`, ...) with their texts."""
MISSING_CODES = "missing_codes"
"""Dictionary of codes that stand for missing data in any column of the source."""
NO_TEXTS: Mapping[str, str] = MappingProxyType({})


def units_of(column: str) -> tuple[str, ...]:
    """Return the units that numbers of a column can have."""
    if "dose" in column:
        return tuple(u for u in UNITS if "cells" in u and u != "cells/uL")
    if column == "value":
        return ("fraction", "percent", "cells/uL", "copies/ug")
    return ("days", "weeks", "months", "years")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """How one column of a cohort's table is filled.

    Attributes
    ----------
    column
        Header of the source's column.
    const
        A constant, where no column is read.
    unit
        Of the numbers there: ``cells/kg``, ``1e6 cells/kg``, ``cells``, ``1e6 cells`` (total, with `weight`),
        ``days``, ``months``, ``fraction``, ``percent``, ``cells/uL``, ...
    weight
        Header of the column with body weight in kg, for total cells; beside a unit per kg, for those cells that hold
        another magnitude than it (``120 Mio`` where the unit is ``1e6 cells/kg``).
    order
        Order of day, month and year in texts: ``dmy``, ``mdy`` or ``ymd``.
    partial
        What becomes of a date without day or month: ``refuse``, ``first``, ``middle`` or ``last`` day.
    part
        The part of a compound cell that is meant: ``response``, ``mrd``, ``day``, ``date``, ``grade``, ...
    pattern
        Text with ``{date}`` or ``{value}`` that a cell must match, ``*`` for any text; others stay empty.
    values
        Name of the dictionary of values; default: the column of the cohort's table.
    after, day, said
        A day that no column tells: `day` days after ``infusion 2``, and why; with a column of days, what they
        count from.
    shift
        Added to a number of days: -1 where the first day counts as 1.
    since
        Header of a date from which days to the date in `column` are counted; a cell is filled only where it is.
    until
        ``infusion 1``: in `column` stands the date of birth, and the age in whole years at that infusion is meant.
    empty
        In a column of grades, what an empty cell means after an infusion that was given: one of `EMPTY_MEANINGS`;
        default: what the question `empty_grades` of the map says.
    first
        The number that a clock's first day has in what is read, ``0`` or ``1``: days become those of the clock that
        the question `first_day` of the map asks for.
    where
        Header -> texts, one of which the row must hold for the cell to be filled: a date of last follow-up is one of
        death where ``status`` holds ``dead``.
    ticked, joint
        Header of a check box -> text where it is ticked, and what joins them.
    confirm
        A guess: a person must look before it is followed.
    reason, confidence
        Why it is proposed, and how sure that is, from 0 to 1.
    """

    column: str = ""
    const: str | None = None
    unit: str = ""
    weight: str = ""
    order: str = ""
    partial: str = ""
    part: str = ""
    pattern: str = ""
    values: str = ""
    after: str = ""
    day: int | None = None
    said: str = ""
    shift: int = 0
    since: str = ""
    until: str = ""
    empty: str = ""
    first: str = ""
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ticked: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    joint: str = " + "
    confirm: bool = False
    reason: str = ""
    confidence: float | None = None

    @property
    def headers(self) -> tuple[str, ...]:
        """All columns of the source that it reads."""
        return tuple(h for h in (self.column, self.weight, self.since, *self.where, *self.ticked) if h and h != OPEN)

    @property
    def cells_read(self) -> tuple[object, ...]:
        """Which cells it reads, and what of them: two lines with the same read the same."""
        return self.column, self.pattern, self.part, tuple(sorted(self.where.items()))

    @property
    def is_open(self) -> bool:
        """Whether a person must answer first."""
        answers = (self.column, self.const, self.unit, self.weight, self.order, self.partial, self.after, self.since,
                   self.empty)  # fmt: skip
        return self.confirm or OPEN in answers or any(OPEN in texts for texts in self.where.values())


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one table of the cohort, from rows of one table of the source.

    Attributes
    ----------
    table
        Table of the cohort (`patients`, `infusions`, ...; ``sheet`` for a wide sheet with derived times).
    sheet
        Name of the source's table.
    fields
        Column of the cohort's table -> how it is filled. A row is written where a cell that is read is filled.
    where
        Header -> texts, one of which the row must hold; `OPEN` where a person must choose.
    reason
        Why these rows, and what else could be meant.
    """

    table: str
    sheet: str
    fields: Mapping[str, Field]
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason: str = ""

    @property
    def open_headers(self) -> tuple[str, ...]:
        """Headers of `where` whose text a person must choose."""
        return tuple(header for header, texts in self.where.items() if OPEN in texts)


@dataclass(frozen=True)
class SourceMap:
    """A whole map.

    Attributes
    ----------
    fingerprint
        That of the source it was made for (`Source.fingerprint`).
    date_order
        Order of day, month and year in texts that can be read in two ways; `OPEN` while nobody said.
    ids
        ``keep``: patients keep the source's identifiers; ``number``: P001, P002, ...
    layouts
        Where header and data stand, by sheet.
    values
        Dictionary's name -> the centre's word -> its meaning.
    ignored
        Headers, by sheet, that are not carried over, with the reason.
    questions
        Key -> answer of questions about the source as a whole (`weight`, `first_day`, `reader`, ...): ``[questions]``.
    reading
        How clinical records (OMOP, FHIR) are read: days within which records are one infusion, concepts of the site.
    confirmed
        Kinds of implausible values (`cohort.plausibility.CONFIRMABLE`) that a person looked at and that are right.
    """

    kind: SourceKind
    fingerprint: str
    blocks: tuple[Block, ...]
    date_order: str = ""
    ids: str = "keep"
    layouts: Mapping[str, SheetLayout] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Answer]] = field(default_factory=dict)
    ignored: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    confirmed: tuple[str, ...] = ()
    reading: Mapping[str, object] = field(default_factory=dict)

    def places(self) -> Iterator[tuple[str, Block]]:
        """Yield each block after its place in the map: ``patients``; ``infusions[2]`` where a table has several."""
        tables = [b.table for b in self.blocks]
        for i, block in enumerate(self.blocks):
            several = tables.count(block.table) > 1
            yield f"{block.table}[{tables[: i + 1].count(block.table)}]" if several else block.table, block

    def open_questions(self) -> Iterator[tuple[str, str]]:
        """Yield what must be answered before `import`: place in the map, and the question's subject."""
        yield from (("source", n) for n, a in (("date_order", self.date_order), ("ids", self.ids)) if a == OPEN)
        yield from (("questions", name) for name, answer in self.questions.items() if answer == OPEN)
        for place, block in self.places():
            yield from ((place, f"where.{header}") for header in block.open_headers)
            yield from ((place, column) for column, filled in block.fields.items() if filled.is_open)
        for name, words in self.values.items():
            for word, meaning in words.items():
                if meaning == OPEN or (not isinstance(meaning, str) and OPEN in meaning.values()):
                    yield f"values.{name}", word

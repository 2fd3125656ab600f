"""A table as it stands in a foreign file: texts, each with its place, and nothing understood yet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from reinfuse.exceptions import Problem

SourceKind = Literal["excel", "csv", "redcap", "adam", "sdtm", "omop", "fhir", "cbioportal"]
KINDS: tuple[SourceKind, ...] = ("excel", "csv", "redcap", "adam", "sdtm", "omop", "fhir", "cbioportal")
HEADER_JOINT = " | "
"""Joins the rows of a composed header: ``CART #1 | Date``."""
UNDESCRIBED = "not in the data dictionary"
"""Declares a column of which a format with a data dictionary says nothing: its numbers may be codes."""
BOXES_JOINT = " + "
"""Joins the ticked choices of a field of check boxes."""
NO_CHOICES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceColumn:
    """One column of a foreign table.

    Attributes
    ----------
    header
        As the user sees it; rows of a composed header are joined by `HEADER_JOINT`.
    place
        Letters over the column of a sheet; the variable's name where columns have none.
    label
        What a data dictionary says that the column holds.
    declared
        Its type in that dictionary, in its own words: ``dropdown``, ``date_ymd``, ``Num``.
    choices
        Code -> label, from the dictionary.
    identifier
        The dictionary marks it as naming a person.
    form
        Form, domain or instrument it belongs to.
    decimal_mark
        Decimal mark that the dictionary declares; empty: the cells show it.
    """

    header: str
    place: str = ""
    label: str = ""
    declared: str = ""
    choices: Mapping[str, str] = field(default_factory=lambda: NO_CHOICES)
    identifier: bool = False
    form: str = ""
    decimal_mark: str = ""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row: its place as the user finds it (``row 7``; ``record 12, cart1_arm_1, infusion 2``), and its texts."""

    place: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """Where header and data stand in a sheet.

    Attributes
    ----------
    sheet
        Its name; empty for a file that is one table.
    header_rows
        Rows that make up the header, counted from 1 as a spreadsheet program does.
    data_from
        First row of data.
    drop_rows
        Texts in the first filled cell of rows that are no patients: totals, means, legends.
    keep_rows
        Such texts of rows that are patients although they look like totals or notes.
    """

    sheet: str
    header_rows: tuple[int, ...] = (1,)
    data_from: int = 2
    drop_rows: tuple[str, ...] = ()
    keep_rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceTable:
    """A sheet, file, form or domain.

    Attributes
    ----------
    name
        Sheet, file or domain, as the user calls it.
    file
        Name of the file it comes from.
    remarks
        What was seen and is not carried over, in words: rows left out, hidden rows, struck-through texts, colours.
    """

    name: str
    file: str
    columns: tuple[SourceColumn, ...]
    rows: tuple[SourceRow, ...] = field(repr=False)
    layout: SheetLayout | None = None
    remarks: tuple[str, ...] = ()
    hidden: bool = False
    """The spreadsheet program does not show it."""

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Header -> position of the column."""
        return {c.header: i for i, c in enumerate(self.columns)}

    def texts(self, header: str) -> list[str]:
        """Return the texts of a column, one a row."""
        position = self.positions[header]
        return [row.texts[position] for row in self.rows]


@dataclass(frozen=True)
class Source:
    """All that was read of a file or folder in a foreign format; `problems` say what could not be read."""

    kind: SourceKind
    name: str
    tables: tuple[SourceTable, ...]
    problems: tuple[Problem, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """File name -> SHA-256."""
    remarks: tuple[str, ...] = ()
    """What was seen of the file as a whole and is not carried over: legend sheets, hidden sheets."""
    missing_codes: tuple[str, ...] = ()
    """Texts that may stand for missing data in any column, by a convention of the format: each is asked about once."""
    reading: Mapping[str, object] = field(default_factory=dict)
    """How clinical records were read: `[reading]` of a map."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Of clinical records, which are infusions: record in words -> answer, of the map or as it is proposed."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the names of tables and of their headers, in order: a changed sheet has another."""
        texts = "\x1e".join("\x1f".join([t.name, *(c.header for c in t.columns)]) for t in self.tables)
        return hashlib.sha256(texts.encode()).hexdigest()

    @property
    def seen(self) -> tuple[str, ...]:
        """All that was seen and is not carried over, sheet by sheet."""
        return (*self.remarks, *(f"{t.name}: {remark}" for t in self.tables for remark in t.remarks))

    def table(self, name: str) -> SourceTable | None:
        """Return the table of that name."""
        return next((t for t in self.tables if t.name == name), None)

"""The tables of a REDCap export: one a form, with the rows of the events and instruments in which anybody filled it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reinfuse.sources.redcap.coding import Coding, Texts, in_labels, joined_boxes
from reinfuse.sources.redcap.dictionary import DictionaryField
from reinfuse.sources.redcap.headings import EVENT, GROUP, INSTANCE, INSTRUMENT, ExportColumn
from reinfuse.sources.source_table import UNDESCRIBED, SourceColumn, SourceRow, SourceTable

_SHOWN = 8
_OF_ROWS: Mapping[str, tuple[str, str]] = {
    EVENT: ("event of REDCap", "Event name"), INSTRUMENT: ("repeating instrument of REDCap", "Repeat instrument"),
    INSTANCE: ("instance of REDCap", "Repeat instance"),
}  # fmt: skip
"""Heading -> as what it is declared, and its label."""


@dataclass
class Export:
    """An export, by columns.

    Attributes
    ----------
    columns
        Each with its cleaned texts, one a row.
    """

    file: str
    columns: Sequence[tuple[ExportColumn, Texts]]
    coding: Coding
    described: bool
    """There is a data dictionary."""
    strange: dict[str, set[str]] = field(default_factory=dict)
    """Field of check boxes -> texts that are neither ticked nor unticked."""

    def named(self, name: str) -> Texts | None:
        """Return the texts of the column that REDCap adds under a name."""
        return next((t for c, t in self.columns if c.name == name and c.role not in ("field", "box")), None)

    def forms(self) -> list[str]:
        """Return the forms, in order; columns of no form are of the first one."""
        return list(dict.fromkeys(c.form for c, _ in self.columns if c.form and c.role != "complete")) or [""]


def by_instrument(columns: Sequence[tuple[ExportColumn, Texts]]) -> list[tuple[ExportColumn, Texts]]:
    """Give each field the repeating instrument in whose rows alone it is filled, where forms are told by nothing else.

    A form is of the rows without an instrument, or of one instrument; one that is filled in several is several forms.
    """
    instruments = next((t for c, t in columns if c.name == INSTRUMENT and c.role not in ("field", "box")), None)
    if instruments is None:
        return list(columns)
    own: dict[int, str] = {}
    for i, (column, texts) in enumerate(columns):
        if column.role in ("field", "box"):
            empty = {"", "0", "unchecked"} if column.role == "box" else {""}
            where = {o for o, t in zip(instruments, texts, strict=True) if t.casefold() not in empty}
            own[i] = where.pop() if len(where) == 1 else "?"
    within: dict[str, set[str]] = {}
    for i, name in own.items():
        within.setdefault(columns[i][0].form, set()).add(name)
    several = {form for form, names in within.items() if len(names - {"?"}) > 1}
    instrument_of = {columns[i][0].name: name for i, name in own.items() if name != "?"}
    return [(replace(c, form=instrument_of[c.name] or c.form), t)
            if c.form in several and c.name in instrument_of else (c, t) for c, t in columns]  # fmt: skip


def form_tables(export: Export) -> list[SourceTable]:
    """Return one table a form."""
    forms = export.forms()
    places = _places(export)
    return [_table(export, form, places, first=form == forms[0]) for form in forms]


def _places(export: Export) -> list[str]:
    """Return where each row stands: ``record 12, cart1_arm_1, infusion 2``."""
    records = next(t for c, t in export.columns if c.role == "record")
    blank = [""] * len(records)
    rows = zip(records, *(export.named(n) or blank for n in (EVENT, INSTRUMENT, INSTANCE)), strict=True)
    return [", ".join(filter(None, (f"record {r}", e, f"{i or 'instance'} {n}" if n else i))) for r, e, i, n in rows]


def _table(export: Export, form: str, places: Sequence[str], *, first: bool) -> SourceTable:
    record, records = next((c, t) for c, t in export.columns if c.role == "record")
    rows = list(_rows_of(export, form, first=first))
    name = record.field.declared if record.field else ""
    columns = [SourceColumn(header=record.name, place=record.name, label="Record ID", declared=name or "record",
                            form=form, identifier=bool(record.field and record.field.identifier))]  # fmt: skip
    texts: list[Texts] = [records]
    for heading, (declared, label) in _OF_ROWS.items():
        if (own := export.named(heading)) is not None:
            columns.append(SourceColumn(header=heading, place=heading, label=label, declared=declared, form=form))
            texts.append(own)
    if first and (group := export.named(GROUP)) is not None:
        columns.append(SourceColumn(header=GROUP, place=GROUP, label="Data access group", declared="group", form=form))
        texts.append(group)
    for column, cells in _fields_of(export, form, first=first):
        columns.append(column)
        texts.append(cells)
    chosen = [tuple(column[r] for r in rows) for column in texts]
    lines = tuple(SourceRow(places[r], row) for r, row in zip(rows, zip(*chosen, strict=True), strict=True))
    remarks = tuple(_remarks(export, form, rows, first=first))
    return SourceTable(form or export.file, export.file, tuple(columns), lines, remarks=remarks)


def _of_form(export: Export, form: str, *, first: bool) -> Iterator[tuple[ExportColumn, Texts]]:
    """Yield the fields and boxes of a form; those of no form are of the first one."""
    for column, texts in export.columns:
        if column.role in ("field", "box") and (column.form == form or (first and not column.form)):
            yield column, texts


def _fields_of(export: Export, form: str, *, first: bool) -> Iterator[tuple[SourceColumn, Texts]]:
    """Yield the columns of a form that are read: labels in place of codes, the boxes of a field as one."""
    complete = set()
    for column, texts in _of_form(export, form, first=first):
        one = column.field
        if column.name in complete or _why_left_out(one):
            continue
        if column.role == "box":
            complete.add(column.name)
            boxes = [(c, t) for c, t in export.columns if c.role == "box" and c.name == column.name]
            texts, strange = joined_boxes(boxes)
            if strange:
                export.strange[column.name] = strange
        else:
            texts = in_labels(column, texts, export.coding)
        yield _column(column, form), texts


def _column(column: ExportColumn, form: str) -> SourceColumn:
    one = column.field
    if one is None:
        return SourceColumn(header=column.name, place=column.name, declared=UNDESCRIBED, form=form)
    label = "" if one.label == one.name else one.label
    mark = "," if "comma_decimal" in one.validation else ""
    return SourceColumn(header=one.name, place=one.name, label=label, declared=one.declared, form=form,
                        decimal_mark=mark)  # fmt: skip


def _why_left_out(one: DictionaryField | None) -> str:
    """Return why a field is not read at all."""
    if one is not None and one.identifier:
        return "the data dictionary marks them as identifying a person"
    if one is not None and one.kind in ("file", "signature"):
        return "they hold files"
    return ""


def _rows_of(export: Export, form: str, *, first: bool) -> Iterator[int]:
    """Yield the rows of a form: those of the events and instruments in which it is filled in any row.

    An unticked box, and a form's status, are in every row and say nothing.
    """
    blank = [""] * len(export.columns[0][1])
    events, instruments = (export.named(n) or blank for n in (EVENT, INSTRUMENT))
    filled: set[tuple[str, str]] = set()
    for column, texts in _of_form(export, form, first=first):
        empty = {"", "0", "unchecked"} if column.role == "box" else {""}
        filled |= {(e, i) for e, i, t in zip(events, instruments, texts, strict=True) if t.casefold() not in empty}
    if first and not filled:
        filled = {(e, i) for e, i in zip(events, instruments, strict=True) if not i}
    yield from (r for r, key in enumerate(zip(events, instruments, strict=True)) if key in filled)


def _remarks(export: Export, form: str, rows: Sequence[int], *, first: bool) -> Iterator[str]:
    """Say what of a form is not carried over, and why."""
    reasons: dict[str, dict[str, None]] = {}
    for column, _ in _of_form(export, form, first=first):
        if why := _why_left_out(column.field):
            reasons.setdefault(why, {})[column.name] = None
    for why, names in reasons.items():
        yield f"left out, as {why}: {listed(names)}"
    if not rows:
        yield "nothing is entered in this form"
    status = next((t for c, t in export.columns if c.role == "complete" and c.name == form), None)
    if status is not None and (short := sum(status[r] not in ("2", "Complete") for r in rows)):
        yield f"{short} of {len(rows)} rows are not marked Complete in REDCap; they are read all the same"
    boxes = {c.name: None for c, _ in _of_form(export, form, first=first)
             if c.role == "box" and not _why_left_out(c.field)}  # fmt: skip
    if boxes:
        yield f"check boxes read as one column each, with the ticked choices in it; no tick: empty: {listed(boxes)}"
    unknown = {c.name: None for c, _ in _of_form(export, form, first=first) if c.field is None}
    if unknown and export.described:
        yield f"not in the data dictionary: {listed(unknown)}"


def listed(names: Mapping[str, None] | Sequence[str]) -> str:
    """Return names in one text, the first ones of many."""
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more

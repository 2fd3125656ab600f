"""From a REDCap export, or a folder with it and its data dictionary, to tables; nothing of them is understood yet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reinfuse.cohort.file_names import WORKBOOKS
from reinfuse.exceptions import Problem
from reinfuse.sources.codebook import codebook_of, remark, with_codebook
from reinfuse.sources.glimpse import ROWS, TEXTS, tables
from reinfuse.sources.redcap.coding import coding_of, missing_codes
from reinfuse.sources.redcap.dictionary import DictionaryField, is_dictionary, read_fields
from reinfuse.sources.redcap.forms import Export, by_instrument, form_tables, listed
from reinfuse.sources.redcap.headings import ExportColumn, export_columns, is_export
from reinfuse.sources.source_table import SheetLayout, Source, SourceTable
from reinfuse.tabular import files
from reinfuse.tabular.cell_parsing import clean
from reinfuse.tabular.delimited import read_lines
from reinfuse.tabular.files import Unreadable, read_bytes
from reinfuse.tabular.grid import letters
from reinfuse.tabular.limits import FILES
from reinfuse.tabular.workbook import read_sheets

_LIKE = 0.5
"""Share of a file's headings that a dictionary must hold for the file to be an export of its project."""
_BESIDE = 0.9
"""Share of an export's fields that a dictionary beside it must hold to be taken for its own."""
Rows = Sequence[Sequence[str]]


@dataclass
class _Files:
    """What stands at a path: exports and dictionaries, each with its rows."""

    exports: dict[str, Rows] = field(default_factory=dict)
    dictionaries: dict[str, dict[str, DictionaryField]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    others: dict[str, Rows] = field(default_factory=dict)
    """Sheets of the workbook that are neither."""
    remarks: list[str] = field(default_factory=list)


def read_redcap(path: Path, layouts: Mapping[str, SheetLayout]) -> Source:
    """Read an export of REDCap (raw or labels; CSV, or kept in a workbook) with its data dictionary.

    Parameters
    ----------
    path
        The export, beside which its dictionary may stand, or a folder with both.

    Returns
    -------
    Source
        One table a form; its `problems` say what could not be read.
    """
    del layouts  # the format says where the header stands
    export_files = _folder(path) if files.kind(path) == "folder" else _file(path)
    problem = _refused(path, export_files)
    if problem is not None:
        return Source(
            "redcap", path.name, (), (*export_files.problems, problem), export_files.hashes, tuple(export_files.remarks)
        )
    ((name, rows),) = export_files.exports.items()
    fields = next(iter(export_files.dictionaries.values()), {})
    return _source(path, name, rows, fields, export_files)


def _source(path: Path, name: str, rows: Rows, fields: Mapping[str, DictionaryField], export_files: _Files) -> Source:
    header = rows[0]
    columns = _distinct(export_columns(header, fields))
    width = len(columns)
    body = [(*row[:width], *[""] * (width - len(row))) for row in rows[1:]]
    texts = [_cleaned(column) for column in zip(*body, strict=True)]
    paired: list[tuple[ExportColumn, Sequence[str]]] = list(zip(columns, texts, strict=True))
    if not fields:
        paired = by_instrument(paired)
    coding = coding_of(paired)
    export = Export(name, paired, coding, bool(fields))
    forms = form_tables(export)
    if not fields:
        forms = _explained(forms, export_files)
    codes = tuple(sorted(set(missing_codes((c, t) for c, t in paired if c.role in ("field", "box")))))
    problems = [*export_files.problems, *_unreadable(export, codes)]
    remarks = (*export_files.remarks, *_remarks(export, rows, width=width))
    return Source("redcap", path.name, tuple(forms), tuple(problems), export_files.hashes, remarks, codes)


def _explained(forms: Sequence[SourceTable], export_files: _Files) -> list[SourceTable]:
    """Return the tables with what another sheet of the workbook says of their columns, where it is a codebook."""
    for name, rows in export_files.others.items():
        if book := codebook_of(rows, forms):
            forms = [with_codebook(t, book) for t in forms]
            export_files.remarks += remark(name, forms)
        else:
            export_files.remarks.append(f"{name} is no export and no data dictionary, and is not read")
    return list(forms)


def _cleaned(texts: Sequence[str]) -> list[str]:
    words = {t: clean(t) for t in set(texts)}
    return [words[t] for t in texts]


def _distinct(columns: Sequence[ExportColumn]) -> list[ExportColumn]:
    """Tell columns under one label apart by their place: ``Date (column F)``."""
    fields = [c.name for c in columns if c.role == "field"]
    twice = {n for n in fields if fields.count(n) > 1}
    return [ExportColumn(c.position, c.role, f"{c.name} (column {letters(c.position)})", c.form, c.field)
            if c.role == "field" and c.name in twice else c for c in columns]  # fmt: skip


def _unreadable(export: Export, codes: Sequence[str]) -> Iterator[Problem]:
    if not export.coding.certain:
        yield Problem(table=export.file, rule="codes and labels cannot be told apart: every cell may be either",
                      remedy="export the forms' status too (it is 0, 1, 2 or a word)")  # fmt: skip
    for name, texts in export.strange.items():
        if left := sorted(texts - set(codes)):
            yield Problem(table=export.file, column=name, value=left[0],
                          rule="is neither ticked (1, Checked, the label) nor unticked (0, Unchecked)",
                          remedy="correct the cell, or export again with the dictionary of the same day")  # fmt: skip


def _remarks(export: Export, rows: Rows, *, width: int) -> Iterator[str]:
    if any(c.field and c.field.choices for c, _ in export.columns):
        if export.coding.labels and not export.coding.mixed:
            yield "an export with labels"
        elif export.coding.mixed:
            yield "codes and labels stand side by side in the export: each cell was read as the one that it can be"
        else:
            yield "a raw export: codes are shown by their labels in the data dictionary"
    elif not export.described:
        yield "no data dictionary was found: forms are told by their status columns, and what codes mean is asked"
    left = [c.name for c, _ in export.columns if c.role == "survey"]
    if left:
        yield f"not read, as they say when and by whom a survey was answered: {listed(left)}"
    longer = [str(i) for i, row in enumerate(rows, 1) if len(row) > width and any(row[width:])]
    if longer:
        yield f"cells beyond the header are not read: row {listed(longer)}"


def _refused(path: Path, export_files: _Files) -> Problem | None:
    """Return why there is nothing to read."""
    if export_files.problems and not export_files.exports:
        return export_files.problems.pop()
    if not export_files.exports:
        rule = "holds a data dictionary and no export" if export_files.dictionaries else "holds no export of REDCap"
        remedy = "give the export (CSV, raw or labels) and the dictionary beside it"
        return Problem(table=path.name, rule=rule, remedy=remedy)
    if len(export_files.exports) > 1:
        rule = f"holds several exports: {listed(list(export_files.exports))}"
        return Problem(table=path.name, rule=rule, remedy="name one of them, or leave one in the folder")
    if len({tuple(d.items()) for d in map(_comparable, export_files.dictionaries.values())}) > 1:
        rule = f"holds several data dictionaries that differ: {listed(list(export_files.dictionaries))}"
        return Problem(table=path.name, rule=rule, remedy="leave the one that was in force when the data were exported")
    ((name, rows),) = export_files.exports.items()
    if len(rows) < 2:
        return Problem(table=name, rule="has a header and no records", remedy="export the project with its records")
    return None


def _comparable(fields: Mapping[str, DictionaryField]) -> dict[str, tuple[object, ...]]:
    return {n: (f.form, f.kind, tuple(f.choices.items()), f.validation, f.identifier) for n, f in fields.items()}


def _file(path: Path) -> _Files:
    """Read an export, and the dictionary of its project that stands beside it."""
    export_files = _Files()
    _add(path, export_files, whatever=True)
    if not export_files.exports:
        return export_files
    (rows,) = export_files.exports.values()
    headings = [clean(h) for h in rows[0]]
    for beside in _texts(path.parent):
        if beside != path and is_dictionary(_heading(beside)):
            own = _Files()
            _add(beside, own)
            fields = next(iter(own.dictionaries.values()), {})
            if _share(headings, fields) >= _BESIDE:
                export_files.dictionaries |= own.dictionaries
                export_files.hashes |= own.hashes
    if export_files.dictionaries:
        export_files.remarks.append(
            f"read with the data dictionary beside it: {listed(list(export_files.dictionaries))}"
        )
    return export_files


def _folder(path: Path) -> _Files:
    export_files = _Files()
    others = []
    for entry in _texts(path):
        if is_dictionary(_heading(entry)):
            _add(entry, export_files)
        else:
            others.append(entry)
    fields = next(iter(export_files.dictionaries.values()), {})
    for entry in others:
        headings = _heading(entry)
        if not headings and len(others) == 1:
            rule, remedy = "is empty", "export the project with its records"
            export_files.problems.append(Problem(table=entry.name, rule=rule, remedy=remedy))
        elif is_export(headings) or (fields and _share(headings, fields) >= _LIKE):
            _add(entry, export_files, whatever=True)
        else:
            export_files.remarks.append(f"{entry.name} is no export and no data dictionary, and is not read")
    return export_files


def _texts(folder: Path) -> list[Path]:
    endings = (*TEXTS, *WORKBOOKS)
    entries = sorted(e for e in folder.iterdir() if e.suffix.casefold() in endings and e.name[:1] not in ".~")
    return [e for e in entries if files.kind(e) == "file"][:FILES]


def _heading(path: Path) -> list[str]:
    """Return the cells of a file's first row, in a workbook its first export's or dictionary's; none where none is."""
    try:
        glimpses = tables(path)
    except Unreadable:
        return []
    if path.suffix.casefold() in WORKBOOKS:
        return next((list(row) for g in glimpses for row in g.rows if _tells(row)), [])
    return list(next((row for row in glimpses[0].rows if any(row)), ()))


def _tells(row: Sequence[str]) -> bool:
    return bool(is_export(row)) or is_dictionary(row)


def holds_export(path: Path) -> bool:
    """Tell whether a workbook holds an export or a data dictionary by its headers, whatever its cells look like."""
    return bool(_heading(path))


def _add(path: Path, export_files: _Files, *, whatever: bool = False) -> None:
    """Read the tables of a file as dictionaries, or else as exports."""
    try:
        data = read_bytes(path)
        sheets = _sheets(path, data)
    except Unreadable as refused:
        export_files.problems.append(Problem(table=path.name, rule=refused.rule, remedy=refused.remedy))
        return
    if not sheets:
        rule, remedy = "is empty", "export the project with its records"
        export_files.problems.append(Problem(table=path.name, rule=rule, remedy=remedy))
    digest = hashlib.sha256(data).hexdigest()
    for name, rows in sheets.items():
        if path.suffix.casefold() in WORKBOOKS and not _tells(rows[0]):
            export_files.others[name] = rows
        elif is_dictionary(rows[0]):
            export_files.dictionaries[name] = read_fields(rows)
        elif whatever:
            export_files.exports[name] = rows
        else:
            continue
        export_files.hashes[path.name] = digest


def _sheets(path: Path, data: bytes) -> dict[str, Rows]:
    """Return the tables of a file, each from its header on; a sheet without such a header, whole."""
    if path.suffix.casefold() not in WORKBOOKS:
        rows = [texts for _, texts in read_lines(data)[0]]
        return {path.name: rows} if rows else {}
    filled = {s.title: [s.grid.header, *(texts for _, texts in s.grid.rows)] for s in read_sheets(data) if s.filled}
    starts = {t: next((i for i, r in enumerate(rows[:ROWS]) if _tells(r)), len(rows)) for t, rows in filled.items()}
    tables_within = {title: rows[starts[title] :] for title, rows in filled.items()}
    alone = sum(map(bool, tables_within.values())) == 1
    return {path.name if alone and rows else f"{path.name}, {title}": rows or filled[title]
            for title, rows in tables_within.items()}  # fmt: skip


def _share(headings: Sequence[str], fields: Mapping[str, DictionaryField]) -> float:
    """Return the share of an export's own fields that a dictionary describes, by name or by label."""
    columns = [c for c in export_columns(headings, fields) if c.role in ("record", "field", "box")] if headings else []
    return sum(c.field is not None for c in columns) / len(columns) if columns else 0.0

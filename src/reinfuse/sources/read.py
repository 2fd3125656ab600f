"""The one way from a path to a `Source`, whatever its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from reinfuse.cohort.file_names import WORKBOOKS
from reinfuse.exceptions import Problem
from reinfuse.sources.cbioportal import read_cbioportal
from reinfuse.sources.cdisc.reading import read_adam, read_sdtm
from reinfuse.sources.clinical_source import read_clinical
from reinfuse.sources.glimpse import PARQUET, TEXTS
from reinfuse.sources.omop.address import DatabaseAddress
from reinfuse.sources.recognition import recognise
from reinfuse.sources.records.clinical import ReadingRules
from reinfuse.sources.redcap.reading import holds_export, read_redcap
from reinfuse.sources.source_table import KINDS, SheetLayout, Source, SourceKind, SourceTable
from reinfuse.sources.spreadsheet import TABLE, read_text, read_workbook
from reinfuse.tabular import files
from reinfuse.tabular.limits import WORKBOOKS_IN_FOLDER

_NO_LAYOUTS: Mapping[str, SheetLayout] = {}


def read_source(path: Path | DatabaseAddress, *, kind: SourceKind | None = None,
                layouts: Mapping[str, SheetLayout] = _NO_LAYOUTS, rules: ReadingRules | None = None,
                answers: Mapping[str, str] | None = None) -> Source:  # fmt: skip
    """Read a file or folder in a foreign format; nothing of it is understood yet.

    Parameters
    ----------
    path
        The file or folder, or the address of a database.
    kind
        What it is; found out where it is None.
    layouts
        Where header and data stand, by sheet: those of a confirmed map. Other sheets get a proposal.
    rules, answers
        Of clinical records (OMOP, FHIR): how they are read, and which a confirmed map says are infusions.

    Returns
    -------
    Source
        Its `problems` say what could not be read, or is no source at all.
    """
    if isinstance(path, DatabaseAddress):
        return read_clinical(path, "omop", rules, answers=answers)
    if kind is None:
        recognised = recognise(path)
        if recognised.kind == "cohort":
            why = f"is a cohort already: {recognised.why}"
            return _nothing(path, why, remedy="`reinfuse check` and `reinfuse analyze` read it without a map")
        if recognised.kind is None:
            return _nothing(path, recognised.why, remedy=f"name a file or folder that is one of: {', '.join(KINDS)}")
        kind = recognised.kind
    if kind == "redcap" and path.suffix.casefold() in WORKBOOKS and not holds_export(path):
        kind = "excel"  # events of REDCap under headers of the centre's own
    if kind in ("omop", "fhir"):
        return read_clinical(path, kind, rules, answers=answers)
    return _READERS[kind](path, layouts)


def _nothing(path: Path, rule: str, *, remedy: str) -> Source:
    return Source("excel", path.name, (), (Problem(table=path.name, rule=rule, remedy=remedy),))


def _sheets(path: Path, layouts: Mapping[str, SheetLayout]) -> Source:
    """Read a workbook, a text or Parquet file, or a folder of them; each sheet of the map must be there."""
    source = _folder(path, layouts) if files.kind(path) == "folder" else _one(path, layouts)
    sheet_names = {*(t.name for t in source.tables), *(p.table for p in source.problems)}
    rule, remedy = "the map names a sheet that is not there, or is empty", "name the sheet so, or make the map again"
    missing = [Problem(table=name, rule=rule, remedy=remedy) for name in layouts if name and name not in sheet_names]
    return replace(source, problems=(*source.problems, *(missing if source.tables else ())))


def _one(path: Path, layouts: Mapping[str, SheetLayout]) -> Source:
    return read_workbook(path, layouts) if path.suffix.casefold() in WORKBOOKS else read_text(path, layouts)


def _folder(path: Path, layouts: Mapping[str, SheetLayout]) -> Source:
    """Read the sheets of all files of a folder: a text file's table has the file's name without its ending."""
    endings = (*WORKBOOKS, *TEXTS, PARQUET)
    entries = sorted(e for e in path.iterdir() if e.suffix.casefold() in endings and not e.name.startswith((".", "~$")))
    if len(entries) > WORKBOOKS_IN_FOLDER:
        rule = f"holds more than {WORKBOOKS_IN_FOLDER} tables, the most that are read of a folder"
        return _nothing(path, rule, remedy="put the files of one study into a folder of their own")
    tables: list[SourceTable] = []
    problems: list[Problem] = []
    hashes: dict[str, str] = {}
    remarks: list[str] = []
    for entry in entries:
        one = _one(entry, {TABLE: layouts[entry.stem]} if entry.stem in layouts else layouts)
        named = [replace(t, name=entry.stem if t.name == TABLE else t.name) for t in one.tables]
        tables += [replace(t, layout=replace(t.layout, sheet=t.name)) if t.layout else t for t in named]
        problems += [replace(p, table=entry.stem) if p.table == TABLE else p for p in one.problems]
        hashes.update(one.files)
        remarks += [f"{entry.name}: {remark}" for remark in one.remarks]
    rule, remedy = "stands in several files of the folder", "give each sheet a name of its own"
    names = Counter(t.name for t in tables)
    problems += [Problem(table=name, rule=rule, remedy=remedy) for name, count in names.items() if count > 1]
    if not tables and not problems:
        return _nothing(path, "holds no table", remedy="name a folder with workbooks or text files")
    return Source("csv", path.name, tuple(tables), tuple(problems), hashes, tuple(remarks))


_READERS: Mapping[SourceKind, Callable[[Path, Mapping[str, SheetLayout]], Source]] = {
    "excel": _sheets, "csv": _sheets, "cbioportal": read_cbioportal, "adam": read_adam,
    "sdtm": read_sdtm, "redcap": read_redcap,
}  # fmt: skip

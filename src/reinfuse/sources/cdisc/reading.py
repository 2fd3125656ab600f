"""CDISC's data sets, one file or a folder of them, as a source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from reinfuse.exceptions import Problem
from reinfuse.sources.cdisc import sas
from reinfuse.sources.cdisc.dataset_json import JsonDataset, looks_like_dataset_json, read_dataset_json
from reinfuse.sources.cdisc.infusion_dates import with_infusion_dates
from reinfuse.sources.cdisc.toxicity import with_qualifiers
from reinfuse.sources.cdisc.variables import Variables
from reinfuse.sources.glimpse import PARQUET, START, TEXTS
from reinfuse.sources.source_table import SheetLayout, Source, SourceColumn, SourceKind, SourceRow, SourceTable
from reinfuse.sources.spreadsheet import TABLE, read_text
from reinfuse.tabular import files
from reinfuse.tabular.files import Unreadable, read_bytes, read_start

_JSON = (".json", ".ndjson", ".dsjc")
_READ = (*_JSON, *sas.ENDINGS, *TEXTS, PARQUET)
SUBJECT = "USUBJID"
OVERALL = ("OVRLRESP", "BESTRESP")
"""Tests of RS that are responses of a tumour."""


def read_adam(path: Path, layouts: Mapping[str, SheetLayout]) -> Source:
    """Read data sets of ADaM; dates of infusions that ADSL alone holds stand beside the records of the others."""
    del layouts  # the names of variables stand in the first row
    source = _read(path, "adam")
    return replace(source, tables=with_infusion_dates(source.tables))


def read_sdtm(path: Path, layouts: Mapping[str, SheetLayout]) -> Source:
    """Read domains of SDTM; qualifiers of SUPPAE stand beside the records of AE."""
    del layouts
    source = _read(path, "sdtm")
    rule = "holds no tumour response (RSTESTCD is never OVRLRESP or BESTRESP): it is not imported"
    remedy = "give the domain that holds the responses, if there is one"
    remarks = [
        Problem(table=t.name, column="RSTESTCD", rule=rule, remedy=remedy, severity="warning")
        for t in source.tables
        if (rs := Variables(t)).has("RSTESTCD") and not rs.holds("RSTESTCD", *OVERALL)
    ]
    source = replace(source, problems=(*source.problems, *remarks))
    return replace(source, tables=with_qualifiers(source.tables))


def _read(path: Path, kind: SourceKind) -> Source:
    tables: dict[str, SourceTable] = {}
    problems: list[Problem] = []
    hashes: dict[str, str] = {}
    remarks: list[str] = []
    for file in _files(path):
        if file != path and file.suffix.casefold() == ".json" and not looks_like_dataset_json(read_start(file, START)):
            remarks.append(f"{file.name} is not read: it is no Dataset-JSON")
            continue
        try:
            hashes[file.name] = hashlib.sha256(read_bytes(file)).hexdigest()
            table = _table(file)
        except Unreadable as refused:
            problems.append(Problem(table=file.name, rule=refused.rule, remedy=refused.remedy))
            continue
        if not any(c.header.upper() == SUBJECT for c in table.columns):
            remarks.append(f"{file.name} is not read: it has no {SUBJECT}")
        elif (earlier := tables.get(table.name)) is None:
            tables[table.name] = table
        elif _same(earlier, table):
            remarks.append(f"{file.name} holds the same as {earlier.file}, which is read")
        else:
            rule = f"is {table.name}, as {earlier.file} is, and holds something else"
            problems.append(Problem(table=file.name, rule=rule, remedy="keep one of the two files in the folder"))
    if not tables and not problems:
        rule = f"holds no data set with {SUBJECT}"
        remedy = f"name a data set of CDISC ({', '.join(_READ)}), or a folder of them"
        problems.append(Problem(table=path.name, rule=rule, remedy=remedy))
    return Source(kind, path.name, tuple(tables.values()), tuple(problems), hashes, tuple(remarks))


def _files(path: Path) -> Iterator[Path]:
    if files.kind(path) != "folder":
        yield path
        return
    for entry in sorted(path.iterdir()):
        if entry.suffix.casefold() in _READ and not entry.name.startswith(".") and files.kind(entry) == "file":
            yield entry


def _table(path: Path) -> SourceTable:
    """Read one data set.

    Raises
    ------
    Unreadable
        If it cannot be read.
    """
    ending = path.suffix.casefold()
    if ending in (*TEXTS, PARQUET):
        return _of_text(path)
    dataset = read_dataset_json(read_bytes(path)) if ending in _JSON else sas.read_sas(path)
    return _of_dataset(path, dataset)


def _of_dataset(path: Path, dataset: JsonDataset) -> SourceTable:
    name = (dataset.name or path.stem).upper()
    columns = tuple(replace(c, form=name) for c in dataset.columns)
    rows = tuple(SourceRow(f"record {number}", texts) for number, texts in enumerate(dataset.rows, 1))
    return SourceTable(name, path.name, columns, rows, None, dataset.remarks)


def _of_text(path: Path) -> SourceTable:
    """Read a text or Parquet file, in which every row below the first is a record."""
    source = read_text(path, {TABLE: SheetLayout(TABLE)})
    if not source.tables:
        wrong = source.problems[0]
        raise Unreadable(wrong.rule, wrong.remedy)
    table = source.tables[0]
    columns = tuple(SourceColumn(header=c.header, place=c.header) for c in table.columns)
    rows = tuple(SourceRow(f"record {i}", row.texts) for i, row in enumerate(table.rows, 1))
    return SourceTable(path.stem.upper(), path.name, columns, rows, None, table.remarks)


def _same(one: SourceTable, other: SourceTable) -> bool:
    return [c.header for c in one.columns] == [c.header for c in other.columns] and \
        [r.texts for r in one.rows] == [r.texts for r in other.rows]  # fmt: skip

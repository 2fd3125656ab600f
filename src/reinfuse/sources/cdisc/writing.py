"""Data sets written: as Dataset-JSON 1.1, and as SAS transport files."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from reinfuse.sources.cdisc.adam_tables import AdamVariable, DataSet, Value

_TYPES: dict[str, Any] = {"string": pl.String, "float": pl.Float64, "integer": pl.Float64, "date": pl.Date}
_LONGEST_LABEL = 40


def dataset_json(data: DataSet, *, system: str, version: str, created: datetime) -> str:
    """Return a data set as Dataset-JSON 1.1.

    Parameters
    ----------
    system, version
        What writes it.
    created
        When; in UTC.
    """
    head = {
        "datasetJSONCreationDateTime": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "datasetJSONVersion": "1.1.0",
        "fileOID": f"reinfuse.{data.name}", "originator": system, "sourceSystem": {"name": system, "version": version},
        "studyOID": str(data.variables[0].values[0]), "itemGroupOID": f"IG.{data.name}", "records": data.records,
        "name": data.name, "label": data.label, "columns": [_described(data, v) for v in data.variables],
        "rows": [[_plain(v) for v in row] for row in zip(*(v.values for v in data.variables), strict=True)],
    }  # fmt: skip
    return json.dumps(head, ensure_ascii=False) + "\n"


def _described(data: DataSet, variable: AdamVariable) -> dict[str, object]:
    described: dict[str, object] = {"itemOID": f"IT.{data.name}.{variable.name}", "name": variable.name,
                                    "label": variable.label, "dataType": variable.kind}  # fmt: skip
    if variable.kind == "date":
        described |= {"targetDataType": "integer", "displayFormat": "DATE9."}
    if variable.kind == "string":
        described["length"] = max((len(str(v)) for v in variable.values if v is not None), default=1) or 1
    if variable.name in data.keys:
        described["keySequence"] = data.keys.index(variable.name) + 1
    return described


def _plain(value: Value) -> str | float | int | None:
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def write_xpt(data: DataSet, path: Path) -> None:
    """Write a data set as a SAS transport file, version 5 (needs the extra `sas`)."""
    import pyreadstat

    frame = pl.DataFrame(
        {v.name: pl.Series(v.name, v.values, dtype=_TYPES[v.kind], strict=False) for v in data.variables}
    )
    labels: list[str | None] = [v.label[:_LONGEST_LABEL] for v in data.variables]
    pyreadstat.write_xport(frame, str(path), file_label=data.label[:_LONGEST_LABEL], column_labels=labels,
                           table_name=data.name, file_format_version=5)  # fmt: skip

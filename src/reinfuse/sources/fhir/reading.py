"""From a folder of FHIR resources (Bulk Data, bundles) to a store of records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reinfuse.output.manifest import sha256_of
from reinfuse.runtime.extras import require
from reinfuse.sources.fhir.store import FhirStore
from reinfuse.sources.fhir.view_definitions import column_names, view_sql, views
from reinfuse.sources.records.clinical import StoreUnreadable
from reinfuse.tabular import files

_LINES, _WHOLE = (".ndjson", ".ndjson.gz", ".jsonl"), (".json",)
_OBJECT = 64 << 20
"""Bytes of the largest resource or bundle."""


@contextmanager
def open_fhir(place: Path) -> Iterator[FhirStore]:
    """Read the resources of a file or folder into memory of DuckDB, flattened by the package's views.

    Raises
    ------
    ExtraMissing
        If DuckDB is not installed.
    StoreUnreadable
        If a file is no FHIR.
    """
    require("fhir")
    import duckdb

    chosen = _files(place)
    if not chosen:
        raise StoreUnreadable(
            "holds no file of FHIR resources", f"give files ending in {', '.join((*_LINES, *_WHOLE))}"
        )
    connection = duckdb.connect()
    try:
        connection.execute(f"CREATE TEMP TABLE resources AS {_resources(chosen)}")  # read once for all views
        rows = {name: _rows(connection, name) for name in views()}
    except duckdb.Error as failure:
        text = str(failure).partition("\n")[0]
        raise StoreUnreadable(f"cannot be read as FHIR: {text}", "export again as NDJSON, a resource a line") from None
    finally:
        connection.close()
    yield FhirStore(place.name, rows, {f.name: sha256_of(f) for f in chosen})


def _files(place: Path) -> list[Path]:
    entries = sorted(place.iterdir()) if files.kind(place) == "folder" else [place]
    return [e for e in entries if e.name.casefold().endswith((*_LINES, *_WHOLE)) and not e.name.startswith(".")]


def _rows(connection: Any, name: str) -> list[dict[str, str]]:
    view = views()[name]
    query = view_sql(view, "resources")
    names = list(column_names(view))
    return [{n: v or "" for n, v in zip(names, row, strict=True)} for row in connection.execute(query).fetchall()]


def _resources(chosen: list[Path]) -> str:
    """Return a query of all resources, each with its type; those of bundles too."""
    lines = [str(f) for f in chosen if not f.name.casefold().endswith(_WHOLE)]
    whole = [str(f) for f in chosen if f.name.casefold().endswith(_WHOLE)]
    parts = [f"SELECT json FROM read_json_objects({_quoted(paths)}, format='{how}', maximum_object_size={_OBJECT})"
             for paths, how in ((lines, "newline_delimited"), (whole, "unstructured")) if paths]  # fmt: skip
    single = " UNION ALL ".join(parts)
    return (
        f"WITH single AS MATERIALIZED ({single}) "
        "SELECT json_extract_string(resource, '$.resourceType') AS kind, resource FROM ("
        "SELECT json AS resource FROM single UNION ALL "
        "SELECT unnest(CAST(json_extract(json, '$.entry[*].resource') AS JSON[])) AS resource FROM single "
        "WHERE json_extract_string(json, '$.resourceType') = 'Bundle')"
    )


def _quoted(paths: list[str]) -> str:
    quoted = ", ".join("'" + p.replace("'", "''") + "'" for p in paths)
    return f"[{quoted}]"

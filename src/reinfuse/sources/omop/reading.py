"""From a DuckDB file, a folder of OMOP tables, or the address of PostgreSQL or Spark, to a store; read-only."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reinfuse.output.manifest import sha256_of
from reinfuse.runtime.extras import require
from reinfuse.sources.omop.address import POSTGRES, SPARK, DatabaseAddress
from reinfuse.sources.omop.store import OmopStore
from reinfuse.sources.omop.tables import COLUMNS
from reinfuse.sources.records.clinical import StoreUnreadable
from reinfuse.tabular import files

_MEMORY = "480MB"
"""What DuckDB keeps in memory; what a larger registry needs besides lies meanwhile in a folder of its own."""
_TEXTS = (".csv", ".tsv", ".parquet")
_READ_ONLY = "-c default_transaction_read_only=on"
_LIBRARIES = ("duckdb", "_duckdb", "psycopg", "pyspark", "grpc", "ibis", "sqlglot", "pyarrow")
"""Whose failures are of the database, not of this program."""
_DETAILS = re.compile(r'details = "(.+)"')
"""Where a failure of gRPC says what was wrong."""
_CREDENTIALS = re.compile(r"//[^/@\s]*@")


@contextmanager
def open_omop(place: Path | DatabaseAddress, schema: str = "") -> Iterator[OmopStore]:
    """Open an OMOP database for reading.

    Parameters
    ----------
    place
        A DuckDB file, a folder with a file a table, or an address.
    schema
        That holds the tables; empty: the database's default.

    Raises
    ------
    ExtraMissing
        If Ibis, or the driver of the database, is not installed.
    StoreUnreadable
        If it cannot be opened, or holds no OMOP tables.
    """
    if isinstance(place, DatabaseAddress):
        _refuse_other_engines(place)
        require("omop-spark" if place.scheme in SPARK else "omop-postgres")
    else:
        require("omop")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"fetch_\w+\(\) is deprecated", DeprecationWarning)  # Ibis 12 on DuckDB 1.5
        with _store(place, schema) as store:
            yield store


@contextmanager
def _store(place: Path | DatabaseAddress, schema: str) -> Iterator[OmopStore]:
    with TemporaryDirectory(prefix="reinfuse-", ignore_cleanup_errors=True) as spill:
        yield from _opened_store(place, schema, {"memory_limit": _MEMORY, "temp_directory": spill})


def _opened_store(place: Path | DatabaseAddress, schema: str, settings: Mapping[str, str]) -> Iterator[OmopStore]:
    connection, tables, hashes = _opened(place, schema, settings)
    try:
        yield OmopStore(place.name, tables, lambda e: _rows(connection, e), hashes=hashes)
    except StoreUnreadable:
        raise
    except Exception as failure:
        if not _is_of_the_database(failure):
            raise
        raise StoreUnreadable(f"a query failed: {_said(failure, place)}", "look whether the tables are those of "
                              "OMOP 5.3 or 5.4, and whether this user may read them") from None  # fmt: skip
    finally:
        connection.disconnect()


def _opened(place: Path | DatabaseAddress, schema: str,
            settings: Mapping[str, str]) -> tuple[Any, dict[str, Any], Mapping[str, str]]:  # fmt: skip
    """Return the connection, the tables by name, and the hashes of files."""
    import ibis

    if isinstance(place, Path) and place.suffix.casefold() in _TEXTS:
        raise StoreUnreadable("is one table of OMOP", "name the folder that holds all its tables")
    connection = None
    try:
        if isinstance(place, DatabaseAddress):
            connection = _connected(place)
        elif files.kind(place) == "folder":
            connection = ibis.duckdb.connect(**settings)
            return connection, dict(_of_files(connection, place)), {f.name: sha256_of(f) for f in _files(place)}
        else:
            connection = ibis.duckdb.connect(place, read_only=True, **settings)
        names = connection.list_tables(database=schema or None)
    except Exception as failure:
        if connection is not None:
            connection.disconnect()
        if isinstance(failure, StoreUnreadable):
            raise
        remedy = ("check file or address, schema, user and password (PGPASSWORD or ~/.pgpass; of Spark "
                  "SPARK_CONNECT_AUTHENTICATE_TOKEN)")  # fmt: skip
        raise StoreUnreadable(f"cannot be opened: {_said(failure, place)}", remedy) from None
    wanted = [n for n in names if n.casefold() in COLUMNS]
    return connection, {n: connection.table(n, database=schema or None) for n in wanted}, {}


def _refuse_other_engines(place: DatabaseAddress) -> None:
    if place.scheme in (*POSTGRES, *SPARK):
        return
    remedy = "give postgresql://USER@HOST/DATABASE, or sc://HOST:PORT of a server of Spark Connect"
    if place.scheme == "spark":
        remedy = "start Spark Connect on the cluster (sbin/start-connect-server.sh), and give sc://HOST:15002"
    raise StoreUnreadable(f"is the address of an engine that is not read ({place.scheme}://)", remedy)


def _connected(place: DatabaseAddress) -> Any:
    if place.scheme in SPARK:
        from reinfuse.sources.omop.spark import SparkConnection

        return SparkConnection(place.url)
    import ibis

    return ibis.postgres.connect(**_parts(place), options=_READ_ONLY)


def _parts(place: DatabaseAddress) -> dict[str, Any]:
    """Return the parts of an address that are told; what lacks, libpq takes from its own settings."""
    from urllib.parse import parse_qsl, unquote, urlsplit

    parts = urlsplit(place.url)
    named = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password,
             "database": parts.path.strip("/")}  # fmt: skip
    plain = {k: unquote(v) if isinstance(v, str) else v for k, v in named.items()}
    return {k: v for k, v in {**plain, **dict(parse_qsl(parts.query))}.items() if v}


def _files(folder: Path) -> Sequence[Path]:
    return [f for f in sorted(folder.iterdir()) if f.suffix.casefold() in _TEXTS and f.stem.casefold() in COLUMNS]


def _of_files(connection: Any, folder: Path) -> Iterator[tuple[str, Any]]:
    for file in _files(folder):
        if file.suffix.casefold() == ".parquet":
            yield file.stem, connection.read_parquet(file, table_name=file.stem.casefold())
        else:
            yield file.stem, connection.read_csv(file, table_name=file.stem.casefold(), all_varchar=True)


def _rows(connection: Any, expression: Any) -> Sequence[tuple[Any, ...]]:
    columns = connection.to_pyarrow(expression).to_pydict()
    return list(zip(*columns.values(), strict=True))


def _is_of_the_database(failure: Exception) -> bool:
    return type(failure).__module__.partition(".")[0] in _LIBRARIES


def _said(failure: Exception, place: Path | DatabaseAddress) -> str:
    """Return the first line of a failure without user and password."""
    text = str(failure).strip()
    if details := _DETAILS.search(text):
        text = details[1]
    text = _CREDENTIALS.sub("//", text.partition("\n")[0])
    for secret in place.secrets if isinstance(place, DatabaseAddress) else ():
        text = text.replace(secret, "...")
    return text

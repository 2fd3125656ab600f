"""OMOP on Spark: the same questions give the same rows as on DuckDB, and how long they take on both.

    pip install pyspark      # in no lock: needs Java, and is used here alone; `reinfuse map` needs its client alone
    python benchmarks/registry_spark.py [DATABASE.duckdb]

Without a database: the twelve generated patients of the tests, in both spellings. With one of `registry.py`: its tables
are written as Parquet beside it, read by both engines on the same cores, and compared before a time is told.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests" / "sources"), str(HERE.parent / "tests")]

import ibis  # noqa: E402
import registry_patients as made  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

from reinfuse.sources.omop.store import OmopStore  # noqa: E402
from reinfuse.sources.records.clinical import ReadingRules  # noqa: E402
from reinfuse.sources.records.cohort_tables import read_records  # noqa: E402
from reinfuse.sources.source_table import Source  # noqa: E402

RULES = ReadingRules(response=("700001", "LOCAL-RESP"))


def main() -> None:
    """Compare, and print seconds."""
    begun = time.perf_counter()
    builder = SparkSession.builder.master(f"local[{os.cpu_count()}]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.shuffle.partitions", "8").config("spark.driver.memory", "3g")
    session = builder.getOrCreate()
    spark = ibis.pyspark.connect(session)
    results: dict[str, Any] = {"spark": session.version, "start_s": round(time.perf_counter() - begun, 1)}
    with tempfile.TemporaryDirectory() as temporary:
        if databases := [argument for argument in sys.argv[1:] if argument != "--small"]:
            folder = parquet(Path(databases[0]))
            results |= compared(spark, {f.stem: f for f in sorted(folder.glob("*.parquet"))}, rules=ReadingRules())
        else:
            for spelling in ("standard", "source"):
                database = made.write_duckdb(Path(temporary) / f"{spelling}.duckdb", made.omop(spelling))
                files = {f.stem: f for f in sorted(parquet(database).glob("*.parquet"))}
                results[spelling] = compared(spark, files, rules=RULES)
    print(json.dumps(results, indent=1))


def parquet(database: Path) -> Path:
    """Write the tables of a DuckDB file as Parquet beside it, once; return the folder."""
    folder = database.with_suffix(".parquet")
    if not folder.exists():
        connection = ibis.duckdb.connect(database, read_only=True)
        folder.mkdir()
        for name in connection.list_tables():
            connection.table(name).to_parquet(folder / f"{name.lower()}.parquet")
        connection.disconnect()
    return folder


def compared(spark: Any, files: Mapping[str, Path], *, rules: ReadingRules) -> dict[str, Any]:
    """Return the seconds of both engines; fail unless they read the same."""
    seconds: dict[str, float] = {}

    def read(name: str, connection: Any) -> Source:
        tables = {stem: connection.read_parquet(str(file), table_name=stem) for stem, file in files.items()}
        begun = time.perf_counter()
        source = read_records(OmopStore("cdm", tables, rows_of(connection), hashes={}), "omop", rules)
        seconds[f"{name}_s"] = round(time.perf_counter() - begun, 2)
        return source

    of_spark, of_duckdb = read("spark", spark), read("duckdb", ibis.duckdb.connect())
    assert of_spark.tables == of_duckdb.tables
    assert of_spark.remarks == of_duckdb.remarks
    infusions = next(table for table in of_spark.tables if table.name == "infusions")
    return {"infusions": len(infusions.rows), **seconds}


def rows_of(connection: Any) -> Callable[[Any], list[tuple[Any, ...]]]:
    """Return what runs an expression on a connection."""

    def rows(expression: Any) -> list[tuple[Any, ...]]:
        columns = connection.to_pyarrow(expression).to_pydict()
        return list(zip(*columns.values(), strict=True))

    return rows


if __name__ == "__main__":
    main()

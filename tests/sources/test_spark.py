"""Spark by Spark Connect gives the rows of DuckDB; and which addresses are read at all.

The server is one of SPARK_HOME, where that is set: Spark 4 with Java 17. The client is the extra `omop-spark`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
import registry_patients as made

from reinfuse.exceptions import ExtraMissing, SourceRefused
from reinfuse.runtime.extras import MODULES
from reinfuse.sources.omop.address import DatabaseAddress, source_place
from reinfuse.sources.records.clinical import ReadingRules
from reinfuse.study.sources import propose_map

TOKEN = "sc://host.example:15002/;token=geheim;user_id=anna;use_ssl=true"
_START_SECONDS = 180


def test_an_address_of_spark_shows_neither_token_nor_user():
    address = source_place(TOKEN)
    assert isinstance(address, DatabaseAddress)
    assert (address.scheme, address.name) == ("sc", "host.example")
    assert {"geheim", "anna"} <= set(address.secrets)
    assert not any(secret in f"{address} {address!r}" for secret in ("geheim", "anna"))


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("spark://cluster:7077", "start-connect-server.sh"),
        ("databricks://token:geheim@host/cdm", "sc://HOST:PORT"),
        ("snowflake://anna:geheim@account/cdm", "postgresql://USER@HOST/DATABASE"),
    ],
)
def test_an_address_of_an_engine_that_is_not_read_is_refused(address, remedy):
    with pytest.raises(SourceRefused) as refused:
        propose_map(source_place(address))
    (problem,) = refused.value.problems
    assert "engine that is not read" in problem.rule
    assert remedy in problem.remedy
    assert "geheim" not in f"{problem}"


@pytest.mark.skipif(all(map(find_spec, MODULES["omop-spark"])), reason="the extra omop-spark is installed")
def test_the_missing_extra_is_named_with_its_command():
    with pytest.raises(ExtraMissing, match=r"requirements-omop-spark\.lock"):
        propose_map(source_place(TOKEN))


@contextmanager
def server(folder):
    """Run a server of Spark Connect with a warehouse of its own, and give its port."""
    home = os.environ.get("SPARK_HOME", "")
    if not all(map(find_spec, MODULES["omop-spark"])):
        pytest.skip("the extra omop-spark is not installed")
    if not (Path(home) / "bin" / "spark-submit").is_file():
        pytest.skip("SPARK_HOME names no Spark")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"spark.connect.grpc.binding.port": port, "spark.connect.grpc.binding.address": "127.0.0.1",
                "spark.ui.enabled": "false", "spark.sql.warehouse.dir": folder / "warehouse",
                "spark.sql.shuffle.partitions": 2}  # fmt: skip
    command = [Path(home) / "bin" / "spark-submit", "--master", "local[2]", "--class",
               "org.apache.spark.sql.connect.service.SparkConnectServer"]  # fmt: skip
    command += [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, "spark-internal"], cwd=folder, stdout=log, stderr=log)
    try:
        begun = time.monotonic()
        while "server started at" not in (folder / "log").read_text():
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() - begun < _START_SECONDS
            time.sleep(1)
        yield port
    finally:
        process.terminate()
        process.wait()


WRITE = """
import sys, warnings
warnings.simplefilter("ignore")
from pyspark.sql.connect.session import SparkSession
session = SparkSession(connection=sys.argv[1])
for statement in sys.stdin.read().split(";\\n"):
    session.sql(statement).collect()
session.stop()
"""


def written(address, database, folder):
    """Let Spark have the tables of a DuckDB file."""
    import duckdb

    statements = ["CREATE DATABASE cdm"]
    with duckdb.connect(str(database), read_only=True) as connection:
        for (name,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall():
            file = folder / f"{name.lower()}.parquet"
            connection.execute(f"COPY {name} TO '{file}' (FORMAT parquet)")
            statements.append(f"CREATE TABLE cdm.{name} USING parquet LOCATION '{file}'")
    subprocess.run([sys.executable, "-c", WRITE, address], input=";\n".join(statements), text=True, check=True)


def test_a_server_that_does_not_answer_is_said_soon():
    if not all(map(find_spec, MODULES["omop-spark"])):
        pytest.skip("the extra omop-spark is not installed")
    begun = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(SourceRefused) as refused:
            propose_map(source_place("sc://127.0.0.1:1/;token=geheim;use_ssl=false"))
    (problem,) = refused.value.problems
    assert "cannot be opened: failed to connect" in problem.rule
    assert "SPARK_CONNECT_AUTHENTICATE_TOKEN" in problem.remedy
    assert "geheim" not in f"{problem}"
    assert time.monotonic() - begun < 60


def test_spark_gives_the_rows_of_duckdb(tmp_path):
    pytest.importorskip("duckdb")
    with server(tmp_path) as port, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pyspark and the libraries below it
        database = made.write_duckdb(tmp_path / "cdm.duckdb", made.omop("standard"))
        written(f"sc://127.0.0.1:{port}", database, tmp_path)
        rules = ReadingRules(response=("700001", "LOCAL-RESP"))
        own, _ = propose_map(database, rules=rules)
        address = source_place(f"sc://127.0.0.1:{port}/;user_id=geheim")
        other, _ = propose_map(address, rules=ReadingRules(schema="cdm", response=rules.response))
        assert [t.rows for t in other.tables] == [t.rows for t in own.tables]
        assert other.remarks == own.remarks
        assert len(own.table("infusions").rows) == 21
        with pytest.raises(SourceRefused) as refused:
            propose_map(address, rules=ReadingRules(schema="nowhere"))
        assert "cannot be opened" in refused.value.problems[0].rule
        assert "geheim" not in f"{refused.value.problems[0]}"

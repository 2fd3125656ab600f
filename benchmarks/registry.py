"""A registry in OMOP, generated in DuckDB: how long the map and the cohort of its CAR-T patients take, in which memory.

    python benchmarks/registry.py FOLDER [--persons 2000000] [--exposures 50000000] [--treated 3000]

The database is made by DuckDB's own SQL from arithmetic, so that every run has the same. Before a time is told, the
cohort is compared with what was put into it: number of patients, of infusions, of lymphodepletions.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIRM = "confirm = true"
MADE = """
CREATE TABLE person AS SELECT i::INTEGER AS person_id, (8507 + 25 * (i % 2))::INTEGER AS gender_concept_id,
    (1940 + i % 60)::INTEGER AS year_of_birth, (1 + i % 12)::INTEGER AS month_of_birth, (1 + i % 28)::INTEGER AS
    day_of_birth FROM range({persons}) t(i);
CREATE TABLE observation_period AS SELECT person_id, DATE '2023-01-01' + (person_id % 700) AS
    observation_period_end_date, 32817 AS period_type_concept_id FROM person;
CREATE TABLE death AS SELECT person_id, DATE '2022-11-01' + (person_id % 60) AS death_date FROM person
    WHERE person_id % 7 = 0;
CREATE TABLE concept AS SELECT (100000 + i)::INTEGER AS concept_id, 'drug ' || i || ' 100 MG Oral Tablet' AS
    concept_name FROM range(200000) t(i) UNION ALL VALUES (792844, 'axicabtagene ciloleucel'),
    (1310317, 'cyclophosphamide'), (1395557, 'fludarabine'), (55, 'Diffuse large B-cell lymphoma'), (32817, 'EHR');
CREATE TABLE concept_ancestor AS SELECT concept_id AS ancestor_concept_id, concept_id AS descendant_concept_id
    FROM concept;
CREATE TEMP TABLE treated AS SELECT (i * {apart})::INTEGER AS person_id, i, k, DATE '2020-01-01' + (i % 500)::INTEGER +
    200 * k::INTEGER AS day FROM range({treated}) t(i), range(2) u(k) WHERE k = 0 OR i % 3 = 0;
CREATE TABLE drug_exposure AS SELECT
    CASE WHEN drug IS NULL THEN hash(i) % {persons} ELSE patient * {apart} END::INTEGER AS person_id,
    CASE WHEN drug IS NULL THEN 100000 + hash(i + 1) % 200000 ELSE [792844, 1310317, 1395557][drug] END::INTEGER AS
        drug_concept_id,
    CASE WHEN drug IS NULL THEN DATE '2012-01-01' + (hash(i + 2) % 4000)::INTEGER ELSE DATE '2020-01-01' +
        (patient % 500 + CASE WHEN infusion < {treated} THEN 0 ELSE 200 END - CASE WHEN drug = 1 THEN 0 ELSE 5 END)
        ::INTEGER END AS drug_exposure_start_date,
    CASE WHEN drug IS NULL THEN 'LOCAL DRUG ' || (hash(i + 1) % 40000) || ' TABLET' ELSE ['YESCARTA', 'LD', 'LD'][drug]
        END AS drug_source_value,
    CASE WHEN drug IS NULL AND i % 4 > 0 THEN 45000000 + hash(i + 1) % 40000 ELSE 0 END::INTEGER AS
        drug_source_concept_id
FROM (SELECT *, CASE WHEN infusion < {treated} THEN infusion ELSE (infusion - {treated}) * 3 END AS patient FROM (
    SELECT i, CASE WHEN i % {between} = 0 AND i // {between} < 3 * {infusions} THEN i // {between} % 3 + 1 END AS drug,
        i // {between} // 3 AS infusion FROM range({exposures}) t(i)));
CREATE TABLE procedure_occurrence AS SELECT (hash(i) % {persons})::INTEGER AS person_id, 0 AS procedure_concept_id,
    DATE '2012-01-01' + (hash(i + 2) % 4000)::INTEGER AS procedure_date, 'P' || (hash(i) % 9000) AS
    procedure_source_value FROM range({exposures} // 5) t(i);
INSERT INTO procedure_occurrence SELECT person_id, 0, day + 1, 'XW033C3' FROM treated WHERE k = 0 AND i % 2 = 0;
CREATE TABLE condition_occurrence AS SELECT (hash(i) % {persons})::INTEGER AS person_id, 0 AS condition_concept_id,
    DATE '2012-01-01' + (hash(i + 2) % 4000)::INTEGER AS condition_start_date, 'R' || (hash(i) % 900) AS
    condition_source_value FROM range({exposures} // 5) t(i);
INSERT INTO condition_occurrence SELECT person_id, 55, DATE '2018-01-02', 'C83.3' FROM treated WHERE k = 0;
"""


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--small", action="store_true", help="a small database, to see that it runs")
    for name, default in (("persons", 2_000_000), ("exposures", 50_000_000), ("treated", 3_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    if given.small:
        given.persons, given.exposures, given.treated = 2_000, 50_000, 60
    with tempfile.TemporaryDirectory() as temporary:
        measure(given, given.folder or Path(temporary))


def measure(given: argparse.Namespace, folder: Path) -> None:
    """Make the database, run the commands, compare, and print."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / f"omop_{given.persons}_{given.exposures}_{given.treated}.duckdb"
    sizes = {n: getattr(given, n) for n in ("persons", "exposures", "treated")}
    if not database.exists():
        make(database, sizes)
    map_file, cohort = folder / "map.toml", folder / "cohort"
    measured = {"map": timed("map", database, "--out", map_file, "--force")}
    text = map_file.read_text(encoding="utf-8").replace(f", {CONFIRM}", "")
    map_file.write_text(text, encoding="utf-8")
    measured["import"] = timed("import", database, "--map", map_file, "--out", cohort, "--force")
    compared(cohort, given.treated)
    import duckdb
    import ibis

    print(json.dumps({**sizes, "file_gb": round(database.stat().st_size / 1e9, 2), **measured, "cores": os.cpu_count(),
                      "load": os.getloadavg()[0], "duckdb": duckdb.__version__, "ibis": ibis.__version__}))  # fmt: skip


def make(database: Path, sizes: dict[str, int]) -> None:
    """Make the tables of OMOP."""
    import duckdb

    with duckdb.connect(str(database), config={"memory_limit": "4GB", "threads": 2}) as connection:
        connection.execute(MADE.format(**sizes, **spread(**sizes)))


def spread(persons: int, exposures: int, treated: int) -> dict[str, int]:
    """Return how far treated persons stand apart, and their records, so that no engine finds them in one place."""
    infusions = treated + len(range(0, treated, 3))
    return {"apart": persons // treated, "between": exposures // (3 * infusions), "infusions": infusions}


def timed(*arguments: object) -> dict[str, float]:
    """Run a command of reinfuse; return seconds on the clock, of processor, and the peak memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    command = [sys.executable, "-m", "reinfuse.cli", *map(str, arguments)]
    done = subprocess.run(["/usr/bin/time", "-f", "%M", *command], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    kilobytes = int(done.stderr.strip().splitlines()[-1])
    return {"seconds": round(seconds, 2), "cpu_seconds": round(spent, 2), "peak_gb": round(kilobytes / 1e6, 3)}


def compared(cohort: Path, treated: int) -> None:
    """Fail unless the cohort holds what the database was made with."""
    import polars as pl

    infusions = pl.read_csv(cohort / "infusions.csv")
    expected = treated + len(range(0, treated, 3))
    assert infusions["patient_id"].n_unique() == treated, infusions["patient_id"].n_unique()
    assert infusions.height == expected, infusions.height
    assert set(infusions["lymphodepletion"]) == {"cyclophosphamide + fludarabine"}


if __name__ == "__main__":
    main()

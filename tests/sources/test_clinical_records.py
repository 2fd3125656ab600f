"""The same patients from OMOP (two spellings, two engines), FHIR, REDCap and a sheet are the same cohort."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import registry_patients as made

from helpers import QUICK
from reinfuse import Plan, analyze
from reinfuse.cohort.lymphodepletion import regimen_class
from reinfuse.exceptions import SourceRefused
from reinfuse.sources.map_file import load_map, map_text
from reinfuse.sources.omop.address import DatabaseAddress, source_place
from reinfuse.sources.questions import answered, questions
from reinfuse.sources.records.clinical import ReadingRules
from reinfuse.study.sources import import_source, propose_map
from reinfuse.tabular.toml import parse_toml

pytest.importorskip("ibis")
pytest.importorskip("duckdb")
OMOP = ReadingRules(response=("700001", "LOCAL-RESP"))
WORDS = {"iRECIST: complete response": "CR", "iRECIST: progressive disease": "PD", "iRECIST: stable disease": "SD"}
TABLES = ("patients", "infusions", "responses", "therapies")


def imported(place, folder, rules=None, **answers):
    """Map, answer and import a source."""
    source, proposed = propose_map(place, rules=rules)
    source_map = proposed.map
    for question in list(questions(source_map)):
        own = answers.get(question.subject) or WORDS.get(question.subject)
        reply = own or (question.choices[0] if question.choices else "yes")
        source_map = answered(source_map, question, reply)
    path = folder / "map.toml"
    path.write_text(map_text(source_map), encoding="utf-8")
    assert load_map(path).reading == source_map.reading
    return source, import_source(place, path)


def texts(checked):
    """Return the tables of what was imported as rows, regimens as their class."""
    tables = {}
    for name in TABLES:
        table = checked.imported.tables[name]
        rows = [dict(zip(table.columns, (c.text for c in row), strict=True)) for row in table.rows]
        tables[name] = [as_class(row) for row in rows]
    return tables


def as_class(row):
    return {**row, "lymphodepletion": regimen_class(row["lymphodepletion"])} if "lymphodepletion" in row else row


def expected():
    return {name: [as_class(row) for row in rows] for name, rows in made.truth().items()}


@pytest.fixture(scope="module")
def standard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("standard")
    return imported(made.write_duckdb(folder / "cdm.duckdb", made.omop("standard")), folder, OMOP)


@pytest.fixture(scope="module")
def resources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fhir")
    rules = ReadingRules(response=("LOCAL-RESP",))
    return imported(made.write_fhir(folder / "export", made.fhir()), folder, rules)


def test_standard_concepts_in_duckdb_are_the_cohort(standard):
    assert texts(standard[1]) == expected()


def test_source_values_in_capitals_as_files_are_the_same_cohort(tmp_path):
    folder = made.write_csv_folder(tmp_path / "cdm", made.omop("source"))
    source, checked = imported(folder, tmp_path, OMOP)
    assert texts(checked) == expected()
    assert set(source.files) == {f"{name}.csv" for name in made.omop("source")}


def test_responses_read_out_of_notes_are_the_same_cohort_without_those_that_notes_deny(tmp_path):
    tables = made.omop("standard")
    _, judged = tables.pop("measurement")
    notes = [(number, row[0], row[2]) for number, row in enumerate(judged)]
    denied = next(concept for concept, _ in made.RESPONSES.values())
    terms = [(n, row[6], 0, "x", "Y") for n, row in enumerate(judged)] + [
        (n, denied, 0, "no x", "N") for n, *_ in notes
    ]
    tables["note"] = (("note_id", "person_id", "note_date"), notes)
    tables["note_nlp"] = (
        ("note_id", "note_nlp_concept_id", "note_nlp_source_concept_id", "lexical_variant", "term_exists"),
        terms,
    )
    rules = ReadingRules(response=tuple(str(concept) for concept, _ in made.RESPONSES.values()))
    assert texts(imported(made.write_duckdb(tmp_path / "cdm.duckdb", tables), tmp_path, rules)[1]) == expected()


def test_fhir_is_the_same_cohort(resources):
    assert texts(resources[1]) == expected()


def test_a_sheet_is_the_same_cohort(tmp_path):
    _, checked = imported(made.write_sheet(tmp_path / "sheet.csv"), tmp_path, date_order="ymd")
    tables = {n: checked.imported.tables[n] for n in ("patients", "infusions")}
    truth = expected()
    for name, table in tables.items():
        rows = [as_class(dict(zip(table.columns, (c.text for c in r), strict=True))) for r in table.rows]
        numbers = {str(100 + i): f"P{i:03d}" for i in range(1, 13)}
        rows = [{**r, "patient_id": numbers[r["patient_id"]]} for r in rows]
        shared = [c for c in truth[name][0] if c in rows[0]]
        assert len(shared) >= 5
        assert [{c: r[c] for c in shared} for r in rows] == [{c: r[c] for c in shared} for r in truth[name]]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("redcap")
    return imported(made.write_redcap(folder / "project"), folder)


def test_redcap_is_the_same_cohort(project):
    truth = expected()
    for name, rows in texts(project[1]).items():
        assert [{c: r.get(c, "") for c in own} for own, r in zip(truth[name], rows, strict=True)] == truth[name]


def test_the_same_estimates_follow(standard, resources, project):
    plan = Plan.of(parse_toml(f"factors = []\nmodels = []\nsubgroups = []\n{QUICK}".encode()))
    one, other, third = (analyze(checked.cohort.raw, plan).estimates for _, checked in (standard, resources, project))
    assert len(one) > 50
    assert {"survival", "response"} <= {e.analysis for e in one}
    assert one == other == third


def test_what_is_dropped_and_by_what_infusions_are_found_is_said(standard, resources):
    said = "\n".join(standard[0].remarks)
    assert "21 infusions of 12 patients, 9 with more than one; found: 21 by drug and procedure" in said
    assert "21 records of 12 patients, procedure 0537T (927059 harvesting of T lymphocytes): collection" in said
    assert "1 record of 1 patient, procedure XW033L7: lifileucel" in said
    assert "drug Q2040 (35605867 Botulinum toxin type A injection): when it was written its code stood for" in said
    assert "BOTOX" not in said
    assert "made of several records within 7 days: 21 infusions (21 of several days)" in said
    assert "observation periods, by their type: EHR 12" in said
    assert "dose per kg" in said
    assert "FHIR has no observation periods" in "\n".join(resources[0].remarks)


def test_only_the_columns_of_the_cohort_and_no_identifier_are_imported(standard):
    ids = {str(p.number) for p in made.patients()}
    cells = [c for t in standard[1].imported.tables.values() for row in t.rows for c in row]
    assert not ids & {c.raw for c in cells} | ids & {c.text for c in cells}


@contextmanager
def cluster():
    """Run a PostgreSQL of its own on a socket in a folder whose name is short, and stop it."""
    with tempfile.TemporaryDirectory(prefix="cdm") as folder:
        yield from running(Path(folder))


def running(folder):
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    pytest.importorskip("psycopg")
    if not programs:
        pytest.skip("PostgreSQL is not installed")
    programs_of = programs[-1].parent
    owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if owner and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and runuser is not here")
    data = folder / "data"
    data.mkdir()
    if owner:
        for own in (folder, data):
            shutil.chown(own, "postgres")
    run = dict(check=True, capture_output=True, cwd="/")
    subprocess.run([*owner, programs_of / "initdb", "-D", data, "-A", "trust", "-U", "cdm", "--no-sync"], **run)
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    start = [*owner, programs_of / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options]
    subprocess.run([*start, "start"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    try:
        yield folder
    finally:
        subprocess.run([*owner, programs_of / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)


def test_postgresql_gives_the_rows_of_duckdb_and_is_not_written_into(standard, tmp_path):
    with cluster() as folder:
        import psycopg

        settings = f"host={folder} user=cdm dbname=postgres"
        with psycopg.connect(settings, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA cdm")
            connection.execute("SET search_path TO cdm")
            for statement in made.statements(made.omop("standard")):
                connection.execute(statement)
        address = source_place(f"postgresql://cdm:geheim@/postgres?host={folder}")
        assert isinstance(address, DatabaseAddress)
        source, checked = imported(address, tmp_path, replace(OMOP, schema="cdm"))
        assert [t.rows for t in source.tables] == [t.rows for t in standard[0].tables]
        assert texts(checked) == expected()
        for text in (repr(address), str(address), source.name, *source.remarks, (tmp_path / "map.toml").read_text()):
            assert "geheim" not in text
        with psycopg.connect(settings) as connection:
            (written,) = connection.execute("SELECT count(*) FROM pg_class WHERE relpersistence = 't'").fetchone()
            assert written == 0
        wrong = propose_fails(source_place(f"postgresql://cdm:geheim@/nowhere?host={folder}"))
        assert "cannot be opened" in wrong.rule
        assert "geheim" not in f"{wrong}"


def propose_fails(place, rules=None):
    with pytest.raises(SourceRefused) as refused:
        propose_map(place, rules=rules)
    return refused.value.problems[0]

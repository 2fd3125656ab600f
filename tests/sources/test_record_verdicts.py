"""Which records are infusions, what belongs to one infusion, and what only a person can answer: cases by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers import problems_of
from reinfuse.exceptions import SourceRefused
from reinfuse.sources.fhir.reading import open_fhir
from reinfuse.sources.fhir.view_definitions import NotSupported, path_sql
from reinfuse.sources.map_file import map_text, read_map
from reinfuse.sources.questions import answered, fault, questions
from reinfuse.sources.records.clinical import CandidateGroup, ReadingRules, Record, RecordCoding
from reinfuse.sources.records.infusions import NamesOfCodings, infusions_of, lymphodepletion_of, therapies_of
from reinfuse.sources.records.reading_rules import faults, rules_of
from reinfuse.sources.records.verdicts import answered_groups, is_too_early, verdict
from reinfuse.study.sources import import_source, propose_map
from reinfuse.tabular.toml import parse_toml


def coding(domain="drug", *, concept=0, code="", name="", own=False):
    return RecordCoding(
        domain=domain, concepts=frozenset({concept} - {0}), codes=(code,) if code else (), name=name, own=own
    )


@pytest.mark.parametrize(
    ("record", "answer", "route"),
    [
        (coding(concept=792844), "infusion", "drug"),
        (coding(code="q-2041"), "infusion", "drug"),
        (coding(code="71287-0119-02"), "infusion", "drug"),
        (coding("procedure", code="XW033C3"), "infusion", "procedure"),
        (coding(code="YESCARTA 2E6 CELLS"), "?", "text"),
        (coding("procedure", code="38228"), "?", "procedure"),
        (coding("procedure", code="XW033L7"), "no infusion", "text"),
        (coding("procedure", concept=927059, code="0537T"), "no infusion", "text"),
        (coding("procedure", code="CAR-T cell HARVEST"), "no infusion", "text"),
        (coding("procedure", code="s/p CAR-T"), "no infusion", "text"),
        (coding(concept=35605867, code="Q2042", name="Botulinum toxin type A injection"), "?", "drug"),
        (coding(concept=36249937, code="Q2042"), "?", "drug"),
        (coding("order", name="axicabtagene ciloleucel", code="Q2041"), "?", "order"),
        (coding(concept=2000000001, own=True), "infusion", "drug"),
    ],
)
def test_a_record_is_an_infusion_none_or_asked_about(record, answer, route):
    one = verdict(record)
    assert (one.answer, one.route) == (answer, route)


def test_codes_that_stood_for_other_drugs_are_not_asked_about_in_their_time():
    toxin = coding(concept=35605867, code="Q2040", name="Botulinum toxin type A injection")
    assert is_too_early(toxin, "2011-06-01")
    assert not is_too_early(toxin, "2018-01-01")
    assert not is_too_early(coding(concept=792844, code="Q2041"), "2016-01-01")  # the concept says what it is
    early = CandidateGroup(coding=toxin, records=9, patients=9, last_day="2011-12-31")
    late = CandidateGroup(coding=toxin, records=9, patients=9, last_day="2019-12-31")
    assert list(answered_groups([early], {}).values()) == ["no infusion"]
    assert list(answered_groups([late], {}).values()) == ["?"]
    assert list(answered_groups([late], {toxin.wording: "infusion"}).values()) == ["infusion"]


def given(day, record):
    return Record(patient="1", day=day, coding=record)


def test_a_drug_its_procedure_and_a_split_dose_are_one_infusion_on_the_day_of_the_drug():
    drug, procedure = coding(concept=792844), coding("procedure", code="XW033C3")
    records = [given("2020-03-01", procedure), given("2020-03-02", drug), given("2020-03-08", drug),
               given("2020-03-09", procedure), given("2021-01-05", procedure)]  # fmt: skip
    first, second, third = infusions_of(records, 7)
    assert (first.day, first.routes, first.records, first.product) == (
        "2020-03-02", ("drug", "procedure"), 3, "axicabtagene ciloleucel",
    )  # fmt: skip
    assert (second.day, third.day, third.routes, third.number) == ("2020-03-09", "2021-01-05", ("procedure",), 3)
    assert [i.day for i in infusions_of(records, 8)] == ["2020-03-02", "2021-01-05"]


def test_lymphodepletion_is_of_the_days_before_and_what_comes_later_is_a_therapy():
    (infusion,) = infusions_of([given("2020-03-20", coding(concept=792844))], 7)
    drugs = [("2020-03-06", "fludarabine"), ("2020-03-19", "cyclophosphamide"), ("2020-03-20", "melphalan"),
             ("2020-03-05", "bendamustine")]  # fmt: skip
    assert lymphodepletion_of(infusion, drugs, 14) == "cyclophosphamide + fludarabine"
    assert lymphodepletion_of(infusion, drugs[3:], 14) == ""
    again, other = coding(name="Rituximab 500 MG"), coding(name="prednisone")
    later = [given(d, again) for d in ("2020-03-01", "2020-04-01", "2020-04-22", "2020-06-01")] + [
        given("2020-05-01", other)
    ]
    names, depleting = NamesOfCodings("lymphodepletion", "anticancer"), NamesOfCodings("lymphodepletion")
    therapies = list(therapies_of({"1": [infusion]}, later, 14, names, depleting=depleting))
    assert [(t.day, t.therapy) for t in therapies] == [("2020-04-01", "rituximab"), ("2020-06-01", "rituximab")]


def test_what_is_wrong_with_the_settings_of_the_reading_is_told_at_once():
    wrong = {"merge_days": 900, "lymphodepletion_days": True, "respnse": [], "mrd": "x", "schema": 3}
    assert [p.column for p in faults(wrong)] == [f"reading.{n}" for n in wrong]
    assert "did you mean response?" in [p.remedy for p in faults(wrong)]
    assert rules_of({"merge_days": 3, "response": [1633884, "R"]}) == ReadingRules(
        merge_days=3, response=("1633884", "R")
    )


def write(folder, *resources):
    folder.mkdir()
    (folder / "all.ndjson").write_text("".join(json.dumps(r) + "\n" for r in resources))
    return folder


def resource(kind, number, **content):
    subject = {"subject": {"reference": "urn:uuid:p1"}} if kind != "Patient" else {}
    return {"resourceType": kind, "id": f"{number}", **subject, **content}


def answer(code, display):
    return {"coding": [{"code": code, "display": display}]}


STATUS = {"code": {"coding": [{"system": "http://loinc.org", "code": "97509-4"}]}, "status": "final"}
BASE = (
    resource("Patient", "p1", gender="female", birthDate="1961", deceasedBoolean=True),
    resource("Procedure", 1, status="completed", performedDateTime="2020-03-01T23:00:00-04:00",
             code={"coding": [{"code": "XW033J7"}]}),
    resource("Observation", 2, effectiveDateTime="2020-04-01",
             valueCodeableConcept=answer("268910001", "Patient's condition improved"), **STATUS),
    resource("Observation", 3, effectiveDateTime="2020-08-01",
             valueCodeableConcept=answer("359746009", "Patient's condition stable"), **STATUS),
    resource("AdverseEvent", 4, actuality="actual", date="2020-03-04", event={"text": "Cytokine release syndrome"},
             extension=[{"url": "http://hl7.org/fhir/us/ctcae/StructureDefinition/ctcae-grade",
                         "valueCodeableConcept": {"coding": [{"code": "2"}]}}]),
    resource("MedicationAdministration", 5, status="completed", effectiveDateTime="2020-02-25",
             medicationReference={"reference": "Medication/m1"}),
    {"resourceType": "Medication", "id": "m1", "code": {"text": "Fludarabine 50 MG"}},
)  # fmt: skip


def test_the_status_of_mcode_is_no_response_by_criteria_and_is_asked(tmp_path):
    pytest.importorskip("duckdb")
    folder = write(tmp_path / "fhir", *BASE)
    source, proposed = propose_map(folder)
    words = {q.subject for q in questions(proposed.map) if q.place == "values.response"}
    assert words == {"Patient's condition improved", "Patient's condition stable"}
    assert source.tables[1].rows[0].texts[:5] == ("p1", "1", "2020-03-01", "tisagenlecleucel", "fludarabine")
    assert source.tables[5].rows[0].texts[1:4] == ("1", "2020-03-04", "CRS")
    source_map = proposed.map
    for question in list(questions(source_map)):
        reply = {"Patient's condition improved": "PR", "Patient's condition stable": "SD"}.get(question.subject)
        assert question.setting != "value" or fault(question, "perhaps", source_map=source_map)
        source_map = answered(source_map, question, reply or (question.choices[0] if question.choices else "yes"))
    (tmp_path / "map.toml").write_text(map_text(source_map))
    with pytest.raises(SourceRefused) as refused:
        import_source(folder, tmp_path / "map.toml")
    assert [p.rule for p in refused.value.problems if p.severity == "error"] == ["death without its date (record 1)"]


def test_a_record_that_came_after_the_map_is_asked_about(tmp_path):
    pytest.importorskip("duckdb")
    alive = {**BASE[0], "deceasedBoolean": False}
    source_map = propose_map(write(tmp_path / "one", alive, *BASE[1:2]))[1].map
    for question in list(questions(source_map)):
        source_map = answered(source_map, question, question.choices[0])
    (tmp_path / "map.toml").write_text(map_text(source_map))
    assert import_source(tmp_path / "one", tmp_path / "map.toml").cohort is not None
    new = resource("Procedure", 9, status="completed", performedDateTime="2021-03-01", code={"text": "CAR T infusion"})
    with pytest.raises(SourceRefused) as refused:
        import_source(write(tmp_path / "two", alive, BASE[1], new), tmp_path / "map.toml")
    assert "procedure CAR T infusion" in {p.value for p in refused.value.problems}


def test_bundles_by_others_are_flattened():
    pytest.importorskip("duckdb")
    shared = Path(__file__).resolve().parents[3] / "shared" / "data" / "sources" / "mcode"
    if not shared.is_dir():
        pytest.skip("the files of other projects are not here")
    with open_fhir(shared) as store:
        (status,) = [r for r in store.records["observation"] if r.coding.codes == ("97509-4",)]
        (event,) = store.records["adverse_event"]
        (procedure,) = store.records["procedure"]
    assert (status.patient, status.day, status.value) == (
        "mrn-1",
        "2019-12-02",
        "Cancer in complete remission(finding)",
    )
    assert (event.day, event.value, procedure.coding.codes) == ("1994-12-09", "1", ("152198000",))


@pytest.mark.parametrize("path", ["code.coding.exists()", "a[0]", "name.given | name.family", "ofType(Quantity)"])
def test_a_path_that_is_not_read_is_refused(path):
    with pytest.raises(NotSupported):
        path_sql(path, "resource")


def test_a_folder_of_fhir_is_named_with_the_command_that_reads_it(tmp_path):
    (problem,) = problems_of(write(tmp_path / "fhir", *BASE))
    assert "FHIR resources" in problem.rule
    assert "reinfuse map" in problem.remedy


def test_the_settings_stand_in_the_map(tmp_path):
    pytest.importorskip("duckdb")
    rules = ReadingRules(merge_days=3, infusion=("4711",), response=("R-1",))
    source_map = propose_map(write(tmp_path / "fhir", *BASE), rules=rules)[1].map
    again = read_map(parse_toml(map_text(source_map).encode()))
    assert rules_of(again.reading) == ReadingRules(
        merge_days=3, infusion=("4711",), response=("R-1",), toxicity=rules_of(source_map.reading).toxicity
    )


@pytest.mark.parametrize("engine", ["duckdb", "postgres", "pyspark", "snowflake", "databricks", "bigquery", "mssql"])
def test_one_expression_is_the_sql_of_each_engine(engine):
    ibis = pytest.importorskip("ibis")
    from reinfuse.sources.omop import queries
    from reinfuse.sources.omop.tables import COLUMNS, bound

    tables = bound({name.upper(): ibis.table({c.upper(): k for c, k in columns.items()}, name=name.upper())
                    for name, columns in COLUMNS.items()})  # fmt: skip
    patterns = engine != "mssql"
    records = queries.events(tables, "drug_exposure")
    texts = queries.has_text(records.source.lower(), ["car-t"], patterns=patterns)
    signs = queries.signs(
        records, listed=[792844], codes=["Q2041"], texts=texts,
        sets=queries.concepts_of(tables, [792844], ["ciloleucel"], patterns=patterns),
    )  # fmt: skip
    candidates = queries.holding(records, signs)
    people = queries.people_of([queries.of_codings(records, [(792844, 0, "x")])])
    last = queries.last_day(queries.of_people(queries.events(tables, "measurement"), people))
    sources = queries.sources_with(records, lambda s: queries.has_text(s.lower(), ["car-t"], patterns=patterns))
    for expression in (queries.counted(candidates), last, sources):
        sql = ibis.to_sql(expression, dialect=engine)
        assert "DRUG_EXPOSURE" in sql
        assert not any(word in sql.upper() for word in ("CREATE", "INSERT", "UPDATE ", "DELETE"))

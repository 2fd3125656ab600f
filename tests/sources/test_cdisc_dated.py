"""ADaM without ADTTE: ADSL, ADRS and ADPC become dated tables."""

from __future__ import annotations

from pathlib import Path

from reinfuse.sources.cohort_folder import checked_cohort
from reinfuse.sources.follow import follow
from reinfuse.sources.imported import Imported
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import answered, questions
from reinfuse.sources.read import read_source
from sources import cdisc_sets

ADSL = ("USUBJID", "AGE", "AGEU", "SEX", "TRTSDT", "TR01SDT", "TR02SDT", "TRT01A", "TRT02A", "DTHFL", "DTHDT",
        "DTHCAUS", "LSTALVDT")  # fmt: skip
SUBJECTS = [
    ("01", 61, "YEARS", "F", "2019-12-27", "2020-01-01", "2020-06-01", "CAR A", "CAR A", "Y", "2021-01-01",
     "Disease Progression", "2021-01-01"),
    ("02", 45, "YEARS", "M", "2020-01-27", "2020-02-01", "", "CAR A", "", "", "", "", "2021-03-01"),
]  # fmt: skip
ADRS = ("USUBJID", "PARAMCD", "PARAM", "AVALC", "ADT", "RSEVAL")
ASSESSED = [
    ("01", "OVR", "Overall response", "PR", "2020-07-01", "INVESTIGATOR"),
    ("01", "OVR", "Overall response", "CR", "2020-07-01", "IRC"),
    ("01", "BOR", "Best response", "CR", "2020-07-01", "IRC"),
]
ADPC = ("USUBJID", "PARAMCD", "PARAM", "AVAL", "AVALU", "ADT")
COUNTED = [("01", "CART", "CAR-T cells in blood", 1500, "copies/ug", "2020-06-08")]


def imported(folder: Path, answers: dict[str, str]) -> Imported:
    source = read_source(folder)
    source_map = propose(source).map
    for question in list(questions(source_map)):
        source_map = answered(source_map, question, answers[question.line])
    return follow(source, source_map)


def rows(one: Imported, table: str, *columns: str) -> list[tuple[str, ...]]:
    held = one.tables[table]
    at = [held.columns.index(c) for c in columns]
    return [tuple(row[j].text for j in at) for row in held.rows]


def write_all(folder: Path) -> None:
    cdisc_sets.write(folder, "ADSL", ADSL, SUBJECTS)
    cdisc_sets.write(folder, "ADRS", ADRS, ASSESSED)
    cdisc_sets.write(folder, "ADPC", ADPC, COUNTED)


def test_dated_tables_follow_from_adsl_adrs_and_adpc(tmp_path: Path) -> None:
    write_all(tmp_path)
    one = imported(tmp_path, {"patients.diagnosis": "NHL", "responses.where.RSEVAL": "INVESTIGATOR"})
    assert not one.problems
    assert rows(one, "patients", "patient_id", "death", "death_cause", "last_contact", "age_years", "diagnosis") == [
        ("01", "2021-01-01", "disease", "2021-01-01", "61", "NHL"), ("02", "", "", "2021-03-01", "45", "NHL"),
    ]  # fmt: skip
    assert rows(one, "infusions", "patient_id", "infusion", "date", "product") == [
        ("01", "1", "2020-01-01", "CAR A"), ("01", "2", "2020-06-01", "CAR A"), ("02", "1", "2020-02-01", "CAR A"),
    ]  # fmt: skip
    assert rows(one, "responses", "patient_id", "date", "response") == [("01", "2020-07-01", "PR")]
    assert rows(one, "counts", "patient_id", "date", "value", "unit") == [("01", "2020-06-08", "1500", "copies/ug")]
    assert checked_cohort(one).cohort is not None


def test_a_death_without_its_date_is_asked_about(tmp_path: Path) -> None:
    dead = [(*SUBJECTS[0][:10], "", *SUBJECTS[0][11:]), SUBJECTS[1]]
    cdisc_sets.write(tmp_path, "ADSL", ADSL, dead)
    asked = {q.line: q.about for q in questions(propose(read_source(tmp_path)).map)}
    assert "Y in 1 records" in asked["patients.death"]


def test_the_first_day_of_any_treatment_is_not_taken_for_the_infusion_unasked(tmp_path: Path) -> None:
    header = tuple(h for h in ADSL if not h.startswith("TR0"))
    kept = [ADSL.index(h) for h in header]
    cdisc_sets.write(tmp_path, "ADSL", header, [tuple(s[j] for j in kept) for s in SUBJECTS])
    asked = {q.line: q.about for q in questions(propose(read_source(tmp_path)).map)}
    assert "lymphodepletion" in asked["infusions.date"]


def test_adlb_gives_counts_and_baseline_values_once_a_person_agrees(tmp_path: Path) -> None:
    write_all(tmp_path)
    header = ("USUBJID", "PARAMCD", "PARAM", "AVAL", "AVALU", "ADT", "ABLFL")
    values = [
        ("01", "LDH", "Lactate dehydrogenase (U/L)", 240, "U/L", "2019-12-20", "Y"),
        ("01", "LDH", "Lactate dehydrogenase (U/L)", 500, "U/L", "2020-06-10", ""),
        ("02", "LDH", "Lactate dehydrogenase (U/L)", 410, "U/L", "2020-01-20", "Y"),
        ("02", "CARTB", "CAR-T cells in blood (cells/uL)", 12, "cells/uL", "2020-02-12", ""),
    ]
    cdisc_sets.write(tmp_path, "ADLB", header, values)
    answers = {"patients.diagnosis": "NHL", "patients[2].diagnosis": "NHL", "responses.where.RSEVAL": "INVESTIGATOR",
               "patients[1].ldh": "yes", "counts[1].value": "yes", "counts[2].value": "yes"}  # fmt: skip
    one = imported(tmp_path, answers)
    assert not one.problems
    assert rows(one, "patients", "patient_id", "ldh") == [("01", "240"), ("02", "410")]
    assert rows(one, "counts", "patient_id", "date", "value", "unit") == [
        ("01", "2020-06-08", "1500", "copies/ug"), ("02", "2020-02-12", "12", "cells/uL")]  # fmt: skip

"""SDTM: domains become dated tables; readers, criteria, units and partial dates are asked where they are open."""

from __future__ import annotations

from pathlib import Path

import pytest

from reinfuse.sources.follow import follow
from reinfuse.sources.imported import Imported
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import answered, questions
from reinfuse.sources.read import read_source
from reinfuse.sources.source_map import SourceMap
from sources import cdisc_sets

SHARED = Path(__file__).parents[3] / "shared" / "data" / "sources" / "dataset_json" / "sdtm"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="CDISC's SDTM examples (../shared) are not here")
DM = ("STUDYID", "DOMAIN", "USUBJID", "RFPENDTC", "DTHDTC", "DTHFL", "AGE", "AGEU", "SEX")
SUBJECTS = [("S", "DM", "01", "2020-06-01", "2020-06-01", "Y", 60, "YEARS", "F"),
            ("S", "DM", "02", "2020-07-01", "", "", 50, "YEARS", "M")]  # fmt: skip
EX = ("STUDYID", "DOMAIN", "USUBJID", "EXTRT", "EXDOSE", "EXDOSU", "EXSTDTC")
DOSES = [("S", "EX", "01", "CAR-T CELLS", 2, "x10^6 cells/kg", "2020-01-01"),
         ("S", "EX", "02", "CAR-T CELLS", 1.5, "x10^6 cells/kg", "2020-02-01T10:30")]  # fmt: skip
RS = ("STUDYID", "DOMAIN", "USUBJID", "RSTESTCD", "RSCAT", "RSSTRESC", "RSEVAL", "RSDTC")


def answer_all(source_map: SourceMap, answers: dict[str, str]) -> SourceMap:
    """Return a map with its questions answered, each by a part of its place."""
    for question in list(questions(source_map)):
        answer = next((a for part, a in answers.items() if part in question.line), None)
        assert answer is not None, (question.line, question.text)
        source_map = answered(source_map, question, answer)
    return source_map


COMMON = {"patients.last_contact": "yes", "patients.diagnosis": "NHL", "infusion": "yes"}


def imported(folder: Path, answers: dict[str, str] | None = None) -> Imported:
    source = read_source(folder, kind="sdtm")
    return follow(source, answer_all(propose(source).map, {**(answers or {}), **COMMON}))


def rows(one: Imported, table: str, *columns: str) -> list[tuple[str, ...]]:
    held = one.tables[table]
    at = [held.columns.index(c) for c in columns]
    return [tuple(row[j].text for j in at) for row in held.rows]


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    cdisc_sets.write(tmp_path, "DM", DM, SUBJECTS)
    cdisc_sets.write(tmp_path, "EX", EX, DOSES)
    return tmp_path


def test_subjects_and_infusions(trial: Path) -> None:
    one = imported(trial)
    assert not one.problems
    assert rows(one, "patients", "patient_id", "death", "last_contact", "sex", "age_years", "diagnosis") == [
        ("01", "2020-06-01", "2020-06-01", "F", "60", "NHL"), ("02", "", "2020-07-01", "M", "50", "NHL"),
    ]  # fmt: skip
    assert rows(one, "infusions", "patient_id", "infusion", "date", "dose_cells_per_kg") == [
        ("01", "1", "2020-01-01", "2000000"), ("02", "1", "2020-02-01", "1500000"),
    ]  # fmt: skip


def test_total_cells_ask_for_the_weight(trial: Path) -> None:
    cdisc_sets.write(trial, "EX", EX, [(*DOSES[0][:5], "x10^6 cells", DOSES[0][6]), DOSES[1]])
    source_map = propose(read_source(trial, kind="sdtm")).map
    asked = {q.line: q.setting for q in questions(source_map)}
    assert asked["infusions[1].dose_cells_per_kg"] == "weight"
    assert "infusions[2].dose_cells_per_kg" not in asked


def test_doses_per_kg_and_of_all_cells_are_read_each_by_its_own_unit(trial: Path) -> None:
    header = (*EX, "EXWEIGHT")
    doses = [("S", "EX", "01", "CAR-T CELLS", 150, "x10^6 cells", "2020-01-01", 75), (*DOSES[1], 80)]
    cdisc_sets.write(trial, "EX", header, doses)
    one = imported(trial)
    assert not one.problems
    # 150e6 cells / 75 kg
    assert rows(one, "infusions", "patient_id", "dose_cells_per_kg") == [
        ("01", "2000000"),
        ("02", "1500000"),
    ]  # 150e6/75


def test_lugano_words_of_ct_and_pet(trial: Path) -> None:
    words = [("01", "CMR", "2020-02-01"), ("01", "PMD", "2020-05-01"),
             ("02", "PAR", "2020-03-01"), ("02", "SAD", "2020-04-01")]  # fmt: skip
    cdisc_sets.write(trial, "RS", RS, [("S", "RS", who, "OVRLRESP", "LUGANO 2014", word, "INVESTIGATOR", day)
                                       for who, word, day in words])  # fmt: skip
    one = imported(trial)
    assert not one.problems
    assert rows(one, "responses", "patient_id", "date", "response", "criteria") == [
        ("01", "2020-02-01", "CR", "Lugano"), ("01", "2020-05-01", "PD", "Lugano"),
        ("02", "2020-03-01", "PR", "Lugano"), ("02", "2020-04-01", "SD", "Lugano"),
    ]  # fmt: skip


def test_of_two_readers_a_person_chooses(trial: Path) -> None:
    cdisc_sets.write(trial, "RS", RS, [
        ("S", "RS", "01", "OVRLRESP", "LUGANO 2014", "CMR", "INVESTIGATOR", "2020-02-01"),
        ("S", "RS", "01", "OVRLRESP", "LUGANO 2014", "PMR", "INDEPENDENT ASSESSOR", "2020-02-01"),
        ("S", "RS", "01", "TRGRESP", "LUGANO 2014", "CMR", "INVESTIGATOR", "2020-02-01"),
    ])  # fmt: skip
    source_map = propose(read_source(trial, kind="sdtm")).map
    (question,) = [q for q in questions(source_map) if "RSEVAL" in q.line]
    assert "INVESTIGATOR, INDEPENDENT ASSESSOR" in question.about
    one = imported(trial, {"where.RSEVAL": "INDEPENDENT ASSESSOR"})
    assert rows(one, "responses", "patient_id", "response") == [("01", "PR")]


def test_partial_dates_ask_which_day_stands_for_them(trial: Path) -> None:
    cdisc_sets.write(trial, "RS", RS, [
        ("S", "RS", "01", "OVRLRESP", "LUGANO 2014", "CMR", "", "2020-02"),
        ("S", "RS", "02", "OVRLRESP", "LUGANO 2014", "NMR", "", "2020-03-02"),
    ])  # fmt: skip
    source_map = propose(read_source(trial, kind="sdtm")).map
    assert [q.setting for q in questions(source_map) if q.line == "responses.date"] == ["partial"]
    refused = imported(trial, {"responses.date": "refuse"})
    assert [p.value for p in refused.problems] == ["2020-02"]
    middle = imported(trial, {"responses.date": "middle"})
    assert rows(middle, "responses", "patient_id", "date", "response") == [
        ("01", "2020-02-15", "CR"), ("02", "2020-03-02", "SD"),
    ]  # fmt: skip


def test_grades_by_astct_stand_in_suppae(trial: Path) -> None:
    cdisc_sets.write(trial, "AE", ("STUDYID", "DOMAIN", "USUBJID", "AESEQ", "AEDECOD", "AETOXGR", "AESTDTC"), [
        ("S", "AE", "01", 1, "Cytokine release syndrome", "3", "2020-01-03"),
        ("S", "AE", "01", 2, "Immune effector cell-associated neurotoxicity syndrome", "2", "2020-01-05"),
        ("S", "AE", "01", 3, "Pyrexia", "1", "2020-01-02"),
    ])  # fmt: skip
    cdisc_sets.write(trial, "SUPPAE", ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL"), [
        ("S", "AE", "01", "AESEQ", "1", "ASTCTGR", "2"), ("S", "AE", "01", "AESEQ", "2", "ASTCTGR", "1"),
    ])  # fmt: skip
    one = imported(trial, {"toxicities[1].infusion": "1", "toxicities[2].infusion": "1"})
    assert not one.problems
    assert rows(one, "toxicities", "patient_id", "infusion", "kind", "grade", "date") == [
        ("01", "1", "CRS", "2", "2020-01-03"), ("01", "1", "ICANS", "1", "2020-01-05"),
    ]  # fmt: skip


def test_a_death_that_dm_does_not_date_is_read_from_ds(trial: Path) -> None:
    cdisc_sets.write(trial, "DM", DM, [(*s[:4], "", "Y" if s[2] == "01" else "", *s[6:]) for s in SUBJECTS])
    cdisc_sets.write(trial, "DS", ("STUDYID", "DOMAIN", "USUBJID", "DSDECOD", "DSSTDTC"), [
        ("S", "DS", "01", "INFORMED CONSENT OBTAINED", "2019-12-01"), ("S", "DS", "01", "DEATH", "2020-06-01"),
        ("S", "DS", "02", "LOST TO FOLLOW-UP", "2020-08-01"),
    ])  # fmt: skip
    source = read_source(trial, kind="sdtm")
    source_map = propose(source).map
    (death,) = [q for q in questions(source_map) if q.line == "patients[1].death"]
    assert "Y in 1 records" in death.about
    one = imported(trial, {"patients[1].death": "DTHDTC", "last_contact": "yes", "patients[1].diagnosis": "NHL"})
    assert rows(one, "patients", "patient_id", "death", "last_contact") == [
        ("01", "2020-06-01", "2020-06-01"), ("02", "", "2020-08-01"),
    ]  # fmt: skip


@needs_shared
def test_rs_without_tumour_responses_is_told_and_not_imported() -> None:
    source = read_source(SHARED)
    assert source.kind == "sdtm"
    (told,) = source.problems
    assert (told.table, told.severity) == ("RS", "warning")
    assert "no tumour response" in told.rule
    source_map = propose(source).map
    assert "responses" not in {b.table for b in source_map.blocks}
    (left,) = [r for r in follow(source, source_map).remarks if r.startswith("RS: the whole sheet")]
    assert "no tumour response" in left


CM = ("STUDYID", "DOMAIN", "USUBJID", "CMTRT", "CMDECOD", "CMCAT", "CMSTDTC")


def test_medications_against_the_disease_become_therapies_and_others_do_not(trial: Path) -> None:
    cdisc_sets.write(trial, "CM", CM, [
        ("S", "CM", "01", "Zanubrutinib", "ZANUBRUTINIB", "SUBSEQUENT ANTI-CANCER THERAPY", "2020-03-01"),
        ("S", "CM", "01", "paracetamol", "PARACETAMOL", "CONCOMITANT MEDICATION", "2020-01-02"),
        ("S", "CM", "02", "R-CHOP", "R-CHOP", "SUBSEQUENT ANTI-CANCER THERAPY", "2020-06"),
    ])  # fmt: skip
    one = imported(trial, {"therapies.date": "first", "therapies.kind": "yes"})
    assert not one.problems
    assert rows(one, "therapies", "patient_id", "date", "therapy", "kind") == [
        ("01", "2020-03-01", "ZANUBRUTINIB", "anticancer"), ("02", "2020-06-01", "R-CHOP", "anticancer"),
    ]  # fmt: skip

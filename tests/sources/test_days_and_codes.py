"""Days that stand in the cells of the response, codes that a sheet explains, numbers of days taken for dates."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from literal_sources import book, followed, problems, rows, sheet
from workbooks import write_sheets

from reinfuse.cohort.lymphodepletion import regimen_class
from reinfuse.cohort.validation import ROW, TIME, responses_agree
from reinfuse.sources.codebook import codebook_of, with_codebook
from reinfuse.sources.follow import follow
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import answered, fault, questions
from reinfuse.sources.redcap.reading import read_redcap
from reinfuse.sources.values import understand

IN_CELLS = """
ID,Dx,1. CAR-T | Date,1. CAR-T | Best response (day),1. CAR-T | MRD,2. CAR-T | Date,\
2. CAR-T | Best response (day),2. CAR-T | MRD,Last contact,Date of death
P1,ALL,2020-01-01,CR (d33),neg,2021-01-01,PR{last},pos,2022-01-01,
P2,ALL,2020-02-01,SD (d29),nb,2021-02-01,PD (d31),pos,2022-01-01,2022-02-02
P3,ALL,2020-03-01,CR (d27),neg,2021-03-01,CR (d30),neg,2022-01-01,
"""
CODES = [["Variable", "Label", "Codes"], ["sex", "Sex", "1, Male | 2, Female"],
         ["resp", "Best response", "1, CR | 5, PD | 6, NR"], ["dose", "Dose", "10^6 cells/kg; 99 = unknown"],
         ["dx", "Diagnosis", "1, ALL | 2, CLL"]]  # fmt: skip
CODED = "pid,sex,dx,CART1 date,dose,resp\nA,1,1,2020-03-01,2.1,6\nB,2,2,2020-04-01,1.2,1\nC,1,1,2020-05-01,99,5\n"
MAP = """
[patients]
patient_id = "ID"
{patients}
[infusions]
patient_id = "ID"
infusion = {{ const = "1" }}
{infusions}
"""


def proposed(source):
    return propose(source, today=date(2026, 11, 29)).map


@pytest.mark.parametrize(("last", "placed", "day"), [(" (d28)", None, "2021-01-29"), ("", 28, "2021-01-29")])
def test_mrd_takes_the_day_that_stands_in_the_cells_of_the_response(last, placed, day):
    """33 days after 2020-01-01 is 2020-02-03; a cell that tells no day has day 28, and the question says so."""
    source = book(sheet(IN_CELLS.format(last=last)))
    source_map = proposed(source)
    lines = [b.fields["date"] for t in ("responses", "mrd") for b in source_map.blocks if b.table == t]
    assert [(f.part, f.after, f.day, f.confirm) for f in lines] == 2 * [
        ("day", "infusion 1", None, True), ("day", "infusion 2", placed, True)]  # fmt: skip
    question = {q.line: q for q in questions(source_map)}["mrd[2].date"]
    assert 'read from "2. CAR-T | Best response (day)", day of it' in question.text
    assert ("day 28 where it tells none" in question.text) is (placed is not None)
    for one in list(questions(source_map)):
        source_map = answered(source_map, one, "yes")
    imported = follow(source, source_map)
    assert problems(imported) == []
    head, *mrd = rows(imported, "mrd")
    assert [r[head.index("date")] for r in mrd] == ["2020-02-03", day, "2021-03-04", "2020-03-28", "2021-03-31"]


def test_choices_with_strokes_are_codes_and_one_that_is_not_understood_is_asked_with_its_label():
    plain = sheet(CODED)
    source_map = proposed(book(with_codebook(plain, codebook_of(CODES, [plain]))))
    assert source_map.values["sex"] == {"1": "M", "2": "F"}
    assert source_map.values["dose"] == {"99": ""}
    question = next(q for q in questions(source_map) if q.subject == "6")
    assert "SD, PD" in question.text
    assert "6 is NR" in question.about
    assert fault(question, "banana", source_map=source_map) is not None
    assert fault(question, "PD", source_map=source_map) is None


def test_a_number_of_nines_among_doses_is_asked_about():
    assert proposed(book(sheet(CODED))).values["dose_cells_per_kg"] == {"99": "?"}
    large = CODED.replace("2.1", "70").replace("1.2", "120")
    assert "dose_cells_per_kg" not in proposed(book(sheet(large))).values


def test_results_of_mrd_can_be_answered_where_the_map_has_no_block_of_them():
    text = IN_CELLS.format(last=" (d28)").replace("1. CAR-T | MRD", "1. CAR-T | Q7 MRD x").replace(",neg", ",0")
    text = text.replace(",pos", ",1").replace("2. CAR-T | MRD", "2. CAR-T | Q7 MRD x")
    source_map = proposed(book(sheet(text)))
    question = next(q for q in questions(source_map) if "speaks of mrd" in q.text)
    assert fault(question, "mrd.result", source_map=source_map) is None
    after = answered(source_map, question, "mrd.result")
    [mrd] = [b for b in after.blocks if b.table == "mrd"]
    assert mrd.fields["result"].column.endswith("Q7 MRD x")
    number = mrd.fields["result"].column[0]
    assert (mrd.fields["date"].after, mrd.fields["date"].confirm) == (f"infusion {number}", True)


def test_numbers_of_days_in_a_line_of_dates_are_told_how_they_are_read():
    text = "ID,C1,Seen,Died\nA,0,300,\nB,0,500,600\n"
    by_hand = MAP.format(patients='last_contact = "Seen"\ndeath = "Died"', infusions='date = "C1"')
    remedies = {p.column: p.remedy for p in followed(by_hand, sheet(text)).problems}
    assert 'last_contact = { column = "Seen", after = "infusion 1" }' in remedies["Seen"]
    assert 'day = "C1" in place of date' in remedies["C1"]
    assert not any("[values.date]" in r for r in remedies.values())
    right = MAP.format(patients='last_contact = { column = "Seen", after = "infusion 1" }\n'
                       'death = { column = "Died", after = "infusion 1" }', infusions='day = "C1"')  # fmt: skip
    assert problems(followed(right, sheet(text))) == []


@pytest.mark.parametrize(("column", "word"), [("mrd.result", "nb"), ("responses.response", "NF"), ("result", "n.v.")])
def test_words_for_not_known_are_missing_where_something_is_assessed(column, word):
    assert understand(column, word).parts == {}
    assert understand("diagnosis", "NB") is None  # neuroblastoma


def test_days_of_a_regimen_are_read_in_dutch():
    assert regimen_class("Flu/Cy 3 dgn") == "Cy-Flu"


def test_stable_disease_on_the_day_of_a_progression_is_told_once():
    frame = pl.DataFrame({"patient_id": ["a", "a", "b", "b"], TIME: [28.0, 28, 30, 30],
                          "response": ["SD", "PD", "CR", "PD"], ROW: [1, 2, 3, 4]})  # fmt: skip
    told = [(p.value, p.rule) for p in responses_agree({"responses": frame})]
    assert [value for value, _ in told] == ["SD", "CR", "PD"]
    assert told[0][1] == "a progression of the same day counts before it"


def test_a_sheet_of_codes_beside_an_export_in_a_workbook_is_read(tmp_path):
    export = [["record_id", "redcap_event_name", "sex", "dx", "cart_date", "resp", "mrd"],
              [1, "infusion_1_arm_1", 2, 1, "2020-03-01", 1, 0],
              [2, "infusion_1_arm_1", 1, 2, "2020-04-01", 5, 99]]  # fmt: skip
    codes = [*CODES[:3], ["dx", "Diagnosis", "1, ALL | 2, CLL"],
             ["mrd", "MRD", "0, negative | 1, positive | 99, not done"]]  # fmt: skip
    path = write_sheets(tmp_path / "export.xlsx", {"Export": (export, ()), "Codes": (codes, ()),
                                                   "Notes": ([["What", "Who"], ["x", "y"]], ())})  # fmt: skip
    source = read_redcap(path, {})
    source_map = proposed(source)
    assert source_map.values["sex"] == {"1": "M", "2": "F"}
    assert source_map.values["mrd"] == {"0": "undetectable", "1": "detectable", "99": ""}
    assert any("'export.xlsx, Codes' explains 4 columns" in r for r in source.remarks)
    assert any("Notes is no export" in r for r in source.remarks)

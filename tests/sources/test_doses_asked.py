"""Doses: their unit in each row, all cells against cells per kg, and what no dose can be."""

from __future__ import annotations

import pytest
from literal_sources import book, followed, map_of, problems, rows, sheet

from reinfuse.sources.map_text import map_text
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import fault, questions
from reinfuse.sources.values.doses import names_unit_alone

HEAD = """
[patients]
patient_id = "ID"
death = { const = "" }
[infusions]
patient_id = "ID"
infusion = { const = "1" }
date = "Date"
"""
TOTAL = 'dose_cells_per_kg = { column = "Dose", unit = "cells", weight = "kg" }\n'
PER_KG = 'dose_cells_per_kg = { column = "Dose", unit = "1e6 cells/kg", weight = "kg" }\n'
ROW = "ID,Date,Dose,kg\nA,2020-03-01,{},70\n"


def doses(imported):
    head, *body = rows(imported, "infusions")
    return [row[head.index("dose_cells_per_kg")] for row in body]


def test_a_column_of_units_is_read_row_by_row_whatever_its_name():
    text = ("ID,CT no.,CT date,Cells infused (value),Cells infused (unit),Weight at CT\n"
            "A,1,2020-03-01,15,10^6 total,60\n"
            "B,1,2020-03-02,220.5,10^6/kg,60\nC,1,2020-03-03,,unknown,60\n")  # fmt: skip
    source_map = propose(book(sheet(text))).map
    fields = [f for b in source_map.blocks for c, f in b.fields.items() if c == "dose_cells_per_kg"]
    read = {(f.unit, f.weight, f.where["Cells infused (unit)"], f.confirm) for f in fields}
    # "unknown" is no unit: a dose beside it would be told as read by no line
    assert read == {("1e6 cells", "Weight at CT", ("10^6 total",), True), ("1e6 cells/kg", "", ("10^6/kg",), True)}


@pytest.mark.parametrize(("text", "alone"), [
    ("10^6/kg", True), ("x10⁶ total", True), ("Mio/kg", True), ("cells/kg", True), ("2 x 10^6/kg", False),
    ("weight 70 kg", False), ("10^6", False), ("given per kg", False),
])  # fmt: skip
def test_a_unit_alone_is_told_from_a_dose_and_from_words(text, alone):
    assert names_unit_alone(text) is alone


def test_a_plain_number_is_not_taken_for_all_cells_by_its_size():
    """220.5e6 per kg was once divided by the weight in silence; 2 is 2e6/kg as its unit says."""
    assert doses(followed(HEAD + PER_KG, sheet(ROW.format("2")))) == ["2000000"]
    assert [p[2:] for p in problems(followed(HEAD + PER_KG, sheet(ROW.format("220.5"))))] == [
        ("Dose", "not known to be total cells or cells per kg")]  # fmt: skip


@pytest.mark.parametrize(("answer", "dose"), [("147e6 cells", "2100000"), ("2.1e6 cells/kg", "2100000")])
def test_an_answer_says_whether_it_is_of_all_cells(answer, dose):
    """147e6 cells / 70 kg = 2.1e6 cells/kg."""
    text = f'---\n[values.dose_cells_per_kg]\n"147.10⁶" = "{answer}"\n{HEAD}{TOTAL}'
    imported = followed(text, sheet(ROW.format("147.10⁶")))
    assert problems(imported) == []
    assert doses(imported) == [dose]


def test_an_answer_that_says_neither_is_refused_and_asked_with_both_readings():
    text = f'---\n[values.dose_cells_per_kg]\n"147.10⁶" = "{{}}"\n{HEAD}{TOTAL}'
    [problem] = followed(text.replace("{}", "143000000"), sheet(ROW.format("147.10⁶"))).problems
    assert "neither cells nor cells/kg" in problem.rule
    [question] = questions(map_of(text.replace("{}", "?")))
    assert '"147e6 cells", which the body weight divides: 2.1e+06 cells/kg at 70 kg' in question.text
    assert '"2e6 cells/kg", which nothing divides' in question.text
    assert '[values.dose_cells_per_kg]  # of all cells as "140e6 cells"' in map_text(map_of(text), ())
    assert fault(question, "147000000") is not None
    assert fault(question, "900 cells/kg") is not None
    assert fault(question, "147e6 cells") is None


@pytest.mark.parametrize(("unit", "cell"), [("cells", "147"), ("1e8 cells", "5000"), ("1e6 cells", "0.5")])
def test_a_dose_that_nobody_is_given_is_refused(unit, cell):
    """147 / 70 kg = 2.1; 5e11 / 70 = 7e9; 5e5 / 70 = 7143 cells/kg: below 1e4 or above 1e9."""
    [problem] = followed(HEAD + TOTAL.replace('"cells"', f'"{unit}"'), sheet(ROW.format(cell))).problems
    assert "fewer than 1e4 or more than 1e9 cells per kg" in problem.rule
    assert (problem.row, problem.column, problem.value) == (2, "Dose", cell)


@pytest.mark.parametrize(("weight", "count"), [("unknown", 0), ("", 0), ("heavy", 1)])
def test_a_total_dose_whose_weight_is_not_known_is_left_empty_and_one_with_a_word_is_refused(weight, count):
    text = f"ID,Date,Dose,kg\nA,2020-03-01,290000000,{weight}\nB,2020-03-02,140000000,70\n"
    imported = followed(HEAD + TOTAL, sheet(text))
    assert len(imported.problems) == count
    assert doses(imported) == ["", "2000000"]


@pytest.mark.parametrize("answer", ["147e6 cells/kg", "147 Mio/kg"])
def test_an_answer_above_any_dose_per_kg_is_confirmed_in_words(answer):
    """147e6 cells are 2.1e6 per kg at 70 kg; 147e6 per kg is five times the highest dose that was given."""
    line = '[values.dose_cells_per_kg]\nfull = "{}"\n'
    refused = followed("---\n" + line.format(answer) + HEAD + PER_KG, sheet(ROW.format("full")))
    assert [rule for *_, rule in problems(refused)] == [
        "answered by more than 5e7 cells per kg, which nobody is known to have been given"]  # fmt: skip
    agreed = followed("---\n" + line.format("147e6 cells/kg confirmed") + HEAD + PER_KG, sheet(ROW.format("full")))
    assert doses(agreed) == ["147000000"]

"""Constants of a map: what is the same in every row is written for every row that has the infusion."""

from __future__ import annotations

import pytest
from literal_sources import followed, problems, rows, sheet

CART = """
Patient,No,Date,CRS onset,Relapse
P1,1,2020-01-01,2020-01-03,
P1,2,2021-01-01,,2021-06-01
P2,1,2020-02-02,,
,,,,
"""
INFUSIONS = """
[patients]
sheet = "CART"
patient_id = "Patient"
diagnosis = { const = "ALL" }
last_contact = { const = "2022-01-01" }
death = { const = "" }
[infusions]
sheet = "CART"
patient_id = "Patient"
infusion = "No"
date = "Date"
"""
TOXICITY = """
[[toxicities]]
sheet = "CART"
patient_id = "Patient"
infusion = "No"
kind = { const = "KIND" }
grade = { const = "2" }
"""


def block_of(kind, more=""):
    return TOXICITY.replace("KIND", kind) + more


@pytest.mark.parametrize(("more", "written"), [
    ("", [["P1", "1"], ["P1", "2"], ["P2", "1"]]),
    ('where = { Patient = ["P1"] }', [["P1", "1"], ["P1", "2"]]),
    ('date = "CRS onset"', [["P1", "1"]]),
])  # fmt: skip
def test_a_grade_that_is_constant_is_written_for_every_infusion_that_the_block_reads(more, written):
    result = followed(INFUSIONS + block_of("CRS", more), sheet(CART))
    assert problems(result) == []
    assert [row[:2] for row in rows(result, "toxicities")[1:]] == written
    assert {tuple(row[-2:]) if not more.startswith("date") else ("CRS", "2")
            for row in rows(result, "toxicities")[1:]} == {("CRS", "2")}  # fmt: skip
    told = "2 rows without date, no row of toxicities written"
    assert any(told in remark for remark in result.remarks) is more.startswith("date")


def test_two_constant_grades_of_one_onset_are_both_written():
    onset = 'date = "CRS onset"'
    result = followed(INFUSIONS + block_of("CRS", onset) + block_of("ICANS", onset), sheet(CART))
    head, *written = rows(result, "toxicities")
    assert [row[head.index("kind")] for row in written] == ["CRS", "ICANS"]


PLACED = 'date = { after = "infusion", day = 28, said = "not recorded" }'


@pytest.mark.parametrize(("name", "column", "text"), [
    ("responses", "response", "PD"), ("mrd", "result", "negative"), ("therapies", "therapy", "Pola-BR"),
])  # fmt: skip
def test_a_constant_beside_a_date_is_written_where_the_date_is_and_else_in_every_row(name, column, text):
    kind = 'kind = { const = "anticancer" }' if name == "therapies" else ""
    start = f'[[{name}]]\nsheet = "CART"\npatient_id = "Patient"\n{column} = {{ const = "{text}" }}\n{kind}\n'
    dated = followed(f'{INFUSIONS}{start}date = "Relapse"', sheet(CART))
    assert [r[:2] for r in rows(dated, name)[1:]] == [["P1", "2021-06-01"]]
    placed = followed(f"{INFUSIONS}{start}{PLACED}", sheet(CART))
    assert [r[:2] for r in rows(placed, name)[1:]] == [
        ["P1", "2020-01-29"], ["P1", "2021-01-29"], ["P2", "2020-03-01"]]  # fmt: skip

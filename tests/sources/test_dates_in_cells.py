"""Dates that stand in a cell beside a response or a result: their order is asked, and they are the day of the cell."""

from __future__ import annotations

from datetime import date

import pytest
from literal_sources import book, followed, problems, rows, sheet

from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import questions
from reinfuse.sources.source_map import OPEN

SHEET = """ID,CART1 date,Response month 1,MRD month 1
a,2021-03-01,RC (12/04/21),neg (02/04/21)
b,2021-03-02,RP (05/04/21),pos (05/04/21)
"""
MAP = """
date_order = "ORDER"
---
[patients]
patient_id = "ID"
death = { const = "" }
[infusions]
patient_id = "ID"
infusion = { const = "1" }
date = "CART1 date"
[mrd]
patient_id = "ID"
date = DATE
result = "MRD month 1"
"""


def proposed(text):
    return propose(book(sheet(text)), today=date(2026, 1, 1)).map


@pytest.mark.parametrize(("cell", "order"), [("12/04/21", OPEN), ("25/04/2021", "dmy"), ("2021-04-12", OPEN)])
def test_the_order_of_dates_within_words_is_asked_or_decided_by_a_cell(cell, order):
    """05/04/21 stays; 25/04/2021 has one reading, 2021-04-12 says nothing of the order of the others."""
    assert proposed(SHEET.replace("12/04/21", cell)).date_order == order


def test_a_date_beside_a_result_is_split_off_and_no_word_is_asked_about():
    source_map = proposed(SHEET)
    assert [q.subject for q in questions(source_map) if q.place.startswith("values.")] == []
    (block,) = [b for b in source_map.blocks if b.table == "mrd"]
    assert (block.fields["date"].column, block.fields["date"].part) == ("MRD month 1", "date")


@pytest.mark.parametrize(("order", "day"), [("dmy", "2021-04-02"), ("mdy", "2021-02-04")])
@pytest.mark.parametrize("dated", [
    '{ column = "MRD month 1", part = "date" }', '{ after = "infusion 1", day = 30, said = "month 1" }',
])  # fmt: skip
def test_the_date_in_the_cell_is_the_day_of_the_result(order, day, dated):
    imported = followed(MAP.replace("ORDER", order).replace("DATE", dated), sheet(SHEET))
    assert problems(imported) == []
    head, first, _ = rows(imported, "mrd")
    assert [first[head.index(c)] for c in ("date", "result")] == [day, "undetectable"]


def test_without_an_order_such_a_cell_is_told_as_a_date_with_two_readings():
    text = MAP.replace('date_order = "ORDER"\n---\n', "").replace("DATE", '"CART1 date"')
    assert {p[3].split(": ")[1] for p in problems(followed(text, sheet(SHEET)))} == {
        "date that can be read in two ways"
    }

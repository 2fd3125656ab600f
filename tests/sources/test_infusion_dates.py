"""A date behind a response or grade is not taken for an infusion's, and of two that compete one is asked about."""

from __future__ import annotations

from datetime import date

import pytest
from literal_sources import book, sheet

from reinfuse.sources.propose.proposing import propose

BEHIND = """
ID,Dx,1. CAR-T | Produkt,1. CAR-T | {own},1. CAR-T | bestes Ansprechen,1. CAR-T | {bare},2. CAR-T | Datum,Tod
P1,ALL,Kymriah,{d1},CR,2020-02-01,2021-01-01,
P2,ALL,Kymriah,2020-02-02,PR,2020-03-03,2021-02-02,2022-01-01
P3,ALL,Kymriah,2020-03-03,CR,2020-04-04,,
"""


def proposed(text):
    return propose(book(sheet(text)), today=date(2026, 11, 29)).map


def date_of(source_map, number):
    """Return the line of the date of an infusion."""
    blocks = [b for b in source_map.blocks if b.table == "infusions"]
    return next(b.fields["date"] for b in blocks if b.fields["infusion"].const == str(number))


@pytest.mark.parametrize("bare", ["am", "on", "le", "Datum", "Date"])
@pytest.mark.parametrize("d1", ["2020-01-01", "Jan"])
def test_a_bare_date_behind_a_response_is_not_the_infusion_s_where_another_is(bare, d1):
    source_map = proposed(BEHIND.format(own="Datum d0", bare=bare, d1=d1))
    assert date_of(source_map, 1).column == "1. CAR-T | Datum d0"
    told = {k for k in source_map.questions if k.startswith(f"1. CAR-T | {bare}")}
    read = [f.column for b in source_map.blocks if b.table == "responses" for f in b.fields.values()]
    assert told or f"1. CAR-T | {bare}" in read


@pytest.mark.parametrize("bare", ["am", "on", "Datum"])
def test_a_bare_date_behind_a_response_is_asked_about_where_there_is_no_other(bare):
    source_map = proposed(BEHIND.format(own="LD", bare=bare, d1="Flu/Cy").replace("2020-02-02,PR", "Flu/Cy,PR"))
    given = date_of(source_map, 1)
    assert given.column == f"1. CAR-T | {bare}"
    assert given.confirm
    assert "1. CAR-T | bestes Ansprechen" in given.reason


def test_of_two_dates_of_one_infusion_the_one_that_is_taken_is_asked_about():
    text = "ID,Dx,CART1 date,CART1 infused on,CART2 date\nP1,ALL,2020-01-01,2020-01-03,2021-01-01\n"
    assert date_of(proposed(text), 1).confirm
    assert not date_of(proposed(text), 2).confirm

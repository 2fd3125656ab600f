"""A source without infusions, death or last contact: the map asks, before an import refuses."""

from __future__ import annotations

from datetime import date

import pytest
from literal_sources import book, sheet

from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import questions

BASELINE = "ID,Dx,Sex,Date of birth\nP1,ALL,F,1980-01-01\nP2,CLL,M,1970-01-01\n"
SCANS = "ID,Assessment date,Response\nP1,2020-02-01,CR\nP2,2020-03-01,PD\n"
CART = "ID,Infusion no,Infusion date,Product\nP1,1,2020-01-01,Kymriah\nP2,1,2020-02-01,Kymriah\n"
OUTCOME = "ID,Date of death,Last contact\nP1,,2021-01-01\nP2,2021-01-01,2021-01-01\n"


@pytest.mark.parametrize(("sheets", "asked"), [
    ({"Baseline": BASELINE, "Scans": SCANS}, ["infusion", "last contact", "death"]),
    ({"Scans": SCANS, "CART": CART}, ["last contact", "death"]),
    ({"Baseline": BASELINE, "Scans": SCANS, "CART": CART}, ["last contact", "death"]),
    ({"Scans": SCANS}, ["infusion", "last contact", "death"]),
    ({"Baseline": BASELINE, "CART": CART, "Outcome": OUTCOME}, []),
])  # fmt: skip
def test_what_no_column_was_taken_for_and_no_cohort_can_do_without_is_asked(sheets, asked):
    source_map = propose(book(*(sheet(t, n) for n, t in sheets.items())), today=date(2026, 11, 29)).map
    texts = [f"{q.text} {q.about}" for q in questions(source_map)]
    for what in ("infusion", "last contact"):
        assert sum(f"no date of {'an ' * (what == 'infusion')}{what} was found" in t for t in texts) == (what in asked)
    assert any("no column of death was found" in t for t in texts) is ("death" in asked)

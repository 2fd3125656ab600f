"""Sheets that explain the columns of the others: their labels and codes are those of a data dictionary."""

from __future__ import annotations

import pytest
from centres import centre, table

from reinfuse.sources.codebook import codebook_of, with_codebook
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.source_table import Source

ROWS = [["pid", "ct1_ld", "ct2_ld", "SEXCD", "q7"], ["1", "1", "2", "0", "9"], ["2", "2", "1", "1", "3"],
        ["3", "1", "1", "0", "3"]]  # fmt: skip
LONG = [["variable", "code", "label"], ["pid", "", "patient"], ["ct*_ld", "1", "Flu/Cy"], ["", "2", "bendamustine"],
        ["SEXCD", "0", "Female"], ["SEXCD", "1", "Male"], ["q7", "0-4", "worst CRS; 9 = unknown"],
        ["all", "-99", "missing"]]  # fmt: skip
PAIRS = [["Variable", "Label", "Type", "Values"], ["pid", "Patient", "num", ""],
         ["CTn_LD", "Lymphodepletion", "num", "1=Flu/Cy; 2=bendamustine"], ["sexcd", "Sex", "num", "0=Female; 1=Male"],
         ["q7", "Maximum CRS grade", "num", "0-5; 9=unknown"]]  # fmt: skip


def explained(book, rows=ROWS):
    one = table("data", rows)
    return with_codebook(one, codebook_of(book, [one]))


@pytest.mark.parametrize("book", [LONG, PAIRS], ids=["a row a code", "pairs"])
def test_codes_are_read_under_names_with_a_placeholder_and_without_case(book):
    codes = {c.header: dict(c.choices) for c in explained(book).columns}
    assert codes["ct1_ld"] == codes["ct2_ld"] == {"1": "Flu/Cy", "2": "bendamustine"}
    assert codes["SEXCD"] == {"0": "Female", "1": "Male"}
    assert codes["q7"] == {"9": "unknown"}


def test_a_code_of_every_column_stands_for_missing_data():
    assert codebook_of(LONG, [table("data", ROWS)]).missing == ("-99",)


def test_labels_and_codes_make_the_proposals():
    outcome = propose(Source("excel", "x.xlsx", (explained(PAIRS),)))
    targets = {p.source: p.target for p in outcome.proposals}
    assert targets["SEXCD"] == "patients.sex"
    assert targets["ct2_ld"] == "infusions[2].lymphodepletion"
    assert targets["q7"] == "toxicities[2].CRS.grade"
    assert outcome.map.values["SEXCD"] == {"0": "F", "1": "M"}


def test_a_sheet_of_other_words_is_no_codebook():
    one = centre("x.xlsx", S="ID > - > 1; 2; 3\nSex > - > M; F; M").source.tables
    assert (
        codebook_of([["Drug", "Maker"], ["axi-cel", "Kite"], ["liso-cel", "BMS"], ["ID", "x"], ["a", "b"]], one) is None
    )

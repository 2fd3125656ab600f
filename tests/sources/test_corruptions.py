"""Messy sheets that were corrupted after their map was made: asked, refused or read rightly, never another number."""

from __future__ import annotations

import random

import corruptions_of_cells  # noqa: F401 (registers its kinds)
import pytest
from corruptions import CORRUPTIONS, SEED, corrupted
from sheet_variants import WRONG, outcomes, variant_of

SOME = 60
"""Of the 300 that benchmarks/corrupted_sheets.py runs: each kind once."""


@pytest.mark.parametrize("part", range(6))
def test_no_corruption_changes_a_number_silently(part):
    wrong = []
    for kind, name, number, variant in corrupted(SOME):
        if number % 6 == part:
            by_map = zip(("the old map", "a new map"), outcomes(name, variant), strict=True)
            wrong += [(kind, name, which, why) for which, (outcome, why) in by_map if outcome == WRONG]
    assert wrong == []


def test_each_kind_is_drawn():
    assert {kind for kind, *_ in corrupted(SOME)} == {make.__name__ for make in CORRUPTIONS}


def _apply(kind, name):
    variant = variant_of(name)
    next(make for make in CORRUPTIONS if make.__name__ == kind)(random.Random(SEED), variant)
    return variant


def test_a_wrong_reading_would_be_noticed():
    variant = _apply("rows_sorted_otherwise", "months")
    assert variant.truth is not None
    variant.truth["sheet"][0]["os_days"] = "914"
    assert [outcome for outcome, _ in outcomes("months", variant)] == [WRONG, WRONG]


def test_a_renamed_column_is_asked_about_where_another_line_is_placed_by_it():
    variant = variant_of("tracking")
    sheet, j, _ = variant.column("responses[2].response")
    variant.change_header(sheet, j, "Response max")
    assert outcomes("tracking", variant)[0][0] == "asked"

"""What is proposed for the books of 46 centres that nobody wrote for this program, and the cohorts that follow."""

from __future__ import annotations

from datetime import date

import pytest
from truth_cohorts import meant_cohort
from unseen_books import BOOKS, confirmed, differing, is_right, judged, write

from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.endpoint_derivation import derive
from reinfuse.sources.cohort_folder import check
from reinfuse.sources.follow import follow
from reinfuse.sources.left_columns import EMPTY
from reinfuse.sources.map_file import map_text, read_map
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.read import read_source
from reinfuse.tabular.toml import parse_toml

TODAY = date(2026, 11, 29)
JUDGED = [name for name, book in BOOKS.items() if "targets" in book]
OTHER_DAYS = {
    "america_1": "days of assessments differ between the two infusions", "america_5": "cells tell days of their own",
    "fresh_1": "a progression of day 30 has its own day besides", "fresh_6": "a transplant that no truth lists censors",
}  # fmt: skip
"""Books whose endpoints hang on days that the truths do not hold."""
ENDPOINTS = ("pfs_days", "pfs_event", "os_days", "os_event", "response")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Return a folder, and what was read, proposed and imported of each book: once for all tests."""
    return tmp_path_factory.mktemp("books"), {}


def outcome_of(name, shelf):
    folder, known = shelf
    if name not in known:
        source = read_source(write(name, folder))
        known[name] = source, propose(source, today=TODAY)
    return known[name]


@pytest.mark.parametrize("name", JUDGED)
def test_no_column_of_an_unseen_book_is_read_wrongly_or_left_out_without_being_asked_about(name, shelf):
    source, outcome = outcome_of(name, shelf)
    assert [p.source for p, right in judged(name, source, outcome.proposals)
            if not is_right(p.target, right) and not p.open and p.reason != EMPTY] == []  # fmt: skip


def test_nine_in_ten_columns_of_unseen_books_are_proposed_rightly(shelf):
    every = [(is_right(p.target, right), right) for name in JUDGED
             for p, right in judged(name, *_parts(outcome_of(name, shelf)))]  # fmt: skip
    mapped = [right for right, accepted in every if accepted != ["ignore"]]
    needed = [right for right, accepted in every if "ignore" not in accepted]
    assert len(mapped) > 700
    assert sum(mapped) / len(mapped) >= 0.97
    assert sum(needed) / len(needed) >= 0.97


def _parts(outcome):
    source, proposed = outcome
    return source, proposed.proposals


def imported(name, shelf):
    folder, known = shelf
    key = name, "imported"
    if key not in known:
        source, outcome = outcome_of(name, shelf)
        source_map = read_map(parse_toml(map_text(confirmed(name, outcome.map)).encode()))
        followed = follow(read_source(folder / source.name, kind=source.kind, layouts=source_map.layouts), source_map)
        known[key] = check(followed, folder)
    return known[key]


@pytest.mark.parametrize("name", BOOKS)
def test_an_unseen_book_becomes_the_cohort_that_its_centre_meant(name, shelf):
    checked = imported(name, shelf)
    assert [p for p in checked.problems if p.severity == "error"] == []
    assert list(differing(BOOKS[name]["truth"], checked.imported.tables)) == []


@pytest.mark.parametrize("name", [n for n in BOOKS if n not in OTHER_DAYS])
def test_endpoints_of_an_unseen_book_are_those_of_what_its_centre_meant(name, shelf, tmp_path):
    folder = tmp_path / "meant"
    folder.mkdir()
    read, meant = (derive(cohort, 2, rules=Rules()).select("patient_id", *ENDPOINTS).sort("patient_id")
                   for cohort in (imported(name, shelf).cohort, meant_cohort(name, folder)))  # fmt: skip
    assert read.height > 1
    assert read.to_dicts() == meant.to_dicts()

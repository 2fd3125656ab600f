"""What is proposed for the books of 24 centres that nobody wrote for this program, and the cohorts that follow."""

from __future__ import annotations

from datetime import date

import pytest
from unseen_books import BOOKS, confirmed, differing, is_right, judged, write

from reinfuse.sources.cohort_folder import check
from reinfuse.sources.follow import follow
from reinfuse.sources.left_columns import EMPTY
from reinfuse.sources.map_file import map_text, read_map
from reinfuse.sources.propose import propose
from reinfuse.sources.read import read_source
from reinfuse.tabular.toml import parse_toml

TODAY = date(2026, 11, 29)


def outcome_of(name, folder):
    source = read_source(write(name, folder))
    return source, propose(source, today=TODAY)


@pytest.mark.parametrize("name", BOOKS)
def test_no_column_of_an_unseen_book_is_read_wrongly_or_left_out_without_being_asked_about(name, tmp_path):
    source, outcome = outcome_of(name, tmp_path)
    assert [p.source for p, right in judged(name, source, outcome.proposals)
            if not is_right(p.target, right) and not p.open and p.reason != EMPTY] == []  # fmt: skip


def test_nine_in_ten_columns_of_unseen_books_are_proposed_rightly(tmp_path):
    every = [(is_right(p.target, right), right) for name in BOOKS
             for p, right in judged(name, *_parts(outcome_of(name, tmp_path)))]  # fmt: skip
    mapped = [right for right, accepted in every if accepted != ["ignore"]]
    needed = [right for right, accepted in every if "ignore" not in accepted]
    assert len(mapped) > 700
    assert sum(mapped) / len(mapped) >= 0.97
    assert sum(needed) / len(needed) >= 0.97


def _parts(outcome):
    source, proposed = outcome
    return source, proposed.proposals


@pytest.mark.parametrize("name", [n for n, book in BOOKS.items() if "answers" in book])
def test_an_unseen_book_becomes_the_cohort_that_its_centre_meant(name, tmp_path):
    source, outcome = outcome_of(name, tmp_path)
    source_map = read_map(parse_toml(map_text(confirmed(name, outcome.map)).encode()))
    checked = check(follow(read_source(tmp_path / source.name, kind=source.kind, layouts=source_map.layouts),
                           source_map), tmp_path)  # fmt: skip
    assert [p for p in checked.problems if p.severity == "error"] == []
    assert list(differing(BOOKS[name]["truth"], checked.imported.tables)) == []

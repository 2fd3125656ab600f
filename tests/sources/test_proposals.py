"""What is proposed for the files of 29 centres, held to the truth beside them, and what must be asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import pytest
from centres import CENTRES
from further_centres import CENTRES as FURTHER
from last_centres import CENTRES as LAST
from later_centres import CENTRES as LATER
from more_centres import CENTRES as MORE
from workbooks import EXAMPLES

from reinfuse.cohort.lymphodepletion import regimen_class
from reinfuse.sources.follow import follow
from reinfuse.sources.map_file import map_text, read_map
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.read import read_source
from reinfuse.sources.source_map import OPEN
from reinfuse.tabular.toml import parse_toml

TODAY = date(2026, 11, 29)
EVERY = (*CENTRES, *MORE, *FURTHER, *LATER, *LAST)
EVENTS = {"yes": "1", "no": "0"}


def proposed(source):
    return propose(source, today=TODAY)


@cache
def outcome_of(name):
    """Return what is proposed for the file of that name."""
    return proposed(next(c for c in EVERY if c.name == name).source)


def judged(centre):
    """Return, for each column of a centre's file, its proposal and the targets that are right."""
    proposals = iter(outcome_of(centre.name).proposals)
    return [(next(proposals), (target or "ignore").split("|")) for truth in centre.truth.values()
            for target in truth.values()]  # fmt: skip


@pytest.mark.parametrize("centre", EVERY, ids=lambda c: c.name)
def test_no_wrong_proposal_goes_unasked(centre):
    assert [p.source for p, right in judged(centre) if p.target not in right and not p.open] == []


def test_nine_in_ten_columns_that_can_be_mapped_are_proposed_rightly():
    every = [(p.target in right, right != ["ignore"]) for centre in EVERY for p, right in judged(centre)]
    mapped = [right for right, can_be in every if can_be]
    assert len(mapped) > 450
    assert sum(mapped) / len(mapped) >= 0.98
    assert sum(right for right, _ in every) / len(every) >= 0.98


@pytest.mark.parametrize("centre", EVERY, ids=lambda c: c.name)
def test_the_map_of_a_proposal_comes_back_as_written_and_what_is_open_in_it_is_open_in_the_proposals(centre):
    outcome = outcome_of(centre.name)
    assert read_map(parse_toml(map_text(outcome.map, outcome.proposals).encode())) == _without_reasons(outcome.map)
    asked = any(p.open for p in outcome.proposals)
    assert asked or not [q for q in outcome.map.open_questions() if q[1] not in ("death", "date", "kind", "unit")]
    assert not asked or list(outcome.map.open_questions())


def _without_reasons(source_map):
    blocks = tuple(replace(b, fields={c: replace(f, reason="", confidence=None) for c, f in b.fields.items()})
                   for b in sorted(source_map.blocks, key=lambda b: _ORDER.index(b.table)))  # fmt: skip
    return replace(source_map, blocks=blocks)


_ORDER = ("patients", "infusions", "responses", "mrd", "counts", "toxicities", "therapies", "sheet")


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_the_proposals_for_a_file_are_those_worked_out_by_hand(example, tmp_path):
    outcome = proposed(read_source(example.write(tmp_path)))
    targets = {p.source: p.target for p in outcome.proposals if p.target.rpartition(".")[2] != "patient_id"}
    for one in example.sheets.values():
        wanted = {h: t for h, t in one.targets.items() if t.rpartition(".")[2] != "patient_id"}
        assert {h: targets[h] for h in wanted} == wanted
        assert {h for h in one.asked} <= {p.source for p in outcome.proposals if p.open}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_the_cohort_that_follows_from_a_confirmed_map_is_the_one_worked_out_by_hand(example, tmp_path):
    source = read_source(example.write(tmp_path))
    imported = follow(source, confirmed(proposed(source).map, example.answers))
    assert [(p.column, p.value, p.rule) for p in imported.problems] == []
    for name, rows in example.tables.items():
        assert sorted(map(str, _texts(imported.tables[name], rows))) == sorted(map(str, _plain(rows)))


def confirmed(source_map, answers):
    """Answer what is open in a map as the example's person does."""

    def agreed(line):
        partial = answers["partial"] if line.partial == OPEN else line.partial
        return replace(line, confirm=False, partial=partial)

    blocks = tuple(replace(b, fields={c: agreed(f) for c, f in b.fields.items()}) for b in source_map.blocks)
    values = {name: {w: answers["values"][name][w] if a == OPEN else a for w, a in words.items()}
              for name, words in source_map.values.items()}  # fmt: skip
    order = answers["date_order"] if source_map.date_order == OPEN else source_map.date_order
    ids = "keep" if source_map.ids == OPEN else source_map.ids
    asked = dict.fromkeys(source_map.questions, "yes")
    return replace(source_map, blocks=blocks, values=values, date_order=order, ids=ids, questions=asked)


def _texts(imported, rows):
    """Return the rows of an imported table, with the columns of the truth alone."""
    wanted = list(rows[0])
    for row in imported.rows:
        cells = dict(zip(imported.columns, (c.text for c in row), strict=True))
        yield {c: _spelt(c, cells.get(c, "")) for c in wanted}


def _spelt(column, text):
    if column == "lymphodepletion":
        return regimen_class(text)
    return EVENTS.get(text, text) if column.endswith("_event") else text


def _plain(rows):
    return [dict(row) for row in rows]

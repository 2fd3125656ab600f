"""Messy sheets, mapped, answered and imported as a user would: the cohort is the one worked out by hand beside each."""

from __future__ import annotations

import pytest
from sheet_variants import answer_of, with_weight
from workbooks import EXAMPLES

from reinfuse.cohort.lymphodepletion import regimen_class
from reinfuse.exceptions import SourceRefused
from reinfuse.sources.map_file import map_text
from reinfuse.sources.questions import answered, questions
from reinfuse.study.sources import import_source, propose_map

YES_NO = {"1": "yes", "0": "no"}


def confirmed(example, path):
    """Return the map of an example with everything answered."""
    source_map = propose_map(path)[1].map
    for question in list(questions(source_map)):
        source_map = answered(source_map, question, answer_of(question, example.answers))
    return with_weight(source_map, example.answers["weight"]) if "weight" in example.answers else source_map


def comparable(row, columns):
    """Return the columns of a row that its truth tells, a regimen as its class."""
    texts = {c: row.get(c) or "" for c in columns}
    if "lymphodepletion" in texts:
        texts["lymphodepletion"] = regimen_class(texts["lymphodepletion"])
    return {c: YES_NO.get(t, t) if c.endswith("_event") else t for c, t in texts.items()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_becomes_the_cohort_worked_out_by_hand(tmp_path, name):
    example = EXAMPLES[name]
    path = example.write(tmp_path)
    (tmp_path / "map.toml").write_text(map_text(confirmed(example, path)), encoding="utf-8")
    tables = import_source(path, tmp_path / "map.toml").imported.tables
    assert set(tables) == set(example.tables)
    for table, truth in example.tables.items():
        rows = [
            {c: cell.text for c, cell in zip(tables[table].columns, row, strict=True)} for row in tables[table].rows
        ]
        columns = tuple(truth[0])
        expected = [comparable(row, columns) for row in truth]
        assert sorted([comparable(r, columns) for r in rows], key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("name", ["tracking", "ambiguous"])
def test_while_anything_is_open_nothing_is_imported(tmp_path, name):
    path = EXAMPLES[name].write(tmp_path)
    source_map = propose_map(path)[1].map
    (tmp_path / "map.toml").write_text(map_text(source_map), encoding="utf-8")
    with pytest.raises(SourceRefused) as caught:
        import_source(path, tmp_path / "map.toml")
    places = {p.column for p in caught.value.problems if p.table == "map"}
    expected = {q.line for q in questions(source_map) if q.setting != "value"}
    assert places >= expected > set()


def test_a_changed_sheet_asks_again(tmp_path):
    example = EXAMPLES["german"]
    path = example.write(tmp_path)
    (tmp_path / "map.toml").write_text(map_text(confirmed(example, path)), encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace("CAR-T 2 CRS", "CAR-T 2 CRS max"), encoding="utf-8")
    with pytest.raises(SourceRefused) as caught:
        import_source(path, tmp_path / "map.toml")
    rules = [p.rule for p in caught.value.problems]
    assert any(r.startswith("the headers of the source are not those") and "CAR-T 2 CRS max" in r for r in rules)
    assert "is no column of sheet" in rules

"""A map is a file that a person reads and corrects: it comes back as it was written, and a mistake in it is told."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reinfuse.exceptions import MapRefused
from reinfuse.sources.map_file import load_map, map_text, read_map
from reinfuse.sources.proposal import Proposal
from reinfuse.sources.source_map import OPEN, Block, Field, SourceMap
from reinfuse.sources.source_table import SheetLayout

PATIENTS = {
    "patient_id": Field(column="Patient | MRN"),
    "last_contact": Field(column="Outcome | Last f/u", pattern="alive {date}"),
    "death": Field(column="Outcome | Last f/u", pattern="died {date}", partial="refuse", where={"Status": ("dead",)}),
}
FIRST = {"infusion": Field(const="1"), "date": Field(column="CART #1 | Date")}
SECOND = {
    "infusion": Field(const="2"),
    "date": Field(column="CART #2 | Date", confirm=True),
    "dose_cells_per_kg": Field(column="CART #2 | Dose", unit=OPEN, weight="Weight"),
    "ldh": Field(column="LDH"),
}
BEST = {
    "response": Field(column="Outcome | Best resp", part="response"),
    "date": Field(after="infusion 2", day=28, said="not recorded", confirm=True),
}
DRUGS = {"lymphodepletion": Field(ticked={"ld___1": "Cy", "ld___2": "Flu"}, joint=", ")}
MAP = SourceMap(
    "excel", "abc", date_order=OPEN, ids="number", questions={"weight": OPEN}, confirmed=("doses",),
    layouts={"CART pts": SheetLayout("CART pts", (3, 4), 5, ("Total", "Mean"), ("Sum",))},
    values={"response": {"CMR": "CR", "NR": OPEN, "MRD neg CR": {"response": "CR", "mrd": "undetectable"}, "n/a": ""}},
    ignored={"CART pts": {"LDH": "not a column of the contract"}, "Legend": {"x": "no data"}},
    blocks=(
        Block("patients", "CART pts", PATIENTS), Block("infusions", "CART pts", FIRST),
        Block("infusions", "CART pts", SECOND), Block("infusions", "CART pts", DRUGS, {"form": ("ld", "1")}),
        Block("responses", "CART pts", BEST),
    ),
)  # fmt: skip


def refused(text):
    """Return place, rule and remedy of each problem of a map."""
    with pytest.raises(MapRefused) as caught:
        read_map(tomllib.loads(text))
    return [(p.column, p.rule, p.remedy) for p in caught.value.problems]


def test_a_map_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(map_text(MAP), encoding="utf-8")
    assert load_map(path) == MAP


def test_a_line_is_as_short_as_it_can_be_and_its_reason_stands_beside_it():
    filled = {
        "infusion": Field(const="2", reason="the words CART #2", confidence=1.0),
        "date": Field(column="CART #2 | Date", reason="all 23\ncells are dates", confidence=0.934, confirm=True),
        "product": Field(column="Product", reason="because " * 20, confidence=0.5),
    }
    lines = map_text(SourceMap("excel", "abc", (Block("infusions", "CART", filled),))).splitlines()
    assert lines[lines.index("[infusions]") :] == [
        "[infusions]",
        'sheet = "CART"',
        "infusion = 2  # 100%: the words CART #2",
        'date = { column = "CART #2 | Date", confirm = true }  # 93%: all 23 cells are dates',
        f"# 50%: {('because ' * 20).strip()}",
        'product = "Product"',
    ]


def test_what_is_ignored_bears_its_confidence():
    ignored = Proposal(source="LDH", target="ignore", confidence=0.9, reason="no column", open=False)
    text = map_text(SourceMap("excel", "a", (), ignored={"S": {"LDH": "no column"}}), [ignored])
    assert 'LDH = "no column"  # 90%' in text.splitlines()


def test_the_open_questions_are_named_by_their_place_in_the_file():
    assert list(MAP.open_questions()) == [
        ("source", "date_order"), ("questions", "weight"), ("infusions[2]", "date"),
        ("infusions[2]", "dose_cells_per_kg"), ("responses", "date"), ("values.response", "NR"),
    ]  # fmt: skip


def test_every_mistake_is_told_at_once_with_what_may_have_been_meant():
    text = """
        [source]
        kind = "exel"
        date_ordr = "dmy"
        ids = "hash"
        confirmed = ["dose"]
        [[sheets]]
        sheet = "A"
        header_rows = [4, 3]
        [values]
        response = "CR"
        [patients]
        patient_id = true
        last_contcat = "Last"
        [[infusions]]
        date = { colum = "Date" }
        [[infusions]]
        date = { column = "Date", order = "dym", day = "3" }
        dose_cells_per_kg = { unit = "1e6 cell/kg" }
        lymphodepletion = { column = "LD", pattern = "LD" }
        [infusion]
        """
    assert {p[0]: p[1:] for p in refused(text)} == {
        "infusion": ("is not a setting of a map", "did you mean infusions?"),
        "source.date_ordr": ("is not a setting of a map", "did you mean date_order?"),
        "source.kind": ("is no kind of source", "write one of: excel, csv, redcap, adam, sdtm, omop, fhir, cbioportal"),
        "source.ids": ("is not one of the words for it", "use one of: keep, number"),
        "sheets[1].header_rows": ("are no row numbers in order", "such as header_rows = [3, 4]"),
        "source.confirmed": (
            "is not one of the words for it",
            "did you mean 'doses'? use one of: totals, doses, times, events",
        ),
        "values.response": ("is not a table", "correct the map"),
        "patients.patient_id": ("is not a column's header, a number, or settings in braces", "correct the map"),
        "patients.last_contcat": (
            "is no column of patients, but nearly one",
            "name it last_contact if it is that; else give it a name less like it",
        ),
        "infusions[1].date.colum": ("is not a setting of a map", "did you mean column?"),
        "infusions[2].date.order": ("is not one of the words for it", "use one of: dmy, mdy, ymd"),
        "infusions[2].date.day": ("is not a whole number", "correct the map"),
        "infusions[2].dose_cells_per_kg.unit": (
            "is not one of the words for it",
            "did you mean '1e6 cells/kg'? use one of: cells/kg, 1e6 cells/kg, 1e5 cells/kg, 1e8 cells/kg, cells, "
            "1e6 cells, 1e8 cells, days, weeks, months, years, fraction, percent, cells/uL, copies/ug",
        ),
        "infusions[2].lymphodepletion.pattern": (
            "does not hold {date} or {value} once",
            'such as "died {date}"',
        ),
    }


def test_a_field_says_what_it_is_filled_from():
    text = '[source]\nkind = "csv"\n[infusions]\ndate = { order = "dmy" }\n'
    assert refused(text) == [
        ("infusions.date", "does not say what it is filled from", "give column, const, ticked, or after and day")
    ]


@pytest.mark.parametrize(("content", "rule"), [
    (b"[source", "is not valid TOML"), (b"\xff\xfe\x00", "is not a text in UTF-8"), (None, "cannot be read"),
])  # fmt: skip
def test_what_is_no_map_is_refused(tmp_path, content, rule):
    path = tmp_path / "map.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MapRefused) as caught:
        load_map(path)
    [problem] = caught.value.problems
    assert problem.table == "map"
    assert content is None or rule in problem.rule or "TOML" in problem.rule or "Expected" in problem.rule


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
WRITTEN = TEXTS.filter(bool)
FIELDS = st.builds(
    Field, column=WRITTEN, const=st.none() | TEXTS, weight=TEXTS, day=st.none() | st.integers(-400, 400),
    shift=st.integers(-1, 1), confirm=st.booleans(), said=TEXTS, ticked=st.dictionaries(TEXTS, TEXTS, max_size=2),
    order=st.sampled_from(["", "dmy", OPEN]), reason=TEXTS, confidence=st.none() | st.floats(0, 1),
)  # fmt: skip
ANSWERS = TEXTS | st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=2)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FIELDS, TEXTS, st.dictionaries(TEXTS, ANSWERS, max_size=3), st.dictionaries(TEXTS, WRITTEN, max_size=3))
def test_whatever_the_headers_hold_a_map_comes_back(filled, sheet, words, ignored):
    """No header, word or reason can end its line, its quotation marks or the comment in which it stands."""
    block = Block("infusions", sheet, {"date": filled, "factor x": Field(const="0.5")}, {sheet: (sheet, "2")})
    whole = SourceMap("csv", "f", (block,), values={"response": words}, ignored={sheet: ignored} if ignored else {})
    again = read_map(tomllib.loads(map_text(whole)))
    [read] = again.blocks
    bare = Field(**{n: getattr(filled, n) for n in Field.__slots__ if n not in ("reason", "confidence")})
    assert read == Block("infusions", sheet, {"date": bare, "factor x": Field(const="0.5")}, {sheet: (sheet, "2")})
    assert (again.values, again.ignored) == (whole.values, whole.ignored)

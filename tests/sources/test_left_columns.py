"""Columns that are left out: listed in one question, or asked about one by one, and read where a person says so."""

from __future__ import annotations

from datetime import date

import pytest
from centres import centre

from reinfuse.sources.follow import follow
from reinfuse.sources.map_file import map_text, read_map
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import answered, fault, questions
from reinfuse.tabular.toml import parse_toml

SHEET = centre("sheet.xlsx", CART="""
ID > - > a; b; c
Dx > - > ALL; CLL; NHL
Last contact > - > 2021-01-01; 2021-02-02; 2021-03-03
Date of death > - > 2021-01-01; ;
CART1 date > - > 2019-01-01; 2019-02-02; 2019-03-03
CART1 dose (cells/kg) > - > 2e6; 1e6; 3e6
Marker > - > 2; 1; 3
XYZ > - > 2019-02-01; 2019-03-02; 2019-04-03
Empty > - > ; ;
""")  # fmt: skip
XYZ = "XYZ: it holds dates, and its name is not known: is it rightly left out?"


def asked():
    source_map = propose(SHEET.source, today=date(2026, 1, 1)).map
    return source_map, {q.subject: q for q in questions(source_map) if q.place == "questions"}


def test_one_question_lists_the_columns_that_are_not_asked_about_one_by_one():
    _, own = asked()
    assert list(own) == [XYZ, "left_out"]
    assert own["left_out"].text == "These columns are not read: Marker. Is that right?"
    assert own["left_out"].choices == ("yes", "no")


def test_a_column_is_read_where_a_person_says_what_it_is():
    source_map, own = asked()
    for subject, answer in ((XYZ, "patients.relapse_day"), ("left_out", "yes")):
        assert fault(own[subject], answer, source_map=source_map) is None
        source_map = answered(source_map, own[subject], answer)
    read = read_map(parse_toml(map_text(source_map).encode()))
    imported = follow(SHEET.source, read)
    assert [p.column for p in imported.problems] == []
    rows = imported.tables["patients"]
    assert [row[rows.columns.index("relapse_day")].text for row in rows.rows] == ["2019-02-01", "2019-03-02",
                                                                               "2019-04-03"]  # fmt: skip
    assert "XYZ" not in read.ignored["CART"]


@pytest.mark.parametrize(("answer", "why"), [
    ("infusion.date", "answer yes; PD, allo-HCT, auto-HCT if it holds the dates of that; or the column"),
    ("infusions.date", "infusions.date is filled by another column already"),
])  # fmt: skip
def test_an_answer_that_no_line_can_follow_is_none(answer, why):
    source_map, own = asked()
    assert str(fault(own[XYZ], answer, source_map=source_map)).startswith(why)


@pytest.mark.parametrize(("subject", "answer"), [("left_out", "no"), (XYZ, "no")])
def test_an_answer_in_the_file_that_no_line_follows_keeps_the_import_back(subject, answer):
    source_map, _ = asked()
    key = subject if subject == "left_out" else f'"{subject}"'
    text = map_text(source_map).replace(f'{key} = "?"', f'{key} = "{answer}"')
    problems = [p for p in follow(SHEET.source, read_map(parse_toml(text.encode()))).problems if p.value == answer]
    assert [(p.column, p.rule) for p in problems] == [
        (f"questions.{subject}", "no line of the map follows this answer")
    ]
    assert 'answer "yes"' in problems[0].remedy


def test_an_answer_in_the_file_does_what_it_does_where_it_is_asked():
    source_map, _ = asked()
    text = map_text(source_map).replace(f'"{XYZ}" = "?"', f'"{XYZ}" = "patients.relapse_day"')
    text = text.replace('left_out = "?"', 'left_out = "yes"')
    imported = follow(SHEET.source, read_map(parse_toml(text.encode())))
    assert [p.column for p in imported.problems] == []
    assert "relapse_day" in imported.tables["patients"].columns


def test_columns_that_are_left_out_are_agreed_to_or_one_of_them_is_read_and_the_rest_asked_again():
    source_map, own = asked()
    assert "the line that reads one of them" in fault(own["left_out"], "no", source_map=source_map)
    assert "is no block of the map" in fault(own["left_out"], 'people.marker = "Marker"', source_map=source_map)
    line = 'patients.marker = "Marker"'
    assert fault(own["left_out"], line, source_map=source_map) is None
    source_map = answered(source_map, own["left_out"], line)
    assert source_map.questions["left_out"] == "?"
    assert "Marker" not in source_map.ignored["CART"]
    assert next(b for b in source_map.blocks if b.table == "patients").fields["marker"].column == "Marker"


def test_a_sheet_with_a_column_for_each_patient_is_told():
    turned = centre(
        "sheet.xlsx",
        CART="""
Patient > - > Sex; Age; Dx; CART1 date; Last contact
P1 > - > M; 61; ALL; 2019-01-01; 2021-01-01
P2 > - > F; 52; NHL; 2019-02-02; 2021-02-02
""",
    ).source
    told = [q.text for q in questions(propose(turned).map) if q.place == "questions"]
    assert "its first column names columns (Sex, Age, Dx, ...): exchange rows and columns in the source" in told[0]

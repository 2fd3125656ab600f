"""Rows that are visits, sheets that lack what others say, columns beside another; answers held to sense."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from literal_sources import book, map_of, problems, rows, sheet

from reinfuse.sources.cohort_folder import check
from reinfuse.sources.follow import follow
from reinfuse.sources.map_file import map_text, read_map
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import answered, fault, questions
from reinfuse.tabular.delimited import decode
from reinfuse.tabular.toml import parse_toml

TODAY = date(2026, 11, 29)
USUAL = {"ids": "keep", "empty_grades": "missing"}
VISITS = """
ID,Date,Visit,Infusion no,Product,LD,Response,Therapy,Dx,Date of death,Last FU
P1,2020-01-01,Infusion,1,A,Flu/Cy,,,NHL,,2022-05-05
P1,2020-01-30,D28,1,,,CR,,NHL,,2022-05-05
P1,2020-09-09,Relapse,1,,,PD,,NHL,,2022-05-05
P1,2020-10-01,Treatment,,,,,Pola-BR,NHL,,2022-05-05
P1,2021-01-01,Infusion,2,B,Flu/Cy,,,NHL,,2022-05-05
P1,2021-01-30,D28,2,,,PR,,NHL,,2022-05-05
P1,2021-06-01,Transplant,,,,,alloSCT,NHL,,2022-05-05
P2,2020-02-02,Infusion,1,A,Cy,,,ALL,,2022-06-06
P2,2020-03-02,D28,1,,,CR,,ALL,,2022-06-06
"""
LBCL = """
ID,Dx,1st CAR-T date,1st CAR-T LD,2nd CAR-T date,2nd CAR-T LD,Status,Last f/u,Next treatment,Start
P1,NHL,2019-01-01,Flu/Cy,2019-09-01,Flu/Cy,Dead 2021-01-01 - PD,2021-01-01,Pola-BR,2019-05-05
P2,NHL,2019-02-02,Flu/Cy,2019-10-02,Flu/Cy,A,2021-02-02,,
P3,NHL,2019-03-03,Flu/Cy,,,Alive,2021-03-03,Blina,2020-06-06
"""
OLD = """
ID,Dx,1st CAR-T date,1st CAR-T LD,Last f/u
P4,ALL,2018-01-01,Flu/Cy,2019-01-01
P5,ALL,2018-02-02,Cy,2019-02-02
"""


def proposed(*sheets):
    return propose(book(*sheets), today=TODAY).map


def confirmed(source_map, answers=()):
    """Return a map in which every question is answered: as said for a text in it, else as usual."""
    done = set()
    while left := [q for q in questions(source_map) if (q.line, q.text) not in done]:
        question = left[0]
        done.add((question.line, question.text))
        own = next((a for text, a in dict(answers).items() if text in f"{question.line} {question.text}"), None)
        answer = USUAL.get(question.setting, "yes") if own is None else own
        assert fault(question, answer, source_map=source_map) is None, question
        source_map = answered(source_map, question, answer)
    return read_map(parse_toml(map_text(source_map).encode()))


def imported(source, source_map):
    checked = check(follow(source, source_map))
    assert [p for p in checked.problems if p.severity == "error"] == []
    return checked.imported


def test_in_a_sheet_of_visits_infusions_are_read_from_their_rows_and_events_have_the_day_of_theirs():
    visits = sheet(VISITS)
    result = imported(book(visits), confirmed(proposed(visits), {"questions.": "yes"}))
    assert [r[:3] for r in rows(result, "infusions")[1:]] == [
        ["P1", "1", "2020-01-01"], ["P1", "2", "2021-01-01"], ["P2", "1", "2020-02-02"]]  # fmt: skip
    assert [r[:3] for r in rows(result, "responses")[1:]] == [
        ["P1", "2020-01-30", "CR"], ["P1", "2020-09-09", "PD"], ["P1", "2021-01-30", "PR"], ["P2", "2020-03-02", "CR"],
    ]  # fmt: skip
    assert rows(result, "therapies")[1:] == [
        ["P1", "2020-10-01", "Pola-BR", "anticancer"], ["P1", "2021-06-01", "alloSCT", "allo-HCT"]]  # fmt: skip


def test_a_vital_status_with_dates_is_the_death_and_a_date_behind_a_therapy_is_its_date():
    lbcl = sheet(LBCL)
    answers = {"values.death.A": "alive", "values.death_cause.A": ""}
    result = imported(book(lbcl), confirmed(proposed(lbcl), answers))
    deaths = {r[0]: r for r in rows(result, "patients")[1:]}
    head = rows(result, "patients")[0]
    assert [deaths[p][head.index("death")] for p in ("P1", "P2", "P3")] == ["2021-01-01", "", ""]
    assert deaths["P1"][head.index("death_cause")] == "disease"
    assert [r[:3] for r in rows(result, "therapies")[1:]] == [
        ["P1", "2019-05-05", "Pola-BR"], ["P3", "2020-06-06", "Blina"]]  # fmt: skip


def test_patients_of_a_sheet_without_a_column_of_death_are_asked_about_though_another_sheet_has_one():
    source_map = proposed(sheet(LBCL, "LBCL"), sheet(OLD, "ALL"))
    asked = [q for q in questions(source_map) if q.subject == "death" and q.setting == "const"]
    assert [b.sheet for p, b in source_map.places() if p == asked[0].place] == ["ALL"]
    assert "in this sheet" in asked[0].about


@pytest.mark.parametrize(("answer", "read"), [("no", False), ("yes", True)])
def test_a_hidden_sheet_is_read_only_if_a_person_says_so(answer, read):
    old = replace(sheet(OLD, "old"), hidden=True)
    source_map = proposed(sheet(LBCL, "LBCL"), old)
    (asked,) = [q for q in questions(source_map) if "hidden" in q.text]
    after = answered(source_map, asked, answer)
    assert any(b.sheet == "old" for b in after.blocks) is read
    written = replace(source_map, questions={**source_map.questions, asked.subject: "no"})
    assert "blocks of the map read this sheet all the same" in str(problems(follow(book(sheet(LBCL), old), written)))


WORDS = """
[values.dose_cells_per_kg]
"one" = "?"
[values.grade]
"x" = "?"
[values.death]
"A" = "?"
[values.response]
"VGPR (D90)" = "?"
[values.lymphodepletion]
"as usual" = "?"
"""


@pytest.mark.parametrize(("line", "answer", "is_one"), [
    ("values.dose_cells_per_kg.one", "1", False), ("values.dose_cells_per_kg.one", "1000000", True),
    ("values.grade.x", "6", False), ("values.grade.x", "3", True), ("values.death.A", "alive", True),
    ("values.death.A", "soon", False), ("values.lymphodepletion.as usual", "yes", False),
    ("values.lymphodepletion.as usual", "Flu/Cy", True), ("values.grade.x", "", True),
])  # fmt: skip
def test_an_answer_is_held_to_what_its_column_can_hold(line, answer, is_one):
    question = next(q for q in questions(map_of(WORDS)) if q.line == line)
    assert (fault(question, answer) is None) is is_one


def test_the_day_beside_a_word_that_a_person_explains_is_kept():
    text = "ID,CART1,Resp\nP1,2020-01-01,VGPR (D90)\nP2,2020-02-02,CR\n"
    source_map = map_of("""
[values.response]
"VGPR (D90)" = "PR"
[patients]
patient_id = "ID"
death = { const = "" }
[infusions]
patient_id = "ID"
infusion = 1
date = "CART1"
[responses]
patient_id = "ID"
date = { after = "infusion 1", day = 28 }
response = "Resp"
""")
    assert rows(follow(book(sheet(text)), source_map), "responses")[1:] == [
        ["P1", "2020-03-31", "PR"], ["P2", "2020-03-01", "CR"]]  # fmt: skip


def test_a_block_whose_main_column_is_rejected_is_left_out_whole():
    source_map = map_of("""
[responses]
patient_id = "ID"
date = { after = "infusion 1", day = 28 }
response = { column = "Resp", confirm = true }
""")
    (question,) = questions(source_map)
    after = answered(source_map, question, "no")
    assert after.blocks == ()
    assert after.ignored == {"": {"Resp": "left out by a person"}}


def test_a_header_given_for_a_constant_is_the_column_of_that_name():
    source_map = proposed(sheet(LBCL.replace("Dx", "Entity").replace("NHL", "DLBCL")))
    asked = [q for q in questions(source_map) if q.setting == "const" and q.subject == "diagnosis"]
    after = answered(source_map, asked[0], "Entity") if asked else source_map
    (diagnosis,) = [b.fields["diagnosis"] for b in after.blocks if "diagnosis" in b.fields]
    assert (diagnosis.column, diagnosis.const) == ("Entity", None)


def test_a_polish_file_is_not_read_as_western_european():
    assert decode("Płeć;Wiek\nżeńska;żółć\n".encode("cp1250"))[0] == "Płeć;Wiek\nżeńska;żółć\n"
    western = "Größe;Müller;sœur;Œdème\n5³;cells/mm³;¿Fallecido?;Año\n"
    assert decode(western.encode("cp1252"))[0] == western

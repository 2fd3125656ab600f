"""Blocks are numbered by infusion, unknown dates and days proposed beside what they date; two infusions never mix."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from literal_sources import book, map_of, problems, rows, sheet

from reinfuse.sources.follow import follow
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import answered, fault, questions
from reinfuse.sources.values import understand

WIDE = """
ID,Dx,1. CAR-T | Datum,1. CAR-T | Bestes Ansprechen,1. CAR-T | {one},1. CAR-T | MRD,2. CAR-T | Datum,\
2. CAR-T | Bestes Ansprechen,2. CAR-T | {two},2. CAR-T | MRD,Last contact,Date of death
P1,ALL,2020-01-01,{odd},{a1},neg,2021-01-01,PR,{b1},pos,2022-01-01,
P2,ALL,2020-02-01,CR,{a2},neg,2021-02-01,PD,{b2},pos,2022-01-01,2022-02-02
P3,ALL,2020-03-01,CR,{a3},neg,2021-03-01,CR,{b3},neg,2022-01-01,
"""
DATES = {"a1": "2020-02-01", "a2": "2020-03-01", "a3": "2020-04-01", "b1": "2021-02-03", "b2": "2021-03-03",
         "b3": "2021-04-03"}  # fmt: skip
DAYS = {"a1": "27", "a2": "31", "a3": "29", "b1": "33", "b2": "30", "b3": "28"}
MIXED = """
[patients]
patient_id = "ID"
diagnosis = "Dx"
last_contact = "Last contact"
death = "Date of death"
[[infusions]]
patient_id = "ID"
infusion = 1
date = "1. CAR-T | Datum"
[[responses]]
patient_id = "ID"
date = "1. CAR-T | Ansprechen am"
response = "2. CAR-T | Bestes Ansprechen"
"""
OF_DAYS = {
    "Patients": "Patient,Sex,Disease,Status,Day of death,Day last seen\nP1,F,NHL,Alive,,700\nP2,M,ALL,Dead,526,526\n",
    "1st infusion": "Patient,Day of infusion,Product,Best response,Day of best response\nP1,0,axi-cel,CR,30\n"
    "P2,0,axi-cel,PD,27\n",
    "2nd infusion": "Patient,Day of infusion,Product,Best response,Day of best response\nP1,200,axi-cel,CR,230\n"
    "P2,300,axi-cel,PD,331\n",
}


def wide(one="Ansprechen am", two="Ansprechen am", odd="CR", cells=None):
    return book(sheet(WIDE.format(one=one, two=two, odd=odd, **(cells or DATES))))


def proposed(source):
    return propose(source, today=date(2026, 11, 29)).map


def asked(source_map):
    return {q.line: q for q in questions(source_map)}


def test_blocks_are_numbered_by_infusion_however_sure_each_is():
    source_map = proposed(wide(odd="what"))  # less sure of the first response than of the second
    read = [b.fields["response"].column for _, b in source_map.places() if b.table == "responses"]
    assert read == ["1. CAR-T | Bestes Ansprechen", "2. CAR-T | Bestes Ansprechen"]
    question = asked(source_map)["responses[2].date"]
    assert question.named == 'infusion 2: "2. CAR-T | Bestes Ansprechen"'


def test_an_unknown_date_beside_a_response_is_asked_for_as_its_date_and_that_of_the_mrd():
    source_map = proposed(wide())
    for table in ("responses", "mrd"):
        lines = [b.fields["date"] for b in source_map.blocks if b.table == table]
        assert [(f.column, f.confirm) for f in lines] == [(f"{k}. CAR-T | Ansprechen am", True) for k in (1, 2)]
    assert not any("rightly left out" in q.text and "Ansprechen am" in q.text for q in questions(source_map))


def test_date_and_response_of_different_infusions_are_refused_until_a_person_says_so_in_words():
    mixed = follow(wide(), map_of(MIXED))
    assert [(c, "different infusions" in rule) for _, _, c, rule in problems(mixed)] == [("responses", True)]
    agreed = '[questions]\n"responses: of infusion 2 and infusion 1" = "yes"\n'
    assert problems(follow(wide(), map_of(agreed + MIXED))) == []


def test_a_column_of_another_infusion_is_no_answer_and_the_list_says_which_block_is_of_which():
    source = wide(one="Wann", two="Wann")
    source_map = proposed(source)
    question = asked(source_map)["responses[1].date"]
    source_map = answered(source_map, question, "no")
    header = "1. CAR-T | Wann"
    key = f"{header}: it holds dates, and its name is not known: is it rightly left out?"
    source_map = replace(source_map, questions={**source_map.questions, key: "?"})
    wrong = fault(asked(source_map)[f"questions.{key}"], "responses[2].date", source_map=source_map)
    assert "is of infusion 1" in wrong
    assert 'responses[1] (infusion 1: "1. CAR-T | Bestes Ansprechen")' in wrong
    assert fault(asked(source_map)[f"questions.{key}"], "responses[1].date", source_map=source_map) is None


@pytest.mark.parametrize("name", ["Giorno risposta", "Day of response", "Tag Ansprechen"])
def test_whole_numbers_under_a_day_are_days_after_an_infusion_that_a_person_names(name):
    source = wide(one=name, two=name, cells=DAYS)
    source_map = proposed(source)
    for line, answer in [(f"{t}[{k}].date", f"infusion {k}") for t in ("responses", "mrd") for k in (1, 2)]:
        question = asked(source_map)[line]
        assert question.choices == ("infusion 1", "infusion 2", "neither")
        source_map = answered(source_map, question, answer)
    assert [q.line for q in questions(source_map)] == []
    imported = follow(source, source_map)
    assert problems(imported) == []
    assert rows(imported, "responses")[1:3] == [["P1", "2020-01-28", "CR"], ["P1", "2021-02-03", "PR"]]


def test_a_book_of_days_alone_keeps_its_deaths():
    source = book(*(sheet(t, n) for n, t in OF_DAYS.items()))
    source_map = proposed(source)
    while left := list(questions(source_map)):
        answer = "infusion 1" if left[0].setting == "after" else "yes"
        source_map = answered(source_map, left[0], answer)
    imported = follow(source, source_map)
    assert problems(imported) == []
    patients = [dict(zip(rows(imported, "patients")[0], r, strict=True)) for r in rows(imported, "patients")[1:]]
    assert [(p["patient_id"], p["death"], p["last_contact"]) for p in patients] == [("P1", "", "700"),
                                                                                   ("P2", "526", "526")]  # fmt: skip
    assert [r[:2] for r in rows(imported, "infusions")[1:]] == [["P1", "1"], ["P1", "2"], ["P2", "1"], ["P2", "2"]]
    days = rows(imported, "responses")
    assert [r[days[0].index("day")] for r in days[1:]] == ["30", "230", "27", "331"]


STATUS = """
[patients]
patient_id = "ID"
diagnosis = { const = "ALL" }
last_contact = "Seen"
death = { const = "" }
[infusions]
patient_id = "ID"
infusion = 1
date = "CART1"
"""


@pytest.mark.parametrize(("said", "refused"), [("Dead", True), ("Alive", False)])
def test_a_status_that_says_dead_is_refused_where_the_map_reads_the_death_of_nobody(said, refused):
    source = book(sheet(f"ID,CART1,Seen,Status\nP1,2020-01-01,2021-01-01,Alive\nP2,2020-02-01,2021-01-01,{said}\n"))
    told = [(p.column, p.rule) for p in follow(source, map_of(STATUS)).problems]
    assert told == [("Status", "says dead in 1 rows (row 3), and the map reads the death of nobody")] * refused


def test_a_condition_that_no_row_fulfils_is_refused():
    source = book(sheet("ID,CART1,Seen,Visit\nP1,2020-01-01,2021-01-01,first\n"))
    text = STATUS.replace("[infusions]", '[infusions]\nwhere = { Visit = "one" }')
    told = [(p.column, p.severity) for p in follow(source, map_of(text)).problems]
    assert ("infusions.where.Visit", "error") in told


@pytest.mark.parametrize(("column", "word", "meaning"), [
    ("response", "EE", "SD"), ("response", "MS", "SD"), ("response", "PE", "PD"), ("response", "PM", "PD"),
    ("diagnosis", "LBDCG", "NHL"),
])  # fmt: skip
def test_words_of_centres(column, word, meaning):
    assert understand(column, word).parts[column] == meaning


@pytest.mark.parametrize("header", ["M/V", "Patient | M/V", "H/F", "Geschl."])
def test_sex_is_known_by_its_letters(header):
    source = book(
        sheet(f"ID,{header},CART1 date,Last contact\nP1,M,2020-01-01,2021-01-01\nP2,V,2020-02-01,2021-01-01\n")
    )
    source_map = proposed(source)
    assert next(b for b in source_map.blocks if "sex" in b.fields).fields["sex"].column == header
    assert "V" in source_map.values["sex"] or header == "H/F"

"""What is open in a map is asked, one question a line; the answers make a map in which nothing is open."""

from __future__ import annotations

import pytest
from literal_sources import map_of

from reinfuse.sources.map_file import map_text, read_map
from reinfuse.sources.questions import answered, fault, questions, with_answers
from reinfuse.tabular.toml import parse_toml

OPEN = """
date_order = "?"
ids = "?"
---
[questions]
"Sheet 2: left out?" = "?"
[values.response]
NR = "?"
"MRD- ?" = { response = "?", mrd = "?" }
CMR = "CR"
[patients]
patient_id = "ID"
death = { column = "FU", partial = "?" }
histology = { column = "Histo", confirm = true }
sex = { column = "Gender", confirm = true }
[[infusions]]
patient_id = "ID"
infusion = 1
date = "?"
dose_cells_per_kg = { column = "Dose", unit = "?", weight = "?" }
[[infusions]]
patient_id = "ID"
infusion = 2
date = "C2"
[responses]
patient_id = "ID"
response = "Best"
date = { after = "infusion 2", day = 28, said = "not recorded", confirm = true }
"""
ANSWERS = {
    "source.date_order": "dmy", "source.ids": "keep", "questions.Sheet 2: left out?": "yes", "values.response.NR": "SD",
    "values.response.MRD- ?": "response=CR mrd=undetectable", "patients.death": "last", "patients.histology": "no",
    "patients.sex": "yes", "infusions[1].date": "C1", "infusions[1].dose_cells_per_kg": "1e6 cells",
    "infusions[1].dose_cells_per_kg weight": "kg", "responses.date": "yes",
}  # fmt: skip
ANSWERED = """
date_order = "dmy"
ids = "keep"
---
[questions]
"Sheet 2: left out?" = "yes"
[[sheets]]
sheet = ""
[sheets.ignored]
Histo = "left out by a person"
[values.response]
NR = "SD"
"MRD- ?" = { response = "CR", mrd = "undetectable" }
CMR = "CR"
[patients]
patient_id = "ID"
death = { column = "FU", partial = "last" }
sex = "Gender"
[[infusions]]
patient_id = "ID"
infusion = 1
date = "C1"
dose_cells_per_kg = { column = "Dose", unit = "1e6 cells", weight = "kg" }
[[infusions]]
patient_id = "ID"
infusion = 2
date = "C2"
[responses]
patient_id = "ID"
response = "Best"
date = { after = "infusion 2", day = 28, said = "not recorded" }
"""


def test_each_open_line_is_asked_once_and_the_answers_settle_the_map():
    source_map = map_of(OPEN)
    asked = list(questions(source_map))
    names = [f"{q.line} weight" if q.setting == "weight" else q.line for q in asked]
    assert names == list(ANSWERS)
    for name, question in zip(names, asked, strict=True):
        assert fault(question, ANSWERS[name], ["C1", "C2", "kg"]) is None
        source_map = answered(source_map, question, ANSWERS[name])
    assert list(questions(source_map)) == []
    assert list(source_map.open_questions()) == []
    assert source_map == map_of(ANSWERED)
    assert read_map(parse_toml(map_text(source_map).encode())) == source_map


def test_answers_reach_their_own_blocks_though_an_earlier_one_is_left_out():
    source_map = map_of(
        OPEN[: OPEN.index("[responses]")]
        + """
[[responses]]
sheet = "S"
patient_id = "ID"
response = "Best 1"
date = { column = "?" }
[[responses]]
sheet = "S"
patient_id = "ID"
response = "Best 2"
date = { column = "?" }
"""
    )
    first, second = [q for q in questions(source_map) if q.place.startswith("responses")]
    settled = with_answers(source_map, [(first, "none"), (second, "C2")])
    [block] = [b for b in settled.blocks if b.table == "responses"]
    assert (block.fields["response"].column, block.fields["date"].column) == ("Best 2", "C2")
    assert settled.ignored["S"] == {"Best 1": "left out by a person"}
    both = with_answers(source_map, [(first, "none"), (second, "none")])
    assert [b for b in both.blocks if b.table == "responses"] == []


@pytest.mark.parametrize(("line", "answer", "why"), [
    ("source.date_order", "yes", "answer one of: dmy, mdy, ymd"),
    ("infusions[1].date", "C3", "no column of the source; it has: C1, C2"),
    ("infusions[1].dose_cells_per_kg", "months",
     "answer one of: cells/kg, 1e6 cells/kg, 1e5 cells/kg, 1e8 cells/kg, cells, 1e6 cells, 1e8 cells"),
    ("responses.date", "maybe", "answer one of: yes, no"),
    ("values.response.NR", "perhaps", "answer one of: CR, CRi, nPR, PR, SD, PD, NE, an empty cell, or parts such as "
                                      "response=CR mrd=undetectable"),
    ("values.response.NR", "response=perhaps", "answer one of: CR, CRi, nPR, PR, SD, PD, NE, an empty cell, or parts "
                                               "such as response=CR mrd=undetectable"),
])  # fmt: skip
def test_an_answer_that_is_none_is_refused(line, answer, why):
    question = next(q for q in questions(map_of(OPEN)) if q.line == line)
    assert fault(question, answer, ["C1", "C2"]) == why


def test_a_question_says_what_the_map_has_and_in_which_words_it_can_be_answered():
    texts = {q.line: q.text for q in questions(map_of(OPEN))}
    assert texts["responses.date"] == "Is it right: day 28 after infusion 2 (not recorded)?"
    assert texts["patients.sex"] == 'Is it right: read from "Gender"?'
    assert texts["values.response.NR"] == (
        "What does 'NR' mean as response? (CR, CRi, nPR, PR, SD, PD, NE, or \"\" for an empty cell; parts as "
        "response=CR mrd=undetectable day=90)"
    )

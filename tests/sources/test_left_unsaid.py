"""What a sheet does not say in so many words: ages by dates of birth, empty grades, events told in remarks."""

from __future__ import annotations

from datetime import date

import pytest
from literal_sources import book, followed, map_of, problems, rows, sheet

from reinfuse.exceptions import MapRefused
from reinfuse.sources.ages import completed_years
from reinfuse.sources.cohort_folder import check, provenance
from reinfuse.sources.follow import follow
from reinfuse.sources.map_file import map_text, read_map
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import answered, questions
from reinfuse.tabular.toml import parse_toml

TODAY = date(2026, 11, 29)
BIRTHS = """
ID,Born,CART1 date,CART2 date,CRS 1,CRS 2,Last FU
a,02/06/1960,2020-06-01,2021-03-01,2,,2022-01-01
b,02.06.60,2020-06-02,,,1,2022-01-02
c,11/1990,2020-12-01,2021-12-01,n/a,,2022-01-03
d,,2020-12-01,,0,,2022-01-04
"""
BIRTH_MAP = """
date_order = "dmy"
---
[questions]
empty_grades = "EMPTY"
[patients]
patient_id = "ID"
age_years = { column = "Born", until = "infusion 1", partial = "middle" }
last_contact = "Last FU"
death = { const = "" }
diagnosis = { const = "CLL" }
[[infusions]]
patient_id = "ID"
infusion = 1
date = "CART1 date"
[[infusions]]
patient_id = "ID"
infusion = 2
date = "CART2 date"
[[toxicities]]
patient_id = "ID"
infusion = 1
kind = { const = "CRS" }
grade = "CRS 1"
[[toxicities]]
patient_id = "ID"
infusion = 2
kind = { const = "CRS" }
grade = "CRS 2"
"""
SHEET = """
ID,Dx,Last contact,Date of death,CART1 date,CART1 LD,CART2 date,CART2 LD,CART2 CRS,Notes,BMT after CART2
P1,CLL,2021-01-01,2021-01-01,2019-01-01,Flu/Cy,2019-09-01,Flu/Cy,2,"relapse seen, second CART 2019-09-01",
P2,CLL,2021-02-02,,2019-02-02,Flu/Cy,2019-10-02,Flu/Cy,,third CART 2020-05-04 (elsewhere),2020-03-03
P3,CLL,2021-03-03,,2019-03-03,Flu/Cy,2019-11-03,Flu/Cy,1,died at home,2020-01-07
P4,CLL,2021-04-04,,2019-04-04,Flu/Cy,,,,seen before 2nd CART,
"""


def with_empty(meaning):
    return followed(BIRTH_MAP.replace("EMPTY", meaning), sheet(BIRTHS))


def test_years_are_completed_on_the_birthday():
    assert completed_years(date(2000, 2, 29), date(2021, 2, 28)) == 20
    assert completed_years(date(2000, 2, 29), date(2021, 3, 1)) == 21


def test_the_age_at_cart1_follows_from_the_date_of_birth_and_no_date_of_birth_leaves_the_source():
    imported = with_empty("missing")
    assert imported.problems == ()
    assert [r[rows(imported, "patients")[0].index("age_years")] for r in rows(imported, "patients")[1:]] == [
        "59", "60", "30", ""]  # fmt: skip
    written = provenance(imported)
    assert written.filter(written["column"] == "age_years")["raw"].to_list() == ["", "", ""]
    texts = " ".join(str(v) for column in written.iter_columns() for v in column)
    assert [t for t in ("1960", "02.06.60", "11/1990") if t in texts] == []


@pytest.mark.parametrize(("born", "partial", "age"), [
    ("1938-06-14", "", "81"), ("22.11.1949", "", "70"), ("14 June 1938", "", "81"), ("12.05.48", "", "71"),
    ("12.05.19", "", "0"), ("1947", "year", "73"), ("1947", "refuse", ""), ("05/1947", "year", "73"),
])  # fmt: skip
def test_births_from_1900_on_are_read_and_a_year_alone_gives_an_age_only_if_a_person_agrees(born, partial, age):
    """At CART1 of 2020-03-01: 81 years since June 1938, 70 since November 1949; 2020 - 1947 = 73."""
    text = MAP_OF_BIRTHS.replace("PARTIAL", f', partial = "{partial}"' if partial else "")
    imported = followed(text, sheet(f"ID,Born,CART1\na,{born},2020-03-01\n"))
    assert imported.problems == ()
    assert dict(zip(*rows(imported, "patients"), strict=True))["age_years"] == age
    told = [r for r in imported.remarks if "of the date of birth the day is not told" in r]
    assert len(told) == (partial == "refuse")


MAP_OF_BIRTHS = """
[source]
date_order = "dmy"
---
[patients]
patient_id = "ID"
death = { const = "" }
age_years = { column = "Born", until = "infusion 1"PARTIAL }
[infusions]
patient_id = "ID"
infusion = { const = "1" }
date = "CART1"
""".replace("[source]\n", "")


def test_a_column_of_births_before_1950_is_proposed_and_a_year_alone_is_asked_about():
    body = "a,{},2020-03-01,2021-01-01\nb,1944,2020-04-01,2021-02-02\n"
    for born in ("1938", "14.06.1938", "31.12.49"):
        text = "ID,geb.,CART1 date,Last contact\n" + body.format(born)
        asked_of = {(q.line, q.setting): q for q in questions(propose(book(sheet(text)), today=TODAY).map)}
        assert ("patients.age_years", "confirm") in asked_of
        assert asked_of["patients.age_years", "partial"].choices == ("refuse", "first", "middle", "last", "year")


def test_the_difference_of_years_is_a_setting_of_births_alone():
    with pytest.raises(MapRefused) as refused:
        map_of('[patients]\npatient_id = "ID"\ndeath = { column = "D", partial = "year" }\n')
    assert [p.rule for p in refused.value.problems] == ["is a setting of dates of birth alone"]


@pytest.mark.parametrize(("born", "rule"), [
    ("2021-01-01", "the date of birth does not lie 0 to 120 years before the infusion"),
    ("12 of May", "no date of birth that can be read"),
])  # fmt: skip
def test_a_date_of_birth_that_can_not_be_is_a_problem_without_its_text(born, rule):
    imported = followed(BIRTH_MAP.replace("EMPTY", "missing"), sheet(BIRTHS.replace("02/06/1960", born)))
    ((table, row, column, said),) = problems(imported)
    assert (table, row, column, said) == ("CART", 2, "Born", rule)
    assert born not in str(imported.problems)


@pytest.mark.parametrize(("meaning", "grades"), [
    ("0", [["a", "1", "2"], ["a", "2", "0"], ["b", "1", "0"], ["b", "2", "1"], ["c", "2", "0"], ["d", "1", "0"]]),
    ("missing", [["a", "1", "2"], ["b", "2", "1"], ["d", "1", "0"]]),
])  # fmt: skip
def test_an_empty_grade_is_0_only_where_the_map_says_so_and_the_infusion_was_given(meaning, grades):
    assert [[r[0], r[1], r[3]] for r in rows(with_empty(meaning), "toxicities")[1:]] == grades


@pytest.mark.parametrize(
    ("meaning", "added"), [("0", [["a", "2", "CRS", "0"], ["b", "1", "ICANS", "0"]]), ("missing", [])]
)
def test_an_infusion_that_a_list_of_toxicities_passes_over_is_of_grade_0_only_where_the_map_says_so(meaning, added):
    given = sheet("ID,No,Date\na,1,2020-01-01\na,2,2020-09-01\nb,1,2020-02-02\n", "Given")
    listed = sheet("ID,No,AE,Grade\na,1,CRS,2\na,1,ICANS,1\na,2,ICANS,1\nb,1,CRS,\n", "AE")
    source_map = map_of(f"""
[questions]
empty_grades = "{meaning}"
[patients]
sheet = "Given"
patient_id = "ID"
death = {{ const = "" }}
[infusions]
sheet = "Given"
patient_id = "ID"
infusion = "No"
date = "Date"
[toxicities]
sheet = "AE"
patient_id = "ID"
infusion = "No"
kind = "AE"
grade = "Grade"
""")
    graded = rows(follow(book(given, listed), source_map), "toxicities")[1:]
    assert [r for r in graded if r[3] == "0"] == added  # a row without a grade says that it occurred, and not how much
    assert [r for r in graded if r[3] != "0"] == [
        ["a", "1", "CRS", "2"],
        ["a", "1", "ICANS", "1"],
        ["a", "2", "ICANS", "1"],
    ]


def test_a_line_of_its_own_prevails_over_the_question_about_empty_grades():
    own = BIRTH_MAP.replace("EMPTY", "missing").replace('"CRS 1"', '{ column = "CRS 1", empty = 0 }')
    imported = followed(own, sheet(BIRTHS))
    assert [r for r in rows(imported, "toxicities")[1:] if r[0] in "bc"] == [
        ["b", "1", "CRS", "0"], ["b", "2", "CRS", "1"]]  # fmt: skip
    assert read_map(parse_toml(map_text(imported.map).encode())) == imported.map


@pytest.mark.parametrize("wrong", [
    'age_years = { column = "Born", until = "today" }', 'age_years = { column = "Born", empty = "0" }',
    'age_years = { column = "Born", until = "infusion 1", empty = "none" }',
])  # fmt: skip
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(MapRefused):
        map_of(f'[patients]\npatient_id = "ID"\n{wrong}\n')


def test_no_question_shows_a_date_of_birth():
    births = ("03/04/1960", "11/1970", "1980")
    text = "ID,Dx,Date of birth,CART1 date,CART1 LD,Last contact,Date of death\n"
    text += "".join(f"P{k},CLL,{b},2019-0{k}-01,Flu/Cy,2021-01-0{k},\n" for k, b in enumerate(births, 1))
    outcome = propose(book(sheet(text)), today=TODAY)
    shown = map_text(outcome.map, outcome.proposals) + str(outcome.proposals) + str(list(questions(outcome.map)))
    assert "until" in shown
    assert [t for t in ("03/04/1960", "11/1970", "'1980'") if t in shown] == []


def asked():
    outcome = propose(book(sheet(SHEET)), today=TODAY)
    return outcome, {q.line: q for q in questions(outcome.map)}


def test_events_in_columns_that_no_line_reads_are_asked_about_with_their_rows():
    outcome, own = asked()
    (transplants,) = [q for line, q in own.items() if line.startswith("questions.BMT") or line == "therapies.date"]
    assert transplants
    (left,) = [q.text for line, q in own.items() if line.startswith("questions.Notes")]
    notes = next(p for p in outcome.proposals if p.source == "Notes")
    assert notes.open
    assert "what looks like a death (row 4), which no line reads" in left
    assert [r for r in ("row 2", "row 5") if r in left] == []  # a date that is read, and no event
    assert "an infusion (row 3)" in own["infusions[3].date"].about


def test_a_third_infusion_in_a_remark_is_read_once_a_person_agrees():
    outcome, own = asked()
    third = own["infusions[3].date"]
    assert third.setting == "confirm"
    assert "infusion 3" in third.about
    for answer, dates in (("yes", ["2019-02-02", "2019-10-02", "2020-05-04"]), ("no", ["2019-02-02", "2019-10-02"])):
        source_map = outcome.map
        for question in list(questions(source_map)):
            usual = {"ids": "keep", "empty_grades": "missing"}.get(question.setting, "yes")
            source_map = answered(source_map, question, answer if question == third else usual)
        checked = check(follow(book(sheet(SHEET)), read_map(parse_toml(map_text(source_map).encode()))))
        assert [p for p in checked.problems if p.severity == "error"] == []
        _, *given = rows(checked.imported, "infusions")
        assert [r[2] for r in given if r[0] == "P2"] == dates


def test_a_column_of_dates_becomes_the_events_that_a_person_names():
    text = SHEET.replace("BMT after CART2", "XYZ")
    outcome = propose(book(sheet(text)), today=TODAY)
    key = next(q for q in questions(outcome.map) if q.subject.startswith("XYZ"))
    source_map = answered(outcome.map, key, "allo-HCT")
    block = source_map.blocks[-1]
    assert (block.table, block.fields["kind"].const) == ("therapies", "allo-HCT")
    assert "XYZ" not in source_map.ignored["CART"]

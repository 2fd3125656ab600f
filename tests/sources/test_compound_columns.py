"""Two columns of the cohort in one of the source, and two of the source in one of the cohort; weights and statuses."""

from __future__ import annotations

from datetime import date

import pytest
from centres import centre

from reinfuse.sources.follow import follow
from reinfuse.sources.propose.proposing import propose
from reinfuse.sources.questions import OF_ROWS, answered, questions
from reinfuse.sources.values import understand

BASE = """
ID > - > a; b; c
Dx > - > ALL; CLL; NHL
Last contact > - > 2021-01-01; 2021-02-02; 2021-03-03
Date of death > - > 2021-01-01; ;
CART1 date > - > 2019-01-01; 2019-02-02; 2019-03-03
CART2 date > - > 2020-01-01; 2020-02-02; 2020-03-03
"""


def imported(text, answers=()):
    """Return the cohort that follows when everything else is right as proposed."""
    source = centre("sheet.xlsx", CART=BASE + text).source
    source_map = propose(source, today=date(2026, 1, 1)).map
    told = dict(answers)
    for question in list(questions(source_map)):
        source_map = answered(source_map, question, told.get(question.line, "yes"))
    outcome = follow(source, source_map)
    assert [(p.column, p.rule) for p in outcome.problems] == []
    return outcome


def cells(outcome, name, column):
    rows = outcome.tables[name]
    return [row[rows.columns.index(column)].text for row in rows.rows]


def test_doses_of_drugs_side_by_side_make_the_regimen():
    outcome = imported(
        "CART1 Flu (mg/m2 x days) > - > 30 x 3; none; held\nCART1 Cy (mg/m2 x days) > - > 500 x 3; none; 300"
    )
    assert cells(outcome, "infusions", "lymphodepletion")[::2] == ["flu + cy", "none", "cy"]


def test_two_grades_in_one_cell_are_read_in_the_order_of_the_header():
    outcome = imported("CART2 CRS/ICANS > - > 2/0; none; 1/3", {"values.grade.none": "0"})
    assert sorted(zip(cells(outcome, "toxicities", "kind"), cells(outcome, "toxicities", "grade"), strict=True)) == [
        ("CRS", "0"), ("CRS", "1"), ("CRS", "2"), ("ICANS", "0"), ("ICANS", "0"), ("ICANS", "3"),
    ]  # fmt: skip


def test_age_and_sex_in_one_cell_are_both_read():
    outcome = imported("Age/sex > - > 63M; F/58; 71 m")
    assert cells(outcome, "patients", "age_years") == ["63", "58", "71"]
    assert cells(outcome, "patients", "sex") == ["M", "F", "M"]


def test_a_dose_of_all_cells_is_divided_by_the_weight_at_its_own_infusion_in_kilograms_or_pounds():
    outcome = imported("CART1 total dose (cells) > - > 2e8; 2e8; 2e8\nCART1 weight (kg) > - > 80; 50;\n"
                       "CART2 total dose (cells) > - > 2e8; 2e8; 2e8\n"
                       "CART2 weight (lbs) > - > 200; 100; 150")  # fmt: skip
    doses = cells(outcome, "infusions", "dose_cells_per_kg")
    assert doses == ["2500000", "2204586", "4000000", "4409171", "", "2939447"]
    assert any("the row holds no body weight: 1" in remark for remark in outcome.remarks)


def test_the_weight_of_the_first_infusion_alone_is_asked_about_for_the_second():
    source = centre("sheet.xlsx", CART=f"{BASE}CART1 weight (kg) > - > 80; 50; 60\n"
                    "CART2 total dose (cells) > - > 2e8; 1e8; 3e8").source  # fmt: skip
    about = {q.line: q.about for q in questions(propose(source, today=date(2026, 1, 1)).map)}
    assert "the only body weight is 'CART1 weight (kg)', of CART1" in about["infusions[2].dose_cells_per_kg"]


def test_words_that_mean_dead_are_asked_for_and_followed():
    text = BASE.replace("Date of death > - > 2021-01-01; ;\n", "") + "Status > - > AWD; gone; alive"
    source = centre("sheet.xlsx", CART=text).source
    source_map = propose(source, today=date(2026, 1, 1)).map
    (rows,) = [q for q in questions(source_map) if q.setting == OF_ROWS]
    assert (rows.line, rows.text.partition("?")[0]) == (
        "patients.death", "Which texts in Status mark the rows in which it is read",
    )  # fmt: skip
    for question in list(questions(source_map)):
        source_map = answered(source_map, question, "gone" if question.setting == OF_ROWS else "yes")
    assert cells(follow(source, source_map), "patients", "death") == ["", "2021-02-02", ""]


@pytest.mark.parametrize(("text", "contact", "death", "cause"), [
    ("RIP 03/02/21 (PD)", "2021-02-03", "2021-02-03", "disease"),
    ("Died 10 May 2021", "2021-05-10", "2021-05-10", None),
    ("Alive, in CR. Last clinic 05-Jul-24", "2024-07-05", None, None),
    ("A&W, last seen 14/07/2024", "2024-07-14", None, None),
])  # fmt: skip
def test_a_sentence_on_the_vital_status_tells_contact_death_and_cause(text, contact, death, cause):
    assert understand("last_contact", text, order="dmy").parts["last_contact"] == contact
    assert understand("death", text, order="dmy").parts.get("death") == death
    assert understand("death_cause", text).parts.get("death_cause") == cause


@pytest.mark.parametrize(
    "text", ["Alive, relapsed 03/02/21", "Alive on bispecific 21/09/24", "died 3/2/21, relapse 1/1/21"]
)
def test_a_date_that_may_be_of_something_else_is_asked_about(text):
    assert understand("last_contact", text, order="dmy") is None


def test_a_response_without_a_date_is_placed_a_day_after_the_infusion_only_if_a_person_agrees():
    text = f"{BASE}CART2 response D30 > - > CR; PR; SD\nCART2 date of response D30 > - > 2020-02-02; ; 2020-04-02"
    source = centre("sheet.xlsx", CART=text).source
    (asked,) = [q for q in questions(propose(source, today=date(2026, 1, 1)).map) if q.line == "responses.date"]
    assert "responses without a date: 1; for them, day 30 after the infusion is taken" in asked.about
    assert cells(imported(text.removeprefix(BASE)), "responses", "date") == ["2020-02-02", "2020-03-03", "2020-04-02"]

"""Text that cannot drift: every number of a report is a record's, and a number that is changed is found."""

from __future__ import annotations

import json
import random

import pytest

from drift import PHRASES, Drift
from pages import Page, docx_text
from reinfuse import save


@pytest.fixture(scope="module")
def told(demo_report):
    return json.loads((demo_report / "findings.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def drift(told):
    return Drift(told)


DOCUMENTS = ("report", "supplement")


@pytest.fixture(scope="module")
def pages(demo_report):
    return {name: Page((demo_report / f"{name}.html").read_text(encoding="utf-8")) for name in DOCUMENTS}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_number_of_a_document_is_held(drift, pages, demo_report, name):
    assert drift.text(pages[name].plain) == []
    assert drift.text(docx_text(demo_report / f"{name}.docx")) == []
    assert [x for table in pages[name].tables for x in drift.table(table)] == []


def test_reports_of_real_cohorts_hold_too(tmp_path):
    from helpers import plain
    from reinfuse import Study, read_cohort
    from reinfuse.data import datasets

    for name in ("sheih_2020", "brudno_2016"):
        one = datasets()[name]
        findings = Study(read_cohort(one.path, one.plan.columns, used=one.plan.used_columns), plain(one.plan)).run()
        out = save(findings, tmp_path / name)
        found = Drift(json.loads((out / "findings.json").read_text(encoding="utf-8")))
        for document in DOCUMENTS:
            page = Page((out / f"{document}.html").read_text(encoding="utf-8"))
            assert found.text(page.plain) == []
            assert [x for table in page.tables for x in found.table(table)] == []


@pytest.mark.parametrize("wrong", [
    "Overall response: 18 of 44 (41%), 95% CI 24% to 55%.", "Overall response: 17 of 44 (38%).", "5.68 (1.34 to 34.0)",
    "5.67 (1.34 to 33.0)", "p = 0.018, p = 0.0171", "n = 45", "events 99",
    "median 2.0 months (95% CI 1.4 to 3.2; n = 44",
    "in 4711 patients",
])  # fmt: skip
def test_a_changed_number_is_found(drift, wrong):
    assert drift.text(wrong) != []


def test_a_row_with_another_record_s_patients_is_found(drift):
    head = ["Factor", "Model", "n", "Events", "Odds ratio (95% CI)", "p"]
    right = ["Cy-Flu before CART1", "multivariable", "43", "16", "5.67 (1.34 to 34.0)", "0.017"]
    assert drift.table([head, right]) == []
    assert drift.table([head, [*right[:2], "44", *right[3:]]]) != []
    assert drift.table([head, [*right[:3], "17", *right[4:]]]) != []
    assert drift.table([head, [*right[:5], "0.015"]]) != []


def test_events_and_patients_of_a_level_that_are_no_record_s_are_found(drift):
    head = ["", "Events of n", "Univariable (95% CI)", "p"]
    assert drift.table([head, ["Cy-Flu before CART1: yes", "14 of 28", "5.40 (1.31 to 31.3)", "0.018"]]) == []
    assert drift.table([head, ["Cy-Flu before CART1: yes", "14 of 26", "5.40 (1.31 to 31.3)", "0.018"]]) == ["14 of 26"]


def test_most_changes_of_one_digit_are_found(drift, pages):
    """In sentences and in tables' rows, one digit of what was estimated is changed: nine of ten changes are found."""
    dice = random.Random(5)
    caught = []
    for line in (line for page in pages.values() for line in page.plain.splitlines()):
        if any(p.search(line) for p in PHRASES.values()) and drift.text(line) == []:
            caught += [bool(drift.text(_changed(line, dice))) for _ in range(2)]
    for table in (table for page in pages.values() for table in page.tables):
        for row in table[1:]:
            cells = [j for j, c in enumerate(row) if PHRASES["interval"].search(c) or PHRASES["rate"].search(c)]
            for j in cells:
                new = [*row[:j], _changed(row[j], dice), *row[j + 1 :]]
                caught.append(bool(drift.table([table[0], new]) or drift.text("\n".join(new))))
    assert len(caught) > 900
    assert sum(caught) / len(caught) > 0.9


def _changed(text, dice):
    """Change one digit of one phrase of a text, never that of a level of confidence."""
    spans = [m.span() for p in PHRASES.values() for m in p.finditer(text)]
    places = [i for a, b in spans for i in range(a, b) if text[i].isdigit() and "%" + " CI" not in text[i : i + 6]]
    at = dice.choice(places)
    other = dice.choice([d for d in "123456789" if d != text[at]])
    return text[:at] + other + text[at + 1 :]

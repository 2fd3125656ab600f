"""Hostile inputs end as refusals that `check` finds first, or as reports in which every file can be read."""

import itertools
import warnings

import pytest

import hostile
from hostile import FULL, Case, eight, outcome, replaced, toml, wide
from reinfuse import read_cohort
from reinfuse.exceptions import CohortRefused, PlanRefused, Problem
from reinfuse.plan.analysis_plan import Plan
from reinfuse.study import Study

KINDS = ("setting", "nesting", "many", "plan", "name", "number", "date", "size")


def prepared(case, folder):
    """Return `accepted`, or the problems with which a case is refused before anything is estimated."""
    folder.mkdir()
    cohort, _, plan = case.write(folder)
    try:
        chosen = Plan.load(plan)
        Study(read_cohort(cohort, chosen.columns, used=chosen.used_columns), chosen).prepare()
    except (PlanRefused, CohortRefused) as refused:
        return tuple(p for p in refused.problems if p.severity == "error")
    return "accepted"


@pytest.mark.parametrize("kind", sorted({c.kind for c in hostile.cases()}))
def test_nothing_hostile_is_a_fault_of_the_program(kind, tmp_path):
    mine = [c for c in hostile.cases() if c.kind == kind]
    for i, case in enumerate(mine[:: max(len(mine) // 12, 1)]):
        told = prepared(case, tmp_path / str(i))
        assert told == "accepted" or all(p.rule and p.remedy for p in told), case.name


LEVELS = (
    "$x$ $\\frac{1}$",
    "\\alpha^{_",
    "_x",
    "漢字 🧬 ำ",
    "<b>&amp;\"'</b>",
    "[99] [1]",
    "{{7*7}} #let x = 1",
    "a=b=c",
)


def test_a_report_holds_any_text_and_says_it_as_it_stands(tmp_path):
    tables = eight()
    for i, text in enumerate(LEVELS[:4]):
        replaced(tables, "patients", "diagnosis", text, {2 * i + 1, 2 * i + 2})
        replaced(tables, "infusions", "product", LEVELS[4 + i], {4 * i + 2, 4 * i + 4})
    replaced(tables, "toxicities", "kind", "$x$ [99] 漢", {7})
    for table in tables.values():
        for row in table[1:]:
            row[0] = row[0].replace("P1", "$\\P1$ [3]")
    factor = "[[factors]]\nname = 'x'\ncolumn = 'product'\nlabel = " + toml("[99] $\\frac{")
    model = "[[models]]\nendpoint = 'pfs'\nfactors = ['diagnosis']\n"
    plan = f"title = {toml('$ [99] 漢 ' + 'W' * 190)}\n{FULL}\n{factor}\n{model}"
    about = f"title = {toml(LEVELS[0])}\nsource = '[99]'\nlimits = ['$x']\nsynthetic = true\n"
    case = Case("all", "all", tables, plan, about)
    assert outcome(case) == ("0", "0", [])


def test_no_text_is_read_as_mathematics(tmp_path, monkeypatch):
    def parse(*_, **__):
        raise AssertionError("a text is read as mathematics")

    monkeypatch.setattr("matplotlib.mathtext.MathTextParser.parse", parse)
    case = Case("x", "x", replaced(eight(), "patients", "diagnosis", "$x$", {1, 2, 8}))
    assert outcome(case) == ("0", "0", [])


@pytest.mark.parametrize(
    ("character", "what"),
    [
        ("\x00", "a control character (U+0000)"),
        ("\x1b", "a control character (U+001B)"),
        ("\x7f", "a control character (U+007F)"),
        ("\uffff", "a Unicode noncharacter (U+FFFF)"),
        ("\ufdd0", "a Unicode noncharacter (U+FDD0)"),
        ("\u202e", "an invisible bidirectional control character (U+202E)"),
        ("\U000e0041", "a control character (U+E0041)"),
    ],
)
def test_what_no_document_can_hold_is_refused_where_it_stands(character, what, tmp_path):
    tables = replaced(eight(), "patients", "diagnosis", f"CLL{character}x", {3})
    replaced(tables, "infusions", "LDH", f"2{character}", {5})
    told = prepared(Case("x", "x", tables), tmp_path / "cells")
    assert [(p.table, p.row, p.column, p.rule) for p in told] == [
        ("infusions", 5, "LDH", f"holds {what}"),
        ("patients", 3, "diagnosis", f"diagnosis holds {what}"),
    ]
    assert character not in str([p.as_dict() for p in told])
    (told,) = prepared(Case("x", "x", plan=f"title = {toml(f'x{character}')}\n{FULL}"), tmp_path / "plan")
    assert (told.table, told.column) == ("plan", "title") or "Illegal" in told.rule


def test_invisible_marks_and_ways_of_writing_an_accent_make_no_category(tmp_path):
    tables = replaced(eight(), "patients", "diagnosis", "Lymphome ge\u0301ne", {1})
    replaced(tables, "patients", "diagnosis", "Lymphome g\u00e9ne", {2})
    replaced(tables, "patients", "diagnosis", "Lym\u00adphome\u200b g\u00e9ne\u200e", {8})
    arguments = Case("x", "x", tables).write(tmp_path)
    assert set(read_cohort(arguments[0]).tables["patients"]["diagnosis"]) == {"Lymphome g\u00e9ne", "NHL", "ALL"}


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ("seed = -1", "Input should be greater than or equal to 0"),
        (f"seed = {2**63}", f"holds an integer beyond {2**63}"),
        ("confidence = nan", "Input should be a finite number"),
        ("title = ' '", "is empty: write it, or leave it out"),
        (f"title = '{'x' * 256}'", "String should have at most 200 characters"),
        (f"title = {'9' * 5000}", f"holds an integer beyond {2**63}"),
        (f"x = {'[' * 5000}{']' * 5000}", "holds tables or lists nested deeper than 8"),
        (f"{'a.' * 20}a = 1", "holds tables or lists nested deeper than 8"),
        ("[analyses]\ndraws = 1000000000", "Input should be less than or equal to 100000"),
        ("[analyses]\nbootstraps = 1000000000", "Input should be less than or equal to 10000"),
        ("[analyses]\npower = 1000000000", "Input should be less than or equal to 10000"),
        ("[analyses]\nimputations = 1000000000", "Input should be less than or equal to 200"),
        ("[standardise]\nday = inf", "Input should be a finite number"),
        ("[standardise]\nday = 1e308", "Input should be less than or equal to 36500"),
    ],
)
def test_settings_have_limits(setting, rule, tmp_path):
    (tmp_path / "plan.toml").write_text(setting)
    with pytest.raises(PlanRefused) as caught:
        Plan.load(tmp_path / "plan.toml")
    assert [p.rule for p in caught.value.problems] == [rule]


@pytest.mark.parametrize("value", ["1e308", "-1e308", "9" * 5000, "1e-300", "1e-999"])
def test_numbers_beyond_all_measurement_are_refused(value, tmp_path):
    case = Case("x", "x", replaced(eight(), "infusions", "LDH", value, {2}), hostile._factor("LDH"))
    assert prepared(case, tmp_path / "factor") != "accepted"
    case = Case("x", "x", replaced(eight(), "infusions", "dose_cells_per_kg", value, {2}))
    assert [(p.table, p.row, p.column) for p in prepared(case, tmp_path / "dose")] == [
        ("infusions", 2, "dose_cells_per_kg")
    ]


def test_days_beyond_a_century_are_refused(tmp_path):
    told = prepared(Case("x", "x", replaced(eight(), "patients", "last_contact", "99999", {3})), tmp_path / "a")
    assert told[0].rule == "last_contact is outside the possible range, from -36500 to 36500"


def test_the_remedy_for_too_many_diagnoses_helps(tmp_path):
    many = wide()
    many["sheet"] = [many["sheet"][0], *([f"B{i}", f"Lymphoma {i}", "CR", str(i + 65), "1", str(i + 69), "1", str(i),
                                          f"k{i}"] for i in range(21))]  # fmt: skip
    told = prepared(Case("x", "x", many), tmp_path / "many")
    assert [(p.table, p.column) for p in told] == [("plan", "diagnosis")] * 2
    assert all("give rare values one name" in p.remedy and "leave it out" in p.remedy for p in told)
    grouped = {"sheet": [[c if j != 1 or i < 3 else "other" for j, c in enumerate(r)]
                         for i, r in enumerate(many["sheet"])]}  # fmt: skip
    assert prepared(Case("x", "x", grouped), tmp_path / "grouped") == "accepted"
    out = f"subgroups = []\n{hostile._factor('marker')}\n[standardise]\nconfounders = []\n"
    assert prepared(Case("x", "x", many, out), tmp_path / "out") == "accepted"


def test_a_problem_rules_no_screen():
    shown = Problem(table="t", row=1, column="\x1b[31m", value="\u202e" + "x" * 5000, rule="r\x00", remedy="m")
    assert (shown.column, shown.rule) == ("\\u001b[31m", "r\\u0000")
    assert shown.value is not None
    assert shown.value.startswith("\\u202exxx")
    assert len(shown.value) < 130


def test_levels_that_read_alike_stay_apart(tmp_path):
    """Markup, mathematics and citations in levels are levels: each counts its own patients."""
    names = itertools.cycle(["$x$", "[1]", "_x", "{x}"])
    tables = wide()
    for row in tables["sheet"][1:]:
        row[-1] = next(names)
    path, _, plan = Case("x", "x", tables, hostile._factor("kind")).write(tmp_path)
    chosen = Plan.load(plan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = Study(read_cohort(path, chosen.columns, used=chosen.used_columns), chosen).run()
    curves = {k[2]: c.n for k, c in found.curves.items() if k[0] == "pfs" and k[2] and k[2].startswith("x=")}
    assert curves == {"x=$x$": 2, "x=[1]": 2, "x=_x": 2, "x={x}": 2}

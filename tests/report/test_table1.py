"""The table of patients as `[report.table1]` asks for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers import plain, read
from reinfuse import Plan, Study, save
from reinfuse.disclosure import suppressed
from reinfuse.exceptions import PlanRefused
from reinfuse.report.document.model import Table
from reinfuse.report.sections.contents import documents
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.results.findings import Findings

COHORT = {
    "patients": """patient_id,last_contact,death,diagnosis,sex,age_years
        a,400,,CLL,F,60
        b,300,300,CLL,M,50
        c,500,,NHL,F,70
        d,250,250,NHL,M,40
        e,350,350,NHL,F,30
        f,390,,NHL,,35
        g,390,,NHL,M,""",
    "infusions": "patient_id,infusion,day,dose_cells_per_kg,lymphodepletion,LDH level\n"
    + "\n".join(f"{p},1,0,2e6,Cy,\n{p},2,100,2e6,Cy/Flu,{200 + 10 * i}" for i, p in enumerate("abcdefg")),
    "responses": "patient_id,day,response\na,130,CR\nb,130,PD",
}
LABELS = {"labels": {"LDH level": "LDH, U/L"}, "levels": {"sex": {"F": "women", "M": "men"}}}


def findings(folder, **settings) -> Findings:
    return Study(read(folder, **COHORT), plain(Plan.of({"report": settings}))).run()


def rows(shown: Findings) -> list[tuple[str, ...]]:
    table = StudyTables(shown).baseline()
    return [table.head, *((("  " if row.inner else "") + row.head, *row.cells) for row in table.rows)]


def refused(folder, **table1) -> list[tuple[str | None, str | None, str]]:
    with pytest.raises(PlanRefused) as caught:
        findings(folder, table1=table1)
    return [(p.column, p.value, p.rule) for p in caught.value.problems]


def test_rows_and_columns_by_hand(tmp_path):
    table1 = {"by": "sex", "variables": ["LDH level", "age_years", "diagnosis", "sex"], "smd": True, "p": True,
              "statistics": {"age_years": "mean (SD)"}}  # fmt: skip
    shown = findings(tmp_path, table1=table1, **LABELS)
    assert rows(shown) == [
        ("", "All patients (n = 7)", "women (n = 3)", "men (n = 3)", "SMD", "p"),
        ("LDH, U/L", "230 (215 to 245)", "220 (210 to 230)", "230 (220 to 245)", "0.59", "0.70"),
        ("Age, years, mean (SD)", "47.5 (15.4)", "53.3 (20.8)", "45.0 (7.1)", "0.54", "not estimable"),
        ("  missing", "1", "0", "1", "", ""),
        ("Diagnosis", "", "", "", "0.00", ">0.99"),
        ("  CLL", "2 of 7 (29%)", "1 of 3 (33%)", "1 of 3 (33%)", "", ""),
        ("  NHL", "5 of 7 (71%)", "2 of 3 (67%)", "2 of 3 (67%)", "", ""),
    ]
    assert StudyTables(shown).baseline().notes == (
        "Continuous variables: median (quartiles). Categorical variables: patients (% of those with a value).",
        "SMD: absolute standardised mean difference.",
        "p: Wilcoxon rank-sum test, exact; Fisher's exact test.",
        "1 patient without a value of sex: in the column of all patients only.",
    )
    assert "by absolute standardised mean differences" in str(documents(shown, ()))
    again = Findings.load(save(shown, tmp_path / "out"))
    assert rows(again) == rows(shown)


def test_without_the_column_of_all_patients_and_rows_of_missing_values(tmp_path):
    variables = {"variables": ["age_years", "diagnosis"], "by": "sex"}
    alone = rows(findings(tmp_path, table1={**variables, "overall": False, "missing": "never"}))
    assert alone[0] == ("", "F (n = 3)", "M (n = 3)")
    assert [row[0] for row in alone[1:]] == ["Age, years", "Diagnosis", "  CLL", "  NHL"]
    always = rows(findings(tmp_path, table1={**variables, "missing": "always"}))
    assert [row for row in always if row[0] == "  missing"] == [
        ("  missing", "1", "0", "1"),
        ("  missing", "0", "0", "0"),
    ]


def test_ranges_and_more_than_two_groups(tmp_path):
    text = COHORT["patients"].replace("c,500,,NHL", "c,500,,ALL").replace("e,350,350,NHL", "e,350,350,ALL")
    cohort = read(tmp_path, **{**COHORT, "patients": text})
    table1 = {"by": "diagnosis", "variables": ["LDH level"], "numbers": "median (range)", "smd": True}
    shown = Study(cohort, plain(Plan.of({"report": {"table1": table1}}))).run()
    smd = [e.estimate for e in shown.estimates if e.statistic == "smd"]
    assert len(smd) == 3
    head, row = rows(shown)
    assert head[1:] == ("All patients (n = 7)", "NHL (n = 3)", "ALL (n = 2)", "CLL (n = 2)", "SMD")
    assert row == ("LDH level", "230 (200 to 260)", "250 (230 to 260)", "230 (220 to 240)", "205 (200 to 210)",
                   f"{max(smd):.2f}")  # fmt: skip
    assert "SMD: absolute standardised mean difference; the largest between any two groups." in (
        StudyTables(shown).baseline().notes
    )


def test_the_plan_s_subgroups_are_the_columns_by_default(tmp_path):
    shown = findings(tmp_path)
    assert rows(shown)[0] == ("", "All patients (n = 7)", "CLL (n = 2)", "NHL (n = 5)")
    kinds = {e.statistic for e in shown.estimates if e.analysis == "baseline"}
    assert not kinds & {"smd", "sd", "p_value"}
    assert not [e for e in shown.estimates if e.analysis == "baseline" and e.group is not None]


def test_shared_findings_show_groups_and_compare_none(tmp_path):
    table1 = {"by": "sex", "variables": ["age_years", "diagnosis"], "smd": True, "p": True}
    shared, _ = suppressed(findings(tmp_path, table1=table1), 3)
    head, *body = rows(shared)
    assert head[-1] == "M (n = 3)"
    assert "not shown" in str(body)


def test_what_these_data_lack_is_refused_or_said(tmp_path):
    assert refused(tmp_path, variables=["LDH leval", "sex"], by="age_years") == [
        ("report.table1.variables", "LDH leval", "is no factor and no column of these data"),
        ("report.table1.by", "age_years", "is a number and makes no groups"),
    ]
    assert refused(tmp_path, by="bulky") == [("report.table1.by", "bulky", "these data lack it")]
    assert refused(tmp_path, by="cart1_cy_flu") == [
        ("report.table1.by", "cart1_cy_flu", "has one level only in the analysed patients")
    ]
    texts = [w["text"] for w in findings(tmp_path, table1={"variables": ["sex", "prior_lines"]}).warnings]
    assert "report.table1.variables: these data lack prior_lines" in texts


def test_all_that_is_wrong_is_refused_together():
    def rules(**table1):
        with pytest.raises(PlanRefused) as caught:
            Plan.of({"report": {"table1": table1}})
        return [f"{p.column or ''}: {p.rule}" for p in caught.value.problems]

    assert rules(smd=True, p=True, overall=False, variables=["sex", "sex"], statistics={"age_years": "mean (SD)"}) == [
        "report.table1: smd compares groups: name the factor that makes them (by); p compares groups: name the factor "
        "that makes them (by); overall = false leaves no column: name the factor that makes groups (by); variables: "
        "'sex' occurs twice; statistics: 'age_years' is not among the variables"
    ]
    assert rules(numbers="mode", missing="sometimes", colour=1) == [
        "report.table1.numbers: Input should be 'median (quartiles)', 'median (range)' or 'mean (SD)'",
        "report.table1.missing: Input should be 'always', 'if any' or 'never'",
        "report.table1.colour: is not a setting of a plan",
    ]
    assert rules(by="sexx", variables=["pfs_days", "patient_id"], statistics={"pfs_days": "mean (SD)"}) == [
        ": report.table1.by: 'sexx' is no factor of the plan that is known at baseline, did you mean sex?",
        ": report.table1.variables: pfs_days is known only after the index infusion and cannot be a baseline factor "
        "(immortal-time bias): use [[landmarks]] or [[time_dependent]], or say when it was known (known_at) for a "
        "landmark",
        ": report.table1.variables: patient_id identifies patients and cannot define groups",
    ]


def test_the_lancet_s_table(demo_findings):
    plan = demo_findings.plan.model_copy(update={"report": Plan.of({"report": {"journal": "Lancet"}}).report})
    both = documents(replace(demo_findings, plan=plan), ()).values()
    tables = [b for document in both for b in document.blocks() if isinstance(b, Table) and b.name == "baseline"]
    row = next(r for r in tables[0].rows if r.head == "Age, years")
    assert row.cells[:2] == ("55 (39–60)", "42·5 (32·8–55·5)")

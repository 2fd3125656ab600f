"""The STROBE checklist: every item, true of what was run, and no section named that the report does not have."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cohorts import EIGHT
from helpers import plain, read, write_sheet
from reinfuse import Plan, Study, read_cohort
from reinfuse.data import datasets
from reinfuse.disclosure import suppressed
from reinfuse.plan.analysis_plan import Analyses, Factor, Model
from reinfuse.report.document.model import Section, Table
from reinfuse.report.sections.contents import REPORT, SUPPLEMENT, documents
from reinfuse.report.sections.strobe import AUTHORS, ITEMS

OFF = {"landmarks": (), "time_dependent": (), "analyses": Analyses.none()}
FIRST = Plan.built_in(1).model_copy(update=OFF)
BARE = Plan(factors=(), models=(), **OFF)
SHEET = """patient_id,LDH,response
A,200,CR
B,300,PD
C,,PR
D,180,SD"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("strobe")


@pytest.fixture(scope="module")
def several(demo_findings, folder):
    """Findings of cohorts that hold little, and of all that can be held."""
    sheih = datasets()["sheih_2020"]
    columns = {"LDH": "LDH"}
    cut = Plan(factors=(Factor(name="ldh_high", column="LDH", above=240),), models=(), **OFF)
    sheet = read_cohort(write_sheet(folder, SHEET), {}, used=columns)
    return {
        "demo": demo_findings,
        "shared": suppressed(demo_findings, 11)[0],
        "bare": Study(read(folder, **EIGHT), BARE).run(),
        "two tables": Study(read(folder, patients=EIGHT["patients"], infusions=EIGHT["infusions"]), BARE).run(),
        "first": Study(read(folder, **EIGHT), FIRST).run(),
        "sheet": Study(sheet, cut).run(),
        "sheih": Study(
            read_cohort(sheih.path, sheih.plan.columns, used=sheih.plan.used_columns), plain(sheih.plan)
        ).run(),
    }


def where(findings):
    blocks = documents(findings, ())[SUPPLEMENT].blocks()
    checklist = next(b for b in blocks if isinstance(b, Table) and b.name == "strobe")
    return {row.head.split()[0]: row.cells[1] for row in checklist.rows}


def titles(findings):
    """Return document -> titles of its sections, as the checklist may name them."""
    both = documents(findings, ())
    sections = {name: [b for b in both[name].blocks() if isinstance(b, Section)] for name in (REPORT, SUPPLEMENT)}
    return {name.capitalize(): {t for s in own for t in (s.title, s.short) if t} for name, own in sections.items()}


def test_every_item_of_strobe_is_there():
    assert sorted({int(re.match(r"\d+", item)[0]) for item, _, _ in ITEMS}) == list(range(1, 23))
    assert len({item for item, _, _ in ITEMS}) == len(ITEMS)


def test_all_that_the_demo_holds_is_named(several):
    found = where(several["demo"])
    assert found["9"] == "Report, Limitations; Supplement, Robustness and sensitivity analyses"
    assert found["12c"] == "Supplement, Methods: complete cases and multiple imputation"
    assert found["12d"] == "Supplement, Methods: Endpoint definitions (censoring)"
    assert found["12e"] == (
        "Supplement, Robustness and sensitivity analyses: simulated reference distribution, leave-one-out, "
        "proportional hazards, E-values, endpoints by several rules, imputation; "
        "Supplement, Factors associated with outcome: permutation"
    )
    assert found["14b"] == "Report, Patients: rows `missing`"
    assert found["15"] == (
        "Report, Response; Report, Time to event; Supplement, Time to event: competing events, state occupation, "
        "competing events by group, competing events on one clock; Report, Toxicity"
    )
    assert found["16a"] == "Report, Factors associated with outcome (unadjusted and adjusted)"
    assert found["17"] == (
        "Supplement, Factors associated with outcome: interactions, non-linearity; "
        "Supplement, Robustness and sensitivity analyses: model averaging, bootstrap selection; "
        "Supplement, Time to event: Gray's test, Fine and Gray's model; "
        "Supplement, Post-infusion factors: landmark, time-dependent; Supplement, Standardised outcomes; "
        "Supplement, Within-patient comparison"
    )


def test_what_only_the_authors_know_is_left_to_them(several):
    for findings in several.values():
        found = where(findings)
        assert all(found[item].startswith(AUTHORS) for item in ("2", "5", "6", "20", "21", "22"))


def test_nothing_is_claimed_of_a_cohort_without_models(several):
    found = where(several["bare"])
    assert found["16a"] == "No model was planned"
    assert found["12e"] == found["17"] == "None was planned"
    assert found["9"] == "Report, Limitations"
    assert found["10"] == f"{AUTHORS}: how the study size was determined"
    assert found["11"] == "No quantitative factor"
    assert found["12c"] == "Report, Patients: missing values are counted"
    assert found["14c"] == "Supplement, Time to event: median follow-up"


def test_outcomes_that_no_table_tells_are_not_claimed(several):
    found = where(several["two tables"])
    assert "Response" not in found["15"]
    assert "Toxicity" not in found["15"]
    assert found["15"].startswith("Supplement, Time to event")
    assert found["16c"] == "Supplement, Time to event: rates at fixed times"


def test_a_sheet_of_responses_alone(several):
    found = where(several["sheet"])
    assert found["12b"] == "No subgroup was planned"
    assert found["12d"] == "No time-to-event endpoint in these data"
    assert found["14b"] == "Report, Patients: rows `missing`"
    assert found["14c"] == f"{AUTHORS}: not in these data"
    assert found["15"] == "Report, Response"
    assert found["16a"] == "Report, Factors associated with outcome (unadjusted)"
    assert found["16b"] == "Supplement, Objectives: factors"


def test_a_boundary_that_a_label_hides_is_left_to_the_authors(folder):
    factor = Factor(name="ldh_high", column="LDH", above=240, label="LDH raised")
    sheet = read_cohort(write_sheet(folder, SHEET), {}, used={"LDH": "LDH"})
    found = where(Study(sheet, Plan(factors=(factor,), models=(), **OFF)).run())
    assert found["16b"] == f"{AUTHORS}: category boundaries (given in the plan)"


def test_a_published_sheet_of_first_infusions(several):
    found = where(several["sheih"])
    assert found["12d"] == f"{AUTHORS}: times are taken from the wide sheet"
    assert found["12e"] == "Supplement, Robustness and sensitivity analyses: proportional hazards, E-values"
    assert found["17"] == (
        "Supplement, Factors associated with outcome: non-linearity (not estimable); "
        "Supplement, Post-infusion factors: landmark (not estimable)"
    )
    assert found["14b"] == "Report, Patients: no value is missing"


def test_first_infusions_have_no_infusion_before(several):
    found = where(several["first"])
    assert "Within-patient" not in found["17"]
    assert found["16a"] == "Report, Factors associated with outcome (unadjusted)"


def test_what_is_suppressed_is_not_shown_and_not_said_to_be_unasked(several):
    found = where(several["shared"])
    assert "not planned" not in " ".join(found.values())
    assert "None was planned" not in found.values()
    assert "no patient was excluded" not in found["13"]
    assert "not estimable" not in found["12e"]


def test_an_analysis_that_is_off_is_named_nowhere(demo_findings):
    off = {
        "calibrated": "simulated", "permutation": "permutation", "sensitivity": "E-values", "imputation": "imputation",
        "influence": "leave-one-out", "proportional": "proportional hazards", "averaging": "model averaging",
        "stability": "bootstrap", "landmark": "landmark", "time_dependent": "time-dependent", "competing": "Gray",
        "standardised": "Standardised outcomes", "paired": "Within-patient", "power": "smallest detectable effect",
    }  # fmt: skip
    for analysis, said in off.items():
        kept = tuple(e for e in demo_findings.estimates if e.analysis != analysis)
        assert said in " ".join(where(demo_findings).values())
        assert said not in " ".join(where(replace(demo_findings, estimates=kept)).values())


def test_univariable_models_alone_are_unadjusted(several):
    plan = Plan(factors=(Factor(name="bulky"),), models=(Model(endpoint="os", factors=("bulky", "age_years")),), **OFF)
    assert "adjusted" in where(several["demo"])["16a"]
    findings = several["bare"]
    both = Study(findings.cohort, plan).run()
    assert where(both)["16a"] == "Report, Factors associated with outcome (unadjusted and adjusted)"
    alone = replace(both, estimates=tuple(e for e in both.estimates if e.model != "multivariable"))
    assert where(alone)["16a"] == "Report, Factors associated with outcome (unadjusted)"


def test_every_section_that_is_named_is_in_that_document(several):
    known = {t for own in titles(several["demo"]).values() for t in own}
    for name, findings in several.items():
        said = ". ".join(where(findings).values())
        for document, own in titles(findings).items():
            missing = {t for t in known - own if re.search(rf"\b{document}, {re.escape(t)}\b", said)}
            assert missing == set(), (name, document)
        named = {document for t in known for document in re.findall(rf"(\w+), {re.escape(t)}\b", said)}
        assert named == {"Report", "Supplement"}, name

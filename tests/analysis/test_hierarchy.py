"""The plan's hierarchy: Holm and the fixed sequence against R and by hand, ranks, what the report says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from helpers import read
from reinfuse import Plan
from reinfuse.analyses.hierarchy import adjusted_tests, ranked
from reinfuse.cohort.study_days import calendar
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.plan_record import PlanHistory
from reinfuse.report.sections.certainty import Certainty
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.plan_history import preceded
from reinfuse.results.estimate import Estimate
from reinfuse.statistics.multiple_testing import fixed_sequence, holm

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "hierarchy.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", GOLDEN["families"], ids=lambda c: c["name"])
def test_adjusted_p_values_are_those_of_r(case):
    p = np.array(case["p"])
    assert holm(p) == pytest.approx(case["holm"], rel=1e-12)
    assert fixed_sequence(p) == pytest.approx(case["fixed_sequence"], rel=1e-12)


def plan(method="Holm", **ranks):
    models = [{"endpoint": "pfs", "factors": ["sex", "bulky"]}, {"endpoint": "os", "factors": ["sex"]}]
    return Plan.of({"factors": [{"name": n} for n in ("sex", "bulky", "diagnosis")], "models": models,
                    "hierarchy": {"method": method, **ranks}})  # fmt: skip


def effect(endpoint, term, p, model="univariable", level=None):
    return Estimate("association", endpoint, "hazard_ratio", model=model, term=term, level=level, estimate=2.0,
                    p_value=p, n=20, events=9)  # fmt: skip


EFFECTS = [
    effect("pfs", "sex", 0.001), effect("pfs", "bulky", 0.001), effect("pfs", "diagnosis", 0.03, level="CLL"),
    effect("pfs", "diagnosis", 0.2, level="NHL"), effect("os", "sex", 0.02), effect("os", "bulky", None),
    effect("pfs", "sex", 0.03, "multivariable"), effect("pfs", "bulky", 0.01, "multivariable"),
]  # fmt: skip


def adjusted_of(plan):
    return [(e.group, e.endpoint, e.term, e.level, e.model, e.p_value, e.method) for e in adjusted_tests(plan, EFFECTS)]


def test_a_family_by_hand():
    """Of the model 0.03 and 0.01, alone 0.02, and one not estimable that counts as 1: 4 * 0.01, 3 * 0.02, 2 * 0.03.

    Secondary: 0.03 (CLL), 0.2 (NHL) of PFS; diagnosis of OS is not in the data: 3 * 0.03 = 0.09, 3/2 * 0.2 = 0.3.
    """
    primary = {"endpoints": ["pfs", "os"], "factors": ["sex", "bulky"]}
    own = plan(primary=primary, secondary={"factors": ["diagnosis"]})
    words = "Holm over 4 hypotheses", "Benjamini-Hochberg over 3 hypotheses"
    assert adjusted_of(own) == [
        ("primary", "pfs", "sex", None, "multivariable", pytest.approx(0.06), words[0]),
        ("primary", "pfs", "bulky", None, "multivariable", pytest.approx(0.04), words[0]),
        ("primary", "os", "sex", None, "univariable", pytest.approx(0.06), words[0]),
        ("primary", "os", "bulky", None, "univariable", None, words[0]),
        ("secondary", "pfs", "diagnosis", "CLL", "univariable", pytest.approx(0.09), words[1]),
        ("secondary", "pfs", "diagnosis", "NHL", "univariable", pytest.approx(0.3), words[1]),
        ("secondary", "os", "diagnosis", None, "univariable", None, words[1]),
    ]


def test_a_sequence_ends_where_a_hypothesis_could_not_be_tested():
    own = plan("fixed sequence", primary={"endpoints": ["pfs", "os"], "factors": ["bulky", "sex"]})
    assert [(e.endpoint, e.term, e.p_value) for e in adjusted_tests(own, EFFECTS)] == [
        ("pfs", "bulky", 0.01), ("pfs", "sex", 0.03), ("os", "bulky", None), ("os", "sex", 1.0)]  # fmt: skip


def test_without_factors_those_of_the_models_are_primary():
    own = plan(primary={"endpoints": ["pfs"]}, secondary={"endpoints": ["os"], "factors": ["diagnosis"]})
    assert [tuple(h) for h in ranked(own)] == [
        ("primary", "pfs", "sex", "multivariable"), ("primary", "pfs", "bulky", "multivariable"),
        ("secondary", "pfs", "diagnosis", "univariable"), ("secondary", "os", "sex", "univariable"),
        ("secondary", "os", "diagnosis", "univariable")]  # fmt: skip
    exploratory = plan(primary={"endpoints": ["pfs"]}, exploratory={"factors": ["bulky"]})
    assert [h.factor for h in ranked(exploratory)] == ["sex"]


@pytest.mark.parametrize(("settings", "rule"), [
    ({"primary": {"endpoints": ["pfz"]}}, "endpoint 'pfz' is not known"),
    ({"primary": {"endpoints": ["pfs"], "factors": ["sexx"]}}, "factor 'sexx' is not known, did you mean sex?"),
    ({"primary": {"endpoints": ["pfs"], "factors": ["crs_grade"]}}, "crs_grade is known only after the index infusion"),
    ({"secondary": {"endpoints": ["pfs"]}}, "names no primary endpoint"),
    ({"primary": {"endpoints": ["pfs"]}, "secondary": {"endpoints": ["pfs"]}}, "names pfs twice among the endpoints"),
    ({"primary": {"endpoints": ["pfs"]}, "method": "Hochberg"}, "'Holm' or 'fixed sequence'"),
])  # fmt: skip
def test_what_it_cannot_be_is_refused(settings, rule):
    with pytest.raises(PlanRefused) as refused:
        Plan.of({"hierarchy": settings})
    assert rule.split(" is known")[0] in str(refused.value)


def test_a_plan_without_it_is_as_it_was(quick_findings):
    assert not Plan.built_in().hierarchy
    assert not any(e.analysis == "hierarchy" for e in quick_findings.estimates)
    assert not any(w["text"].startswith("Hierarchy") for w in quick_findings.warnings)


def multiplicity(findings, provenance=None, **hierarchy):
    own = findings.plan.replace(hierarchy=hierarchy)
    estimates = (*findings.estimates, *adjusted_tests(own, findings.estimates))
    changed = replace(findings, plan=own, estimates=estimates, provenance={**findings.provenance, **(provenance or {})})
    return " ".join(Certainty(StudyTables(changed), ()).multiplicity())


def test_key_findings_tell_the_primary_family_and_count_the_others(quick_findings):
    primary = {"endpoints": ["response", "pfs"], "factors": ["cart1_cy_flu"]}
    text = multiplicity(quick_findings, primary=primary, secondary={"factors": ["dose_increase"]})
    assert (
        "Primary (2; Holm's method, family-wise level 5%): shown Cy-Flu before CART1 and overall response (p = " in text
    )
    assert "Secondary (Benjamini-Hochberg): 1 of 2 shown." in text
    assert text.endswith("That the plan preceded the data, its authors must state.")
    many = multiplicity(quick_findings, primary={"endpoints": ["response", "pfs"],
                                                 "factors": ["cart1_cy_flu", "dose_increase",
                                                             "diagnosis"]})  # fmt: skip
    assert "Primary (8; Holm's method, family-wise level 5%): shown 1; not shown 7." in many


@pytest.mark.parametrize(("locked", "when"), [
    ("2019-12-31", "before the first index infusion"),
    ("2020-04-01", "after the first index infusion and before the last date in the data"),
    ("2022-01-02", "after the last date in the data: the record does not show that it preceded them"),
])  # fmt: skip
def test_the_record_says_whether_the_plan_preceded_the_data(locked, when, quick_findings, tmp_path):
    cohort = read(tmp_path, patients="""patient_id,last_contact,death,diagnosis
                                        P,2022-01-01,,CLL
                                        Q,2021-01-01,2021-01-01,CLL""",
                  infusions="""patient_id,infusion,date,dose_cells_per_kg,lymphodepletion
                               P,1,2019-06-01,2e6,Cy/Flu
                               P,2,2020-01-01,2e6,Cy/Flu""")  # fmt: skip
    assert calendar(cohort, 2) == (date(2020, 1, 1), date(2022, 1, 1))
    history = PlanHistory(f"{locked}T10:00:00Z", "ab" * 32).beside(*calendar(cohort, 2))
    provenance = {"plan_history": history.as_dict()}
    (sentence,) = preceded(provenance)
    assert sentence == f"The plan (SHA-256 abababababab) was locked on {locked} at 10:00 UTC, {when}."
    assert multiplicity(quick_findings, provenance, primary={"endpoints": ["os"]}).endswith(sentence)


def test_days_without_dates_do_not_say_when_the_plan_was_written(quick_findings):
    assert calendar(quick_findings.cohort, 2) is None
    (sentence,) = preceded({"plan_history": PlanHistory("2022-01-02T10:00:00Z", "ab" * 32).as_dict()})
    assert sentence.endswith(
        "at 10:00 UTC: whether it preceded the data cannot be read from them, which hold no dates."
    )

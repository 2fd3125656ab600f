"""The report's first page: what it says of the demo, and what it says where nothing can be said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reinfuse.analyses.multiplicity import hypotheses, named_by
from reinfuse.disclosure import suppressed
from reinfuse.plan.analysis_plan import Model
from reinfuse.report.sections.contents import REPORT, documents
from reinfuse.report.sections.key_findings import KeyFindings
from reinfuse.report.tables.study_tables import StudyTables

EFFECT = "Cy-Flu before CART1 and overall response"


def said(findings):
    return dict(KeyFindings(StudyTables(findings)).statements())


def changed(findings, wanted, **values):
    """Return findings with the records that fit changed."""
    fits = [all(getattr(e, k) == v for k, v in wanted.items()) for e in findings.estimates]
    assert any(fits)
    new = (replace(e, **values) if fit else e for e, fit in zip(findings.estimates, fits, strict=True))
    return replace(findings, estimates=tuple(new))


MODEL = {"analysis": "association", "endpoint": "response", "model": "multivariable", "term": "cart1_cy_flu"}


def test_key_findings_stand_first(demo_findings):
    first = documents(demo_findings, ())[REPORT].sections[0]
    assert (first.name, first.title) == ("summary", "Key findings")


def test_each_effect_of_the_models_has_its_interval_p_patients_and_events(demo_findings):
    text = said(demo_findings)
    assert (
        "adjusted odds ratio 5.67 (95% CI 1.34 to 34.0; p = 0.017; by simulation 5.67 (1.37 to 30.6), p = 0.015; "
        "n = 43, events 16)"
    ) in text[EFFECT]
    assert text[EFFECT].startswith("Higher odds of overall response (with it 14 of 28 (50%); without 2 of 15 (13%)):")
    assert text["Cy-Flu before CART1 and progression-free survival"].startswith(
        "Lower hazard of progression, relapse or death"
    )
    assert [head for head in text if " and " in head] == [
        f"{factor} and {end}" for end in ("overall response", "progression-free survival")
        for factor in ("Cy-Flu before CART1", "CART2 dose higher than CART1 dose")
    ]  # fmt: skip


def test_what_was_not_shown_is_said_with_what_stays_possible(demo_findings):
    text = said(demo_findings)["CART2 dose higher than CART1 dose and overall response"]
    assert text.startswith("No association shown")
    assert text.endswith("The interval does not exclude a doubling of the odds.")
    narrow = changed(demo_findings, MODEL, lower=0.7, upper=1.8, estimate=1.1, p_value=0.6)
    assert "does not exclude" not in said(narrow)[EFFECT]
    wide = changed(demo_findings, MODEL, lower=0.3, upper=3.0, estimate=1.1, p_value=0.6)
    assert "does not exclude a halving or a doubling of the odds" in said(wide)[EFFECT]


def test_an_open_limit_is_never_a_number(demo_findings):
    text = said(changed(demo_findings, MODEL, upper=None))[EFFECT]
    assert "1.34 to not estimable" in text
    assert "inf" not in text


def test_what_cannot_be_estimated_is_said_with_its_reason(demo_findings):
    values = {"estimate": None, "lower": None, "upper": None, "p_value": None}
    text = said(changed(demo_findings, MODEL, **values, note="not estimable: no event"))
    assert text[EFFECT] == "Not estimable (no event): nothing can be said."


def test_certainty_of_the_demo(demo_findings):
    text = said(demo_findings)
    assert "at most 0.14 or at least 8.64 for Cy-Flu before CART1; none between 0.1 and 10 for CART2" in text["Power"]
    assert text["Single patients"].startswith(
        "Leaving out 1 patient moves the association of CART2 dose higher than CART1 dose and overall response across"
    )
    assert "confounding by indication" in text["Confounding"]
    assert "1.58 for Cy-Flu before CART1 and overall response" in text["Confounding"]


def test_the_number_of_tests_and_of_those_that_the_plan_names(demo_findings):
    tests = hypotheses(demo_findings.estimates)
    named = sum(named_by(demo_findings.plan, t) for t in tests)
    text = said(demo_findings)["Multiplicity"]
    assert text.startswith(f"{len(tests)} hypotheses were tested.")
    assert f"No plan of the authors' own was given: the built-in design names {named} of them." in text
    own = replace(demo_findings, plan=demo_findings.plan.model_copy(update={"seed": 1}))
    assert f"The plan names {named} of them" in said(own)["Multiplicity"]


def test_without_a_model_no_association_is_singled_out(demo_findings):
    own = replace(demo_findings, plan=demo_findings.plan.model_copy(update={"models": ()}))
    text = said(own)
    assert "every association in this report is exploratory" in text["Associations"]
    assert text["Question"] == "What are the outcomes after the second CAR-T infusion?"
    assert EFFECT not in text


def test_a_model_of_one_factor_is_not_adjusted(demo_findings):
    models = (Model(endpoint="response", factors=("cart1_cy_flu",)),)
    own = replace(demo_findings, plan=demo_findings.plan.model_copy(update={"models": models}))
    assert ": unadjusted odds ratio 5.40" in said(own)[EFFECT]
    assert "is Cy-Flu before CART1 associated with overall response?" in said(own)["Question"]


@pytest.mark.parametrize("smallest", [5, 11])
def test_shared_findings_claim_nothing_that_was_taken_away(demo_findings, smallest):
    shown, _ = suppressed(demo_findings, smallest)
    text = said(shown)
    assert not {"Power", "Single patients", "Multiplicity"} & set(text)
    assert (
        "none was excluded"
        not in said(changed(shown, {"analysis": "flow", "term": "in the cohort"}, estimate=None))["Patients"]
    )
    assert not any("None" in t or "inf " in t for t in text.values())

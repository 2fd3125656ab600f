"""How many hypotheses were tested, and how many of them the plan names: counted by hand."""

from __future__ import annotations

from reinfuse import Plan
from reinfuse.analyses.multiplicity import hypotheses, named_by
from reinfuse.plan.analysis_plan import Landmark, Model
from reinfuse.results.estimate import Estimate


def effect(analysis, term, model="univariable", *, endpoint="pfs", statistic="hazard_ratio", p=0.2, at=None):
    return Estimate(analysis, endpoint, statistic, model=model, term=term, estimate=2.0, p_value=p, at=at)


RECORDS = (
    effect("association", "a"),
    effect("association", "b"),
    effect("association", "c", p=None),  # not estimable: no test
    effect("association", "a", "multivariable"),
    effect("association", "b", "multivariable"),
    effect("calibrated", "a", "multivariable"),  # the same hypothesis once more
    effect("permutation", "a", statistic="p_value"),
    effect("sensitivity", "a", statistic="p_adjusted"),
    effect("survival", "a", None, statistic="p_value"),
    effect("rmst", "a", None, statistic="restricted_mean_difference"),
    effect("rmst", "a", None, statistic="restricted_mean_ratio"),
    effect("landmark", "response", at=42),
    effect("proportional", "a", None, statistic="p_value"),  # a check of the model
)
PLAN = Plan.built_in().model_copy(
    update={"models": (Model(endpoint="pfs", factors=("a", "b")),),
            "landmarks": (Landmark(factor="response", endpoints=("pfs",)),), "time_dependent": ()}
)  # fmt: skip


def test_each_hypothesis_is_counted_once():
    tests = hypotheses(RECORDS)
    assert [(t.analysis, t.term, t.model) for t in tests] == [
        ("association", "a", "univariable"), ("association", "b", "univariable"),
        ("association", "a", "multivariable"), ("association", "b", "multivariable"), ("survival", "a", None),
        ("rmst", "a", None), ("landmark", "response", "univariable")]  # fmt: skip


def test_the_plan_names_its_models_and_landmarks():
    named = [(t.analysis, t.term, t.model) for t in hypotheses(RECORDS) if named_by(PLAN, t)]
    assert named == [("association", "a", "multivariable"), ("association", "b", "multivariable"),
                     ("landmark", "response", "univariable")]  # fmt: skip


def test_of_a_single_factor_the_plan_names_the_univariable_test():
    plan = PLAN.model_copy(update={"models": (Model(endpoint="pfs", factors=("b",)),), "landmarks": ()})
    assert [(t.term, t.model) for t in hypotheses(RECORDS) if named_by(plan, t)] == [("b", "univariable")]

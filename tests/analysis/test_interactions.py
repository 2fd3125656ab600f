"""Interactions, tests of all levels, splines: against R, cases by hand, and what is not estimable."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from columns import binary, category, drawn, number, timed, yes_no

from reinfuse import Plan
from reinfuse.analyses.category_tests import category_tests
from reinfuse.analyses.interactions import RATIO, interaction
from reinfuse.analyses.multiplicity import Hypothesis, hypotheses, named_by
from reinfuse.analyses.proportional_hazards import means_instead, proportional
from reinfuse.analyses.rmst import by_group
from reinfuse.analyses.splines import splines
from reinfuse.cohort.strata import Combination
from reinfuse.exceptions import PlanRefused
from reinfuse.results.estimate import NOT_ESTIMABLE
from reinfuse.statistics import cubic_spline, firth
from reinfuse.statistics.firth_joint import effect, joint_test

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "shape.json").read_text(encoding="utf-8"))


def arrays(case):
    """Return kind, event and time of a case of R's."""
    time = None if case["time"] is None else np.array(case["time"])
    return "logistic" if time is None else "cox", np.array(case["event"]), time


def by_name(cases):
    return {"argvalues": cases, "ids": [c["name"] for c in cases]}


@pytest.mark.parametrize("case", **by_name(GOLDEN["joint"]))
def test_tests_of_several_coefficients_are_those_of_r(case):
    kind, event, time = arrays(case)
    columns = [int(j) for j in case["columns"]]
    test = joint_test(kind, np.array(case["X"]), event, time, columns=columns)
    assert test.df == len(columns)
    assert test.statistic == pytest.approx(case["statistic"], rel=1e-5)
    assert test.p_value == pytest.approx(case["p"], rel=1e-5)
    assert test.every == pytest.approx(case["coef"], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("case", **by_name(GOLDEN["curve"]))
def test_splines_and_their_profile_intervals_are_those_of_r(case):
    kind, event, time = arrays(case)
    x = np.array(case["x"])
    assert cubic_spline.knots(x) == pytest.approx(case["knots"])
    curve = cubic_spline.curve(kind, x, event, time, at=np.array(case["knots"]), values=np.array(case["values"]),
                               reference=case["knots"][1])  # fmt: skip
    for ours, theirs in ((curve.log_ratio, "log_ratio"), (curve.lower, "lower"), (curve.upper, "upper")):
        assert ours == pytest.approx(case[theirs], rel=2e-4, abs=1e-5)


def test_one_coefficient_is_that_of_the_whole_fit():
    x, z, y, time, event = drawn(24)
    X = np.column_stack([x, z])
    for j, (kind, outcome, t) in enumerate((("logistic", y, None), ("cox", event, time))):
        whole = firth.fit(kind, X, outcome, t)
        for expected in (None, float(whole.coef[j])):
            one = effect(kind, X, outcome, t, column=j, expected=expected)
            assert [one.coef, one.lower, one.upper, one.p_value] == pytest.approx(
                [whole.coef[j], whole.lower[j], whole.upper[j], whole.p_value[j]], rel=1e-5
            )
        assert joint_test(kind, X, outcome, t, columns=[j]).p_value == pytest.approx(whole.p_value[j], rel=1e-6)


CELLS = {(0, 0): (3, 12), (0, 1): (4, 9), (1, 0): (5, 11), (1, 1): (8, 10)}
"""Both factors -> patients with the outcome, and all."""


def by_hand():
    rows = [(a, b, int(i < events)) for (a, b), (events, n) in CELLS.items() for i in range(n)]
    a, b, y = (list(column) for column in zip(*rows, strict=True))
    return binary(y), [yes_no(a, "a"), yes_no(b, "b")]


def test_a_saturated_model_by_hand():
    """Firth's penalty adds half a patient to each count: every odds is (events + 1/2) / (others + 1/2)."""
    odds = {cell: (e + 0.5) / (n - e + 0.5) for cell, (e, n) in CELLS.items()}
    end, factors = by_hand()
    records = interaction(end, factors, tuple(factors), confidence=0.95, draws=199, rng=np.random.default_rng(1))
    [test] = [e for e in records if e.statistic == RATIO]
    expected = odds[1, 1] / odds[0, 1] / (odds[1, 0] / odds[0, 0])
    assert test.estimate == pytest.approx(expected, rel=1e-5)
    assert test.lower < expected < test.upper
    at = {(e.term, e.group): e for e in records if e.statistic == "odds_ratio"}
    assert {k: e.estimate for k, e in at.items()} == pytest.approx({
        ("a", "b=no"): odds[1, 0] / odds[0, 0], ("a", "b=yes"): odds[1, 1] / odds[0, 1],
        ("b", "a=no"): odds[0, 1] / odds[0, 0], ("b", "a=yes"): odds[1, 1] / odds[1, 0]}, rel=1e-5)  # fmt: skip
    assert (at["a", "b=yes"].n, at["a", "b=yes"].events) == (19, 12)
    assert all(e.p_value is None for e in at.values())
    cells = {e.group: (e.events, e.n) for e in records if e.statistic == "count"}
    assert cells["a=yes, b=no"] == (5, 11)
    [simulated] = [e for e in records if e.statistic == "p_value"]
    assert abs(simulated.p_value - test.p_value) < 0.15
    assert len(hypotheses(records)) == 1


def test_the_effect_at_a_level_is_that_of_the_model_with_this_level_as_reference():
    x, z, _, time, event = drawn(30, seed=3)
    w = (np.random.default_rng(4).random(30) < 0.5).astype(float)
    factors = [yes_no(x, "a"), yes_no(w, "b"), number(z)]
    records = interaction(timed(time, event), factors, (factors[0], factors[1]), confidence=0.9, draws=99, rng=None)
    turned = np.column_stack([x, 1 - w, z, x * (1 - w)])
    fitted = effect("cox", turned, event, time, column=0, confidence=0.9)
    [at_yes] = [e for e in records if e.statistic == "hazard_ratio" and e.term == "a" and e.group == "b=yes"]
    assert np.log([at_yes.estimate, at_yes.lower, at_yes.upper]) == pytest.approx(
        [fitted.coef, fitted.lower, fitted.upper], rel=1e-4
    )


def test_a_category_and_a_number_have_one_test_of_all_products():
    rng = np.random.default_rng(5)
    g, z = rng.integers(0, 3, 40), rng.normal(size=40)
    time, event = rng.exponential(size=40), (rng.random(40) < 0.9).astype(float)
    factors = [category([("u", "v", "w")[i] for i in g], ("u", "v", "w")), number(z)]
    records = interaction(timed(time, event), factors, tuple(factors), confidence=0.95, draws=99, rng=None)
    columns = np.column_stack([g == 1, g == 2, z, (g == 1) * z, (g == 2) * z]).astype(float)
    expected = joint_test("cox", columns, event, time, columns=[3, 4]).p_value
    [test] = [e for e in records if e.statistic == "p_value"]
    assert test.p_value == pytest.approx(expected, rel=1e-5)
    assert "2 degrees of freedom" in test.method
    groups = {e.group.split(" (")[0] for e in records if e.statistic == "hazard_ratio"}
    assert groups == {"z=25th percentile", "z=75th percentile", "g=u", "g=v", "g=w"}


def test_few_events_and_an_empty_combination_are_not_estimable():
    end, factors = by_hand()
    few = binary([1.0] * 14 + [0.0] * 28)
    [test] = [e for e in interaction(few, factors, tuple(factors), confidence=0.95, draws=99, rng=None)
              if e.statistic == "p_value"]  # fmt: skip
    assert test.note == f"{NOT_ESTIMABLE}: 14 events for 3 parameters, fewer than 5 for each"
    never = yes_no([a == "yes" and b == "yes" for a, b in zip(*(f.values for f in factors), strict=True)], "c")
    records = interaction(end, [factors[0], never], (factors[0], never), confidence=0.95, draws=99, rng=None)
    [test] = [e for e in records if e.statistic == "p_value"]
    assert test.note == f"{NOT_ESTIMABLE}: no patient has a=no, c=yes"
    assert {e.group: e.n for e in records if e.statistic == "count"}["a=no, c=yes"] == 0


def test_all_levels_together():
    g = ["u"] * 8 + ["v"] * 8 + ["w"] * 8
    y = [int(i < events) for events in (1, 3, 6) for i in range(8)]
    [test] = category_tests(binary(y), [category(g, ("u", "v", "w"))], "univariable")
    columns = np.column_stack([np.array(g) == "v", np.array(g) == "w"]).astype(float)
    assert test.p_value == pytest.approx(
        joint_test("logistic", columns, np.array(y, dtype=float), columns=[0, 1]).p_value
    )
    assert (test.n, test.events, test.term, test.level) == (24, 10, "g", None)
    assert category_tests(binary(y), [yes_no([w == "v" for w in g])], "univariable") == []
    [none] = category_tests(binary(y[:16]), [category(g[:16], ("u", "v", "w"))], "univariable")
    assert none.p_value is None
    assert none.note.startswith(NOT_ESTIMABLE)


def test_a_spline_needs_events_and_values():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=40), np.array([1.0] * 9 + [0.0] * 31)
    [few] = splines(binary(y), number(x), confidence=0.95)
    assert few.note == f"{NOT_ESTIMABLE}: 9 events, fewer than 10 for a spline of 3 knots"
    [same] = splines(binary([1.0, 0.0] * 20), number([0.0] * 30 + [1.0] * 10), confidence=0.95)
    assert same.note == f"{NOT_ESTIMABLE}: too few different values for 3 knots"


def test_a_bend_is_shown():
    rng = np.random.default_rng(7)
    x = rng.normal(size=200)
    time = rng.exponential(size=200) * np.exp(-1.5 * np.abs(x))
    records = splines(timed(time, np.ones(200)), number(x), confidence=0.95)
    assert records[0].p_value < 0.001
    points = [e for e in records if e.statistic == "hazard_ratio"]
    assert points[0].estimate > 2
    assert points[-1].estimate > 2
    assert all(e.lower <= e.estimate <= e.upper for e in points)


def test_a_plan_names_pairs_of_a_models_factors():
    model = {"endpoint": "pfs", "factors": ["cart1_cy_flu", "bulky"], "interactions": [["bulky", "cart1_cy_flu"]]}
    plan = Plan.of({"models": [model]})
    term = Combination(("cart1_cy_flu", "bulky"), " x ")
    hypothesis = Hypothesis("interaction", "pfs", "multivariable", "p_value", term, None, None)
    assert named_by(plan, hypothesis)
    assert not named_by(plan, hypothesis._replace(endpoint="os"))
    for pair in (["bulky", "bulky"], ["bulky", "sex"]):
        with pytest.raises(PlanRefused, match="not of two factors of this model"):
            Plan.of({"models": [{"endpoint": "pfs", "factors": ["cart1_cy_flu", "bulky"], "interactions": [pair]}]})


def test_hazards_that_cross_lead_to_restricted_means():
    rng = np.random.default_rng(8)
    x = np.repeat([0.0, 1.0], 60)
    time = np.where(x == 1, 100 * rng.weibull(5, size=120), 100 * rng.weibull(0.6, size=120)) + 1
    end, factor = timed(time, np.ones(120)), yes_no(x)
    tests = proportional(end, [factor], "univariable", 0.95)
    assert tests[0].p_value < 0.05
    [difference] = [e for e in means_instead(end, [factor], tests, confidence=0.95)
                    if e.statistic == "restricted_mean_difference"]  # fmt: skip
    [expected] = [e for e in by_group(end, factor, 0.95, horizon=None) if e.statistic == "restricted_mean_difference"]
    assert (difference.analysis, difference.estimate) == ("proportional", expected.estimate)
    assert means_instead(end, [factor], [replace(tests[0], p_value=0.5)], confidence=0.95) == []

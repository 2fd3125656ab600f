"""Weights, balance and doubly robust outcomes: against R, a case by hand, and which assumptions hold."""

import json
from pathlib import Path

import numpy as np
import pytest
from columns import binary, number, timed, yes_no

from reinfuse import Plan
from reinfuse.analyses.standardization import DOUBLY_ROBUST, G_COMPUTATION, WEIGHTING, standardised
from reinfuse.exceptions import PlanRefused
from reinfuse.statistics import doubly_robust

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "weighting.json").read_text(encoding="utf-8"))


def outcomes(end, a, b, z, **further):
    exposures = [yes_no(a, "a"), yes_no(b, "b")]
    settings = {"day": None, "fewest": 1, "draws": 2, "confidence": 0.95, "rng": np.random.default_rng(1), **further}
    return standardised(end, exposures, [number(z)] if z is not None else [], **settings)


def test_weights_balance_and_augmented_outcomes_are_those_of_r():
    records = outcomes(binary(GOLDEN["y"]), GOLDEN["a"], GOLDEN["b"], GOLDEN["z"], interactions=[("a", "b")])
    groups = list(dict.fromkeys(e.group for e in records))
    assert groups == ["a=no, b=no", "a=no, b=yes", "a=yes, b=no", "a=yes, b=yes"]
    for group, expected in zip(groups, GOLDEN["protocols"], strict=True):
        of = {(e.method if e.statistic == "proportion" else e.statistic): e for e in records if e.group == group}
        ours = {"g": of[G_COMPUTATION], "ipw": of[WEIGHTING], "aipw": of[DOUBLY_ROBUST],
                "effective": of["effective_sample_size"], "smallest": of["smallest_weight"],
                "largest": of["largest_weight"], "lowest": of["lowest_probability"], "before": of["smd_before"],
                "after": of["smd_after"]}  # fmt: skip
        assert {k: e.estimate for k, e in ours.items()} == pytest.approx({k: expected[k] for k in ours}, rel=1e-5)
        assert {e.n for e in ours.values()} == {int(expected["n"])}


@pytest.mark.parametrize("case", GOLDEN["pseudo"], ids=lambda c: c["name"])
def test_pseudo_values_are_those_of_leaving_each_patient_out(case):
    time, event = np.array(case["time"]), np.array(case["event"])
    values = doubly_robust.pseudo_survival(time, event, weights=np.ones((1, len(time))), day=case["day"])
    assert values[0] == pytest.approx(case["pseudo"], abs=1e-10)


def test_pseudo_values_by_hand_of_patients_who_count_twice():
    """Times 1 (event), 2, 2 (events, of one patient twice): S(1.5) = 2/3; without the first 1, without another 1/2."""
    values = doubly_robust.pseudo_survival(np.array([1.0, 2.0]), np.ones(2), weights=np.array([[1.0, 2.0]]), day=1.5)
    assert values[0] == pytest.approx([3 * 2 / 3 - 2 * 1, 3 * 2 / 3 - 2 / 2])


def test_without_censoring_pseudo_values_are_the_outcomes():
    time = np.arange(1.0, 9.0)
    values = doubly_robust.pseudo_survival(time, np.ones(8), weights=np.ones((1, 8)), day=4.0)
    assert values[0] == pytest.approx((time > 4).astype(float))


def test_the_augmented_estimate_is_right_where_the_outcome_model_is_wrong():
    """Of two models one may be wrong: of the outcome (0 for all) or of treatment (one half for all)."""
    rng = np.random.default_rng(2)
    n = 40_000
    z = rng.normal(size=(1, n))
    p = 1 / (1 + np.exp(-z))
    had = rng.random(n) < p[0]
    y = 0.3 * z[0] ** 2 + 0.5 * z[0] + rng.normal(size=n)
    ones = np.ones((1, n))
    wrong_outcome = doubly_robust.augmented(0 * ones, y, had=had, probability=p, weights=ones)
    wrong_treatment = doubly_robust.augmented(0.3 * z**2 + 0.5 * z, y, had=had, probability=0.5 * ones, weights=ones)
    assert [wrong_outcome[0], wrong_treatment[0]] == pytest.approx([0.3, 0.3], abs=0.04)
    assert y[had].mean() > 0.45


def test_an_interaction_changes_g_computation_and_not_weighting():
    rng = np.random.default_rng(3)
    a, b, z = rng.integers(0, 2, 80), rng.integers(0, 2, 80), rng.normal(size=80)
    time = rng.exponential(size=80) * 400 * np.where((a == 1) & (b == 1), 3, 1)
    end = timed(np.ceil(time), np.ones(80))
    plain, acting = (
        {(e.method, e.group): e.estimate for e in outcomes(end, a, b, z, day=500.0, interactions=pairs)
         if e.statistic == "rate_at"} for pairs in ((), [("b", "a")])
    )  # fmt: skip
    both = "a=yes, b=yes"
    assert acting[G_COMPUTATION, both] > plain[G_COMPUTATION, both] + 0.02
    assert acting[WEIGHTING, both] == plain[WEIGHTING, both]
    assert abs(acting[DOUBLY_ROBUST, both] - plain[DOUBLY_ROBUST, both]) < 0.05


def test_a_plans_interactions_are_of_exposures():
    plan = Plan.of({"standardise": {"interactions": [["cart1_cy_flu", "dose_increase"]]}})
    assert plan.standardise.interactions == (("cart1_cy_flu", "dose_increase"),)
    with pytest.raises(PlanRefused, match="is not of two exposures"):
        Plan.of({"standardise": {"interactions": [["cart1_cy_flu", "sex"]]}})

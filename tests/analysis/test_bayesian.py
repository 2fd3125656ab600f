"""Bayesian models: against R's integrals, a case solved by hand, and settings of a plan."""

import json
from pathlib import Path

import numpy as np
import pytest
from columns import binary, drawn, number, timed, yes_no

from reinfuse import Plan
from reinfuse.analyses.bayesian import ABOVE, ABOVE_1, BELOW, POSTERIOR_DENSITY, PRIOR, PRIOR_DENSITY, bayesian
from reinfuse.cohort.strata import level_of
from reinfuse.exceptions import PlanRefused
from reinfuse.plan.bayesian_options import BayesianOptions
from reinfuse.results.estimate import NOT_ESTIMABLE
from reinfuse.statistics.bayesian_effects import Prior, posterior

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "bayesian.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", GOLDEN["posterior"], ids=lambda c: c["name"])
def test_posteriors_are_those_of_rs_integrals(case):
    time = None if case["time"] is None else np.array(case["time"])
    sample = posterior(np.array(case["x"])[:, None], np.array(case["event"]), time,
                       prior=Prior(case["family"], case["scale"]))  # fmt: skip
    assert sample.effective > 1000
    assert sample.quantiles(0, (0.025, 0.5, 0.975)) == pytest.approx(case["quantiles"], abs=0.01)
    assert (sample.above(0, 0.0), sample.above(0, 0.5)) == pytest.approx(
        (case["above_0"], case["above_half"]), abs=0.003
    )
    density = sample.density(0, np.array([-0.5, 0.0, 0.5, 1.0]))
    assert density == pytest.approx(case["density"], rel=0.02, abs=0.002)


def test_two_patients_by_hand():
    """Two at risk, the exposed dies first: likelihood e^b / (1 + e^b).

    That of b and of -b add up to 1, so that under a symmetric prior the probability above 0 is twice the integral of
    prior and likelihood over b > 0.
    """
    sample = posterior(np.array([[1.0], [0.0]]), np.array([1.0, 0.0]), np.array([1.0, 2.0]), prior=Prior())
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    above = (weights * (nodes > 0) / (1 + np.exp(-nodes))).sum() / weights.sum() * 2
    assert sample.above(0, 0.0) == pytest.approx(above, abs=0.01)
    at = np.linspace(-3, 3, 13)
    by_hand = 2 * np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi) / (1 + np.exp(-at))
    assert sample.density(0, at) == pytest.approx(by_hand, rel=0.03, abs=0.002)


def test_little_data_leave_the_prior_and_much_data_do_not():
    x, _, y, _, _ = drawn(200)
    few = posterior(x[[0, -1]][:, None], np.array([1.0, 0.0]), prior=Prior(scale=0.1))
    assert few.quantiles(0, (0.025, 0.975)) == pytest.approx([-0.196, 0.196], abs=0.02)
    wide, narrow = (posterior(x[:, None], y, prior=Prior(scale=s)).quantiles(0, (0.5,))[0] for s in (50.0, 0.2))
    assert abs(narrow) < abs(wide)


def test_records_have_prior_posterior_and_probabilities():
    x, z, _, time, event = drawn(60)
    records = bayesian(timed(time, event), [yes_no(x), number(z)], "multivariable",
                       options=BayesianOptions(scale=1.0, margin=2.0), confidence=0.95)  # fmt: skip
    by = {(e.term, e.statistic): e for e in records}
    one, prior = by["x", "hazard_ratio"], by["x", PRIOR]
    assert np.log([prior.lower, prior.upper]) == pytest.approx([-1.96, 1.96], abs=0.001)
    assert one.upper - one.lower < prior.upper - prior.lower
    assert np.log(by["z", PRIOR].upper) == pytest.approx(1.96 / (2 * z.std()), abs=0.001)
    chances = [by["x", s].estimate for s in (ABOVE_1, ABOVE, BELOW)]
    assert chances[1] <= chances[0] <= 1 - chances[2]
    assert all(e.p_value is None for e in records)


@pytest.mark.parametrize("family", ["normal", "cauchy"])
def test_densities_that_are_drawn_hold_the_probabilities_that_are_told(family):
    x, z, _, time, event = drawn(60)
    records = bayesian(timed(time, event), [yes_no(x), number(z)], "multivariable",
                       options=BayesianOptions(prior=family, margin=1.5), confidence=0.95)  # fmt: skip
    for term in ("x", "z"):
        own = [e for e in records if e.term == term]
        told = {e.statistic: e.estimate for e in own}
        log_ratio, density = np.array([(np.log(float(level_of(e.group))), e.estimate) for e in own
                                       if e.statistic == POSTERIOR_DENSITY]).T  # fmt: skip
        assert np.trapezoid(density, log_ratio) == pytest.approx(1, abs=0.005)
        fine = np.linspace(log_ratio[0], log_ratio[-1], 4001)
        drawn_density = np.interp(fine, log_ratio, density)
        for statistic, here in ((ABOVE_1, fine > 0), (ABOVE, fine > np.log(1.5)), (BELOW, fine < -np.log(1.5))):
            assert np.trapezoid(drawn_density * here, fine) == pytest.approx(told[statistic], abs=0.015)
        prior = [(np.log(float(level_of(e.group))), e.estimate) for e in own if e.statistic == PRIOR_DENSITY]
        of = {"normal": lambda b: np.exp(-(b**2) / 2) / np.sqrt(2 * np.pi), "cauchy": lambda b: 1 / np.pi / (1 + b**2)}
        unit = 2 * z.std() if term == "z" else 1.0
        assert [d for _, d in prior] == pytest.approx([unit * of[family](unit * b) for b, _ in prior], rel=1e-4)


def test_what_cannot_be_estimated_is_said():
    [record] = bayesian(binary([0, 0, 0, 0]), [yes_no([1, 0, 1, 0])], "univariable", options=BayesianOptions(),
                        confidence=0.95)  # fmt: skip
    assert record.estimate is None
    assert record.note.startswith(f"{NOT_ESTIMABLE}: no event")


def test_settings_of_a_plan():
    plan = Plan.of({"analyses": {"bayesian": {"prior": "cauchy", "scale": 2.5}}})
    assert plan.analyses.value("bayesian") == {"prior": "cauchy", "scale": 2.5, "margin": 1.5}
    assert Plan.of(plan.model_dump(mode="json")).analyses.value("bayesian") == plan.analyses.value("bayesian")
    assert Plan.of({}).analyses.value("bayesian") is False
    for wrong in ("yes", {"prior": "flat"}, {"scale": -1}, {"margin": 0.5}, 3):
        with pytest.raises(PlanRefused):
            Plan.of({"analyses": {"bayesian": wrong}})

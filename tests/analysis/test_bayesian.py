"""Bayesian models: against R's integrals, a case solved by hand, and settings of a plan."""

import json
from pathlib import Path

import numpy as np
import pytest
from columns import binary, drawn, number, timed, yes_no

from reinfuse import Plan
from reinfuse.analyses.bayesian import ABOVE, ABOVE_1, BELOW, PRIOR, bayesian
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


def test_two_patients_by_hand():
    """Two at risk, the exposed dies first: likelihood e^b / (1 + e^b).

    That of b and of -b add up to 1, so that under a symmetric prior the probability above 0 is twice the integral of
    prior and likelihood over b > 0.
    """
    sample = posterior(np.array([[1.0], [0.0]]), np.array([1.0, 0.0]), np.array([1.0, 2.0]), prior=Prior())
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    above = (weights * (nodes > 0) / (1 + np.exp(-nodes))).sum() / weights.sum() * 2
    assert sample.above(0, 0.0) == pytest.approx(above, abs=0.01)


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

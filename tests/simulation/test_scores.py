"""Scores of published results: predictive ranges and proper scores, each by hand or by its own formula."""

import numpy as np
import pytest
from scipy.stats import betabinom, binom, norm

from reinfuse.simulation.calibration.posterior_checks import table_of_targets, totals
from reinfuse.simulation.calibration.scores import score, without_model
from reinfuse.simulation.calibration.targets import TARGETS, Target, log_binomial
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.parameter_space import UNKNOWNS

SURE = 1e-9


def of_share(value, n, quantity="response", name="of a test", infusions="CART1, Cy-Flu"):
    return Target(name, "calibrated", "NHL", infusions, quantity, None, "proportion", value, n, 0.0, "nobody")


def of_number(value, error):
    return Target("of a test", "held out", None, "CART1, Cy-Flu", "count", 7.0, "log", value, 20, error, "nobody")


def test_one_population_without_discrepancy_predicts_as_a_binomial():
    scored = score(of_share(3 / 10, 10), np.full(5, 0.4), discrepancy=SURE).predicted
    assert scored.log_score == pytest.approx(binom.logpmf(3, 10, 0.4))
    assert (scored.low, scored.high) == (binom.ppf(0.025, 10, 0.4) / 10, binom.ppf(0.975, 10, 0.4) / 10)
    assert scored.inside
    assert scored.interval_score == pytest.approx(scored.high - scored.low)


def test_a_value_beside_the_range_costs_forty_times_its_distance():
    scored = score(of_share(1.0, 10), np.full(5, 0.4), discrepancy=SURE).predicted
    assert (scored.low, scored.high) == (0.1, 0.7)
    assert not scored.inside
    assert scored.interval_score == pytest.approx(0.6 + 40 * 0.3)


def test_two_populations_are_a_mixture():
    scored = score(of_share(2 / 4, 4), np.array([0.2, 0.9]), discrepancy=SURE).predicted
    assert np.exp(scored.log_score) == pytest.approx(binom.pmf(2, 4, [0.2, 0.9]).mean())


def test_discrepancy_widens_what_is_predicted():
    narrow, wide = (score(of_share(0.5, 200), np.full(3, 0.5), discrepancy=d).predicted for d in (SURE, 0.8))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_a_positive_number_is_predicted_on_its_logarithm():
    scored = score(of_number(2.0, 0.3), np.array([1.0]), discrepancy=0.4).predicted
    assert scored.log_score == pytest.approx(norm.logpdf(np.log(2), 0, 0.5))
    assert (scored.low, scored.high) == pytest.approx(np.exp([-1.959964 * 0.5, 1.959964 * 0.5]), rel=1e-5)
    assert scored.interval_score == pytest.approx(2 * 1.959964 * 0.5, rel=1e-5)


def test_without_a_model_other_studies_are_pooled():
    target = of_share(3 / 10, 10)
    others = [
        target,
        of_share(4 / 8, 8, name="a"),
        of_share(1 / 12, 12, name="b"),
        of_share(1.0, 50, name="c", quantity="cr"),
        of_share(1.0, 50, name="d", infusions="CART2, same dose"),
    ]
    reference = without_model(target, others)
    assert reference.log_score == pytest.approx(betabinom.logpmf(3, 10, 5.5, 15.5))
    assert without_model(target, [target]) is None


def test_met_needs_both():
    target = of_share(0.5, 400)
    assert score(target, np.array([0.51]), discrepancy=0.05).met
    near = score(target, np.array([0.6]), discrepancy=0.3)  # 0.41 log odds away; errors 0.1 and 0.3
    assert near.met
    assert not near.within_sampling_error
    spread = np.linspace(0.05, 0.75, 101)  # the range holds it, the median is off
    scored = score(target, spread, discrepancy=0.05)
    assert scored.predicted.inside
    assert not scored.within_error
    assert not scored.within_sampling_error
    assert not scored.met


def test_an_association_has_a_side_and_no_size():
    target = Target("a", "calibrated", None, "CART2 of the reference study", "flu_pfs", None, "association", 0.0, 44,
                    0.4, "nobody")  # fmt: skip
    one, other = score(target, np.linspace(-0.04, 1, 100)), score(target, np.linspace(-0.2, 1, 100))
    assert one.met
    assert one.predicted is None
    assert not other.met


def test_totals_compare_where_there_is_something_to_compare():
    targets = [of_share(3 / 10, 10), of_share(5 / 10, 10, name="b"), of_share(0.5, 4, quantity="cr")]
    values = np.full((2, 3), 0.4)
    ensemble = Ensemble(np.zeros((2, len(UNKNOWNS))), np.zeros(2))
    summed = totals(table_of_targets(ensemble, values, targets=targets))
    assert (summed["sized"], summed["compared"]) == (3, 2)
    pooled = np.mean([betabinom.logpmf(3, 10, 5.5, 5.5), betabinom.logpmf(5, 10, 3.5, 7.5)])
    assert summed["reference_log_score"] == pytest.approx(pooled)
    own = [score(t, values[:, 0]).predicted.log_score for t in targets]
    assert summed["log_score"] == pytest.approx(np.mean(own))
    assert summed["compared_log_score"] == pytest.approx(np.mean(own[:2]))


def test_the_number_of_events_may_be_broken():
    np.testing.assert_allclose(log_binomial(4, 9, np.array(0.3)), binom.logpmf(4, 9, 0.3))
    between = log_binomial(4.5, 9, np.array(0.5))
    assert log_binomial(3, 9, np.array(0.5)) < between
    assert between >= log_binomial(4, 9, np.array(0.5))


def test_held_out_results_are_not_those_of_calibration():
    """No study gives the same result of the same patients to both sides."""
    keys = {role: {(t.source, t.disease, t.quantity) for t in TARGETS if t.role == role}
            for role in ("calibrated", "held out")}  # fmt: skip
    assert not keys["calibrated"] & keys["held out"]
    assert sum(t.role == "held out" for t in TARGETS) == 18


@pytest.mark.parametrize("kind", ["proportion", "log", "association"])
def test_values_come_back_from_the_scale_on_which_they_are_compared(kind):
    target, values = next(t for t in TARGETS if t.kind == kind), np.array([0.01, 0.5, 0.99])
    assert target.from_scale(target.on_scale(values)) == pytest.approx(values, rel=1e-12)


def test_of_none_or_all_patients_half_an_event_is_taken():
    target = next(t for t in TARGETS if t.kind == "proportion" and t.n == 9)
    assert target.inner(np.array([0.0, 0.4, 1.0])) == pytest.approx([0.05, 0.4, 0.95])

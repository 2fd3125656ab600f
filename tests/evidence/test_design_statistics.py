"""Statistics of study designs: the numbers of clinfun, BOIN and RBesT, and cases solved by hand."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from reinfuse.statistics import beta_rules, dose_boundaries, one_sample_log_rank, precision_size, two_stage
from reinfuse.statistics.conjugate_mixture import BetaMixture

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "design.json").read_text(encoding="utf-8"))
JEFFREYS = BetaMixture(np.ones(1), np.full(1, 0.5), np.full(1, 0.5))
UNIFORM = BetaMixture(np.ones(1), np.ones(1), np.ones(1))


@pytest.mark.parametrize("row", GOLDEN["simon"], ids=lambda row: f"{row['p0']}-{row['p1']}")
def test_simons_designs_are_those_of_clinfun(row):
    designs = two_stage.two_stage_designs(row["p0"], row["p1"], 0.05, beta=0.2)
    for kind in ("optimal", "minimax"):
        one = designs[kind]
        assert [one.r1, one.n1, one.r, one.n] == row[kind][:4]
        assert (round(one.expected_null, 2), round(one.stop_null, 4)) == tuple(row[kind][4:])
        assert one.type_1 <= 0.05
        assert one.power >= 0.8


def test_a_two_stage_design_of_three_patients_by_all_outcomes():
    """Stop after 1 without a response; promising with 2 or 3 responses: by the eight sequences."""
    for p in (0.2, 0.7):
        chance = sum(p ** sum(s) * (1 - p) ** (3 - sum(s)) for s in itertools.product((0, 1), repeat=3)
                     if s[0] == 1 and sum(s) >= 2)  # fmt: skip
        assert two_stage.probability_promising(0, 1, 1, n=3, p=p) == pytest.approx(chance, abs=1e-14)


def test_no_design_within_the_greatest_number_is_no_design():
    assert two_stage.two_stage_designs(0.2, 0.4, 0.05, beta=0.2, most=32) == {}


@pytest.mark.parametrize("target", GOLDEN["boin"]["lambda"])
def test_boundaries_are_those_of_boin(target):
    rule = dose_boundaries.dose_boundaries(float(target))
    assert [rule.escalate, rule.de_escalate] == pytest.approx(GOLDEN["boin"]["lambda"][target], abs=1e-7)


def test_the_decision_table_and_the_selected_dose_are_those_of_boin():
    boin, rule = GOLDEN["boin"], dose_boundaries.dose_boundaries(0.3)
    rows = [rule.row(n) for n in boin["n"]]
    assert [list(column) for column in zip(*rows, strict=True)] == [
        boin["escalate"], boin["de_escalate"], boin["eliminate"]]  # fmt: skip
    assert dose_boundaries.select_dose(rule, boin["mtd"]["n"], x=boin["mtd"]["x"]) == boin["mtd"]["dose"] - 1


def test_two_cohorts_of_one_patient_at_two_doses_by_hand():
    """Target 0.5: without a DLT up, with one down. MTD by the four sequences of two patients."""
    rule = dose_boundaries.dose_boundaries(0.5)
    p, q = 0.1, 0.4
    exact = dose_boundaries.dose_characteristics(rule, [p, q], cohort=1, cohorts=2)
    assert exact.patients.tolist() == pytest.approx([1 + p, 1 - p])
    assert exact.toxicities.tolist() == pytest.approx([p + p * p, (1 - p) * q])
    high = (1 - p) * (1 - q)  # none at dose 1, none at dose 2: both rates equal and below the target, the higher dose
    assert exact.selected.tolist() == pytest.approx([1 - high, high])
    assert exact.none == 0


def test_too_many_states_are_not_summed(monkeypatch):
    monkeypatch.setattr(dose_boundaries, "MOST_STATES", 3)
    with pytest.raises(dose_boundaries.TooManyStates):
        dose_boundaries.dose_characteristics(dose_boundaries.dose_boundaries(0.3), [0.1, 0.3], cohort=3, cohorts=4)


def test_a_toxic_lowest_dose_stops_the_study():
    rule = dose_boundaries.dose_boundaries(0.3)
    exact = dose_boundaries.dose_characteristics(rule, [1.0, 1.0], cohort=3, cohorts=5)
    assert exact.none == 1
    assert exact.patients.tolist() == [3, 0]
    assert dose_boundaries.select_dose(rule, [3, 0], x=[3, 0]) is None


def test_a_bayesian_single_arm_has_the_errors_of_the_closed_form():
    wanted = GOLDEN["single_arm"]
    rule = beta_rules.single_arm_rule(JEFFREYS, [20], p0=0.2, threshold=0.95)
    assert (rule.success, rule.futile) == ((wanted["least"],), (wanted["least"] - 1,))
    assert beta_rules.operating_characteristics(rule, 0.2).success == pytest.approx(wanted["type_1"], abs=1e-6)
    assert beta_rules.operating_characteristics(rule, 0.4).success == pytest.approx(wanted["power"], abs=1e-6)


def test_predictive_monitoring_of_two_patients_by_hand():
    """Uniform prior, success with both of two: after a response the second follows with probability 2/3."""
    assert beta_rules.predictive_probability(UNIFORM, 1, 1, total=2, needed=2) == pytest.approx(2 / 3)
    assert beta_rules.predictive_probability(UNIFORM, 0, 1, total=2, needed=2) == 0
    rule = beta_rules.single_arm_rule(UNIFORM, [1, 2], p0=0.5, threshold=0.8, futility=0.1)
    assert (rule.futile, rule.success) == ((0, 1), (2, 2))
    exact = beta_rules.operating_characteristics(rule, 0.3)
    assert (exact.success, exact.futile_early, exact.success_early) == pytest.approx((0.09, 0.7, 0))
    assert exact.expected == pytest.approx(0.7 * 1 + 0.3 * 2)


def test_a_mixture_prior_decides_as_its_posterior_by_hand():
    """Half Beta(1, 1), half Beta(2, 1): after a response P(p > 1/2) is 3/7 * 3/4 + 4/7 * 7/8 = 23/28."""
    prior = BetaMixture(np.array([0.5, 0.5]), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    assert beta_rules.least_successes(prior, 1, p0=0.5, threshold=23 / 28 - 1e-9) == 1
    assert beta_rules.least_successes(prior, 1, p0=0.5, threshold=23 / 28 + 1e-9) == 2
    assert beta_rules.predictive_probability(prior, 0, 0, total=1, needed=1) == pytest.approx(7 / 12)


def test_a_log_rank_study_with_everybody_followed_to_the_event_is_that_of_the_formula():
    """v0 = 1 / d, sigma = 1 / d: n = (z sqrt(1 / d) + z' / d)^2 / (1 / d - 1)^2."""
    far = one_sample_log_rank.weibull_hazard(1.0, 1.0, until=80.0)
    for ratio in (0.4, 0.5, 0.7):
        size = one_sample_log_rank.log_rank_size(far, ratio, one_sample_log_rank.FollowUp(0, 80), alpha=0.05, power=0.8)
        n = (1.6448536 * ratio**-0.5 + 0.8416212 / ratio) ** 2 / (1 / ratio - 1) ** 2
        assert size.n == np.ceil(n)
        assert size.events_alternative == pytest.approx(size.n, rel=1e-3)


def test_a_curve_of_an_exponential_gives_what_the_exponential_gives():
    follow_up = one_sample_log_rank.FollowUp(24, 12, loss=0.01)
    weibull = one_sample_log_rank.weibull_hazard(10.0, 1.0, until=36)
    time = np.arange(1.0, 37)
    curve = one_sample_log_rank.hazard_of_curve(time, np.exp(-time / 10))
    sizes = [one_sample_log_rank.log_rank_size(h, 0.6, follow_up, alpha=0.05, power=0.8) for h in (weibull, curve)]
    assert sizes[0].n == sizes[1].n
    assert sizes[0].events_null == pytest.approx(sizes[1].events_null, rel=1e-4)
    assert one_sample_log_rank.fewest_expected(4, alpha=0.05) - 1.6448536 * (
        one_sample_log_rank.fewest_expected(4, alpha=0.05) ** 0.5) == pytest.approx(4, abs=1e-6)  # fmt: skip


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_the_probability_of_rejection_is_that_of_simulated_studies(ratio):
    n, follow_up = 18, one_sample_log_rank.FollowUp(12, 6, loss=0.02)
    reference = one_sample_log_rank.weibull_hazard(8.0, 1.3, until=18)
    exact = one_sample_log_rank.probability_of_rejection(reference, ratio, follow_up, n=n, alpha=0.05)
    random, studies = np.random.default_rng(3), 40_000
    until = np.minimum(6 + 12 * random.random((studies, n)), random.exponential(50, (studies, n)))
    bound, reached = reference.at(until), random.exponential(1 / ratio, (studies, n))
    observed, expected = (reached <= bound).sum(axis=1), np.minimum(reached, bound).sum(axis=1)
    share = float(np.mean(expected - observed > 1.6448536 * np.sqrt(expected)))
    assert exact == pytest.approx(share, abs=4 * (exact * (1 - exact) / studies) ** 0.5)


def test_the_probability_of_rejection_with_everybody_followed_is_that_of_the_gamma_distribution():
    """n events; E is a sum of n exponential times."""
    from scipy.stats import gamma

    far = one_sample_log_rank.weibull_hazard(1.0, 1.0, until=60.0)
    for n, ratio in ((5, 1.0), (20, 1.0), (20, 0.5)):
        exact = one_sample_log_rank.probability_of_rejection(far, ratio, one_sample_log_rank.FollowUp(0, 60), n=n,
                                                             alpha=0.05)  # fmt: skip
        assert exact == pytest.approx(gamma.sf(one_sample_log_rank.fewest_expected(n, alpha=0.05), n, scale=1 / ratio),
                                      abs=2e-4)  # fmt: skip


def test_the_power_of_a_normal_mean_is_that_of_rbest():
    normal = GOLDEN["normal"]
    for events, power in zip(normal["events"], normal["power"], strict=True):
        given = precision_size.normal_power(events, normal["deviation"], effect=0, bound=normal["margin"], alpha=0.05)
        assert given == pytest.approx(power, abs=0.01)


def test_sizes_by_precision_are_the_least_of_their_expected_width():
    size = precision_size.proportion_size(0.35, 0.15, confidence=0.95)
    from scipy.stats import binom

    def expected(n):
        return float(precision_size.half_widths(n, 0.95) @ binom.pmf(np.arange(n + 1), n, 0.35))

    assert expected(size.n) <= 0.15 < expected(size.n - 1)
    assert size.width == pytest.approx(expected(size.n))
    assert precision_size.proportion_size(0.35, 0.15, confidence=0.95, most=20).n is None


def test_an_odds_ratio_of_one_patient_a_group_by_hand():
    """Every table has s^2 = 2 (1 / 0.5 + 1 / 1.5), whatever the outcome."""
    half = 1.959964 * (2 * (1 / 0.5 + 1 / 1.5)) ** 0.5
    size = precision_size.odds_ratio_size((0.3, 0.6), float(np.exp(half)) + 1e-6, share=0.5, confidence=0.95)
    assert size.n == 2
    assert size.width == pytest.approx(half, abs=1e-5)
    assert size.assured == pytest.approx(1)

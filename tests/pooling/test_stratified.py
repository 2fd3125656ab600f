"""Tests and odds ratios of strata: R's numbers, and cases solved by hand."""

from __future__ import annotations

import json
from math import erf
from pathlib import Path

import numpy as np
import pytest
from scipy.special import chdtrc
from scipy.stats import chi2_contingency

from reinfuse.statistics import nonparametric
from reinfuse.statistics.likelihood_sums import full, logistic_sums
from reinfuse.statistics.score_homogeneity import score_homogeneity
from reinfuse.statistics.stratified_log_rank import log_rank_sums, stratified_log_rank
from reinfuse.statistics.stratified_tables import exact_conditional, mantel_haenszel

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "pooling.json").read_text(encoding="utf-8"))


def named(kind):
    return [pytest.param(case, id=case["name"]) for case in GOLDEN[kind]]


@pytest.mark.parametrize("case", named("log_rank"))
def test_the_stratified_log_rank_test_is_that_of_r(case):
    time, event, group, stratum = (np.array(case[name]) for name in ("time", "event", "group", "stratum"))
    groups = int(group.max()) + 1
    strata = [log_rank_sums(time[s], event[s], group[s].astype(int), groups=groups)
              for s in (stratum == one for one in np.unique(stratum))]  # fmt: skip
    p, df = stratified_log_rank(strata)
    assert (p, df) == (pytest.approx(case["p"], abs=1e-10), case["df"])


def test_one_stratum_is_the_test_of_one_cohort():
    rng = np.random.default_rng(0)
    time, event, group = rng.integers(1, 20, 40).astype(float), (rng.random(40) < 0.6).astype(float), np.arange(40) % 2
    p, _ = stratified_log_rank([log_rank_sums(time, event, group, groups=2)])
    assert p == pytest.approx(nonparametric.log_rank(time, event, group.astype(str)), abs=1e-10)


def test_the_log_rank_test_of_two_pairs_by_hand():
    """In each centre one patient with the factor dies before the one without: O - E = 1/2, V = 1/4 each."""
    one = log_rank_sums(np.array([1.0, 2.0]), np.array([1.0, 0.0]), np.array([1, 0]), groups=2)
    p, _ = stratified_log_rank([one, one])
    assert p == pytest.approx(0.1572992)  # chi-square = 1 / (1/2) = 2
    assert stratified_log_rank([log_rank_sums(np.array([1.0]), np.array([1.0]), np.array([1]), groups=2)]) is None


@pytest.mark.parametrize("case", named("tables"))
@pytest.mark.parametrize(("name", "function"), [("mantel_haenszel", mantel_haenszel), ("exact", exact_conditional)])
def test_the_common_odds_ratio_is_that_of_r(case, name, function):
    common, golden = function(np.array(case["tables"])), case[name]
    assert common.estimate == pytest.approx(golden["estimate"], rel=1e-8)
    assert [common.lower, common.upper] == pytest.approx([golden["lower"], golden["upper"]], rel=1e-8)
    assert common.p_value == pytest.approx(golden["p"], abs=1e-9)


def test_two_tables_by_hand():
    """R = 3*3/8 + 2*2/6, S = 1*1/8 + 1*1/6; 5 with the factor and the event, 2 + 1.5 expected."""
    tables = np.array([[3.0, 1.0, 1.0, 3.0], [2.0, 1.0, 1.0, 2.0]])
    common = mantel_haenszel(tables)
    assert common.estimate == pytest.approx((9 / 8 + 4 / 6) / (1 / 8 + 1 / 6))
    variance = 4 * 4 * 4 * 4 / (64 * 7) + 3 * 3 * 3 * 3 / (36 * 5)
    z = 1.5 / np.sqrt(variance)
    assert common.p_value == pytest.approx(2 * (1 - 0.5 * (1 + erf(z / np.sqrt(2)))))


def test_cells_that_are_empty_in_every_centre_have_no_bound():
    tables = np.array([[2.0, 0.0, 1.0, 3.0], [3.0, 0.0, 0.0, 2.0]])
    assert mantel_haenszel(tables).estimate == np.inf
    exact = exact_conditional(tables)
    assert (exact.estimate, exact.upper) == (np.inf, np.inf)
    assert 0 < exact.lower < 10
    assert np.isnan(mantel_haenszel(np.array([[2.0, 1.0, 0.0, 0.0]])).estimate)


def test_a_centre_without_the_factor_changes_nothing():
    tables, more = np.array([[3.0, 1.0, 1.0, 3.0]]), np.array([[3.0, 1.0, 1.0, 3.0], [0.0, 0.0, 4.0, 5.0]])
    assert mantel_haenszel(tables) == mantel_haenszel(more)
    assert exact_conditional(more).lower == pytest.approx(exact_conditional(tables).lower)


def test_homogeneity_of_an_intercept_alone_is_pearsons_test():
    responders, patients = np.array([7.0, 3.0, 5.0]), np.array([10.0, 9.0, 14.0])
    p = responders.sum() / patients.sum()
    score, information = (responders - patients * p)[:, None], (patients * p * (1 - p))[:, None, None]
    pearson = chi2_contingency(np.column_stack([responders, patients - responders]), correction=False)
    assert score_homogeneity(score, information) == (pytest.approx(pearson.pvalue), 2)


def test_homogeneity_of_a_saturated_model_is_pearsons_test_within_each_level_and_a_centre_without_one_counts_less():
    X = np.repeat([[1.0, 1.0], [0.0, 1.0]], [18, 24], axis=0)
    y, site = np.tile([1.0, 0.0, 1.0, 1.0, 0.0, 0.0], 7), np.array([0, 1] * 9 + [0, 1, 2] * 8)
    b = [np.log(y[:18].sum() / (1 - y[:18]).sum()), np.log(y[18:].sum() / (1 - y[18:]).sum())]
    sums = [logistic_sums(X[site == s], y[site == s], points=np.array([[b[0] - b[1], b[1]]])) for s in range(3)]
    score = np.concatenate([s.cumulants[0] for s in sums])
    information = np.concatenate([full(s.cumulants[1], 2, 2) for s in sums])
    statistic = 0.0
    for level, centres in ((slice(0, 18), (0, 1)), (slice(18, 42), (0, 1, 2))):
        table = [[(y[level][site[level] == s] == v).sum() for v in (0, 1)] for s in centres]
        statistic += chi2_contingency(np.array(table), correction=False).statistic
    assert score_homogeneity(score, information) == (pytest.approx(chdtrc(3, statistic)), 3)
    assert score_homogeneity(score[:1], information[:1]) is None

"""Associations that allow for centres: each way beside R, cases by hand, the rule that chooses, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from columns import binary, timed, yes_no

from helpers import plain, write_sheet
from reinfuse import Plan, Study, read_cohort
from reinfuse.analyses.centres import Centres, chosen, effects
from reinfuse.analyses.design_matrix import design_of
from reinfuse.exceptions import PlanRefused
from reinfuse.results.estimate import NOT_ESTIMABLE
from reinfuse.statistics import cluster_robust, firth_strata, frailty, random_intercept

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "centres.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", GOLDEN["centres"], ids=lambda c: c["name"])
def test_each_way_is_that_of_r(case):
    d = {name: np.array(values, dtype=float) for name, values in case["data"].items()}
    centre, X = d["g"].astype(int), np.column_stack([d["x"], d["z"]])
    one = np.ones(len(X))
    robust = cluster_robust.logistic(np.column_stack([one, X]), d["y"], centre)
    linear = cluster_robust.linear(np.column_stack([one, d["x"], d["y"]]), d["z"], centre)
    for fit, expected in ((robust, case["logistic"]), (linear, case["linear"])):
        for name in ("coef", "error", "df"):
            assert getattr(fit, name) == pytest.approx(expected[name], rel=1e-9)
    jackknife = cluster_robust.cox(X, d["time"], d["event"], centre)
    assert jackknife.coef == pytest.approx(case["jackknife"]["coef"], abs=1e-6)
    assert jackknife.error == pytest.approx(case["jackknife"]["error"], abs=1e-6)
    strata = firth_strata.cox(X, d["time"], d["event"], strata=centre, confidence=0.95)
    assert strata.coef == pytest.approx(case["strata"]["coef"], abs=1e-6)
    assert strata.p_value[0] == pytest.approx(case["strata"]["p"], abs=1e-6)
    own = firth_strata.logistic(X, d["y"], strata=centre, confidence=0.95)
    assert own.coef == pytest.approx(case["intercepts"], abs=1e-8)
    fixed = frailty.fit(X, d["time"], d["event"], centre, variance=0.5)
    shared = frailty.fit(X, d["time"], d["event"], centre)
    for fit, expected in ((fixed, case["fixed"]), (shared, case["frailty"])):
        assert fit.coef == pytest.approx(expected["coef"], abs=1e-6)
        assert fit.error == pytest.approx(expected["error"], abs=1e-6)
    assert shared.variance == pytest.approx(case["frailty"]["variance"], rel=1e-5)
    likeliest, soft = (random_intercept.fit(X, d["y"], centre, penalised=p) for p in (False, True))
    for fit, expected in ((likeliest, case["random"]), (soft, case["random"]["penalised"])):
        assert fit.coef == pytest.approx(expected["coef"], abs=1e-6)
        assert fit.deviation == pytest.approx(expected["deviation"], abs=1e-6)
    assert likeliest.log_likelihood == pytest.approx(case["random"]["log_likelihood"], abs=1e-8)
    assert soft.error == pytest.approx(case["random"]["penalised"]["error"], abs=1e-6)


def test_a_random_intercept_by_hand():
    """Two centres of one patient, one responds: no factor's effect, and of each the likelihood is 1/2 for every spread.

    With the intercept 0 by symmetry each integral of expit(s z) is 1/2, so that only the Huber loss tells s: s = 1. The
    penalised slope by the intercept is 0, as (1/2 - p) is.
    """
    X = np.array([[0.0], [1.0], [0.0], [1.0]])
    fit = random_intercept.fit(X, np.array([0.0, 0.0, 1.0, 1.0]), np.arange(4))
    assert fit.deviation == pytest.approx(1, abs=1e-6)
    assert fit.coef[0] == pytest.approx(0, abs=1e-6)
    assert fit.log_likelihood == pytest.approx(4 * np.log(0.5), abs=1e-10)


def test_without_a_spread_a_random_intercept_is_counts_with_a_half_of_the_penalty_added():
    """9 of 12 against 2 of 8: c = 2 sqrt(2 / 20), and the odds ratio (9 + c/2)(6 + c/2) / (3 + c/2) / (2 + c/2)."""
    x, y = np.repeat([1.0, 0.0], [12, 8]), np.concatenate([np.arange(12) < 9, np.arange(8) < 2]).astype(float)
    fit = random_intercept.fit(x[:, None], y, np.arange(20), deviation=1e-6)
    half = np.sqrt(0.1)
    assert np.exp(fit.coef[0]) == pytest.approx((9 + half) * (6 + half) / (3 + half) / (2 + half), rel=1e-6)


def test_a_random_intercept_is_finite_where_all_with_the_factor_respond():
    x, y = np.repeat([0.0, 1.0], [20, 10]), np.concatenate([np.arange(20) % 2, np.ones(10)])
    fit = random_intercept.fit(x[:, None], y, np.arange(30) % 5)
    assert fit.converged
    assert 1 < fit.coef[0] < 6
    assert np.isfinite(fit.error).all()


def test_strata_by_hand():
    """Two centres of two patients, in each the one with the factor dies first: r^1.5-like, penalised by hand.

    Two risk sets of two patients, r / (r + 1) each; the information is 2 r / (r + 1)^2: the penalised likelihood is
    r^2.5 / (r + 1)^3 but for a factor, 2.5 (r + 1) = 3 r, r = 5.
    """
    X, time, event = np.array([[1.0], [0.0], [1.0], [0.0]]), np.array([5.0, 9.0, 2.0, 3.0]), np.ones(4)
    fit = firth_strata.cox(X, time, event, strata=np.array([0, 0, 1, 1]), confidence=0.95)
    assert np.exp(fit.coef[0]) == pytest.approx(5, rel=1e-5)


def test_robust_errors_of_a_mean_by_hand():
    """Three clusters of two, all but for an intercept: CR2 is the variance of the clusters' means over three, 2 df."""
    y, cluster = np.array([1.0, 3.0, 2.0, 6.0, 7.0, 5.0]), np.array([0, 0, 1, 1, 2, 2])
    fit = cluster_robust.linear(np.ones((6, 1)), y, cluster)
    assert fit.error[0] == pytest.approx(np.std([2, 4, 6], ddof=1) / np.sqrt(3))
    assert fit.df[0] == pytest.approx(2)


def test_centres_that_do_not_differ_have_no_frailty():
    rng = np.random.default_rng(8)
    time, centre = np.arange(1.0, 41.0), np.arange(40) % 4
    X, event = rng.normal(size=(40, 1)), np.ones(40)
    fit = frailty.fit(X, time, event, centre)
    assert fit.variance == 0
    assert fit.converged


def drawn(n, centres):
    rng = np.random.default_rng(n)
    x = rng.integers(0, 2, n)
    return yes_no(x), timed(range(1, n + 1), rng.random(n) < 0.8), binary(rng.random(n) < 0.5), np.arange(n) % centres


RULE = [(40, 4, "stratum", "stratum"), (40, 8, "stratum", "stratum"), (40, 20, "robust", "robust")]


@pytest.mark.parametrize(("n", "centres", "time", "response"), RULE)
def test_the_rule_chooses_by_the_median_centre(n, centres, time, response):
    factor, end, best, place = drawn(n, centres)
    for one, way in ((end, time), (best, response)):
        got, why = chosen("auto", design_of(one, [factor]), place)
        assert got == way
        assert why.endswith(
            f"{centres} centres, median {n // centres} patients, "
            + ("5 or more" if way == "stratum" else "too few for strata")
        )
    assert chosen("robust", design_of(end, [factor]), place) == ("robust", "as the plan says")
    assert chosen("frailty", design_of(best, [factor]), place) == ("frailty", "as the plan says")


@pytest.mark.parametrize("way", ["stratum", "robust", "frailty"])
def test_each_way_says_what_it_is_and_why(way):
    factor, end, best, place = drawn(60, 6)
    for one in (end, best):
        [record] = effects(one, (one, [factor], "univariable"), Centres("site", way, place), confidence=0.95)
        assert record.lower < record.estimate < record.upper
        assert 0 < record.p_value <= 1
        assert record.n == 60
        assert record.group == way
        assert "as the plan says" in record.note
        assert ("df" in record.note) == (way == "robust")
        assert ("log odds" in record.note) == (way == "frailty" and one is best)
        assert "rough" not in record.note or way == "robust"


def test_a_frailty_of_few_centres_is_said_to_be_rough():
    factor, end, best, place = drawn(60, 3)
    for one in (end, best):
        [record] = effects(one, (one, [factor], "univariable"), Centres("site", "frailty", place), confidence=0.95)
        assert "3 centres, fewer than 5: their SD is rough" in record.note


def test_what_does_not_differ_within_centres_is_not_estimable_by_strata():
    _, end, _, place = drawn(60, 6)
    of_centre = yes_no(place % 2)
    [record] = effects(end, (end, [of_centre], "univariable"), Centres("site", "stratum", place), confidence=0.95)
    assert record.note.startswith(f"{NOT_ESTIMABLE}: the same in all patients of each centre")
    assert record.estimate is None


def test_who_has_no_centre_is_left_out_and_counted():
    factor, end, _, place = drawn(60, 6)
    gone = np.where(np.arange(60) < 2, -1, place)
    [record] = effects(end, (end, [factor], "univariable"), Centres("site", "stratum", gone), confidence=0.95)
    assert record.n == 58
    assert "2 patients excluded, centre missing" in record.note


def test_one_centre_and_few_events_are_not_estimable():
    factor, end, _, place = drawn(60, 6)
    [record] = effects(end, (end, [factor], "univariable"), Centres("site", "robust", 0 * place), confidence=0.95)
    assert record.note.startswith(f"{NOT_ESTIMABLE}: one centre only")
    rare = replace(end, event=(np.arange(60) < 3) * 1.0)
    [record] = effects(rare, (rare, [factor], "univariable"), Centres("site", "frailty", place), confidence=0.95)
    assert record.note.startswith(NOT_ESTIMABLE)


SHEET = "patient_id,pfs_days,pfs_event,arm,site\n" + "\n".join(
    f"P{i},{7 * i + 3},{int(i % 4 > 0)},{'ab'[i // 3 % 2]},S{i % 3}" for i in range(30)
)
PLAN = {"factors": [{"name": "arm", "column": "arm"}]}


def test_a_plan_names_the_column(tmp_path):
    cohort = read_cohort(write_sheet(tmp_path, SHEET))
    for setting in (True, "site", {"column": "site"}):
        plan = plain(Plan.of(PLAN))
        plan = plan.replace(analyses={**plan.analyses.model_dump(), "centres": setting})
        records = [e for e in Study(cohort, plan).run().estimates if e.analysis == "centres"]
        assert [(e.endpoint, e.term, e.group, e.n) for e in records] == [("pfs", "arm", "stratum", 30)]
        assert records[0].note.startswith("strata by the rule: 3 centres, median 10 patients")


@pytest.mark.parametrize(("setting", "rule"), [
    ("sites", "is no column"), ({"column": "patient_id"}, "identifier"),
])  # fmt: skip
def test_a_column_that_is_none_of_centres_is_refused(tmp_path, setting, rule):
    cohort = read_cohort(write_sheet(tmp_path, SHEET))
    with pytest.raises(PlanRefused) as refused:
        Study(cohort, Plan.of(PLAN | {"analyses": {"centres": setting}}))
    [problem] = refused.value.problems
    assert (problem.table, problem.column) == ("plan", "analyses.centres")
    assert rule in problem.rule


@pytest.mark.parametrize("setting", [7, {"colum": "site"}, {"column": "site", "way": "mixed"}, []])
def test_a_setting_that_is_none_is_refused(setting):
    with pytest.raises(PlanRefused):
        Plan.of({"analyses": {"centres": setting}})

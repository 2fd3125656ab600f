"""Multiple imputation: pooling against R's mice and by hand, what is imputed, and what cannot be."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from columns import binary, category, drawn, number, timed, yes_no
from scipy.special import stdtr, stdtrit

from reinfuse.analyses import multiple_imputation
from reinfuse.analyses.multiple_imputation import imputed, pool
from reinfuse.results.estimate import NOT_ESTIMABLE

GOLDEN = json.loads((Path(__file__).resolve().parents[1] / "golden" / "mice.json").read_text(encoding="utf-8"))


def _holes(values, share=0.25, seed=5):
    gone = np.random.default_rng(seed).random(len(values)) < share
    return [None if g else v for g, v in zip(gone, values, strict=True)]


def _cohort(n=44, seed=1):
    """Return endpoints, and a yes/no factor, a number and a category with gaps."""
    x, z, y, time, event = drawn(n, seed)
    g = np.random.default_rng(seed).choice(["a", "b", "c"], n).tolist()
    factors = [yes_no(_holes(x)), number(_holes(z, seed=6)), category(_holes(g, seed=7), ("a", "b", "c"))]
    return (binary(y), timed(time, event)), factors


def _made(endpoint, factors, imputations=5, seed=1):
    return imputed(endpoint, factors, "multivariable", 0.95, imputations, np.random.default_rng(seed))


@pytest.mark.parametrize("case", GOLDEN["pool_scalar"], ids=lambda c: c["name"])
def test_pooling_is_that_of_mice(case):
    complete_df = math.inf if case["complete_df"] is None else case["complete_df"]
    pooled = pool(np.array(case["estimates"]), np.array(case["variances"]), 0.95, complete_df=complete_df)
    assert pooled.estimate == pytest.approx(case["qbar"], rel=1e-10)
    assert pooled.variance == pytest.approx(case["total"], rel=1e-10)
    assert pooled.df == pytest.approx(case["df"], rel=1e-10)
    assert pooled.missing_information == pytest.approx(case["fmi"], rel=1e-10)
    half = stdtrit(case["df"], 0.975) * math.sqrt(case["total"])
    assert [pooled.lower, pooled.upper] == pytest.approx([case["qbar"] - half, case["qbar"] + half], rel=1e-9)
    assert pooled.p_value == pytest.approx(
        2 * stdtr(case["df"], -abs(case["qbar"]) / math.sqrt(case["total"])), rel=1e-8
    )


def test_pooling_by_hand():
    """Estimates 1, 2, 3, variances 1, complete df 10.

    Mean 2; within 1; between ((-1)^2 + 0 + 1^2) / 2 = 1; total 1 + (1 + 1/3) * 1 = 7/3; share of it between data sets
    lambda = (4/3) / (7/3) = 4/7. Rubin's df 2 / (4/7)^2 = 49/8; observed df 11/13 * 10 * 3/7 = 330/91; Barnard and
    Rubin's 1 / (8/49 + 91/330) = 16170/7099, about 2.28. Missing information (r + 2 / (df + 3)) / (r + 1) with r = 4/3
    is 4/7 + 3/7 * 2 / (16170/7099 + 3) = 4/7 + 6/7 * 7099/37467, about 0.73.
    """
    pooled = pool(np.array([1.0, 2.0, 3.0]), np.ones(3), 0.95, complete_df=10)
    assert (pooled.estimate, pooled.variance) == (2, pytest.approx(7 / 3))
    assert pooled.df == pytest.approx(16170 / 7099)
    assert pooled.missing_information == pytest.approx(4 / 7 + 6 / 7 * 7099 / 37467)


def test_pooling_of_one_data_set_and_of_no_variance():
    one = pool(np.array([0.7]), np.array([0.04]), 0.95, complete_df=20)
    assert (one.estimate, one.variance, one.missing_information) == (0.7, 0.04, None)
    assert one.df == pytest.approx(20 * 21 / 23)
    assert pool(np.array([0.7]), np.array([0.04]), 0.95, complete_df=math.inf).upper == pytest.approx(
        0.7 + 1.9599639845 * 0.2
    )
    none = pool(np.full(5, 0.7), np.zeros(5), 0.95, complete_df=20)
    assert (none.lower, none.upper, none.p_value) == (pytest.approx(0.7), pytest.approx(0.7), 0)
    assert pool(np.zeros(5), np.zeros(5), 0.95, complete_df=20).p_value == 1
    all_missing = pool(np.array([1.0, 2.0]), np.zeros(2), 0.95, complete_df=20)
    assert all_missing.missing_information == pytest.approx(1)


def test_nothing_is_made_where_nothing_is_missing():
    x, z, y, time, event = drawn(44)
    for endpoint in (binary(y), timed(time, event)):
        assert _made(endpoint, [yes_no(x), number(z)]) == []
    unknown = y.copy()
    unknown[3] = np.nan
    assert _made(binary(unknown), [yes_no([None if i == 3 else v for i, v in enumerate(x)])]) == []
    assert _made(binary(y), [yes_no(_holes(x))], imputations=0) == []


def test_records_and_the_same_seed_gives_the_same():
    ends, factors = _cohort()
    gaps = np.isnan(np.column_stack([f.columns for f in factors])).any(axis=1).sum()
    for endpoint, statistic in zip(ends, ("odds_ratio", "hazard_ratio"), strict=True):
        made = _made(endpoint, factors)
        assert made == _made(endpoint, factors)
        assert made != _made(endpoint, factors, seed=2)
        assert [(e.term, e.level) for e in made] == [("x", None), ("z", None), ("g", "b"), ("g", "c")]
        for e in made:
            assert (e.analysis, e.statistic, e.model, e.n) == ("imputation", statistic, "multivariable", 44)
            assert e.events == endpoint.event.sum()
            assert 0 < e.lower < e.estimate < e.upper
            assert (e.p_value < 0.05) == (e.lower > 1 or e.upper < 1)
            assert "5 imputations" in e.method
            assert f"values imputed in {gaps} patients; fraction of missing information 0." in e.note
    (single,) = _made(ends[0], factors[:1], imputations=1)
    assert single.lower < single.estimate < single.upper
    assert "fraction" not in single.note


def test_values_that_occur_are_imputed_and_known_ones_stay():
    (endpoint, _), factors = _cohort()
    columns = [multiple_imputation._Column(f, multiple_imputation._codes(f)) for f in factors]
    filled = multiple_imputation._chains(columns, endpoint.event[:, None], 20, rng=np.random.default_rng(1))
    for column, values in zip(columns, filled, strict=True):
        there = ~column.missing
        assert (values[:, there] == column.codes[there]).all()
        imputed_values = values[:, ~there]
        assert np.isin(imputed_values, column.codes[there]).all()
        assert len(np.unique(imputed_values)) > 1


@pytest.mark.parametrize("kind", ["yes or no", "number", "category"])
def test_imputation_follows_a_strong_predictor(kind):
    """The factor is told almost by another one: what is imputed agrees with it, in each way of imputing."""
    rng = np.random.default_rng(3)
    z = rng.permutation(np.repeat([-2.0, 0.0, 2.0], 40)) + rng.normal(scale=0.1, size=120)
    truth = {"yes or no": z > 1, "number": 10 * z, "category": np.digitize(z, [-1, 1])}[kind]
    words = np.array(["a", "b", "c"])
    gone = rng.random(120) < 0.3
    shown = [None if g else v for g, v in zip(gone, truth.tolist(), strict=True)]
    if kind == "category":
        factor = category([None if v is None else words[v] for v in shown], ("a", "b", "c"))
    else:
        factor = (yes_no if kind == "yes or no" else number)(shown)
    columns = [multiple_imputation._Column(f, multiple_imputation._codes(f)) for f in (factor, number(z))]
    outcome = (rng.random((120, 1)) < 0.5).astype(float)
    filled = multiple_imputation._chains(columns, outcome, 20, rng=rng)[0][:, gone]
    tolerance = 3 if kind == "number" else 0.5
    assert (np.abs(filled - truth[gone]) < tolerance).mean() > 0.85


def test_the_hazard_of_the_outcome_is_nelson_and_aalens():
    """Times 1, 2, 2, 3, events 1, 1, 0, 1: hazards 1/4, 1/4 + 1/3, the same, 1/4 + 1/3 + 1."""
    got = multiple_imputation._outcome(timed([3, 1, 2, 2], [1, 1, 1, 0]))
    assert got[:, 0].tolist() == [1, 1, 1, 0]
    assert got[:, 1] == pytest.approx([1 / 4 + 1 / 3 + 1, 1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3])


def test_completed_data_without_gaps_that_matter_is_the_firth_fit():
    """One value of 60 is missing: the pooled estimate is close to the complete cases', and little is missing."""
    x, z, y, _, _ = drawn(60)
    factors = [yes_no([None, *x[1:]]), number(z)]
    made = _made(binary(y), factors, imputations=20)
    assert all(float(e.note.split("information ")[1].split(";")[0]) < 0.15 for e in made)
    assert made[0].note.startswith("values imputed in 1 patient;")


def test_separation_is_said():
    x = np.repeat([0.0, 1.0], 15)
    (e,) = _made(binary(np.repeat([0.0, 1.0], 15)), [yes_no([None, *x[1:]])])
    assert "separation: without the penalty the estimate is infinite, and the Wald interval is unreliable" in e.note
    (e,) = _made(timed(np.arange(30) + 1.0, np.repeat([1.0, 0.0], 15)), [yes_no([*(1 - x[:-1]), None])])
    assert "monotone likelihood" in e.note


def _hostile():
    x, z, y, time, event = drawn(30)
    ends = {"binary": binary(y), "time": timed(time, event)}
    for kind, end in ends.items():
        yield (
            f"{kind}, all missing",
            end,
            [yes_no([None] * 30), number(z)],
            "is observed in 0 of 30 patients, fewer than 5",
        )
        yield f"{kind}, one level", end, [yes_no([None, *[1.0] * 29]), number(z)], "has a single observed value"
        yield f"{kind}, one number", end, [number([None, *[2.0] * 29]), yes_no(x)], "has a single observed value"
        constant = category([*["a"] * 29, "b"], ("a", "b", "c"), "c")
        yield f"{kind}, a level that nobody has", end, [number(_holes(z)), constant], "constant in these patients"
        yield f"{kind}, collinear", end, [number(_holes(z)), number(x, "p"), yes_no(x, "q")], "collinear (p, q)"
        yield f"{kind}, collinear gaps", end, [number(_holes(z)), number(_holes(z), "p")], None
    yield "late entry", timed(time + 1, event, entry=np.ones(30)), [yes_no(_holes(x))], "does not support delayed entry"
    yield "all events", binary(np.ones(30)), [yes_no(_holes(x))], "every patient has the event"
    yield "no event", timed(time, np.zeros(30)), [yes_no(_holes(x))], "no event"
    yield "all events of a time", timed(time, np.ones(30)), [yes_no(_holes(x)), number(z)], None
    six = binary([0, 1, 0, 1, 1, 0])
    yield "six", six, [yes_no([1, 0, 1, 0, 1, None]), number([None, 3, 1, 2, 5, 4])], None
    yield "six, times", timed([1, 2, 3, 4, 5, 6], six.event), [number([None, 3, 1, 2, 5, 4])], None
    yield "six, a level each", six, [category([None, *"bcdef"], tuple("bcdef"))], None
    yield "two", binary([0, 1]), [yes_no([1, None])], "is observed in 1 of 2 patients, fewer than 5"
    levels = tuple(f"l{i}" for i in range(15))
    yield "many levels", ends["binary"], [category(_holes(levels * 2), levels), number(_holes(z, seed=8))], None
    far = [number(_holes((1e9 * z).tolist())), number(_holes((1e-9 * z**2).tolist(), seed=8), "w")]
    yield "far values", ends["binary"], far, None
    yield "equal times", timed(np.ones(30), event), [yes_no(_holes(x)), number(_holes(z, seed=8))], None


@pytest.mark.parametrize(("endpoint", "factors", "reason"), [pytest.param(*c[1:], id=c[0]) for c in _hostile()])
def test_hostile_cohorts_give_records_with_reasons(endpoint, factors, reason):
    for seed in range(3):
        made = _made(endpoint, factors, seed=seed)
        assert [e.stratum for e in made] == [t for f in factors for t in f.terms]
        without = [e for e in made if e.estimate is None]
        assert all(e.note.startswith(NOT_ESTIMABLE) for e in without)
        assert any(reason in e.note for e in without) if reason else True
        assert all(e.lower is None or e.lower <= e.estimate <= e.upper for e in made if e.estimate is not None)


def test_too_many_patients_are_said(monkeypatch):
    monkeypatch.setattr(multiple_imputation, "MOST_PATIENTS", 20)
    ends, factors = _cohort()
    assert all("limited to 20 patients" in e.note for e in _made(ends[0], factors))

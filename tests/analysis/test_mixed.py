"""Random-intercept models: beside R, by hand, and what is said where they cannot be fitted."""

import json
from pathlib import Path

import numpy as np
import pytest
from columns import category, number, yes_no
from scipy import stats

from reinfuse.analyses.mixed_model import METHOD, effects, fit

GOLDEN = json.loads((Path(__file__).resolve().parents[1] / "golden" / "kinetics.json").read_text(encoding="utf-8"))


def _with_intercept(*columns):
    return np.column_stack([np.ones(len(columns[0])), *columns])


@pytest.mark.parametrize("case", GOLDEN["mixed"], ids=lambda c: c["name"])
def test_beside_r(case):
    """nlme's REML; CR2 and Satterthwaite as clubSandwich has them."""
    X = _with_intercept(np.array(case["X"], dtype=float))
    fitted = fit(np.array(case["y"]), X, case["id"])
    assert fitted.coef == pytest.approx(case["coef"], rel=1e-6)
    assert (fitted.patient_sd, fitted.residual_sd) == pytest.approx((case["patient_sd"], case["residual_sd"]), rel=1e-6)
    scale = np.outer(fitted.se, fitted.se)
    assert fitted.covariance / scale == pytest.approx(np.array(case["vcov"]) / scale, abs=1e-6)
    assert fitted.df == pytest.approx(case["df"], rel=1e-6)
    assert fitted.p_value == pytest.approx(case["p"], rel=1e-5)
    assert fitted.limits(0.95) == pytest.approx(np.column_stack([case["lower"], case["upper"]]), rel=1e-6, abs=1e-7)


def test_order_of_rows_and_units_do_not_matter():
    case = GOLDEN["mixed"][1]
    y, X, who = np.array(case["y"]), _with_intercept(np.array(case["X"], dtype=float)), np.array(case["id"])
    mixed = np.random.default_rng(1).permutation(len(y))
    one, two = fit(y, X, who), fit(y[mixed], X[mixed] * [1, 1, 1e6, 1], who[mixed])
    assert two.coef * [1, 1, 1e6, 1] == pytest.approx(one.coef, rel=1e-9)
    assert two.df == pytest.approx(one.df, rel=1e-8)
    assert two.se * [1, 1, 1e6, 1] == pytest.approx(one.se, rel=1e-8)


A = np.array([1.0, 2.0, 4.0, 7.0, 7.5])
B = np.array([3.0, 8.0, 8.5, 12.0])


def test_one_row_a_patient_and_two_groups_is_welch():
    """Standard error: that of Welch's test. Degrees of freedom: Welch's where both variances are equal."""
    b = B.mean() + (B - B.mean()) * np.sqrt(A.var(ddof=1) / B.var(ddof=1))
    for second in (B, b):
        y, x = np.concatenate([A, second]), np.repeat([0.0, 1.0], [5, 4])
        fitted = fit(y, _with_intercept(x), range(9))
        assert fitted.coef[1] == pytest.approx(second.mean() - A.mean())
        assert fitted.se[1] == pytest.approx(np.sqrt(A.var(ddof=1) / 5 + second.var(ddof=1) / 4))
        assert fitted.patient_sd is None
    welch = stats.ttest_ind(b, A, equal_var=False)
    assert fitted.df[1] == pytest.approx(welch.df)
    assert fitted.p_value[1] == pytest.approx(welch.pvalue)
    assert fitted.limits(0.9)[1] == pytest.approx(tuple(welch.confidence_interval(0.9)))


def test_pairs_are_the_paired_t_test():
    """Each patient without and with: mean of differences, its standard error, n - 1 degrees of freedom."""
    rng = np.random.default_rng(3)
    before = rng.normal(5, 2, 12)
    after = before + rng.normal(1, 0.7, 12)
    fitted = fit(np.concatenate([before, after]), _with_intercept(np.repeat([0.0, 1.0], 12)), [*range(12), *range(12)])
    paired = stats.ttest_rel(after, before)
    assert (fitted.coef[1], fitted.df[1], fitted.p_value[1]) == pytest.approx(
        ((after - before).mean(), 11, paired.pvalue)
    )
    assert fitted.residual_sd == pytest.approx((after - before).std(ddof=1) / np.sqrt(2))
    mean = ((before + after) / 2).var(ddof=1) - fitted.residual_sd**2 / 2
    assert fitted.patient_sd == pytest.approx(np.sqrt(mean))


def test_patients_alike_have_no_variance_between_them():
    """Rows of a patient differ more than patients do: the coefficients are those of least squares."""
    y = np.array([1.0, 9.0, 2.0, 8.5, 0.5, 9.5, 1.5, 8.0, 3.0, 7.0])
    x = np.array([1.0, 2.0, 2.0, 4.0, 0.0, 1.0, 3.0, 1.0, 2.0, 5.0])
    fitted = fit(y, _with_intercept(x), np.repeat(range(5), 2))
    assert fitted.patient_sd == 0
    assert fitted.coef == pytest.approx(np.linalg.lstsq(_with_intercept(x), y, rcond=None)[0])


@pytest.mark.parametrize(
    ("y", "columns", "who", "reason"),
    [
        ([1.0, 2, 4, 3], [[0.0, 1, 0, 1]], [1, 1, 1, 1], "too few for 2 coefficients: 1 patient"),
        ([1.0, 2], [[0.0, 1]], [1, 2], "too few for 2 coefficients: 2 rows"),
        ([1.0, 2, 4, 3], [[1.0, 1, 1, 1]], [1, 2, 3, 3], "collinear covariates"),
        ([1.0, 2, 1, 2], [[0.0, 1, 0, 1]], [1, 2, 3, 3], "the covariates fit the outcome exactly"),
        ([1.0, 1, 4, 4, 6, 6], [[0.0, 0, 1, 1, 0, 0]], [1, 1, 2, 2, 3, 3],
         "no within-patient variation beyond the covariates"),
        ([], [[]], [], "too few for 2 coefficients: 0 patients"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted(y, columns, who, reason):
    fitted = fit(np.array(y), _with_intercept(*columns), who)
    assert (fitted.reason, fitted.residual_sd) == (reason, None)
    assert np.isnan(fitted.coef).all()


def _cohort():
    rng = np.random.default_rng(8)
    who = np.repeat([f"P{i}" for i in range(12)], 2)
    second = np.tile([0.0, 1.0], 12)
    return rng.normal(size=24) + np.repeat(rng.normal(size=12), 2) - 0.7 * second, who, second


def test_records():
    value, who, second = _cohort()
    value[3] = np.nan
    dose = np.random.default_rng(4).normal(size=24)
    factors = [yes_no([*second[:-1], None], "second"), number(dose, "dose")]
    records = effects("auc", value, who, factors=factors, model="multivariable", confidence=0.9)
    kept = np.array([i not in (3, 23) for i in range(24)])
    own = fit(value[kept], _with_intercept(second[kept], dose[kept]), who[kept])
    assert [e.term for e in records] == ["second", "dose"]
    for j, e in enumerate(records, 1):
        assert (e.analysis, e.endpoint, e.statistic, e.model, e.unit) == (
            "kinetics", "auc", "ratio", "multivariable", "ratio")  # fmt: skip
        assert (e.n, e.events, e.method, e.confidence) == (22, 12, METHOD, 0.9)
        assert (e.lower, e.estimate, e.upper) == pytest.approx(
            (*np.exp([own.limits(0.9)[j, 0], own.coef[j]]), np.exp(own.limits(0.9)[j, 1])))  # fmt: skip
        assert e.p_value == pytest.approx(own.p_value[j])
        assert e.note == "22 infusions of 12 patients; 1 infusion excluded, factor missing"


def test_one_patient_alone_has_no_interval():
    """Only one patient has yes: its residual is 0 whatever its outcome, and the sandwich would be far too small."""
    value, who, _ = _cohort()
    alone = effects("auc", value, who, factors=[yes_no(who == "P3", "bulky")], model="univariable", confidence=0.95)[0]
    assert alone.estimate is not None
    assert (alone.lower, alone.upper, alone.p_value) == (None, None, None)
    assert alone.note == "interval not estimable: the ratio rests on one patient alone; 24 infusions of 12 patients"
    two = effects(
        "auc", value, who, factors=[yes_no(np.isin(who, ["P3", "P5"]), "bulky")], model="univariable", confidence=0.95
    )[0]
    assert two.lower < two.estimate < two.upper
    assert two.note.startswith("few degrees of freedom: 1.")


def test_factors_that_cannot_be_used_are_named():
    value, who, second = _cohort()
    records = effects(
        "auc",
        value,
        who,
        factors=[yes_no([1] * 24, "all"), number(second, "x")],
        model="multivariable",
        confidence=0.95,
    )
    assert records[0].note.startswith("not estimable: constant in these patients; 24 infusions")
    assert records[1].estimate is not None
    none = effects(
        "auc", value, who, factors=[category([None] * 24, ("a", "b"))], model="univariable", confidence=0.95
    )[0]
    assert (none.n, none.estimate) == (0, None)
    assert none.note.startswith("not estimable: no patient with complete endpoint and factors")


@pytest.mark.parametrize("order", [range(16), range(15, -1, -1)])
def test_a_share_between_patients_that_nothing_tells_is_not_taken_from_rounding(order):
    """The covariates fit both rows of the only two patients with two, so that every share is as likely as any other.

    A share of 2,000 that was rounding once led to a division by 0.
    """
    y = [7.356679739476596, 6.54569080579128, 6.126515915509653, 6.378873869488709, 6.444179207227007,
         6.876831078652202, 4.982346519318365, 7.566153886041495, 7.561916019534354, 6.054310752361491,
         6.837750132952863, 8.576813938409824, 8.829946805871387, 8.86383125694624, 5.862223935900616,
         5.953502300330549]  # fmt: skip
    who = np.array(list("ABCDEEFGHIJKLMMN"))
    few, middle, many = 5.301029995663981, 6.30102999566398, 6.740362689494243
    dose = [many, few, few, many, many, middle, many, many, few, many, many, many, middle, many, few, few]
    change = np.zeros(16)
    change[[5, 14]] = -1.4594316186372973, -4.78135971352466
    X = _with_intercept(change < 0, who == "F", np.array(dose), change)
    at = list(order)
    fitted = fit(np.array(y)[at], X[at], who[at])
    assert fitted.reason == "no within-patient variation beyond the covariates"
    assert np.isnan(fitted.coef).all()


@pytest.mark.parametrize("seed", range(8))
def test_a_leverage_of_1_is_no_rounding(seed):
    """A patient with a coefficient for each of its two rows has no residual; V must not lift its rounding."""
    rng = np.random.default_rng([30, seed])
    who, second = np.repeat(np.arange(12), 2), np.tile([0.0, 1.0], 12)
    alone, dose = who == 3, 6 + 0.01 * rng.normal(size=24)
    y = 0.02 * rng.normal(size=24) + np.repeat(rng.normal(size=12), 2)
    fitted = fit(y, _with_intercept(alone, alone * second, dose, second), who)
    without = fit(y[who != 3], _with_intercept(dose, second)[who != 3], who[who != 3])
    assert fitted.coef[[0, 3, 4]] == pytest.approx(without.coef, rel=1e-6)
    assert np.isnan(fitted.df[1:3]).all()
    assert fitted.df[[0, 3, 4]] == pytest.approx(without.df, rel=1e-6)
    assert fitted.se[[0, 3, 4]] == pytest.approx(without.se, rel=1e-6)

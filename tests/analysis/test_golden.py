"""Estimates against R's golden numbers (tests/golden/README.md says how they were made)."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from reinfuse.analyses import competing_risks, survival
from reinfuse.statistics import firth
from reinfuse.statistics.clopper_pearson import clopper_pearson

GOLDEN = json.loads((Path(__file__).resolve().parents[1] / "golden" / "golden.json").read_text(encoding="utf-8"))


def _cases(name):
    return pytest.mark.parametrize(
        "case", GOLDEN[name], ids=lambda c: str(c.get("name", f"{c.get('x')} of {c.get('n')}"))
    )


def _array(values):
    return np.array(values, dtype=np.float64)


def _limits(record):
    return [record.estimate, record.lower, record.upper]


@_cases("kaplan_meier")
def test_medians_and_follow_up(case):
    time, event = _array(case["time"]), _array(case["event"])
    records, curve = survival.survival(
        time, event, 0.95, endpoint="os", population="all", group=None, days=[], ticks=[]
    )
    told = case["median"]
    assert (records[0].n, records[0].events) == (case["n"], case["events"])
    assert _limits(records[0]) == [told["estimate"], told["lower"], told["upper"]]
    told = case["follow_up"]
    assert _limits(survival.follow_up(time, event, 0.95, endpoint="os", population="all")[0]) == [
        told["estimate"], told["lower"], told["upper"],
    ]  # fmt: skip
    assert curve is not None


@_cases("kaplan_meier")
def test_rates_with_their_limits_and_numbers_at_risk(case):
    time, event = _array(case["time"]), _array(case["event"])
    days = [row["day"] for row in case["rates"]]
    records, _ = survival.survival(
        time, event, 0.95, endpoint="os", population="all", group=None, days=days, ticks=days
    )
    rates = [e for e in records if e.statistic == "rate_at"]
    assert [e.estimate for e in rates] == pytest.approx([row["survival"] for row in case["rates"]], abs=1e-12)
    assert [e.estimate for e in records if e.statistic == "at_risk"] == [row["at_risk"] for row in case["rates"]]
    for record, row in zip(rates, case["rates"], strict=True):
        if 0 < row["survival"] < 1:
            assert [record.lower, record.upper] == pytest.approx([row["lower"], row["upper"]], abs=1e-9)


@_cases("log_rank")
def test_log_rank(case):
    test = survival.log_rank(
        _array(case["time"]), _array(case["event"]), np.array(case["group"]), endpoint="os", term="arm"
    )
    assert test.p_value == pytest.approx(case["p"], rel=1e-9)


@_cases("firth_logistic")
def test_firth_logistic(case):
    _same_model(firth.fit("logistic", _array(case["X"]), _array(case["y"]), None, 0.95), case)


@_cases("firth_cox")
def test_firth_cox(case):
    _same_model(firth.fit("cox", _array(case["X"]), _array(case["event"]), _array(case["time"]), 0.95), case)


def _same_model(fit, case):
    assert fit.coef == pytest.approx(_array(case["coef"]), abs=1e-6)
    assert fit.p_value == pytest.approx(_array(case["p"]), rel=1e-5, abs=1e-12)
    assert fit.lower == pytest.approx(_array(case["lower"]), abs=1e-5)
    assert fit.upper == pytest.approx(_array(case["upper"]), abs=1e-5)


def test_the_worked_example_of_the_firth_cox_paper():
    """Heinze and Schemper 2001, section 2: two patients, the exposed one has the event; the hazard ratio is 3."""
    fit = firth.fit("cox", _array([[1], [0]]), _array([1, 0]), _array([1, 2]), 0.95)
    assert math.exp(fit.coef[0]) == pytest.approx(3, abs=1e-6)
    assert fit.infinite.tolist() == [True]


@_cases("cox")
def test_without_the_penalty_firth_cox_is_cox(case):
    """In a few hundred patients the penalty moves an effect by less than a fifth of a standard error."""
    fit = firth.fit("cox", _array(case["X"]), _array(case["event"]), _array(case["time"]), 0.95)
    se = (fit.upper - fit.lower) / (2 * 1.96)
    assert np.abs(fit.coef - _array(case["coef"])) == pytest.approx(0, abs=float(0.2 * se.max()))
    assert (np.abs(fit.coef - _array(case["coef"])) < 0.2 * se).all()


@_cases("cumulative_incidence")
def test_cumulative_incidence(case):
    time, status = _array(case["time"]), _array(case["status"])
    event, other = (status == 1).astype(float), (status == 2).astype(float)
    for mine, theirs, told in ((event, other, case["event"]), (other, event, case["competing"])):
        records = competing_risks.cumulative_incidence(time, mine, theirs, 0.95, "relapse", "all", days=case["days"])
        assert [e.estimate for e in records] == pytest.approx(told, abs=1e-12)


@_cases("clopper_pearson")
def test_clopper_pearson(case):
    assert clopper_pearson(case["x"], case["n"], confidence=case["level"]) == pytest.approx(
        (case["lower"], case["upper"]), abs=1e-12
    )


@_cases("incidence_to_the_end")
def test_cumulative_incidence_after_the_last_event_with_nobody_left(case):
    status = _array(case["status"])
    events = (status == 1) * 1.0, (status == 2) * 1.0
    records = competing_risks.cumulative_incidence(
        _array(case["time"]), *events, 0.95, "relapse", "all", days=case["days"]
    )
    for name, want in (("estimate", "event"), ("lower", "lower"), ("upper", "upper")):
        assert [getattr(e, name) for e in records] == pytest.approx(case[want], abs=1e-9)


def test_cumulative_incidence_beyond_the_last_follow_up_of_a_patient_who_is_left_is_not_known():
    time = np.array([10.0, 200, 300])
    records = competing_risks.cumulative_incidence(
        time, np.array([1.0, 0, 0]), np.array([0.0, 1, 0]), 0.95, "relapse", "all", days=[250, 400]
    )
    assert [e.estimate for e in records] == [pytest.approx(1 / 3), None]
    nobody = competing_risks.cumulative_incidence(
        time, np.zeros(3), np.array([1.0, 1, 1]), 0.95, "relapse", "all", days=[100, 400]
    )
    assert [e.estimate for e in nobody] == [0.0, 0.0]


def test_a_group_that_is_never_at_risk_is_left_out_of_the_log_rank_test():
    group = np.array(["a", "a", "b", "b", "c", "c"])
    test = survival.log_rank(_array([5, 8, 3, 9, 1, 2]), _array([1, 1, 1, 1, 0, 0]), group, endpoint="os", term="arm")
    assert (test.n, test.note) == (6, "left out, censored before the first event: c")
    alone = survival.log_rank(
        _array([5, 8, 1, 2]), _array([1, 1, 0, 0]), group[[0, 1, 2, 3]], endpoint="os", term="arm"
    )
    assert alone.p_value is None
    assert alone.note.startswith("not estimable: only one group at risk at an event; left out")

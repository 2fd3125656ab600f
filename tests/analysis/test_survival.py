"""Kaplan-Meier, medians, log-rank and cumulative incidence, on cases that can be solved with a pencil."""

import math

import numpy as np
import pytest

from reinfuse.analyses import competing_risks, survival


def _array(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_product_limit_by_hand():
    # 5 patients: events on days 1, 3 and 5, censored on days 2 and 4.
    curve = survival.kaplan_meier(_array(1, 2, 3, 4, 5), _array(1, 0, 1, 0, 1), 0.95)
    assert curve.survival == pytest.approx([4 / 5, 4 / 5, 4 / 5 * 2 / 3, 8 / 15, 0])
    assert curve.at_risk.tolist() == [5, 4, 3, 2, 1]
    assert curve.n_events == 3


def test_log_log_limits_by_hand():
    curve = survival.kaplan_meier(_array(1, 2, 3, 4, 5), _array(1, 0, 1, 0, 1), 0.95)
    s, greenwood = 8 / 15, 1 / (5 * 4) + 1 / (3 * 2)
    half = 1.959963984540054 * math.sqrt(greenwood) / abs(math.log(s))
    assert curve.lower[2] == pytest.approx(s ** math.exp(half), abs=1e-9)
    assert curve.upper[2] == pytest.approx(s ** math.exp(-half), abs=1e-9)


def test_median_is_the_first_time_at_or_below_one_half():
    assert survival.half_time(_array(1, 2, 3), _array(0.8, 0.4, 0.1)) == 2


def test_median_of_a_step_at_exactly_one_half_is_its_middle():
    assert survival.half_time(_array(1, 2, 6), _array(0.8, 0.5, 0.2)) == 4


def test_median_where_the_curve_ends_at_one_half():
    assert survival.half_time(_array(1, 2, 6), _array(0.8, 0.5, 0.5)) == 2


def test_median_not_reached():
    records, _ = survival.survival(
        _array(5, 6, 7), _array(1, 0, 0), 0.95, endpoint="os", population="all", group=None, days=[], ticks=[]
    )
    assert records[0].estimate is None
    assert records[0].note == "not reached"
    assert records[0].lower == 5  # the lower limit of 2/3 is 0.054, below one half
    assert (records[0].n, records[0].events) == (3, 1)


def test_rate_beyond_follow_up_is_not_carried_forward():
    records, _ = survival.survival(
        _array(5, 6, 7), _array(1, 0, 0), 0.95, endpoint="os", population="all", group=None, days=[6.0, 8.0], ticks=[]
    )
    assert records[1].estimate == pytest.approx(2 / 3)
    assert records[2].estimate is None
    assert records[2].note == "not estimable: beyond the last follow-up, day 7"


def test_rate_after_everybody_had_the_event_is_zero():
    records, _ = survival.survival(
        _array(5, 6), _array(1, 1), 0.95, endpoint="os", population="all", group=None, days=[10.0], ticks=[]
    )
    assert (records[1].estimate, records[1].lower) == (0, None)


def test_rate_before_any_event_has_no_interval():
    records, _ = survival.survival(
        _array(5, 6), _array(1, 1), 0.95, endpoint="os", population="all", group=None, days=[3.0], ticks=[]
    )
    assert (records[1].estimate, records[1].lower, records[1].upper) == (1, None, None)
    assert "not estimable" in str(records[1].note)


def test_at_risk_counts_those_whose_time_is_the_tick():
    records, _ = survival.survival(
        _array(0, 30, 60),
        _array(0, 1, 0),
        0.95,
        endpoint="os",
        population="all",
        group=None,
        days=[],
        ticks=[0, 30, 31, 60],
    )
    assert [e.estimate for e in records if e.statistic == "at_risk"] == [3, 2, 1, 1]


def test_one_patient():
    records, curve = survival.survival(
        _array(7), _array(1), 0.95, endpoint="os", population="all", group=None, days=[], ticks=[]
    )
    assert records[0].estimate == 7
    assert curve is not None
    assert curve.n == 1


def test_no_patient():
    records, curve = survival.survival(
        _array(), _array(), 0.95, endpoint="os", population="all", group=None, days=[], ticks=[]
    )
    assert (records[0].n, records[0].estimate, curve) == (0, None, None)


def test_follow_up_exchanges_events_and_censorings():
    records = survival.follow_up(_array(1, 2, 3), _array(1, 0, 0), 0.95, endpoint="os", population="all")
    assert records[0].estimate == 2.5  # at risk 2 on day 2: down to one half, and to 0 on day 3
    assert (records[0].n, records[0].events) == (3, 2)


def test_log_rank_by_hand():
    # Group a: events on days 1 and 2. Group b: events on days 3 and 4. Expected in a: 2/4 + 1/3; variance 1/4 + 2/9.
    test = survival.log_rank(
        _array(1, 2, 3, 4), _array(1, 1, 1, 1), np.array(["a", "a", "b", "b"]), endpoint="os", term="arm"
    )
    chi2 = (2 - (1 / 2 + 1 / 3)) ** 2 / (1 / 4 + 2 / 9)
    assert test.p_value == pytest.approx(math.erfc(math.sqrt(chi2 / 2)), abs=1e-10)


@pytest.mark.parametrize(
    ("event", "groups", "why"), [((1, 1), ("a", "a"), "only one group"), ((0, 0), ("a", "b"), "no event")]
)
def test_log_rank_says_why_there_is_none(event, groups, why):
    test = survival.log_rank(_array(1, 2), _array(*event), np.array(groups), endpoint="os", term="arm")
    assert (test.p_value, test.note) == (None, f"not estimable: {why}")


def test_log_rank_where_no_event_compares_the_groups():
    test = survival.log_rank(_array(1, 2), _array(0, 1), np.array(["a", "b"]), endpoint="os", term="arm")
    assert (test.p_value, test.note) == (None, "not estimable: only one group at risk at an event; "
                                         "left out, censored before the first event: a")  # fmt: skip


def test_cumulative_incidence_by_hand():
    # Day 1 relapse of 4; day 2 death of 3; day 3 relapse of 2; day 4 censored.
    # Incidence of relapse on day 3: 1/4 + S(2) * 1/2 = 1/4 + 1/2 * 1/2.
    records = competing_risks.cumulative_incidence(
        _array(1, 2, 3, 4), _array(1, 0, 1, 0), _array(0, 1, 0, 0), 0.95, "relapse", "all", days=[1.5, 3.0, 9.0]
    )
    assert [e.estimate for e in records] == [pytest.approx(0.25), pytest.approx(0.5), None]
    assert records[2].note == "not estimable: beyond the last follow-up, day 4"


def test_the_curve_of_an_incidence_by_hand():
    """As above: 1 - incidence is 3/4, 3/4, 1/2, 1/2; at risk 4, 3, 2, 1; the death of day 2 is no relapse."""
    time, event, other = _array(1, 2, 3, 4), _array(1, 0, 1, 0), _array(0, 1, 0, 0)
    curve = competing_risks.curve(time, event, other, 0.95)
    assert curve.survival.tolist() == pytest.approx([0.75, 0.75, 0.5, 0.5])
    assert curve.at_risk.tolist() == [4, 3, 2, 1]
    assert curve.events.tolist() == [1, 0, 1, 0]
    assert curve.censored.tolist() == [0, 0, 0, 1]
    assert competing_risks.curve(time, np.zeros(4), other, 0.95) is None
    at_risk = competing_risks.numbers_at_risk(time, 2, "relapse", population="all", ticks=[0.0, 2.0, 5.0])
    assert [e.estimate for e in at_risk] == [4, 3, 0]


def test_cumulative_incidence_where_nobody_is_censored():
    records = competing_risks.cumulative_incidence(
        _array(1, 2, 3, 4), _array(1, 0, 1, 0), _array(0, 1, 0, 1), 0.95, "relapse", "all", days=[1.0, 4.0]
    )
    assert [e.estimate for e in records] == [pytest.approx(0.25), pytest.approx(0.5)]


def test_cumulative_incidence_without_a_competing_event_is_the_complement_of_kaplan_meier():
    time, event = _array(1, 2, 3, 4), _array(1, 0, 1, 0)
    records = competing_risks.cumulative_incidence(time, event, np.zeros(4), 0.95, "relapse", "all", days=[3.0])
    assert records[0].estimate == pytest.approx(1 - survival.kaplan_meier(time, event, 0.95).survival[2])

"""Risk tables of a published curve: all that a plain search finds, none else; and what they give together."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from reinfuse.statistics import firth, guyot, nonparametric, reconstructed, risk_tables
from reinfuse.statistics.curve_reading import CurveReading
from reinfuse.statistics.reconstructed_contrast import hazard_ratio
from reinfuse.statistics.risk_tables import REACH, NoTable, RiskTables


def reading(time, survival, n, *, error=0.01, end=None, printed=(), **more):
    """Return a curve as read; printed: pairs of time and number at risk."""
    times, numbers = zip((0, n), *printed, strict=True)
    return CurveReading(np.array(time, float), np.array(survival, float), error, float(end or time[-1] + 1),
                        np.array(times, float), np.array(numbers), **more)  # fmt: skip


def plain_search(curve):
    """Return every table by trying all numbers: for small curves whose printed times lie within gaps."""
    listed = set()
    edges = [0.0, *curve.time, np.inf]

    def printed(k):
        return [int(r) for t, r in zip(curve.risk_time[1:], curve.risk[1:], strict=True) if edges[k] < t < edges[k + 1]]

    def grow(k, left, height, path):
        if k == len(curve.time):
            if all(left >= r for r in printed(k)) and (left > 0 or height == 0):
                listed.add(tuple(path))
            return
        numbers = printed(k)
        if any(left < r for r in numbers):
            return
        for n in range(1, left + 1):
            if any(n > r for r in numbers):
                continue
            for d in range(1, n + 1):
                after = height * (1 - d / n)
                if abs(after - curve.survival[k]) <= REACH * curve.error:
                    grow(k + 1, n - d, after, [*path, (n, d)])

    grow(0, curve.patients, 1.0, [])
    return listed


def as_set(tables):
    return {tuple(zip(map(int, n), map(int, d), strict=True))
            for n, d in zip(tables.at_risk, tables.events, strict=True)}  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_every_table_of_a_plain_search_is_listed_and_no_other(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(5, 10))
    time = np.sort(random.exponential(10, n))
    event = random.random(n) < 0.7
    event[0] = True
    at_risk = np.arange(n, 0, -1)
    height = np.cumprod(1 - event / at_risk)[event]
    middle = float((time[n // 2] + time[n // 2 - 1]) / 2)
    curve = reading(time[event], np.clip(height + random.normal(0, 0.01, len(height)), 0, 1), n, error=0.015,
                    end=time[-1], printed=[(middle, n - n // 2)])  # fmt: skip
    if event[-1]:
        assert curve.end == curve.time[-1]
    tables = risk_tables.agreeing_tables(curve)
    assert tables.complete
    assert as_set(tables) == plain_search(curve)
    assert tables.count == len(as_set(tables))
    assert tables.weight.sum() == pytest.approx(1)
    assert tables.best == int(np.argmax(tables.weight))
    true = tuple((int(k), 1) for k in at_risk[event])
    assert true in as_set(tables)


def test_draws_have_the_probabilities_of_the_list(monkeypatch):
    curve = reading([1, 2, 3, 4], [0.9, 0.8, 0.69, 0.58], 10, error=0.02, end=6)
    listed = risk_tables.agreeing_tables(curve)
    assert listed.complete
    monkeypatch.setattr(risk_tables, "MOST_LISTED", 1)
    drawn = risk_tables.agreeing_tables(curve, draws=20_000)
    assert not drawn.complete
    assert drawn.count == listed.count == len(listed.weight) > 3
    for n, d, weight in zip(listed.at_risk, listed.events, listed.weight, strict=True):
        same = np.all((drawn.at_risk == n) & (drawn.events == d), axis=1)
        assert drawn.weight[same].sum() == pytest.approx(weight, abs=0.015)
    assert drawn.at_risk[drawn.best].tolist() == listed.at_risk[listed.best].tolist()


def test_states_that_are_merged_give_the_count_of_the_list_nearly(monkeypatch):
    curve = reading([1, 2, 3, 4, 5], [0.94, 0.87, 0.8, 0.73, 0.65], 16, error=0.01, end=6)
    exact = risk_tables.agreeing_tables(curve)
    monkeypatch.setattr(risk_tables, "MOST_STATES", 5)
    merged = risk_tables.agreeing_tables(curve)
    assert not merged.exact
    assert not merged.complete
    assert merged.count == pytest.approx(exact.count, rel=0.25)
    assert merged.at_risk[merged.best].tolist() == exact.at_risk[exact.best].tolist()


def test_marks_and_the_number_of_events_leave_fewer_tables():
    heights = [0.875, 0.7, 0.525]
    free = risk_tables.agreeing_tables(reading([1, 3, 5], heights, 8, error=0.03, end=7))
    marked = risk_tables.agreeing_tables(
        reading([1, 3, 5], heights, 8, error=0.03, end=7, marks=np.array([2.0, 2.5, 6, 7])))  # fmt: skip
    assert as_set(marked) < as_set(free)
    assert as_set(marked) == {((8, 1), (5, 1), (4, 1)), ((8, 1), (4, 1), (3, 1))}  # two marks or more, and none
    assert marked.at_risk[marked.best].tolist() == [8, 5, 4]
    counted = risk_tables.agreeing_tables(reading([1, 3, 5], heights, 8, error=0.03, end=7, events=4))
    assert as_set(counted) == {t for t in as_set(free) if sum(d for _, d in t) == 4}


def test_a_number_printed_at_the_time_of_a_step_may_count_those_before_or_after_it():
    for printed in (4, 3):  # 4 before the step at 2, 3 after it
        tables = risk_tables.agreeing_tables(reading([2, 4], [0.75, 0.5], 4, printed=[(2, printed)]))
        assert as_set(tables) == {((4, 1), (3, 1))}
    with pytest.raises(NoTable):
        risk_tables.agreeing_tables(reading([2, 4], [0.75, 0.5], 4, printed=[(2, 2)]))


def test_a_curve_that_contradicts_its_numbers_has_no_table_and_says_where():
    with pytest.raises(NoTable) as wrong:
        risk_tables.agreeing_tables(reading([1, 2], [0.75, 0.6], 4, error=0.001))
    assert wrong.value.step == 1


def test_points_along_a_curve_need_no_event():
    curve = reading([1, 2, 3, 4], [1, 0.75, 0.75, 0.5], 4, every_row_is_a_step=False)
    assert as_set(risk_tables.agreeing_tables(curve)) >= {((4, 0), (4, 1), (3, 0), (3, 1))}


def test_guyot_finds_a_table_that_is_certain():
    curve = reading([1, 3], [0.75, 0.375], 4, printed=[(2, 2)])
    assert [column.tolist() for column in guyot.guyot_table(curve)] == [[4, 2], [1, 1]]
    many = guyot.guyot_tables(curve, draws=20)
    assert many.weight[0] == 0
    assert many.at_risk.shape == (21, 2)


def single(curve, at_risk, events):
    return RiskTables(np.array([at_risk]), np.array([events]), np.ones(1), 1, True, True, 0)


def test_the_patients_of_a_table_give_its_curve_again():
    curve = reading([1, 3, 5], [0.875, 0.7, 0.525], 8, end=9, printed=[(4, 4), (8, 2)])
    tables = single(curve, [8, 5, 4], [1, 1, 1])
    random = np.random.default_rng(1)
    time, event = reconstructed.patients_of(curve, tables.at_risk[0], tables.events[0], random=random)
    assert len(time) == 8
    assert time.max() == 9
    assert [int(np.sum(time >= t)) for t in (0, 4, 8)] == [8, 4, 2]
    estimated = nonparametric.kaplan_meier(time, event)
    steps = estimated[5] > 0
    assert estimated[1][steps] == pytest.approx(reconstructed.heights(tables)[0])
    lower, upper = estimated[2][steps], estimated[3][steps]
    for k, at in enumerate((1.0, 3.0, 5.0)):
        own = reconstructed.survival_at(curve, tables, at, confidence=0.95)
        assert (own.lower, own.upper) == pytest.approx((lower[k], upper[k]))


def test_the_restricted_mean_of_four_patients_by_hand():
    """Steps of 1/4 at 1, 2, 3 and 4: areas 1, 3/4, 1/2 up to month 3."""
    curve = reading([1, 2, 3, 4], [0.75, 0.5, 0.25, 0], 4, end=4)
    tables = single(curve, [4, 3, 2, 1], [1, 1, 1, 1])
    mean, variance = reconstructed.means_to(curve, tables, horizon=3.0)
    assert mean.tolist() == pytest.approx([2.25])
    assert variance.tolist() == pytest.approx([1.25**2 / 12 + 0.5**2 / 6])
    median = reconstructed.median_time(curve, tables, confidence=0.95)
    assert median.value == 2.5  # 1/2 from 2 to 3
    assert np.isnan(median.upper)


def test_tables_that_disagree_on_the_median_are_not_made_to_agree():
    curve = reading([1, 2], [0.75, 0.5], 4, end=3)
    tables = RiskTables(np.array([[4, 3], [4, 3]]), np.array([[1, 1], [1, 2]]), np.array([0.6, 0.4]), 2, True, True, 0)
    median = reconstructed.median_time(curve, tables, confidence=0.95)
    assert (median.value, median.least, median.greatest) == (2, 2, 2)
    never = RiskTables(tables.at_risk, np.array([[1, 1], [1, 0]]), tables.weight, 2, True, True, 0)
    median = reconstructed.median_time(curve, never, confidence=0.95)
    assert median.least == 2
    assert np.isnan(median.greatest)
    assert median.lacking == pytest.approx(0.4)


def test_the_hazard_ratio_of_one_pair_is_that_of_firths_cox_model():
    random = np.random.default_rng(5)
    arms = [(random.exponential(scale, 12), (random.random(12) < 0.7).astype(float)) for scale in (5, 11)]
    own = hazard_ratio([arms[0]], [arms[1]], confidence=0.95)
    X = np.repeat([0.0, 1.0], 12)[:, None]
    fit = firth.fit("cox", X, np.concatenate([arms[0][1], arms[1][1]]), np.concatenate([arms[0][0], arms[1][0]]))
    assert own.value == pytest.approx(float(fit.coef[0]), abs=1e-5)
    assert (own.lower, own.upper) == pytest.approx((float(fit.lower[0]), float(fit.upper[0])), abs=2e-3)
    assert own.p_least == pytest.approx(float(fit.p_value[0]), abs=1e-5)


def test_limits_of_pairs_that_differ_are_wider_than_those_of_each():
    random = np.random.default_rng(6)
    first = [(random.exponential(5, 10), np.ones(10)) for _ in range(2)]
    second = [(random.exponential(9, 10), np.ones(10)) for _ in range(2)]
    both = hazard_ratio(first, second, confidence=0.95)
    each = [hazard_ratio([a], [b], confidence=0.95) for a, b in itertools.zip_longest(first, second)]
    assert (both.least, both.greatest) == pytest.approx((min(e.value for e in each), max(e.value for e in each)))
    assert min(e.lower for e in each) - 1e-9 <= both.lower <= max(e.lower for e in each) + 1e-9
    assert both.value == pytest.approx(np.mean([e.value for e in each]))
    nobody = (np.array([1.0, 2.0]), np.zeros(2))
    assert np.isnan(hazard_ratio([nobody], [nobody], confidence=0.95).value)

"""Turnbull's estimate: by hand, at its optimum, and beside R; the records of persistence."""

from __future__ import annotations

import numpy as np
import pytest

from reinfuse.kinetics.persistence import DAYS, estimates
from reinfuse.kinetics.profiles import Profile
from reinfuse.statistics.turnbull import limits, turnbull

LEFT = [0, 7, 14, 14, 28, 28, 60, 90, 30, 5, 21, 42]
RIGHT = [7, 14, 28, 21, 60, None, 90, None, None, 14, 30, 90]


def test_two_intervals_that_share_a_part_by_hand():
    """(0, 10] and (5, 20]: all mass on their common part (5, 10]."""
    estimate = turnbull([0, 5], [10, 20])
    assert (estimate.left.tolist(), estimate.right.tolist(), estimate.mass.tolist()) == ([5], [10], [1])
    assert estimate.persisting(5) == (1, 1)
    assert estimate.persisting(7) == (0, 1)
    assert estimate.persisting(10) == (0, 0)
    assert estimate.median() == (5, 10)


def test_three_patients_by_hand():
    """(0, 1], (0, 2] and (1, 3]: on (0, 1] lies p, on (1, 2] the rest; p (p + q) q is greatest at p = q = 1/2."""
    estimate = turnbull([0, 0, 1], [1, 2, 3])
    assert estimate.mass.tolist() == pytest.approx([0.5, 0.5])
    assert estimate.right.tolist() == [1, 2]


def test_exact_order_without_overlap_is_the_empirical_distribution():
    estimate = turnbull([0, 10, 20, 30], [5, 15, 25, None])
    assert estimate.mass.tolist() == pytest.approx([0.25] * 4)
    assert estimate.right[-1] == np.inf
    assert estimate.median() == (10, 15)
    assert turnbull([0, 10, 20], [5, None, None]).median() is None


def test_ends_on_one_day_do_not_overlap():
    estimate = turnbull([0, 5], [5, 10])
    assert estimate.left.tolist() == [0, 5]


def test_it_is_the_maximum_of_the_likelihood():
    """Gentleman and Geyer 1994: where there is mass, the sum of 1 / P(patient) is n; elsewhere it is no more."""
    estimate = turnbull(LEFT, RIGHT)
    assert estimate.converged
    low, high = np.array(LEFT), np.array([np.inf if r is None else r for r in RIGHT])
    inside = (estimate.left >= low[:, None]) & (estimate.right <= high[:, None])
    gradient = (inside / (inside @ estimate.mass)[:, None]).sum(axis=0)
    some = estimate.mass > 1e-3
    assert gradient[some].tolist() == pytest.approx([len(LEFT)] * int(some.sum()), abs=1e-4)
    assert (gradient < len(LEFT) + 1e-4).all()
    assert some.sum() == 7


def test_beside_r_survival():
    """survfit of interval2 data (R 4.2.2, survival 3.5-3), which stops its steps earlier: within 0.005."""
    estimate = turnbull(LEFT, RIGHT)
    r = {7: 0.875, 14: 0.75, 21: 0.5852983, 30: 0.4151903, 60: 0.3542799, 90: 0.1270416}
    assert [estimate.persisting(day)[0] for day in r] == pytest.approx(list(r.values()), abs=0.005)


def test_impossible_intervals_are_refused():
    for left, right in (([], []), ([5], [5]), ([5], [3])):
        with pytest.raises(ValueError, match="intervals must end after they begin"):
            turnbull(left, right)


def test_limits_hold_the_estimate():
    bounds = limits(
        np.array(LEFT, dtype=float), RIGHT, [28.0], confidence=0.9, draws=100, random=np.random.default_rng(1)
    )
    middle = sum(turnbull(LEFT, RIGHT).persisting(28)) / 2
    assert bounds[0, 0] < middle < bounds[0, 1]


def profile(left, right, infusion=1):
    days = [left, right, right + 7] if right else [left]
    return Profile("P", infusion, "total", "cells/uL", np.array(days, dtype=float), np.ones(len(days)),
                   np.array([False, True, True][: len(days)]))  # fmt: skip


def test_records_of_persistence():
    found = [profile(a, b) for a, b in zip(LEFT, RIGHT, strict=True) if a > 0]
    records = estimates(
        [*found, profile(5, 9, infusion=2)], 1, "bulky=yes", confidence=0.95, random=np.random.default_rng(2)
    )
    median, *rates = records
    assert (median.n, median.events, median.term, median.level, median.group) == (11, 8, "infusion", "1", "bulky=yes")
    assert median.lower < median.estimate < median.upper
    assert [r.at for r in rates] == list(DAYS)
    assert rates[0].lower <= rates[0].estimate <= rates[0].upper
    assert all(e.estimate is None or 0 <= e.estimate <= 1 for e in rates)
    early = estimates([profile(40, 60), profile(40, 60)], 1, None, confidence=0.95, random=np.random.default_rng(2))
    assert (early[1].estimate, early[1].lower, early[1].note) == (1.0, None, "no loss by then: interval not estimable")
    assert rates[2].note == "not estimable: beyond the last follow-up, day 90"


def test_nobody_lost_the_cells_or_nobody_was_followed():
    records = estimates([profile(60, None)], 1, None, confidence=0.95, random=np.random.default_rng(2))
    assert [e.note for e in records] == ["not reached: no loss observed"]
    none = estimates([], 2, None, confidence=0.95, random=np.random.default_rng(2))
    assert none[0].note == "not estimable: no patient"

"""Permutation tests: cases solved by hand, full enumeration, conditional sampling."""

import itertools

import numpy as np
import pytest
from columns import binary, category, drawn, number, timed, yes_no

from reinfuse.analyses import permutation


def _p(endpoint, factors, draws=1000, seed=1):
    return permutation.permutations(endpoint, factors, "m", draws, np.random.default_rng(seed))


def test_four_patients_by_hand():
    """Two of four are exposed: 6 ways. Both exposed, or neither, having both events is as far as it goes: 2 of 6."""
    [e] = _p(binary([1, 1, 0, 0]), [yes_no([1, 1, 0, 0])])
    assert e.p_value == pytest.approx(2 / 6)
    assert e.note == "all 6 ways"
    [e] = _p(binary([1, 0, 1, 0]), [yes_no([1, 1, 0, 0])])
    assert e.p_value == pytest.approx(1)  # every way is at least as far as no difference


def test_six_patients_are_fishers_exact_test():
    """3 of 3 exposed and 0 of 3 others have the event: 2 of 20 ways are as extreme (Fisher's two-sided p 0.1)."""
    [e] = _p(binary([1, 1, 1, 0, 0, 0]), [yes_no([1, 1, 1, 0, 0, 0])])
    assert e.p_value == pytest.approx(0.1)


def test_times_of_five_patients_by_enumeration():
    """Log-rank statistic over its variance, (O - E)^2 / V, in each of the ten ways to expose two of five."""
    time, event, x = [1, 2, 3, 4, 5], [1, 1, 0, 1, 1], [1, 1, 0, 0, 0]

    def statistic(exposed):
        observed = variance = 0.0
        for t, d in zip(time, event, strict=True):
            at_risk = [i for i in range(5) if time[i] >= t]
            share = sum(i in exposed for i in at_risk) / len(at_risk)
            if d:
                observed += (time.index(t) in exposed) - share
                variance += share * (1 - share)
        return observed**2 / variance if variance else 0.0

    ways = [statistic(set(c)) for c in itertools.combinations(range(5), 2)]
    expected = sum(s >= statistic({0, 1}) - 1e-9 for s in ways) / 10
    [e] = _p(timed(time, event), [yes_no(x)])
    assert e.p_value == pytest.approx(expected)
    assert expected == pytest.approx(0.1)


def test_a_number_of_five_patients_by_enumeration():
    """The score statistic of a lone number is its squared covariance with the outcome, whatever the order."""
    z, y = np.array([1.0, 2, 3, 5, 9]), np.array([0.0, 0, 1, 0, 1])
    centred = z - z.mean()
    ways = [abs(centred[list(order)] @ y) for order in itertools.permutations(range(5))]
    expected = np.mean([w >= abs(centred @ y) - 1e-9 for w in ways])
    [e] = _p(binary(y), [number(z)])
    assert e.p_value == pytest.approx(expected)
    assert e.note == "all 120 ways"


def test_drawing_given_the_others_has_the_right_probabilities():
    """Which two of five have the factor, by the product of their odds."""
    odds = np.array([0.5, 1.0, 2.0, 4.0, 0.25])
    weight = {c: odds[list(c)].prod() for c in itertools.combinations(range(5), 2)}
    total = sum(weight.values())
    has, Z = np.array([True, True, False, False, False]), np.ones((5, 1))
    original = permutation._log_odds
    permutation._log_odds = lambda *_: np.log(odds)
    try:
        few, none = permutation._bernoulli(has, Z, 5, rng=np.random.default_rng(1))
        dealt, _ = permutation._bernoulli(has, Z, 9, rng=np.random.default_rng(1))
        every, share = permutation._bernoulli(has, Z, 10, rng=np.random.default_rng(1))
        big = np.concatenate([permutation._bernoulli(has, Z, 9, rng=np.random.default_rng(s))[0] for s in range(2000)])
    finally:
        permutation._log_odds = original
    assert none is None
    assert few.shape == (5, 5)
    assert dealt.shape == (9, 5)
    assert (big.sum(axis=1) == 2).all()
    for row, s in zip(every, share, strict=True):
        expected = weight[tuple(np.flatnonzero(row))] / total
        assert s == pytest.approx(expected)
        assert (big == row).all(axis=1).mean() == pytest.approx(expected, abs=0.015)


def test_adjusted_for_the_others_it_finds_an_effect_and_not_its_shadow():
    rng = np.random.default_rng(4)
    z = rng.normal(size=60)
    x = (z + rng.normal(size=60) > 0).astype(float)
    y = (rng.random(60) < 1 / (1 + np.exp(-2.5 * z))).astype(float)
    alone, (x_given_z, z_given_x) = _p(binary(y), [yes_no(x)])[0], _p(binary(y), [yes_no(x), number(z)])
    assert alone.p_value < 0.05
    assert x_given_z.p_value > 0.1
    assert z_given_x.p_value < 0.01
    assert x_given_z.method == permutation.CONDITIONAL


def test_a_category_is_tested_as_a_whole():
    levels = ("a", "b", "c")
    g = [levels[i % 3] for i in range(30)]
    y = [float(v == "c") for v in g]
    [e] = _p(binary(y), [category(g, levels)])
    assert e.p_value == pytest.approx(1 / 1001)
    both = _p(binary(y), [category(g, levels), number(list(range(30)))])
    assert [e.term for e in both] == ["g", "z"]
    assert both[0].p_value < 0.01


def test_what_cannot_be_tested_says_why():
    assert _p(binary([0, 0, 0]), [yes_no([1, 0, 0])])[0].note == "not estimable: no event"
    assert _p(binary([0, 1, 0]), [yes_no([1, 1, 1])])[0].note.startswith("not estimable: constant")
    for seed in range(10):
        x, z, y, time, event = drawn(5, seed)
        for endpoint in (binary(y), timed(time, event)):
            for e in _p(endpoint, [yes_no(x), number(z)], 100):
                assert (e.p_value is None) == (e.note or "").startswith("not estimable")

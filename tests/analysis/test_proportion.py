"""Clopper-Pearson: closed forms at the ends, and the definition by binomial tails in between."""

import math

import pytest

from reinfuse.analyses.proportion import proportion
from reinfuse.statistics.clopper_pearson import clopper_pearson


def test_no_event_has_a_closed_form():
    lower, upper = clopper_pearson(0, 9, confidence=0.95)
    assert lower == 0
    assert upper == pytest.approx(1 - 0.025 ** (1 / 9), abs=1e-12)


def test_every_patient_has_a_closed_form():
    lower, upper = clopper_pearson(9, 9, confidence=0.95)
    assert lower == pytest.approx(0.025 ** (1 / 9), abs=1e-12)
    assert upper == 1


def test_limits_cut_the_binomial_tails():
    lower, upper = clopper_pearson(3, 9, confidence=0.95)
    at_least_3 = sum(math.comb(9, k) * lower**k * (1 - lower) ** (9 - k) for k in range(3, 10))
    at_most_3 = sum(math.comb(9, k) * upper**k * (1 - upper) ** (9 - k) for k in range(4))
    assert at_least_3 == pytest.approx(0.025, abs=1e-10)
    assert at_most_3 == pytest.approx(0.025, abs=1e-10)


def test_nobody_evaluated_is_not_estimable():
    count, share = proportion(0, 0, 0.95, analysis="response", endpoint="cr")
    assert (count.estimate, share.estimate, share.lower, share.n) == (0, None, None, 0)
    assert share.note == "not estimable: no patient evaluated"

"""Thresholds and p-values of the value of information: the observed order is one of the permutations."""

import numpy as np
import pytest

from reinfuse.simulation.search.value_of_information import familywise_threshold


def test_chance_is_told_for_all_that_is_asked_together():
    chance = np.random.default_rng(1).exponential(size=(999, 20)) * np.arange(1, 21)
    threshold, p = familywise_threshold(chance[0], chance)
    assert np.mean((chance > threshold).any(axis=1)) == pytest.approx(0.05, abs=0.03)
    assert p.min() > 0.01


@pytest.mark.parametrize("permutations", [18, 40, 100])
def test_false_alarms_are_as_rare_as_promised(permutations):
    """Values of which most are 0, as those of information are: with nothing to find, any stands out in 5 % at most."""
    random, alarms, least = np.random.default_rng(2), [], 1.0
    for _ in range(600):
        every = np.maximum(random.standard_cauchy((permutations + 1, 12)) - 12, 0.0)
        threshold, p = familywise_threshold(every[0], every[1:])
        assert np.all(every[0][p <= 0.05] > threshold[p <= 0.05])
        assert np.all(every[0][p > 0.05] <= threshold[p > 0.05] * (1 + 1e-9))
        alarms.append(bool((p <= 0.05).any()))
        least = min(least, p.min())
    assert np.mean(alarms) <= 0.075
    assert least == pytest.approx(1 / (permutations + 1))
    assert np.mean(alarms) > 0.01 or permutations < 19


def test_the_observed_order_is_one_of_the_permutations_by_hand():
    """One value, 19 permutations: the greatest of 20 has p 0.05 and stands out, the second has 0.1 and does not."""
    chance = np.arange(1.0, 20.0)[:, None]
    threshold, p = familywise_threshold(np.array([20.0]), chance)
    assert (p[0], bool(threshold[0] < 20.0)) == (0.05, True)
    threshold, p = familywise_threshold(np.array([18.5]), chance)
    assert (p[0], bool(threshold[0] < 18.5)) == (0.1, False)

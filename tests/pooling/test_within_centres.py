"""Permutation within centres, the price of stratifying, and curves averaged over centres: R's numbers and by hand."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from pooling.splitting import centre_of, pooled, study_of
from reinfuse.pooling.descriptive_tables import kaplan_meier_at
from reinfuse.statistics.information_kept import information_kept
from reinfuse.statistics.permutation_within_strata import PERMUTATIONS, log_rank_scores, permutation_test

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "permutation.json").read_text(encoding="utf-8"))
TIME, EVENT, GROUP, SITE = (np.array(GOLDEN[name]) for name in ("time", "event", "group", "site"))


def test_scores_and_the_permutation_distribution_are_those_of_r():
    """All 10 x 20 arrangements were gone through there; drawn ones agree within three standard errors."""
    scores = [log_rank_scores(TIME[s == SITE] * 1.0, EVENT[s == SITE] * 1.0) for s in (0, 1)]
    assert np.concatenate(scores) == pytest.approx(GOLDEN["scores"], abs=1e-10)
    p = permutation_test(scores, [GROUP[s == SITE] for s in (0, 1)], levels=2, seed=18)
    assert abs(p - GOLDEN["p"]) < 3 * np.sqrt(GOLDEN["p"] * (1 - GOLDEN["p"]) / PERMUTATIONS) + 1 / PERMUTATIONS


def test_a_centre_of_one_level_says_nothing():
    assert permutation_test([np.arange(4.0)], [np.zeros(4, dtype=int)], levels=2, seed=1) is None
    one, more = (permutation_test([np.arange(6.0)] * n, [np.array([0, 0, 0, 1, 1, 1]), np.zeros(6, dtype=int)][:n],
                                  levels=2, seed=1) for n in (1, 2))  # fmt: skip
    assert one == pytest.approx(more, abs=0.01)


def test_survival_and_its_standard_error_are_those_of_r():
    survival, error = kaplan_meier_at(TIME[SITE == 1] * 1.0, EVENT[SITE == 1] * 1.0, days=GOLDEN["days"])
    assert survival == pytest.approx(GOLDEN["survival"])
    assert error == pytest.approx(GOLDEN["se"])


def test_information_is_the_mean_over_all_draws_of_the_factor():
    """Three patients who die one after the other: the mean of p (1 - p) of each risk set over 3 choices of one."""
    variances = []
    for chosen in combinations(range(3), 1):
        factor = np.isin(np.arange(3), chosen)
        variances.append(sum(factor[i:].mean() * (1 - factor[i:].mean()) for i in range(3)))
    of_three = np.mean(variances) / (1 / 3 * 2 / 3 * 3 / 2)
    assert of_three == pytest.approx(3 - (1 + 1 / 2 + 1 / 3))
    assert information_kept([3, 3], [3, 3]) == pytest.approx(2 * of_three / (6 - sum(1 / i for i in range(1, 7))))
    assert information_kept([9] * 3, [6] * 3) == pytest.approx(0.80, abs=0.01)
    assert information_kept([40], [30]) == 1.0
    assert information_kept([1, 1], [0, 0]) is None


def test_curves_are_averaged_by_hand():
    """8, 8 and 16 patients, of whom 2, 3 and 4 have died by month 1: 23 of 32 live."""
    study = study_of(("A", "B", "C"), {"f": ("no", "yes")}, {"y": "time"})
    centres = {}
    for name, n, deaths in (("A", 8, 2), ("B", 8, 3), ("C", 16, 4)):
        died = np.arange(n) < deaths
        event = died | (np.arange(n) == n - 1)
        ends = {"y": (event.astype(float), np.where(died, 20.0, 50.0))}
        centres[name] = centre_of(study, {"f": np.arange(n) % 2}, ends)
    records = [e for e in pooled(study, centres)[1] if (e.method or "").startswith("centre-averaged")]
    (one,) = records
    assert one.at == pytest.approx(30.4375)
    assert (one.n, one.events) == (32, 12)
    assert one.estimate == pytest.approx((6 + 5 + 12) / 32)
    variance = sum((n / 32) ** 2 * s * (1 - s) / n for n, s in ((8, 6 / 8), (8, 5 / 8), (16, 12 / 16)))
    width = 1.959964 * variance**0.5 / (one.estimate * abs(np.log(one.estimate)))
    assert [one.lower, one.upper] == pytest.approx([one.estimate ** np.exp(width), one.estimate ** np.exp(-width)])

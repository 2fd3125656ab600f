"""The attack on the sums of a Cox model of which docs/pooling.md tells: every possible order of events is tried."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from reinfuse.statistics.likelihood_sums import cox_sums

DOCS = (Path(__file__).parents[2] / "docs" / "pooling.md").read_text(encoding="utf-8")
PATIENTS = 6


def subsets(size):
    """Return every way to choose patients, one row each."""
    return np.array([[float(i in chosen) for i in range(PATIENTS)] for chosen in combinations(range(PATIENTS), size)])


def sums(factor, event, b):
    """Return log-likelihood and four derivatives of many centres, patients in the order of their times."""
    with_factor = np.cumsum(factor[:, ::-1], axis=1)[:, ::-1]
    without = PATIENTS - np.arange(PATIENTS) - with_factor
    hazard = without + with_factor * np.exp(b)
    p = with_factor * np.exp(b) / hazard
    w = p * (1 - p)
    parts = (factor * b - np.log(hazard), factor - p, w, w * (1 - 2 * p), w * (1 - 6 * w))
    return np.column_stack([(event * part).sum(axis=1) for part in parts])


def orders(factor, event, possible):
    """Return how many different likelihoods there are among the centres that are possible."""
    at_risk = np.cumsum(factor[:, ::-1], axis=1)[:, ::-1]
    seen = {tuple((k, at_risk[i, k], factor[i, k]) for k in np.flatnonzero(event[i])) for i in np.flatnonzero(possible)}
    return len(seen)


def left_over():
    """Return how many orders are left in 100 random centres: by the test's sums, the first answer, and further ones."""
    rng = np.random.default_rng(18)
    left = []
    for _ in range(100):
        with_factor = subsets(int(rng.integers(2, PATIENTS - 1)))
        events = subsets(3)
        factor, event = np.repeat(with_factor, len(events), axis=0), np.tile(events, (len(with_factor), 1))
        true = int(rng.integers(len(factor)))
        fits = [np.abs(s - s[true]).max(axis=1) < 1e-9 for s in
                (sums(factor, event, 0.0)[:, 1:3], *(sums(factor, event, b) for b in (0.0, 1.0, -2.0)))]  # fmt: skip
        left.append([orders(factor, event, possible) for possible in (fits[0], fits[1], fits[1] & fits[2] & fits[3])])
    return np.array(left)


def test_the_attacker_has_the_sums_that_a_centre_sends():
    factor, event = np.array([1.0, 0, 1, 1, 0, 0]), np.array([1.0, 1, 0, 1, 0, 0])
    sent = cox_sums(factor[:, None], np.arange(6) + 1.0, event, points=np.array([[0.7]]))
    assert sums(factor[None], event[None], 0.7)[0] == pytest.approx([sent.value[0], *(c[0, 0] for c in sent.cumulants)])


def test_what_the_attacker_learns_is_what_the_docs_say():
    log_rank, first, further = (left_over() == 1).sum(axis=0)
    assert f"of 6: in {first} of 100" in DOCS
    assert f"11 and {log_rank} of 100" in DOCS
    assert f"nothing more: 53 and {further} of 100" in DOCS

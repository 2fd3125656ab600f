"""The attack on totals of few centres: every set of centres is tried whose numbers add up to what is read.

Of counts thousands of sets are left, of hazard models mostly several. Of quotients by a centre's number of patients, as
Mantel and Haenszel add them up, mostly one is: masked mode does not ask for them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reinfuse.statistics.likelihood_sums import cox_sums

DOCS = (Path(__file__).parents[2] / "docs" / "pooling.md").read_text(encoding="utf-8")
STUDIES = 20


def tables(n):
    """Return every fourfold table of n patients."""
    return np.array(
        [(a, b, c, n - a - b - c) for a in range(n + 1) for b in range(n - a + 1) for c in range(n - a - b + 1)]
    )


def quotients(table):
    """Return what Mantel and Haenszel's odds ratio, its interval and its test add up of each table."""
    a, b, c, d = table.T
    n = table.sum(axis=1)
    R, S, P, Q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    variance = (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1))
    return np.column_stack([R, S, P * R, P * S + Q * R, Q * S, a - (a + b) * (a + c) / n, variance])


def sets_left(sizes, true):
    """Return how many sets of three tables have the totals of the true ones: of counts alone, and with quotients."""
    one, two = tables(sizes[0]), tables(sizes[1])
    third = sum(true) - (one[:, None] + two[None])
    i, j = np.nonzero((third >= 0).all(axis=2))
    third = third[i, j]
    told = quotients(np.array(true)).sum(axis=0)
    fits = np.abs(quotients(one)[i] + quotients(two)[j] + quotients(third) - told).max(axis=1) < 1e-9
    sets = {tuple(sorted(map(tuple, [one[a], two[b], c]))) for a, b, c in
            zip(i[fits], j[fits], third[fits], strict=True)}  # fmt: skip
    return len(i), len(sets)


def test_totals_of_counts_leave_many_sets_of_centres_and_quotients_mostly_one():
    rng, left = np.random.default_rng(18), []
    for _ in range(STUDIES):
        sizes = rng.integers(8, 13, 3)
        left.append(sets_left(sizes, [rng.multinomial(n, [0.25] * 4) for n in sizes]))
    counts, with_quotients = np.array(left).T
    told = (f"of counts alone {counts.min():,} to {counts.max():,} sets are left; with the sums of Mantel and "
            f"Haenszel, one in {(with_quotients == 1).sum()} of {STUDIES}, at most {with_quotients.max()}")  # fmt: skip
    assert told in DOCS, told


def centres_of(n):
    """Return the factor and the events of every centre of n patients in the order of their times."""
    bits = ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(float)
    factor, event = np.repeat(bits, 2**n, axis=0), np.tile(bits, (2**n, 1))
    inside = (event.sum(axis=1) >= 3) & (factor.sum(axis=1) >= 1) & (factor.sum(axis=1) < n)
    return factor[inside], event[inside]


def likelihoods(factor, event, b):
    """Return log-likelihood and four derivatives of many centres, one a row."""
    n = factor.shape[1]
    with_factor = np.cumsum(factor[:, ::-1], axis=1)[:, ::-1]
    hazard = n - np.arange(n) - with_factor + with_factor * np.exp(b)
    p = with_factor * np.exp(b) / hazard
    w = p * (1 - p)
    parts = (factor * b - np.log(hazard), factor - p, w, w * (1 - 2 * p), w * (1 - 6 * w))
    return np.column_stack([(event * part).sum(axis=1) for part in parts])


def test_the_attacker_has_the_sums_that_a_centre_adds():
    factor, event = np.array([1.0, 0, 1, 0, 1]), np.array([1.0, 1, 0, 1, 0])
    sent = cox_sums(factor[:, None], np.arange(5) + 1.0, event, points=np.array([[0.7]]))
    assert likelihoods(factor[None], event[None], 0.7)[0] == pytest.approx(
        [sent.value[0], *(c[0, 0] for c in sent.cumulants)])  # fmt: skip


def test_totals_of_hazard_models_mostly_leave_several_sets_of_centres():
    """Three centres of five, the sums at three coefficients: events change places between centres unseen."""
    factor, event = centres_of(5)
    every = np.hstack([likelihoods(factor, event, b) for b in (0.0, 1.0, -2.0)])
    different = np.unique(np.round(every, 9), axis=0)
    place = {row.tobytes(): i for i, row in enumerate(np.round(different, 6) + 0.0)}
    rng, left = np.random.default_rng(18), []
    for _ in range(STUDIES):
        true = different[rng.integers(len(different), size=3)]
        third = true.sum(axis=0) - (different[:, None] + different[None])
        rounded = np.round(third.reshape(-1, third.shape[2]), 6) + 0.0
        left.append(len({tuple(sorted([*divmod(k, len(different)), place[row.tobytes()]]))
                         for k, row in enumerate(rounded) if row.tobytes() in place}))  # fmt: skip
    told = f"three centres of 5: {min(left)} to {max(left)} sets are left, one in {left.count(1)} of {STUDIES}"
    assert told in DOCS, told

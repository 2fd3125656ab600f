"""Rows brought together column by column: the same as sorting whole rows, whatever the columns hold."""

from __future__ import annotations

import numpy as np
import pytest

from reinfuse.statistics.distinct_rows import distinct_rows


@pytest.mark.parametrize("seed", range(20))
def test_what_sorting_whole_rows_gives(seed):
    random = np.random.default_rng(seed)
    n, k = int(random.integers(1, 200)), int(random.integers(1, 7))
    X = random.integers(-2, int(random.integers(0, 5)), (n, k)).astype(float)
    X[:, 0] = np.where(random.uniform(size=n) < 0.5, X[:, 0], random.normal(size=n))
    rows, place = distinct_rows(X)
    right, where = np.unique(X, axis=0, return_inverse=True)
    assert np.array_equal(rows, right)
    assert np.array_equal(place, where.reshape(-1))
    assert np.array_equal(rows[place], X)


def test_no_column_and_no_row():
    assert [a.tolist() for a in distinct_rows(np.zeros((3, 0)))] == [[[]], [0, 0, 0]]
    assert [a.tolist() for a in distinct_rows(np.zeros((0, 2)))] == [[], []]

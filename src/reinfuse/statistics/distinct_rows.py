"""Rows that are equal, brought together column by column: sorting whole rows of numbers takes many times as long."""

from __future__ import annotations

import numpy as np

from reinfuse.arrays import Floats, Integers


def distinct_rows(X: Floats) -> tuple[Floats, Integers]:
    """Return the distinct rows in the order of their columns, and the place of each row among them.

    Parameters
    ----------
    X
        Shape (n, k), no NaN.

    Returns
    -------
    tuple of numpy.ndarray
        Shapes (distinct, k) and (n,); what ``np.unique(X, axis=0, return_inverse=True)`` gives.

    Examples
    --------
    >>> import numpy as np
    >>> rows, place = distinct_rows(np.array([[1.0, 2.0], [0.0, 5.0], [1.0, 2.0]]))
    >>> rows.tolist(), place.tolist()
    ([[0.0, 5.0], [1.0, 2.0]], [1, 0, 1])
    """
    place = np.zeros(len(X), dtype=np.int64)
    first = np.zeros(min(len(X), 1), dtype=np.int64)
    for column in X.T:
        values, code = np.unique(column, return_inverse=True)
        _, first, place = np.unique(place * len(values) + code, return_index=True, return_inverse=True)
    return X[first], place


def sums_by_kind(values: Floats, place: Integers) -> Floats:
    """Return the sums of columns of one kind.

    Parameters
    ----------
    values
        Shape (m, n).
    place
        The kind of each column, shape (n,), as `distinct_rows` gives it: every kind from 0 on has a column.

    Returns
    -------
    numpy.ndarray
        Shape (m, kinds).

    Examples
    --------
    >>> import numpy as np
    >>> sums_by_kind(np.array([[1.0, 2.0, 4.0]]), np.array([1, 0, 1])).tolist()
    [[2.0, 5.0]]
    """
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(place.max(initial=-1) + 1))
    sums: Floats = np.add.reduceat(values[:, order], starts, axis=1)
    return sums

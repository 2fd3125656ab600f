"""Fisher's exact test of a table of any size (Freeman and Halton, Biometrika 1951;38:141-149).

Given its margins, a table's probability is a product over its columns. The columns are filled in one after the other;
ways of filling them that leave the same row margins, and have the same product so far, are counted together (the
network of Mehta and Patel, J Am Stat Assoc 1983;78:427-434, without its bounds). Tables that are at most as probable
as the one that was seen count against the null hypothesis, a relative difference of 1e-7 aside, as in R.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.special import gammaln, logsumexp

from reinfuse.arrays import Floats, Integers

MOST_PATHS = 150_000
_SAME, _DIGITS = 1e-7, 9


class TooManyTables(Exception):
    """There are too many tables of these margins to go through."""


def fisher_exact(table: Integers) -> float:
    """Return the two-sided p-value.

    Parameters
    ----------
    table
        Counts, shape (rows, columns).

    Raises
    ------
    TooManyTables
        If so many tables have these margins that their probabilities cannot be summed up soon.
    """
    table = table[np.ix_(table.sum(axis=1) > 0, table.sum(axis=0) > 0)]
    if min(table.shape) < 2:
        return 1.0
    if table.shape[0] > table.shape[1]:
        table = table.T
    paths: dict[tuple[int, ...], tuple[Floats, Floats]] = {
        tuple(int(x) for x in table.sum(axis=1)[1:]): (np.zeros(1), np.zeros(1))
    }
    left = int(table.sum())
    for column in table.sum(axis=0)[:-1]:
        paths = _filled(paths, int(column), left=left)
        left -= int(column)
    ends = [(log - _lost(rest, left), count) for rest, (log, count) in paths.items()]
    log, count = (np.concatenate(parts) for parts in zip(*ends, strict=True))
    observed = -float(gammaln(table + 1).sum())
    total = logsumexp(log + count)
    extreme = log <= observed + _SAME
    return min(1.0, float(np.exp(logsumexp((log + count)[extreme]) - total)))


def _lost(rest: tuple[int, ...], left: int) -> float:
    """Return the sum of log factorials of the last column, which is what the rows have left."""
    return float(gammaln(np.array([left - sum(rest), *rest]) + 1.0).sum())


def _filled(
    paths: dict[tuple[int, ...], tuple[Floats, Floats]], column: int, *, left: int
) -> dict[tuple[int, ...], tuple[Floats, Floats]]:
    """Return the paths after a further column: what the rows but the first have left -> log products and log counts."""
    further: dict[tuple[int, ...], list[tuple[Floats, Floats]]] = {}
    for rest, (log, count) in paths.items():
        first = left - sum(rest)
        for cells in product(*(range(min(column, r) + 1) for r in rest)):
            in_first = column - sum(cells)
            if 0 <= in_first <= first:
                own = float(gammaln(np.array([in_first, *cells]) + 1.0).sum())
                key = tuple(r - c for r, c in zip(rest, cells, strict=True))
                further.setdefault(key, []).append((log - own, count))
    merged = {rest: _merged(parts) for rest, parts in further.items()}
    if sum(len(log) for log, _ in merged.values()) > MOST_PATHS:
        raise TooManyTables
    return merged


def _merged(parts: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """Return paths of equal products as one, with the log of their number."""
    log, count = (np.concatenate(values) for values in zip(*parts, strict=True))
    unique, place = np.unique(np.round(log, _DIGITS), return_inverse=True)
    number = np.zeros(len(unique))
    np.add.at(number, place, np.exp(count))
    return unique, np.log(number)

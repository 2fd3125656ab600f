"""A log-likelihood and its derivatives as sums over patients, which add up over centres.

Conventions. At coefficients b a centre gives its log-likelihood l and, over its patients (logistic model) or the risk
sets of its own events (Cox model, Breslow ties, each centre a stratum), the sums of the first four cumulants:

- logistic, w = p(1 - p): U = sum (y - p) x; I = sum w x x'; T = sum w (1 - 2p) x x x; Q = sum w (1 - 6w) x x x x.
- Cox: U = sum over events of x less its mean over those at risk, weighted by their hazards; I, T, Q the sums of the
  second, third and fourth cumulant of x under these weights.

Each is the derivative of the one before (dI/db = T, dT/db = Q). Firth's penalty needs I; its score T (Firth, Biometrika
1993;80:27-38); its second derivative Q. They are symmetric: each distinct entry is held once, in the order of
`itertools.combinations_with_replacement`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations_with_replacement
from math import comb

import numpy as np

from reinfuse.arrays import Floats, Integers
from reinfuse.statistics.firth_batch import at_the_last_of_ties
from reinfuse.statistics.risk_sets import RiskSets

DEGREES = (1, 2, 3, 4)
_NUMBERS_AT_ONCE = 70_000
"""Few enough that arrays stay in the cache, and that memory is not asked for anew each time."""
_WHOLE = (0, 1, 2, 3)


@dataclass(frozen=True)
class LikelihoodSums:
    """Sums at m points.

    Attributes
    ----------
    value
        Log-likelihood, shape (m,).
    cumulants
        U, I, T and Q: each distinct entry once, shape (m, number of entries).
    """

    value: Floats = field(repr=False)
    cumulants: tuple[Floats, ...] = field(repr=False)

    @classmethod
    def total(cls, parts: Sequence[LikelihoodSums]) -> LikelihoodSums:
        """Return the sums over centres, added in their order."""
        value, *cumulants = (np.sum(ps, axis=0) for ps in zip(*((p.value, *p.cumulants) for p in parts), strict=True))
        return cls(value, tuple(cumulants))

    @classmethod
    def joined(cls, parts: Sequence[LikelihoodSums]) -> LikelihoodSums:
        """Return the sums at the points of one after those of the other."""
        value, *cumulants = (np.concatenate(ps) for ps in zip(*((p.value, *p.cumulants) for p in parts), strict=True))
        return cls(value, tuple(cumulants))

    def at(self, places: Sequence[int] | Integers) -> LikelihoodSums:
        """Return the sums at some of the points."""
        return LikelihoodSums(self.value[places], tuple(c[places] for c in self.cumulants))

    def of_columns(self, columns: Sequence[int], among: int) -> LikelihoodSums:
        """Return the sums of the model that holds some of the columns alone, at points that are 0 in the others."""
        cumulants = []
        for degree, values in zip(DEGREES, self.cumulants, strict=True):
            place = {entry: i for i, entry in enumerate(entries(among, degree))}
            chosen = [place[tuple(columns[j] for j in entry)] for entry in entries(len(columns), degree)]
            cumulants.append(values[:, chosen])
        return LikelihoodSums(self.value, tuple(cumulants))


@cache
def entries(k: int, degree: int) -> tuple[tuple[int, ...], ...]:
    """Return the distinct entries of a symmetric array of `degree` axes of length k."""
    return tuple(combinations_with_replacement(range(k), degree))


def numbers_at_a_point(k: int) -> int:
    """Return how many numbers are told of a model of k coefficients at one point."""
    return 1 + sum(len(entries(k, degree)) for degree in DEGREES)


def full(packed: Floats, k: int, degree: int) -> Floats:
    """Return packed entries as a whole array, shape (m, k, ..., k)."""
    return packed[:, _places(k, degree)].reshape(len(packed), *([k] * degree))


@cache
def _places(k: int, degree: int) -> Integers:
    place = {entry: i for i, entry in enumerate(entries(k, degree))}
    every = np.stack(np.meshgrid(*([np.arange(k)] * degree), indexing="ij"), axis=-1).reshape(-1, degree)
    return np.array([place[tuple(sorted(entry))] for entry in every.tolist()], dtype=np.int64)


def _monomials(X: Floats) -> list[Floats]:
    """Return the products of one to four columns, each of shape (number of entries, n).

    The entries that begin with a column are that column times those of one axis less that begin with it or a later one,
    which stand together at the end.
    """
    x, k = np.ascontiguousarray(X.T), X.shape[1]
    products: list[Floats] = [x]
    for degree in DEGREES[1:]:
        lower, of_degree = products[-1], np.empty((len(entries(k, degree)), len(X)))
        end = 0
        for j in range(k):
            begin, tail = end, lower[len(lower) - comb(k - j + degree - 2, degree - 1) :]
            end += len(tail)
            np.multiply(tail, x[j], out=of_degree[begin:end])
        products.append(of_degree)
    return products


def logistic_sums(X: Floats, outcome: Floats, *, points: Floats) -> LikelihoodSums:
    """Return the sums of a logistic model.

    Parameters
    ----------
    X
        Shape (n, k); an intercept is one of the columns.
    outcome
        Shape (n,): 1 or 0.
    points
        Coefficients, shape (m, k).

    Examples
    --------
    Two patients, one of whom responded; at b = 0 each has probability 1/2:

    >>> import numpy as np
    >>> from reinfuse.statistics.likelihood_sums import logistic_sums
    >>> sums = logistic_sums(np.ones((2, 1)), np.array([1.0, 0.0]), points=np.zeros((1, 1)))
    >>> [float(c[0, 0]) for c in sums.cumulants]
    [0.0, 0.5, 0.0, -0.25]
    """
    products = _monomials(X)

    def at(b: Floats) -> LikelihoodSums:
        eta = b @ X.T
        p = 1 / (1 + np.exp(-np.clip(eta, -700, 700)))
        q = 1 / (1 + np.exp(np.clip(eta, -700, 700)))
        w = p * q
        value = np.where(outcome == 1, -np.logaddexp(0, -eta), -np.logaddexp(0, eta)).sum(axis=1)
        residual = np.where(outcome == 1, q, -p)
        weights = (residual, w, w * (q - p), w * (1 - 6 * w))
        return LikelihoodSums(value, tuple(v @ x.T for v, x in zip(weights, products, strict=True)))

    return _in_parts(at, points, size=len(X))


def cox_sums(X: Floats, time: Floats, event: Floats, *, points: Floats) -> LikelihoodSums:
    """Return the sums of a Cox model over the risk sets of these patients, Breslow ties.

    Parameters
    ----------
    X
        Shape (n, k); no intercept.
    time, event
        Shape (n,): follow-up, and 1 or 0.
    points
        Coefficients, shape (m, k).

    Examples
    --------
    The first of two patients dies: at b = 0 either could have.

    >>> import numpy as np
    >>> from reinfuse.statistics.likelihood_sums import cox_sums
    >>> X = np.array([[1.0], [0.0]])
    >>> sums = cox_sums(X, np.array([1.0, 2.0]), np.array([1.0, 0.0]), points=np.zeros((1, 1)))
    >>> round(float(np.exp(sums.value[0])), 3), [round(float(c[0, 0]), 3) for c in sums.cumulants]
    (0.5, [0.5, 0.25, 0.0, -0.125])
    """
    order = np.argsort(-time, kind="stable")
    x = X[order] - X[order[:1]]  # no cumulant but the first knows where 0 is; exactly 0 in risk sets of one value
    died = event[order]
    count = at_the_last_of_ties(time[order][None], died[None])[0]
    places = np.flatnonzero(count > 0)
    products = _monomials(x)
    every = np.ascontiguousarray(np.concatenate(products[:2]).T)

    def at(b: Floats) -> LikelihoodSums:
        eta = b @ x.T
        sets = RiskSets.of(eta, np.ones((1, len(x))))
        means = sets.means(np.broadcast_to(every, (len(b), *every.shape)))
        shares = sets.gathered(count[None], np.ones((1, len(x))))
        turned = sets.gathered(np.broadcast_to(count, eta.shape), means[:, :, : x.shape[1]])
        sums = _summed_cumulants(
            means[:, places], count[places], [shares @ p.T for p in products[2:]], three_one=products[2] @ turned
        )
        value = eta @ died - sets.log_sums[:, places] @ count[places]
        return LikelihoodSums(value, (died @ x - sums[0], *sums[1:]))

    return _in_parts(at, points, size=every.size)


def _in_parts(at: Callable[[Floats], LikelihoodSums], points: Floats, *, size: int) -> LikelihoodSums:
    step = max(1, _NUMBERS_AT_ONCE // max(size, 1))
    return LikelihoodSums.joined([at(points[i : i + step]) for i in range(0, len(points), step)])


def _summed_cumulants(means: Floats, weights: Floats, moments: Sequence[Floats], *, three_one: Floats) -> list[Floats]:
    """Return the sums over risk sets of the first four cumulants; packed entries on the last axis.

    Stuart and Ord, Kendall's Advanced Theory of Statistics, volume 1, section 3.12, for several variables: the sum
    over sets comes first, so that products of moments are products of matrices.

    Parameters
    ----------
    means
        Of each set the mean of each column, then of the products of two, shape (m, sets, entries of both).
    weights
        Events of each set.
    moments
        Third and fourth moments about 0, summed over the sets, shape (m, entries).
    three_one
        Third moments times means, summed over the sets, shape (m, entries of three, k).
    """
    k = three_one.shape[2]
    first, second = np.array(entries(k, 2)).T
    of_sets = np.ascontiguousarray(np.swapaxes(means, 1, 2))  # entries in rows: those of a product lie side by side
    one, two = of_sets[:, :k], of_sets[:, k:]
    squares = one[:, first] * one[:, second]  # products of two means
    variances = two - squares
    apart = variances - squares
    of_one, of_squares = (np.swapaxes(v, 1, 2) for v in (one, squares))
    weighted = squares * weights
    spread = variances @ weights  # set by set: of little variation all digits are wanted
    third = moments[0] + 2 * _spread(weighted @ of_one, k, (_WHOLE[:3],), 2)
    third -= _spread((two * weights) @ of_one, k, ((0, 1, 2), (0, 2, 1), (1, 2, 0)), 2)
    fourth = moments[1] - _spread(three_one, k, ((1, 2, 3, 0), (0, 2, 3, 1), (0, 1, 3, 2), _WHOLE), 3)
    fourth += 6 * _spread(
        weighted @ of_squares, k, (_WHOLE,), 2
    )  # with the next: those of two and two, two and one, one
    fourth -= _spread((apart * weights) @ np.swapaxes(apart, 1, 2), k, (_WHOLE, (0, 2, 1, 3), (0, 3, 1, 2)), 2)
    return [one @ weights, spread, third, fourth]


def _spread(products: Floats, k: int, orders: Sequence[tuple[int, ...]], split: int) -> Floats:
    """Return for each entry the sum of products of its parts, (m, entries of one part, entries of the other).

    Parameters
    ----------
    orders
        Which axes of the entry belong to the first part and then to the second, one for each product.
    split
        How many axes the first part has.
    """
    flat = products.reshape(len(products), -1)
    return np.asarray(sum(flat[:, _parts(k, order, split)] for order in orders), dtype=np.float64)


@cache
def _parts(k: int, order: tuple[int, ...], split: int) -> Integers:
    """Return where the product of two parts stands for each entry."""
    first, other = ({entry: i for i, entry in enumerate(entries(k, d))} for d in (split, len(order) - split))
    return np.array([first[tuple(sorted(e[a] for a in order[:split]))] * len(other)
                     + other[tuple(sorted(e[a] for a in order[split:]))] for e in entries(k, len(order))],
                    dtype=np.int64)  # fmt: skip

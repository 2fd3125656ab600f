"""Simon's two-stage designs of a single arm with a binary outcome, by exact binomial sums.

n1 patients are treated; with r1 responses or fewer the study stops for futility. Otherwise it goes on to n patients in
all, and the treatment is rejected with r responses or fewer. The optimal design has the least expected number of
patients under p0, the minimax design the least n, both among those of type I error <= alpha under p0 and type II error
<= beta under p1.

Steps. (1) T[x1, r] = P(X1 = x1) P(X2 > r - x1), of n1 and n2 = n - n1 patients. (2) P(promising) for (r1, r) is the sum
of T over x1 > r1. (3) For each r1 the least r with P(promising | p0) <= alpha has the greatest power. (4) Of the r1
whose power is 1 - beta or more, the greatest has the least expected number of patients.

Simon R, Control Clin Trials 1989;10:1-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import binom

from reinfuse.arrays import Floats


@dataclass(frozen=True)
class TwoStageDesign:
    """A two-stage design with its operating characteristics.

    Attributes
    ----------
    kind
        ``optimal`` or ``minimax``.
    r1, n1, r, n
        Stop after n1 patients with r1 responses or fewer; not promising after n with r or fewer.
    type_1, power
        Probability of more than r responses under p0 and p1.
    stop_null, stop_alternative
        Probability of stopping after n1 under p0 and p1.
    expected_null, expected_alternative
        Expected number of patients under p0 and p1.
    """

    kind: Literal["optimal", "minimax"]
    r1: int
    n1: int
    r: int
    n: int
    type_1: float
    power: float
    stop_null: float
    stop_alternative: float
    expected_null: float
    expected_alternative: float


def probability_promising(r1: int, n1: int, r: int, *, n: int, p: float) -> float:
    """Return the probability that a two-stage design ends with more than r responses.

    Parameters
    ----------
    r1, n1, r, n
        As in `TwoStageDesign`.
    p
        True response rate.

    Examples
    --------
    Stop after 1 patient without a response; promising with 2 responses in 2: p squared.

    >>> from reinfuse.statistics import two_stage
    >>> round(two_stage.probability_promising(0, 1, 1, n=2, p=0.5), 10)
    0.25
    """
    x1 = np.arange(r1 + 1, n1 + 1)
    return float(np.sum(binom.pmf(x1, n1, p) * binom.sf(r - x1, n - n1, p)))


def two_stage_designs(p0: float, p1: float, alpha: float, *, beta: float, most: int = 100) -> dict[str, TwoStageDesign]:
    """Return the optimal and the minimax design; empty where no design has `most` patients or fewer.

    Parameters
    ----------
    p0, p1
        Response rates: uninteresting, and worth further study; p0 < p1.
    alpha, beta
        Greatest type I and type II error.
    most
        Greatest number of patients.
    """
    best: dict[str, tuple[float, float, tuple[int, int, int, int]]] = {}
    for n in range(2, most + 1):
        if _greatest_power(n, p0, p1, alpha=alpha) < 1 - beta:
            continue
        least_expected = best["optimal"][0] if "optimal" in best else float("inf")
        for n1 in range(1, min(n, int(np.ceil(min(least_expected, n))))):
            boundary = _boundary(n1, n, p0, p1=p1, alpha=alpha, beta=beta)
            if boundary is None:
                continue
            r1, r = boundary
            expected = _expected(r1, n1, n, p=p0)
            for kind, key in (("optimal", (expected, float(n))), ("minimax", (float(n), expected))):
                if kind not in best or key < best[kind][:2]:
                    best[kind] = (*key, (r1, n1, r, n))
    return {kind: _described(kind, row[2], p0=p0, p1=p1) for kind, row in best.items()}


def _greatest_power(n: int, p0: float, p1: float, *, alpha: float) -> float:
    """Return the power of the most powerful (randomised) test of n patients, which no two-stage design exceeds."""
    c = float(binom.isf(alpha, n, p0))
    left = (alpha - float(binom.sf(c, n, p0))) / float(binom.pmf(c, n, p0))
    return float(binom.sf(c, n, p1)) + min(max(left, 0.0), 1.0) * float(binom.pmf(c, n, p1))


def _boundary(n1: int, n: int, p0: float, *, p1: float, alpha: float, beta: float) -> tuple[int, int] | None:
    """Return (r1, r) of the least expected number of patients for given n1 and n; None where there is none."""
    null, alternative = _promising(n1, n, p=p0), _promising(n1, n, p=p1)
    allowed = null <= alpha
    r = np.argmax(allowed, axis=1)
    rows = np.arange(len(r))
    right = allowed[rows, r] & (alternative[rows, r] >= 1 - beta)
    if not right.any():
        return None
    r1 = int(np.flatnonzero(right)[-1])
    return r1, int(r[r1])


def _promising(n1: int, n: int, *, p: float) -> Floats:
    """Return P(promising), shape (n1, n): of r1 = 0 ... n1 - 1 and r = 0 ... n - 1."""
    x1, r = np.arange(n1 + 1), np.arange(n)
    joint = binom.pmf(x1, n1, p)[:, None] * _exceeds(n - n1, p)[np.clip(r[None, :] - x1[:, None] + 1, 0, n - n1 + 1)]
    summed: Floats = np.cumsum(joint[::-1], axis=0)[::-1][1:]
    return summed


def _exceeds(n: int, p: float) -> Floats:
    """Return P(X > k) of k = -1 ... n."""
    tail: Floats = binom.sf(np.arange(-1, n + 1), n, p)
    return tail


def _expected(r1: int, n1: int, n: int, *, p: float) -> float:
    return n1 + (1 - float(binom.cdf(r1, n1, p))) * (n - n1)


def _described(kind: str, rule: tuple[int, int, int, int], *, p0: float, p1: float) -> TwoStageDesign:
    r1, n1, r, n = rule
    chance = [probability_promising(r1, n1, r, n=n, p=p) for p in (p0, p1)]
    stop = [float(binom.cdf(r1, n1, p)) for p in (p0, p1)]
    expected = [_expected(r1, n1, n, p=p) for p in (p0, p1)]
    return TwoStageDesign("optimal" if kind == "optimal" else "minimax", r1, n1, r, n, *chance, *stop, *expected)

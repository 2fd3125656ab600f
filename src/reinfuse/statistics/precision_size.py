"""How many patients make an estimate precise: by the expected width of its interval, not by a test.

Conventions. A proportion has its Clopper-Pearson interval; its expected half-width is the exact binomial sum. An odds
ratio has the interval exp(log OR +- z s), s^2 the sum of 1 / (count + 0.5) over the four cells (Woolf, Haldane); the
expected z s is the exact sum over two binomials. A log hazard ratio of two groups has variance 1 / (D q (1 - q)), D
events and q the share of patients in a group (Schoenfeld, Biometrika 1981;68:316-319); with q = 1/2 its standard
deviation is 2 for each event. A c-index has a normal interval with the error of Hanley and McNeil.

Clopper CJ, Pearson ES, Biometrika 1934;26:404-413; Bland JM, BMJ 2009;339:b3985 (sizes by the width of an interval).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import beta, binom

from reinfuse.arrays import Floats


@dataclass(frozen=True)
class PrecisionSize:
    """A number of patients and the precision that it gives.

    Attributes
    ----------
    n
        Patients; None where the most that were tried are not enough.
    width
        Expected half-width at n: of a proportion, or of the log of a ratio.
    assured
        Probability that the half-width is as wanted or less; NaN for hazard ratios.
    """

    n: int | None
    width: float
    assured: float


def half_widths(n: int, confidence: float) -> Floats:
    """Return the half-widths of the Clopper-Pearson interval of 0 ... n responses in n.

    Parameters
    ----------
    n
        Patients.
    confidence
        Level.

    Examples
    --------
    No response in 3: from 0 to 1 - 0.025^(1/3).

    >>> from reinfuse.statistics import precision_size
    >>> round(float(precision_size.half_widths(3, 0.95)[0]), 4)
    0.3538
    """
    x, tail = np.arange(n + 1), (1 - confidence) / 2
    lower = np.where(x > 0, beta.ppf(tail, np.maximum(x, 1), n - x + 1), 0.0)
    upper = np.where(x < n, beta.ppf(1 - tail, x + 1, np.maximum(n - x, 1)), 1.0)
    half: Floats = (upper - lower) / 2
    return half


def proportion_size(rate: float, half_width: float, *, confidence: float, most: int = 2000) -> PrecisionSize:
    """Return the fewest patients from which on the expected half-width of a proportion is small enough.

    Parameters
    ----------
    rate
        Assumed true rate.
    half_width
        Wanted half-width of the interval.
    confidence
        Level.
    most
        Greatest number of patients that is tried.
    """

    def expected(n: int) -> tuple[float, float]:
        half, chance = half_widths(n, confidence), binom.pmf(np.arange(n + 1), n, rate)
        return float(half @ chance), float(chance[half <= half_width].sum())

    return _fewest(expected, half_width, most)


def odds_ratio_size(rates: tuple[float, float], factor: float, *, share: float, confidence: float,
                    most: int = 2000) -> PrecisionSize:  # fmt: skip
    """Return the fewest patients for an odds ratio whose limits are within a factor of it, in expectation.

    Parameters
    ----------
    rates
        Assumed response rates without and with the factor.
    factor
        Greatest ratio of a limit to the estimate, above 1.
    share
        Share of patients with the factor.
    confidence, most
        As in `proportion_size`.
    """
    z, wanted = float(ndtri((1 + confidence) / 2)), float(np.log(factor))

    def expected(n: int) -> tuple[float, float]:
        with_factor = round(share * n)
        parts = []
        for size, rate in ((n - with_factor, rates[0]), (with_factor, rates[1])):
            x = np.arange(size + 1)
            parts.append((binom.pmf(x, size, rate), 1 / (x + 0.5) + 1 / (size - x + 0.5)))
        (p, v), (q, w) = parts
        half = z * np.sqrt(v[:, None] + w[None, :])
        return float(p @ half @ q), float(p @ (half <= wanted) @ q)

    return _fewest(expected, wanted, most)


def c_index_error(c: float, n: int, *, share: float) -> float:
    """Return the standard error of a c-index (area under the ROC curve) before there are data.

    Hanley JA, McNeil BJ, Radiology 1982;143:29-36, with Q1 = c / (2 - c) and Q2 = 2 c^2 / (1 + c).

    Parameters
    ----------
    c
        Assumed c-index.
    n, share
        Patients, and the share of them with the event.

    Examples
    --------
    Two patients with the event and two without, c = 0.75: the variance is (3/16 + 3/80 + 9/112) / 4.

    >>> from reinfuse.statistics import precision_size
    >>> round(precision_size.c_index_error(0.75, 4, share=0.5) ** 2, 4)
    0.0763
    """
    cases, others = share * n, (1 - share) * n
    first, second = c / (2 - c), 2 * c**2 / (1 + c)
    variance = c * (1 - c) + (cases - 1) * (first - c**2) + (others - 1) * (second - c**2)
    return float(np.sqrt(variance / (cases * others)))


def c_index_size(c: float, half_width: float, *, share: float, confidence: float, most: int = 2000) -> PrecisionSize:
    """Return the fewest patients for a c-index whose normal interval is narrow enough.

    Parameters
    ----------
    c, share
        Assumed c-index, and share of patients with the event.
    half_width, confidence, most
        As in `proportion_size`.
    """
    z = float(ndtri((1 + confidence) / 2))
    return _fewest(lambda n: (z * c_index_error(c, n, share=share), float("nan")), half_width, most)


def _fewest(expected, wanted: float, most: int) -> PrecisionSize:  # type: ignore[no-untyped-def]
    """Return the least n whose expected half-width is small enough; it falls with n but for steps of rounding."""
    low, high = 2, 4
    while high < most and expected(high)[0] > wanted:
        low, high = high, min(2 * high, most)
    if expected(high)[0] > wanted:
        return PrecisionSize(None, *expected(high))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if expected(middle)[0] <= wanted else (middle, high)
    n = low if expected(low)[0] <= wanted else high
    return PrecisionSize(n, *expected(n))


def hazard_ratio_events(factor: float, *, share: float, confidence: float) -> float:
    """Return the events for a hazard ratio whose limits are within a factor of it.

    Parameters
    ----------
    factor, share, confidence
        As in `odds_ratio_size`.

    Examples
    --------
    A factor of 2 with two equal groups: (1.96 * 2 / log 2)^2.

    >>> from reinfuse.statistics import precision_size
    >>> round(precision_size.hazard_ratio_events(2.0, share=0.5, confidence=0.95), 1)
    32.0
    """
    return float((ndtri((1 + confidence) / 2) / np.log(factor)) ** 2 / (share * (1 - share)))


def normal_power(size: float, deviation: float, *, effect: float, bound: float, alpha: float) -> float:
    """Return the probability that the one-sided interval of a normal mean lies below a bound.

    Parameters
    ----------
    size
        Observations; events for a log hazard ratio, with deviation 2 for equal groups.
    deviation
        Standard deviation of one observation.
    effect, bound
        True mean, and the value to be excluded above it.
    alpha
        One-sided.

    Examples
    --------
    >>> from reinfuse.statistics import precision_size
    >>> round(precision_size.normal_power(155, 2.0, effect=0.0, bound=0.4, alpha=0.05), 2)
    0.8
    """
    return float(ndtr((bound - effect) * np.sqrt(size) / deviation - ndtri(1 - alpha)))

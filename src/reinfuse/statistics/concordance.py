"""The c-index with its interval.

Harrell's c: the share of comparable pairs in which the patient with the greater predictor has the event, ties of the
predictor by half; of a binary outcome the area under the ROC curve. Its standard error is that of the infinitesimal
jackknife, the root of the sum over patients of the squared derivative of c by the patient's weight, as R's
``survival::concordance`` (Therneau and Watson, Mayo Clinic Technical Report 85, 2015); the interval is normal on the
logit scale, which keeps it between 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri

from reinfuse.arrays import Floats

METHOD = "infinitesimal jackknife, logit CI"
_SAME = 1e-12


@dataclass(frozen=True)
class Concordance:
    """A c-index; NaN without comparable pairs, and limits NaN where it is 0 or 1.

    Attributes
    ----------
    c, error
        The index and its standard error.
    lower, upper
        Of the interval.
    """

    c: float
    error: float
    lower: float
    upper: float


def concordance(score: Floats, event: Floats, time: Floats | None = None, *, confidence: float = 0.95) -> Concordance:
    """Return the c-index of a predictor.

    Parameters
    ----------
    score
        Greater where the event, or an early event, is expected; shape (n,).
    event, time
        1 or 0, and follow-up of a time to event; shape (n,).

    Examples
    --------
    Of the four pairs of one patient with the event and one without, three are ordered as predicted:

    >>> import numpy as np
    >>> from reinfuse.statistics.concordance import concordance
    >>> c = concordance(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 1.0]))
    >>> c.c, round(c.error, 4)
    (0.75, 0.25)
    """
    had = event == 1
    pairs = had[:, None] & ~had[None, :]
    if time is not None:
        later = (time[:, None] < time[None, :]) | ((time[:, None] == time[None, :]) & ~had[None, :])
        pairs = had[:, None] & later
    total = float(pairs.sum())
    if not total:
        return Concordance(*(float("nan"),) * 4)
    above = score[:, None] - score[None, :]
    ordered = np.where(pairs, (above > _SAME) + 0.5 * (np.abs(above) <= _SAME), 0.0)
    c = float(ordered.sum()) / total
    in_pairs = pairs.sum(axis=0) + pairs.sum(axis=1)
    influence = (ordered.sum(axis=0) + ordered.sum(axis=1) - c * in_pairs) / total
    error = float(np.sqrt((influence**2).sum()))
    if not 0 < c < 1 or not error:
        return Concordance(c, error, float("nan"), float("nan"))
    half = float(ndtri(0.5 + confidence / 2)) * error / (c * (1 - c))
    low, high = expit(logit(c) + half * np.array([-1.0, 1.0]))
    return Concordance(c, error, float(low), float(high))

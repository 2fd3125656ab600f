"""The expected share E[1 / (1 + exp(-(m + s Z)))], Z standard normal: a logistic model averaged over its mediator.

Two integrals of the same number: of the logistic function over the normal density, and of the normal distribution
function over the logistic density, as both are P(U < m + s Z), U standard logistic:

    integral expit(m + s z) phi(z) dz  =  integral Phi((m - u) / s) expit'(u) du.

The first is smooth in units of 1 where s is small, the second where it is large. Each is summed by the trapezoidal rule
in steps of `_STEP`, whose error falls as exp(-2 pi d), d the distance of the nearest pole, or the growth of the normal
density, off the real axis (Trefethen and Weideman, SIAM Rev 2014;56:385-458, theorem 5.1): for the first pi / s, for
the second pi. With the first up to s = 1 all m and s have an error below `ERROR`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, ndtr

from reinfuse.arrays import Floats

ERROR = 1e-7
_STEP = 0.8
_Z = _STEP * np.arange(-7.0, 8.0)
_Z_WEIGHTS = np.exp(-(_Z**2) / 2) / np.sqrt(2 * np.pi)
_U = _STEP * np.arange(-21.0, 22.0)
_U_WEIGHTS = expit(_U) * expit(-_U)


def expected_share(mean: Floats, spread: Floats) -> Floats:
    """Return the expected share.

    Parameters
    ----------
    mean
        m, shape (batch, n).
    spread
        s, not below 0, shape (batch,).
    """
    share = np.empty(mean.shape)
    small = spread <= 1
    for rows, one in ((small, _over_the_normal), (~small, _over_the_logistic)):
        share[rows] = one(mean[rows], spread[rows, None])
    return share


def _over_the_normal(m: Floats, s: Floats) -> Floats:
    return np.asarray(sum(w * expit(m + s * z) for z, w in zip(_Z, _Z_WEIGHTS / _Z_WEIGHTS.sum(), strict=True)))


def _over_the_logistic(m: Floats, s: Floats) -> Floats:
    return np.asarray(sum(w * ndtr((m - u) / s) for u, w in zip(_U, _U_WEIGHTS / _U_WEIGHTS.sum(), strict=True)))

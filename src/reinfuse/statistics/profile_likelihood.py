"""Profile likelihood: the test of one coefficient, and its limits by bracketing.

A limit is the value b on its own side of the estimate, the nearest one, at which the profile likelihood has fallen by
half the chi-square quantile: 2 (l_max - l_profile(b)) = quantile (Venzon and Moolgavkar, Appl Stat 1988;37:87-94).
It is bracketed by steps outwards from the estimate, so that it can lie on no other side, then found by false position
on the root of the fall, which is nearly a line in b (the Illinois variant: Dowell and Jarratt, BIT 1971;11:168-174).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats

Profile = Callable[[Floats], Floats]
"""Values of the coefficient, shape (m,), to the greatest log-likelihood with it held at each; NaN where none."""
FARTHEST = 400.0
"""Standard deviations of the column from the estimate beyond which a limit counts as not there."""
WRONG = 1e-4
"""Error of the fall beyond which a limit is not accepted."""
_CLOSE = 1e-7
_WIDER = 1.5
_ROUNDS = 100
_SIDES = np.array([-1.0, 1.0])


@dataclass(frozen=True)
class Peak:
    """The maximum of a likelihood, seen along one coefficient.

    Attributes
    ----------
    at, value
        The estimate, and the log-likelihood there.
    width
        About how far its limits are: the square root of the quantile times the variance.
    """

    at: float
    value: float
    width: float


def fall(profile: Profile, peak: Peak, values: Floats) -> Floats:
    """Return twice the fall of the profile likelihood from its maximum; NaN where it has no value."""
    return np.asarray(2 * (peak.value - profile(values)), dtype=np.float64)


def limits(profile: Profile, peak: Peak, *, quantile: float) -> Floats:
    """Return lower and upper limit; NaN where the fall is nowhere so large, or cannot be computed.

    Parameters
    ----------
    quantile
        Of chi-square on 1 df.
    """

    def excess(distance: Floats, sides: Floats) -> Floats:
        """Return by how much the root of the fall at distances from the estimate exceeds that of the quantile."""
        falls = fall(profile, peak, peak.at + sides * distance)
        return np.asarray(np.sqrt(np.maximum(falls, 0.0)) - np.sqrt(quantile), dtype=np.float64)

    near, below, far, above = _brackets(excess, peak.width, quantile=quantile)
    middle, ends = far.copy(), np.full(2, np.nan)
    live = np.flatnonzero(~np.isnan(above))
    side = np.zeros(2)  # which end stood still in the last round: its value is halved, so that it moves
    for _ in range(_ROUNDS if live.size else 0):
        cut = far[live] - above[live] * (far - near)[live] / (above - below)[live]
        inside = (near[live] < cut) & (cut < far[live])
        middle[live] = np.where(inside, cut, (near + far)[live] / 2)
        excesses = excess(middle[live], _SIDES[live])
        wrong = np.abs(excesses) * 2 * np.sqrt(quantile)
        narrow = (far - near)[live] <= 1e-13 * far[live]
        settled = (wrong < _CLOSE) | narrow | np.isnan(excesses)
        good = settled & (wrong < WRONG)
        ends[live[good]] = (peak.at + _SIDES * middle)[live[good]]
        for i, value in zip(live[~settled], excesses[~settled], strict=True):
            if value < 0:
                near[i], below[i], above[i], side[i] = middle[i], value, above[i] / (2 if side[i] < 0 else 1), -1
            else:
                far[i], above[i], below[i], side[i] = middle[i], value, below[i] / (2 if side[i] > 0 else 1), 1
        live = live[~settled]
        if not live.size:
            break
    return ends


def _brackets(excess: Callable[[Floats, Floats], Floats], width: float,
              *, quantile: float) -> tuple[Floats, Floats, Floats, Floats]:  # fmt: skip
    """Return for each side two distances between which the fall passes the quantile, with the excess there.

    NaN as the excess of the second where it is nowhere reached. Where the profile has no value, the next is tried.
    """
    near, far = np.zeros(2), np.full(2, width)
    below, above = np.full(2, -np.sqrt(quantile)), np.full(2, np.nan)
    live = np.arange(2)
    while live.size:
        excesses = excess(far[live], _SIDES[live])
        reached = excesses >= 0
        above[live[reached]] = excesses[reached]
        short = live[excesses < 0]
        near[short], below[short] = far[short], excesses[excesses < 0]
        live = live[~reached]
        far[live] *= _WIDER
        live = live[far[live] < FARTHEST]
    return near, below, far, above

"""What stratifying costs: the share of the information of a log-rank test or Cox model that stays, by sizes alone.

In a stratum of N patients of whom a share p has the factor, the risk set of n patients at an event contributes on
average p (1 - p) N / (N - 1) x (n - 1) / n times (N - 1) / N over all draws of the factor, that is p (1 - p) (1 - 1/n).
Where d of N patients have the event, at places of the order that do not depend on censoring, that comes to
d (1 - H(N) / N), H(N) = 1 + 1/2 + ... + 1/N. Without strata the same holds of all patients together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def information_kept(patients: Sequence[int], events: Sequence[int]) -> float | None:
    """Return the share of the information that strata of these sizes keep, if factor and events are alike in all.

    Parameters
    ----------
    patients, events
        Of each stratum.

    Examples
    --------
    Two pairs, all with the event: of each pair the first event compares two patients; of all four the first
    compares four, the second three, the third two. (1/2 + 1/2) / (3/4 + 2/3 + 1/2) is left.

    >>> from reinfuse.statistics.information_kept import information_kept
    >>> round(information_kept([2, 2], [2, 2]), 4)
    0.5217
    """
    return share_kept(sum(map(information_of, patients, events)), sum(patients), sum(events))


def share_kept(information: float, patients: int, events: int) -> float | None:
    """Return the share, given the sum of the information of all strata, and all their patients and events."""
    whole = information_of(patients, events)
    return information / whole if whole > 0 else None


def information_of(patients: int, events: int) -> float:
    """Return the information of one stratum, up to what depends on the factor: it adds up over strata."""
    return 0.0 if patients < 2 else float(events * (1 - (1 / np.arange(1, patients + 1)).sum() / patients))

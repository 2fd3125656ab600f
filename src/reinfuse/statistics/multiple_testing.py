"""Family-wise error: p-values of a family of hypotheses, adjusted by Holm's method or tested in a fixed sequence.

An adjusted p-value is the least family-wise level at which its hypothesis is rejected. Holm: with p in rising order,
max over j <= i of (m - j + 1) p_j, at most 1 (Scand J Stat 1979;6:65-70, R's ``p.adjust``). Fixed sequence: each
hypothesis at the full level until the first that is not rejected, max over j <= i of p_j in the order of the plan
(Maurer, Hothorn and Lehmacher 1995; Westfall and Krishen, J Stat Plan Inference 2001;99:25-40).
"""

from __future__ import annotations

import numpy as np

from reinfuse.arrays import Floats


def holm(p: Floats) -> Floats:
    """Return Holm's adjusted p-values.

    Parameters
    ----------
    p
        Shape (m,): of all hypotheses of the family; 1 of one that could not be tested.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import multiple_testing
    >>> multiple_testing.holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def fixed_sequence(p: Floats) -> Floats:
    """Return adjusted p-values of hypotheses tested one after the other until one is not rejected.

    Parameters
    ----------
    p
        Shape (m,): in the order of the plan; 1 of one that could not be tested, which ends the sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import multiple_testing
    >>> multiple_testing.fixed_sequence(np.array([0.01, 0.2, 0.03])).tolist()
    [0.01, 0.2, 0.2]
    """
    return np.asarray(np.maximum.accumulate(p), dtype=np.float64)

"""The score of Gray's test of equal cumulative incidence (Ann Stat 1988;16:1141-1154), as R's cmprsk computes it.

Of each group just before a day: r at risk, S free of either event, F cumulative incidence; d events of a pooled
incidence P. A group's share of those who would be at risk had nobody had the competing event is r (1 - F) / S; the
score is what the group has of the events beyond its share. Its variance follows from the martingales of both events:
`shared` is what a later change of the pooled incidence does to the score, so that a day's part of it is known at the
end alone, and waits in `linear` and `squared`.
"""

from __future__ import annotations

import numpy as np

from reinfuse.arrays import Bools, Floats


def gray_score(time: Floats, event: Bools, competing: Bools, *, member: Bools) -> tuple[Floats, Floats]:
    """Return the score of all groups but the last, and its variance.

    Parameters
    ----------
    time, event, competing
        Shape (n,).
    member
        Shape (groups, n): who is in which group.
    """
    k = len(member)
    score, variance, shared = np.zeros(k), np.zeros((k, k)), np.zeros((k, k))
    linear, squared = np.zeros((k, k)), np.zeros(k)
    free, incidence, pooled = np.ones(k), np.zeros(k), 0.0
    for day in np.unique(time[event | competing]):
        risk = (member & (time >= day)).sum(axis=1)
        came, other = ((member & some & (time == day)).sum(axis=1) for some in (event, competing))
        present, deaths = risk > 0, int(came.sum())
        weight = np.where(present, risk / free, 0.0)
        free_after = np.where(present, free * (risk - (came + other)) / risk, free)
        total, total_free = weight.sum(), np.where(present, risk * (1.0 - incidence) / free, 0.0).sum()
        own = np.diag(weight) - np.outer(weight, weight) / total
        shared += own * deaths / (total * (1.0 - pooled)) if pooled != 1.0 else 0.0
        score += np.where(present, came - deaths * risk * (1.0 - incidence) / (free * total_free), 0.0)
        pooled = float(pooled + deaths / total)
        left = np.where(free_after > 0, (1.0 - pooled) / free_after, 0.0)
        ties = np.where(total * free > 1, 1.0 - (deaths - 1) / (total * free - 1), 1.0)
        other_ties = np.where(risk > 1, 1.0 - (other - 1.0) / (risk - 1.0), 1.0)
        martingales = (
            (present & (deaths > 0), 1.0 - left, ties * free * deaths / (total * risk), own),
            ((free_after > 0) & (other > 0), -left, other_ties * free**2 * other / risk**2, np.zeros((k, k))),
        )
        for counted, factor, size, direct in martingales:
            for g in np.flatnonzero(counted):
                change = direct[:, g] - factor[g] * shared[:, g]
                variance += np.outer(change, change) * size[g]
                linear[:, g] += change * factor[g] * size[g]
                squared[g] += factor[g] * factor[g] * size[g]
        incidence = np.where(present, incidence + free * came / risk, incidence)
        free = free_after
    for own, waiting, size in zip(shared.T, linear.T, squared, strict=True):
        mixed = np.outer(own, waiting)
        variance += np.outer(own, own) * size + mixed + mixed.T
    return score[:-1], variance[:-1, :-1]

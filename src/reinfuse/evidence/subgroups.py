"""A synthesis by diagnosis or by construct, with a test of whether the subgroups differ."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reinfuse.evidence.register import Register
from reinfuse.evidence.synthesis import Synthesis, synthesize
from reinfuse.statistics.inverse_variance import SubgroupDifference, compare_subgroups, log_odds

By = Literal["disease", "construct"]
SAME_CONSTRUCT, OTHER_CONSTRUCT = "same construct", "other construct"


@dataclass(frozen=True, kw_only=True)
class Subgroups:
    """Syntheses of subgroups.

    Attributes
    ----------
    by
        What divides them.
    groups
        Name of each subgroup with its synthesis, those without a study left out.
    difference
        Test of equal mean log odds; None with fewer than two subgroups. No patient is in two of them.
    """

    by: By
    groups: tuple[tuple[str, Synthesis], ...]
    difference: SubgroupDifference | None


def synthesize_by(
    register: Register,
    endpoint: str,
    by: By,
    *,
    grade: str = "",
    across: Collection[str] = (),
    confidence: float = 0.95,
) -> Subgroups:
    """Pool by diagnosis or by construct.

    Parameters
    ----------
    register
        Published studies.
    endpoint, grade
        A declared endpoint or kind of toxicity.
    by
        ``disease``: figures of one diagnosis alone. ``construct``: studies that repeat the same construct beside those
        that change it; the latter are compared, not pooled with the former.
    across
        Differences across which to pool all the same.
    """
    if by == "disease":
        diseases = dict.fromkeys(d for s in register.studies for d in s.diseases)
        every = [(d, synthesize(register, endpoint, grade=grade, disease=d, across=across, confidence=confidence))
                 for d in diseases]  # fmt: skip
    else:
        same = Register(tuple(s for s in register.studies if "construct" not in s.differs_in))
        other = Register(tuple(s for s in register.studies if "construct" in s.differs_in))
        every = [(name, synthesize(part, endpoint, grade=grade, across=wide, confidence=confidence))
                 for name, part, wide in ((SAME_CONSTRUCT, same, across),
                                          (OTHER_CONSTRUCT, other, {*across, "construct"}))]  # fmt: skip
    groups = tuple((name, one) for name, one in every if one.rows)
    if len(groups) < 2:
        return Subgroups(by=by, groups=groups, difference=None)
    means, variances = zip(*(_mean(one) for _, one in groups), strict=True)
    return Subgroups(by=by, groups=groups,
                     difference=compare_subgroups(means=np.array(means), variances=np.array(variances)))  # fmt: skip


def _mean(synthesis: Synthesis) -> tuple[float, float]:
    """Return the mean log odds and its variance; of counts without a finite mean, the empirical ones of their sum."""
    mixed = synthesis.mixed
    if mixed is not None and np.isfinite([mixed.mean, mixed.se]).all():
        return mixed.mean, mixed.se**2
    events, n = (np.array([float(sum(getattr(r, name) for r in synthesis.rows))]) for name in ("events", "n"))
    effect, variance = log_odds(events=events, n=n)
    return float(effect[0]), float(variance[0])

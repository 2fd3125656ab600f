"""How long the cells persist after an infusion, by group: records from Turnbull's estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reinfuse.cohort.strata import Stratum
from reinfuse.kinetics.nca import persistence
from reinfuse.kinetics.profiles import Profile
from reinfuse.results.estimate import NOT_ESTIMABLE, NOT_REACHED, Estimate
from reinfuse.statistics.turnbull import METHOD, limits, turnbull

DAYS = (28.0, 90.0, 180.0, 365.0)
DRAWS = 200
NOTEWORTHY = 0.01


def estimates(profiles: Sequence[Profile], infusion: int, group: str | None, *, confidence: float,
              random: np.random.Generator) -> list[Estimate]:  # fmt: skip
    """Return median persistence and the probability of persisting beyond set days, after one infusion.

    Parameters
    ----------
    profiles
        Of one subset and unit; those of other infusions are passed over.
    group
        Name of the group that they are; None: all patients.

    Returns
    -------
    list of Estimate
        `analysis` ``kinetics``, `endpoint` ``persistence``, `term` ``infusion=1``. A probability is the middle of what
        the data leave open, its note tells how much; the median's limits are the interval that holds it.
    """
    of_infusion = [p for p in profiles if p.infusion == infusion]
    between = [persistence(p) for p in of_infusion]
    events = sum(right is not None for _, right in between)
    own: dict[str, Any] = {"group": group, "term": Stratum("infusion", str(infusion)), "infusion": infusion,
                           "method": METHOD, "n": len(of_infusion),
                           "events": events, "confidence": confidence}  # fmt: skip
    if not of_infusion or not events:
        note = f"{NOT_ESTIMABLE}: no patient" if not of_infusion else f"{NOT_REACHED}: no loss observed"
        return [Estimate("kinetics", "persistence", "median", unit="days", note=note, **own)]
    left, right = np.array([a for a, _ in between]), [b for _, b in between]
    fit = turnbull(left, right)
    records = [_median(fit.median(), own)]
    low = limits(left, right, DAYS, confidence=confidence, draws=DRAWS, random=random)
    followed = max(a if b is None else b for a, b in between)
    for i, day in enumerate(DAYS):
        if day > followed:
            note = f"{NOT_ESTIMABLE}: beyond the last follow-up, day {followed:g}"
            records.append(Estimate("kinetics", "persistence", "rate_at", at=day, unit="fraction", note=note, **own))
            continue
        least, most = (min(max(x, 0.0), 1.0) for x in fit.persisting(day))
        remark: str | None = None
        if most - least > NOTEWORTHY:
            remark = f"between {100 * least:.0f} and {100 * most:.0f}%: counts are sparse"
        sure = least > 1 - NOTEWORTHY or most < NOTEWORTHY
        if sure:
            remark = f"{'no' if least > NOTEWORTHY else 'every'} loss by then: interval {NOT_ESTIMABLE}"
        ends = (None, None) if sure else (float(low[i, 0]), float(low[i, 1]))
        records.append(Estimate("kinetics", "persistence", "rate_at", at=day, estimate=(least + most) / 2,
                                lower=ends[0], upper=ends[1], unit="fraction", note=remark, **own))  # fmt: skip
    return records


def _median(interval: tuple[float, float] | None, own: dict[str, Any]) -> Estimate:
    if interval is None:
        return Estimate("kinetics", "persistence", "median", unit="days", note=NOT_REACHED, **own)
    note = "limits: between which days the median lies, not a confidence interval"
    fields = {**own, "confidence": None, "method": "Turnbull"}
    return Estimate("kinetics", "persistence", "median", estimate=sum(interval) / 2, lower=interval[0],
                    upper=interval[1], unit="days", note=note, **fields)  # fmt: skip

"""What a centre tells beside models: flow, factors, worst grades, Kaplan-Meier at whole months; no small numbers.

A threshold k of 0 stands for rounds mode and for tables of which everything is told; then a curve ends, and grades are
withheld, with fewer than 5 patients. With k, in one centre: numbers of patients are 0 or at least k; grades are put
together until they are; a curve is told at half-years between which k events or none happened, with k patients left
and k events or none to come, to 0.01.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reinfuse.analyses.toxicity import kind_of
from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.pooling.centre_data import FEWEST_PATIENTS, CentreData

KINDS = ("CRS", "ICANS")
PARTITIONS = (("0", "1", "2", "3", "4", "5"), ("0", "1-2", "3-5"), ("0-2", "3-5"), ("0", "1-5"))
"""How grades are put together, from fine to coarse; the first is told in which no number is small."""
HALF_YEAR = 6
HELD_BACK = "held_back"
"""In masked mode, how many centres hold a number back."""


def few(number: int, k: int) -> bool:
    """Tell whether a number of patients is from 1 to k - 1."""
    return 0 < number < k


def flow_table(centre: CentreData, k: int) -> dict[str, Any]:
    """Return patients, analysed, and excluded by reason; None in place of what would tell a small number."""
    flow, analysed = centre.data.flow, centre.data.frame.height
    excluded = Counter(r for r in flow["reason"].to_list() if r is not None)
    shown = {} if any(few(n, k) for n in excluded.values()) else dict(sorted(excluded.items()))
    return {"patients": None if few(flow.height - analysed, k) else flow.height, "analysed": analysed,
            "excluded": shown}  # fmt: skip


def factor_table(centre: CentreData, name: str, k: int) -> dict[str, Any]:
    """Return each level's count, or the sums of a number; None in place of what is or would tell a small number."""
    if name in centre.groups:
        group, levels = centre.groups[name], centre.study.levels_of(name)
        counts: dict[str | None, int] = {level: int((group == i).sum()) for i, level in enumerate(levels)}
        shown = _without_small({**counts, None: int((group < 0).sum())}, k)
        return {"levels": {level: shown[level] for level in levels}, "missing": shown[None]}
    values = centre.values[name]
    observed = values[~np.isnan(values)]
    if few(len(values) - len(observed), k) or few(len(observed), k):
        return {"n": None, "sum": None, "sum_of_squares": None, "missing": None}
    return {"n": len(observed), "sum": float(observed.sum()), "sum_of_squares": float((observed**2).sum()),
            "missing": len(values) - len(observed)}  # fmt: skip


def _without_small(counts: Mapping[str | None, int], k: int) -> dict[str | None, int | None]:
    """Hide small counts, and the next smallest until what is hidden is at least k, in two levels or more."""
    hidden = {level for level, n in counts.items() if few(n, k)}
    shown = sorted((level for level, n in counts.items() if n and level not in hidden), key=lambda x: counts[x])
    while hidden and shown and (len(hidden) < 2 or sum(counts[x] for x in hidden) < k):
        hidden.add(shown.pop(0))
    return {level: None if level in hidden else n for level, n in counts.items()}


def toxicity_table(centre: CentreData, k: int) -> dict[str, Any]:
    """Return for each kind the patients by worst grade after the index infusion; None where nothing may be told."""
    tables = {}
    for column in centre.data.grades:
        kind = kind_of(column)
        if kind in KINDS:
            every = centre.data.frame[column].fill_null(-1).to_numpy()
            grades = every[every >= 0]
            tables[kind] = {"n": len(grades), "grades": _by_grade(grades, k)}
            if few(len(every) - len(grades), k) or len(grades) < max(k, FEWEST_PATIENTS):
                tables[kind] = {"n": None, "grades": None}
    return dict(sorted(tables.items()))


def _by_grade(grades: Floats, k: int) -> dict[str, int] | None:
    for partition in PARTITIONS:
        counts = {part: int(sum((grades == grade).sum() for grade in grades_of(part))) for part in partition}
        if not any(few(n, k) for n in counts.values()):
            return counts
    return None


def grades_of(part: str) -> range:
    """Return the grades of a part: 1 and 2 of ``1-2``."""
    return range(int(part[0]), int(part[-1]) + 1)


def curve_table(centre: CentreData, name: str, k: int, *, beside: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return Kaplan-Meier estimates at whole months with their standard errors, and events since the month before.

    Parameters
    ----------
    beside
        Curves that are told already: a month is not told where the events of both until then differ by few patients.
    """
    end = centre.endpoint(name)
    assert end.time is not None
    time, event = end.time[end.known], end.event[end.known]
    step, least = (HALF_YEAR, k) if k else (1, FEWEST_PATIENTS)
    months, events, last = [0], [0], 0
    for month in range(step, int(time.max() // DAYS_A_MONTH) + 1, step):
        day = month * DAYS_A_MONTH
        happened = int(event[time <= day].sum())
        if int((time > day).sum()) < least:
            break
        if few(happened - last, k) or few(int(event.sum()) - happened, k):
            continue
        if any(few(abs(happened - until_month(other, month)), k) for other in beside.values()):
            continue
        months.append(month)
        events.append(happened - last)
        last = happened
    if len(months) == 1:
        return None
    survival, errors = kaplan_meier_at(time, event, days=np.array(months) * DAYS_A_MONTH)
    if k:
        survival, errors = np.round(survival, 2), np.round(errors, 2)
    return {"n": len(time), "months": months, "events": events, "survival": survival.tolist(), "se": errors.tolist()}


def until_month(curve: Mapping[str, Any], month: int) -> int:
    """Return the events of a curve until a month, as far as they are told."""
    return sum(x for m, x in zip(curve["months"], curve["events"], strict=True) if m <= month)


def kaplan_meier_at(time: Floats, event: Floats, *, days: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    """Return the survival probability on some days, and its standard error by Greenwood's formula."""
    at = np.unique(time[event == 1])
    died = ((time == at[:, None]) & (event == 1)).sum(axis=1)
    risk = (time >= at[:, None]).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.concatenate([[1.0], np.cumprod(1 - died / risk)])
        error = np.concatenate([[0.0], np.sqrt(np.cumsum(died / (risk * (risk - died))))])
    i = np.searchsorted(at, days, side="right")
    with np.errstate(invalid="ignore"):
        return survival[i], np.where(survival[i] > 0, survival[i] * error[i], 0.0)

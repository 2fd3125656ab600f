"""Guyot's algorithm: one risk table of a published curve with numbers at risk, for curves of many patients.

Between two printed numbers at risk patients are censored at a constant rate; their number is adjusted until the number
at risk at the end is the printed one. Events of a step are n_k (1 - S_k / S_(k-1)), rounded, where S_(k-1) is the
height that the table itself has reached. After the last printed number the rate is that of the time before it, or,
where the number of events is printed, the one that gives it. The spread comes from curves whose heights are moved by
the reading error.

Guyot P, Ades AE, Ouwens MJ, Welton NJ, BMC Med Res Methodol 2012;12:9.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reinfuse.arrays import Floats, Integers
from reinfuse.statistics.curve_reading import CurveReading
from reinfuse.statistics.risk_tables import RiskTables

_ROUNDS = 200
_NEIGHBOURS = 2


def guyot_table(reading: CurveReading) -> tuple[Integers, Integers]:
    """Return numbers at risk and events of each step.

    Parameters
    ----------
    reading
        The curve.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import guyot
    >>> from reinfuse.statistics.curve_reading import CurveReading
    >>> curve = CurveReading(np.array([1.0, 3.0]), np.array([0.75, 0.375]), 0.01, 4.0, np.array([0.0, 2.0]),
    ...                      np.array([4, 2]))
    >>> [column.tolist() for column in guyot.guyot_table(curve)]
    [[4, 2], [1, 1]]
    """
    at_risk = np.ones(len(reading.time), np.int64)
    events = np.zeros(len(reading.time), np.int64)
    starts = np.append(reading.risk_time, np.inf)
    left, height, censored = reading.patients, 1.0, 0
    for i in range(len(reading.risk)):
        steps = np.flatnonzero((reading.time >= starts[i]) & (reading.time < starts[i + 1]))
        if i + 1 < len(reading.risk):
            number, after = _matched(reading, steps, left, height, ends=(starts[i], starts[i + 1], reading.risk[i + 1]))
        else:
            number = _at_the_end(reading, left, censored=censored)
            if reading.events is not None:
                number = _of_events(
                    reading, steps, left, height, missing=reading.events - int(events.sum()), near=number
                )
            after = _walk(reading, steps, left, height, censored=number, ends=(starts[i], reading.end))
        at_risk[steps], events[steps], left, height = after
        censored += number
        left = int(reading.risk[i + 1]) if i + 1 < len(reading.risk) else left
    return at_risk, events


def guyot_tables(reading: CurveReading, *, draws: int = 200, seed: int = 20_260) -> RiskTables:
    """Return the table of the curve, and those of curves whose heights are moved by the reading error.

    Parameters
    ----------
    reading
        The curve.
    draws
        Number of moved curves.
    seed
        Of the moves.
    """
    random, rows = np.random.default_rng(seed), [guyot_table(reading)]
    for _ in range(draws):
        moved = np.clip(reading.survival + random.normal(0, reading.error, len(reading.survival)), 0, 1)
        rows.append(guyot_table(_moved(reading, np.minimum.accumulate(moved))))
    at_risk, events = (np.stack(column) for column in zip(*rows, strict=True))
    weight = np.append(0.0, np.full(draws, 1 / draws)) if draws else np.ones(1)
    return RiskTables(at_risk, events, weight, float("nan"), False, False, 0)


def _moved(reading: CurveReading, survival: Floats) -> CurveReading:
    return replace(reading, survival=survival)


_Walked = tuple[Integers, Integers, int, float]
"""Numbers at risk, events, patients left, height."""


def _matched(reading: CurveReading, steps: Integers, left: int, height: float,
             *, ends: tuple[float, float, int]) -> tuple[int, _Walked]:  # fmt: skip
    """Return the number censored with which the number at risk at the end is the printed one, and the steps."""
    start, end, printed = ends
    last = float(reading.survival[steps[-1]]) if len(steps) else height
    number = max(round(left * last / height) - int(printed), 0) if height > 0 else 0
    walked = _walk(reading, steps, left, height, censored=number, ends=(start, end))
    for _ in range(_ROUNDS):
        missed = walked[2] - int(printed)
        if missed == 0 or (missed < 0 and number == 0):
            break
        number = max(number + missed, 0)
        walked = _walk(reading, steps, left, height, censored=number, ends=(start, end))
    return number, walked


def _at_the_end(reading: CurveReading, left: int, *, censored: int) -> int:
    """Return the number censored after the last printed number at risk, at the rate before it."""
    since = float(reading.risk_time[-1])
    if since <= 0:
        return 0
    return min(round(censored / since * max(reading.end - since, 0.0)), left)


def _of_events(reading: CurveReading, steps: Integers, left: int, height: float, *, missing: int, near: int) -> int:
    """Return the number censored with which the events are nearest to those missing; of equals, nearest to a guess."""
    ends = (float(reading.risk_time[-1]), reading.end)

    def miss(number: int) -> tuple[int, int]:
        events = _walk(reading, steps, left, height, censored=number, ends=ends)[1]
        return abs(int(events.sum()) - missing), abs(number - near)

    low, high = 0, left
    while high - low > _NEIGHBOURS:  # the more are censored, the fewer have the event, but for rounding
        middle = (low + high) // 2
        fewer = int(_walk(reading, steps, left, height, censored=middle, ends=ends)[1].sum()) < missing
        low, high = (low, middle) if fewer else (middle, high)
    return min(range(max(low - _NEIGHBOURS, 0), min(high + _NEIGHBOURS, left) + 1), key=miss)


def _walk(reading: CurveReading, steps: Integers, left: int, height: float, *, censored: int,
          ends: tuple[float, float]) -> _Walked:  # fmt: skip
    start, end = ends
    times = start + (np.arange(censored) + 0.5) / max(censored, 1) * (end - start)
    at_risk, events = np.ones(len(steps), np.int64), np.zeros(len(steps), np.int64)
    before = start
    for j, k in enumerate(steps):
        left = max(left - int(np.sum((times >= before) & (times < reading.time[k]))), 0)
        before = float(reading.time[k])
        wanted = float(reading.survival[k])
        died = min(max(round(left * (1 - wanted / height)), 0), left) if left and height > 0 else 0
        at_risk[j], events[j] = max(left, 1), died
        height *= 1 - died / left if left else 1.0
        left -= died
    return at_risk, events, max(left - int(np.sum(times >= before)), 0), height

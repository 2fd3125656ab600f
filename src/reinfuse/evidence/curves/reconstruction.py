"""From curves and numbers at risk to all risk tables that agree with them, and to what these agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.evidence.curves.digitised import DigitisedArm, PrintedRisk
from reinfuse.exceptions import Problem, SourceRefused
from reinfuse.statistics import guyot, reconstructed, risk_tables
from reinfuse.statistics.curve_reading import CurveReading
from reinfuse.statistics.reconstructed import EnsembleEstimate
from reinfuse.statistics.reconstructed_contrast import HazardRatioRange, hazard_ratio
from reinfuse.statistics.risk_tables import NoTable, RiskTables

EXACT_UP_TO = 200
"""Patients of an arm up to whom all tables are searched; beyond, Guyot's algorithm."""
_ALONG_UP_TO = 100
"""The same, where points lie along the curve and any of them may have no event: there are far more tables."""
MOST_STEPS = 400
_PAIRS = 400
_SEED = 20_260
_EQUAL = 1e-9
_SAME_TIME = 1e-4
"""Part of the longest time by which a mark and a step may differ and be at one time."""
_GREATEST_ERROR = 0.05


@dataclass(frozen=True, kw_only=True)
class CurveRequest:
    """What is asked of curves.

    Attributes
    ----------
    error
        Standard deviation of a height, as a share.
    time_error
        Times that differ by no more are one; None: a thousandth of the longest curve.
    along
        Points lie anywhere on the curve, instead of one at each step.
    events
        Arm -> printed number of events.
    times
        At which survival is wanted.
    horizon
        Of the restricted mean; None: the end of the shortest curve.
    """

    arms: tuple[DigitisedArm, ...]
    risk: tuple[PrintedRisk, ...]
    error: float
    time_error: float | None = None
    along: bool = False
    events: tuple[tuple[str, int], ...] = ()
    times: tuple[float, ...] = ()
    horizon: float | None = None
    confidence: float = 0.95
    unit: str = "months"


@dataclass(frozen=True)
class ArmTables:
    """The tables of one arm; `searched`: all that agree were searched, else Guyot's algorithm was used."""

    name: str
    reading: CurveReading
    tables: RiskTables
    searched: bool


@dataclass(frozen=True)
class CurveEstimate:
    """An estimate of an arm from all its tables: `median`, `survival` (at a time), or `restricted_mean`."""

    arm: str
    statistic: str
    at: float | None
    estimate: EnsembleEstimate


@dataclass(frozen=True)
class CurveStudy:
    """What curves give.

    Attributes
    ----------
    hazard_ratio
        Of the second arm to the first; None unless there are two.
    """

    request: CurveRequest
    arms: tuple[ArmTables, ...]
    estimates: tuple[CurveEstimate, ...]
    hazard_ratio: HazardRatioRange | None


def reconstruct(request: CurveRequest, problems: Sequence[Problem] = ()) -> CurveStudy:
    """Return all that the tables of the curves agree on.

    Parameters
    ----------
    request
        Curves and numbers at risk.
    problems
        What was wrong before.

    Raises
    ------
    SourceRefused
        With everything that is wrong, or where no table agrees with a curve.
    """
    every = [*problems, *_settings(request)]
    readings = _readings(request, every)
    if every:
        raise SourceRefused(every)
    arms = []
    for name, reading in readings:
        most = _ALONG_UP_TO if request.along else EXACT_UP_TO
        searched = reading.patients <= most and len(reading.time) <= MOST_STEPS
        try:
            tables = risk_tables.agreeing_tables(reading) if searched else guyot.guyot_tables(reading)
            arms.append(ArmTables(name, reading, tables, searched))
        except NoTable as missed:
            every.append(_no_table(name, reading, step=missed.step))
    if every:
        raise SourceRefused(every)
    horizon = request.horizon or min(arm.reading.end for arm in arms)
    estimates = tuple(e for arm in arms for e in _estimates(arm, request, horizon))
    ratio = _ratio(arms[0], arms[1], confidence=request.confidence) if len(arms) == 2 else None
    return CurveStudy(request, tuple(arms), estimates, ratio)


def _estimates(arm: ArmTables, request: CurveRequest, horizon: float) -> list[CurveEstimate]:
    own = [
        CurveEstimate(
            arm.name, "median", None, reconstructed.median_time(arm.reading, arm.tables, confidence=request.confidence)
        )
    ]
    for time in request.times:
        if time <= arm.reading.end:
            level = reconstructed.survival_at(arm.reading, arm.tables, time, confidence=request.confidence)
            own.append(CurveEstimate(arm.name, "survival", time, level))
    mean = reconstructed.restricted_mean(arm.reading, arm.tables, horizon, confidence=request.confidence)
    return [*own, CurveEstimate(arm.name, "restricted_mean", horizon, mean)]


def _ratio(first: ArmTables, second: ArmTables, *, confidence: float) -> HazardRatioRange:
    random = np.random.default_rng(_SEED)
    drawn = []
    for arm in (first, second):
        rows = random.choice(len(arm.tables.weight), _PAIRS, p=arm.tables.weight)
        drawn.append([reconstructed.patients_of(arm.reading, arm.tables.at_risk[i], arm.tables.events[i], random=random)
                      for i in rows])  # fmt: skip
    return hazard_ratio(drawn[0], drawn[1], confidence=confidence)


def most_likely_patients(arm: ArmTables) -> tuple[Floats, Floats]:
    """Return follow-up and event of the patients of an arm's most likely table."""
    tables, random = arm.tables, np.random.default_rng(_SEED)
    return reconstructed.patients_of(
        arm.reading, tables.at_risk[tables.best], tables.events[tables.best], random=random
    )


def _settings(request: CurveRequest) -> list[Problem]:
    wrong = []
    if not 0 < request.error <= _GREATEST_ERROR:
        wrong.append(
            _option(
                "--reading-error",
                f"{100 * request.error:g}",
                "is not above 0 and up to 5 (percent)",
                remedy="give the standard deviation of a height, in percent of the axis: 0.05 to 1",
            )
        )
    if request.time_error is not None and request.time_error < 0:
        wrong.append(_option("--time-error", f"{request.time_error:g}", "is below 0", remedy="give 0 or more"))
    if not 0.5 < request.confidence < 1:
        wrong.append(_option("--confidence", f"{request.confidence:g}", "is not between 0.5 and 1", remedy="give 0.95"))
    ends = [float(arm.time[-1]) for arm in request.arms]
    for option, values in (("--at", request.times), ("--horizon", [request.horizon] if request.horizon else [])):
        late = [v for v in values if v is not None and (v <= 0 or (ends and v > min(ends)))]
        if late:
            wrong.append(_option(option, ", ".join(f"{v:g}" for v in late), "is not within every curve",
                                 remedy=f"give times above 0 and up to {min(ends, default=0):g}"))  # fmt: skip
    names = {arm.name for arm in request.arms}
    wrong += [_option("--events", name, "is no arm of these curves", remedy=f"there are: {', '.join(sorted(names))}")
              for name, _ in request.events if name not in names and request.arms]  # fmt: skip
    return wrong


def _option(column: str, value: str, rule: str, *, remedy: str) -> Problem:
    return Problem(table="curve", column=column, value=value, rule=rule, remedy=remedy)


def _readings(request: CurveRequest, problems: list[Problem]) -> list[tuple[str, CurveReading]]:
    """Return each arm's curve with its numbers at risk."""
    printed = {one.arm: one for one in request.risk}
    single = len(request.arms) == 1 and len(request.risk) == 1
    longest = max((float(arm.time[-1]) for arm in request.arms), default=0.0)
    slack = longest / 1000 if request.time_error is None else request.time_error
    readings = []
    for arm in request.arms:
        own = request.risk[0] if single else printed.get(arm.name)
        if own is None:
            listed = ", ".join(sorted(printed)) or "none is given"
            problems.append(
                _option(
                    "--at-risk",
                    arm.name,
                    "an arm has no numbers at risk",
                    remedy=f"give its number of patients at least (NAME=0:22); there are: {listed}",
                )
            )
            continue
        reading = _reading(arm, own, request, slack=slack, problems=problems)
        if reading is not None:
            readings.append((arm.name, reading))
    unused = [name for name in printed if name not in {arm.name for arm in request.arms}]
    if request.arms and not single:
        problems += [
            _option(
                "--at-risk",
                name,
                "is no arm of these curves",
                remedy=f"there are: {', '.join(arm.name for arm in request.arms)}",
            )
            for name in unused
        ]
    return readings


def _reading(arm: DigitisedArm, risk: PrintedRisk, request: CurveRequest, *, slack: float,
             problems: list[Problem]) -> CurveReading | None:  # fmt: skip
    end, before = float(arm.time[-1]), len(problems)
    late = [(t, n) for t, n in zip(risk.time, risk.number, strict=True) if t > end + slack and n > 0]
    if late:
        problems.append(
            _option(
                "--at-risk",
                f"{arm.name} {late[0][0]:g}:{late[0][1]}".strip(),
                f"patients are at risk after the end of the curve, time {end:g}",
                remedy="follow the curve to its end: the last point is the last follow-up",
            )
        )
    rises = np.diff(np.append(1.0, arm.survival))
    if rises.max(initial=0.0) > 2 * risk_tables.REACH * request.error:
        k = int(np.argmax(rises))
        problems.append(_option("survival", arm.name, f"rises by {100 * rises[k]:.2g} % at time {arm.time[k]:g}",
                                remedy="correct the point, or give a larger --reading-error"))  # fmt: skip
    steps = _steps(arm) if not request.along else (arm.time > 0)
    if not np.any(arm.survival[steps] < 1):
        problems.append(_option("survival", arm.name, "the curve has no step",
                                remedy="without an event there is nothing to reconstruct"))  # fmt: skip
    if len(problems) > before:
        return None
    marks = None if arm.marks is None else _at_steps(arm.marks[arm.marks <= end + slack], arm.time[steps], end=end)
    inside = [k for k, t in enumerate(risk.time) if t <= end]
    return CurveReading(
        arm.time[steps], arm.survival[steps], request.error, end,
        np.array([risk.time[k] for k in inside], float), np.array([risk.number[k] for k in inside], np.int64),
        slack, marks, not request.along, dict(request.events).get(arm.name),
    )  # fmt: skip


def _at_steps(marks: Floats, steps: Floats, *, end: float) -> Floats:
    """Return marks, those that cannot be told from a step at its time: who is censored then was at risk in it."""
    nearest = steps[np.argmin(np.abs(marks[:, None] - steps), axis=1)]
    same: Floats = np.where(np.abs(marks - nearest) <= _SAME_TIME * end, nearest, np.minimum(marks, end))
    return same


def _steps(arm: DigitisedArm) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which points are the bottom of a step: lower than the point before, and the last of their time."""
    falls = np.abs(np.diff(np.append(1.0, arm.survival))) > _EQUAL
    last = np.append(np.diff(arm.time) > 0, True)
    changed = falls.copy()
    for k in range(1, len(changed)):  # points of one time: the lowest stands for all
        if not last[k - 1]:
            changed[k] |= changed[k - 1]
    steps: np.ndarray[tuple[int], np.dtype[np.bool_]] = changed & last
    return steps


def _no_table(name: str, reading: CurveReading, *, step: int) -> Problem:
    """Return the problem of a curve with which no table agrees, and the error with which one would."""
    percent = 100 * reading.error
    whose = f" of {name}" if name else ""
    rule = (
        f"no whole numbers of patients agree with the curve{whose} and its numbers at risk "
        f"within a reading error of {percent:g} %; the first step without any is at time {reading.time[step]:g}"
    )
    error = reading.error
    while error < _GREATEST_ERROR / 2:
        error *= 2
        try:
            risk_tables.agreeing_tables(replace(reading, error=error))
        except NoTable:
            continue
        remedy = f"look at that step and the numbers at risk around it; with --reading-error {100 * error:g} some agree"
        return _option("survival", "", rule, remedy=remedy)
    remedy = "look at that step, at the numbers at risk around it, and whether each row is a step (else --along)"
    return _option("survival", "", rule, remedy=remedy)

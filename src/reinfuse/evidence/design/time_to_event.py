"""A single arm against a reference curve: the one-sample log-rank test, its size and its errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.evidence.design.demands import Demands
from reinfuse.statistics.one_sample_log_rank import (
    FollowUp,
    LogRankSize,
    ReferenceHazard,
    fewest_expected,
    hazard_of_curve,
    log_rank_size,
    probability_of_rejection,
    weibull_hazard,
)

MOST_PATIENTS = 2000
_SMALL = 150
"""Patients up to whom the size is found by exact sums too."""


@dataclass(frozen=True, kw_only=True)
class LogRankRequest:
    """What is asked of a study against a reference; as the options of `reinfuse design logrank`.

    Attributes
    ----------
    median
        Of the reference, exponential or Weibull.
    survival, at
        Or its survival at a time.
    curve
        Or the times and heights of a published or own Kaplan-Meier curve.
    """

    ratio: float
    accrual: float
    follow_up: float
    median: float | None = None
    survival: float | None = None
    at: float | None = None
    curve: tuple[Floats, Floats] | None = None
    shape: float = 1.0
    loss: float = 0.0
    alpha: float = 0.05
    power: float = 0.8
    unit: str = "months"


@dataclass(frozen=True)
class LogRankStudy:
    """A study for a request.

    Attributes
    ----------
    request
        What was asked.
    size
        Patients and expected events.
    type_1, power
        Of this size, by exact sums.
    fewest
        Patients who have the wanted power by exact sums, one fewer not; None in large studies, where both agree.
    decisions
        Pairs of observed events and the expected number that must be exceeded.
    """

    request: LogRankRequest
    size: LogRankSize
    type_1: float
    power: float
    fewest: int | None
    decisions: tuple[tuple[int, float], ...]


def plan_log_rank(request: LogRankRequest) -> LogRankStudy:
    """Return the size and errors of a study.

    Raises
    ------
    RequestRefused
        With everything that is wrong with the request, or if the reference ends before the study does.
    """
    demands = Demands("design logrank")
    demands.share("--ratio", request.ratio)
    accrued = demands.positive("--accrual", request.accrual, most=1e5, zero=True)
    followed = demands.positive("--follow-up", request.follow_up, most=1e5, zero=True)
    if accrued and followed and request.accrual + request.follow_up <= 0:
        demands.refuse("--follow-up", request.follow_up, rule="nobody is followed", remedy="give more than 0")
    demands.positive("--loss", request.loss, most=10, zero=True)
    demands.share("--alpha", request.alpha, most=0.5)
    demands.share("--power", request.power, least=0.5)
    demands.positive("--shape", request.shape, most=20)
    _reference_given(demands, request)
    demands.settle()
    reference = _reference(request)
    follow_up = FollowUp(request.accrual, request.follow_up, request.loss)
    _refuse_short_curve(demands, request, reference=reference)
    size = log_rank_size(reference, request.ratio, follow_up, alpha=request.alpha, power=request.power)
    if size.n > MOST_PATIENTS:
        rule = f"needs {size.n:,} patients"
        demands.refuse("--ratio", request.ratio, rule=rule, remedy="follow up for longer, or ask for a smaller ratio")
        demands.settle()
    exact = partial(probability_of_rejection, reference, follow_up=follow_up, alpha=request.alpha)
    type_1, power = (exact(ratio, n=size.n) for ratio in (1.0, request.ratio))
    fewest = _fewest(partial(exact, request.ratio), request.power, start=size.n)
    most = int(size.events_null)
    decisions = tuple((o, fewest_expected(o, alpha=request.alpha)) for o in range(most + 1))
    return LogRankStudy(request, size, type_1, power, fewest, decisions)


def _fewest(power: Callable[..., float], wanted: float, *, start: int) -> int | None:
    """Return the number of patients near a start at which the power comes to what is wanted."""
    if start > _SMALL:
        return None
    n = start
    if power(n=n) >= wanted:
        while n > 1 and power(n=n - 1) >= wanted:
            n -= 1
        return n
    while power(n=n) < wanted:
        n += 1
        if n > 2 * start + 2:
            return None
    return n


def _reference_given(demands: Demands, request: LogRankRequest) -> None:
    ways = [request.median is not None, request.survival is not None or request.at is not None,
            request.curve is not None]  # fmt: skip
    if sum(ways) != 1:
        rule = "the reference is missing" if not any(ways) else "more than one reference is given"
        remedy = "give --median, or --survival with --at, or --curve"
        demands.refuse("--median, --survival, --curve", None, rule=rule, remedy=remedy)
        return
    if ways[0]:
        demands.positive("--median", request.median, most=1e5)
    if ways[1]:
        demands.share("--survival", request.survival)
        demands.positive("--at", request.at, most=1e5)
    if request.curve is not None and not np.any((request.curve[1] < 1) & (request.curve[1] > 0)):
        rule = "has no step between 1 and 0"
        demands.refuse("--curve", None, rule=rule, remedy="give a curve with survival below 1")
    if request.curve is not None and request.shape != 1:
        demands.refuse("--shape", request.shape, rule="belongs to --median or --survival", remedy="leave it out")


def _reference(request: LogRankRequest) -> ReferenceHazard:
    if request.curve is not None:
        return hazard_of_curve(*request.curve)
    until = request.accrual + request.follow_up
    if request.median is not None:
        scale = request.median / np.log(2) ** (1 / request.shape)
    else:
        scale = (request.at or 0.0) / (-np.log(request.survival or 0.5)) ** (1 / request.shape)
    return weibull_hazard(float(scale), request.shape, until=until)


def _refuse_short_curve(demands: Demands, request: LogRankRequest, *, reference: ReferenceHazard) -> None:
    last, needed = float(reference.time[-1]), request.accrual + request.follow_up
    if last < needed * (1 - 1e-9):
        rule = f"ends at {last:g} {request.unit}, and patients are followed for up to {needed:g}"
        remedy = "shorten accrual and follow-up, or give --median of a distribution that goes on"
        demands.refuse("--curve", f"{last:g}", rule=rule, remedy=remedy)
        demands.settle()

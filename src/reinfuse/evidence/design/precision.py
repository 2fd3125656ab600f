"""How many patients make a proportion, an odds ratio or a hazard ratio precise enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from reinfuse.evidence.design.demands import Demands
from reinfuse.statistics.precision_size import (
    PrecisionSize,
    c_index_size,
    hazard_ratio_events,
    normal_power,
    odds_ratio_size,
    proportion_size,
)

Measure = Literal["proportion", "odds-ratio", "hazard-ratio", "c-index"]
MEASURES: tuple[Measure, ...] = ("proportion", "odds-ratio", "hazard-ratio", "c-index")
ON_ITS_SCALE: tuple[Measure, ...] = ("proportion", "c-index")
"""Measures whose precision is a half-width; of ratios it is a factor."""
MOST_PATIENTS = 2000
_NEIGHBOURS = (0.5, 0.75, 1.0, 1.5, 2.0)


@dataclass(frozen=True, kw_only=True)
class PrecisionRequest:
    """What is asked of the precision of an estimate; as the options of `reinfuse design precision`.

    Attributes
    ----------
    rates
        One rate of a proportion; rates without and with the factor of an odds ratio; the share of patients with an
        event of a hazard ratio; of a c-index the assumed one and the share of patients with an event.
    half_width
        Wanted half-width of the interval of a proportion or a c-index.
    factor
        Greatest ratio of a limit to the estimate of a ratio.
    share
        Share of patients with the factor.
    exclude, ratio
        Of a hazard ratio: the value to be excluded, and the true one, for the power to do so.
    """

    measure: Measure
    rates: tuple[float, ...] = ()
    half_width: float | None = None
    factor: float | None = None
    share: float = 0.5
    confidence: float = 0.95
    exclude: float | None = None
    ratio: float | None = None


@dataclass(frozen=True)
class PrecisionStudy:
    """Sizes for a request.

    Attributes
    ----------
    request
        What was asked.
    size
        For the wanted precision.
    events
        Of a hazard ratio.
    others
        Wanted precision (half-width or factor) and the size for it.
    power
        To exclude a hazard ratio; None where it was not asked for.
    """

    request: PrecisionRequest
    size: PrecisionSize
    events: float | None
    others: tuple[tuple[float, PrecisionSize], ...]
    power: float | None


def plan_precision(request: PrecisionRequest) -> PrecisionStudy:
    """Return the number of patients for a precision.

    Raises
    ------
    RequestRefused
        With everything that is wrong with the request, or if more than `MOST_PATIENTS` are needed.
    """
    demands = Demands("design precision")
    _demand(demands, request)
    demands.settle()
    is_proportion = request.measure in ON_ITS_SCALE
    wanted = (request.half_width if is_proportion else request.factor) or 0.0
    size = _size(request, wanted)
    if size.n is None:
        option = "--half-width" if is_proportion else "--factor"
        rule = f"needs more than {MOST_PATIENTS:,} patients"
        demands.refuse(option, f"{wanted:g}", rule=rule, remedy="ask for less precision")
        demands.settle()
    tried = [wanted * k if is_proportion else math.exp(math.log(wanted) * k) for k in _NEIGHBOURS]
    others = tuple((w, _size(request, w)) for w in tried if not is_proportion or w < 0.5)
    events = _events(request, wanted) if request.measure == "hazard-ratio" else None
    power = None
    if events is not None and request.exclude is not None and request.ratio is not None:
        deviation = 1 / math.sqrt(request.share * (1 - request.share))
        sign = 1.0 if request.ratio < request.exclude else -1.0
        power = normal_power(math.ceil(events), deviation, effect=sign * math.log(request.ratio),
                             bound=sign * math.log(request.exclude), alpha=(1 - request.confidence) / 2)  # fmt: skip
    return PrecisionStudy(request, size, events, others, power)


def _demand(demands: Demands, request: PrecisionRequest) -> None:
    needed = 2 if request.measure in ("odds-ratio", "c-index") else 1
    if len(request.rates) != needed:
        meanings = {"proportion": "the assumed rate", "odds-ratio": "the rates without and with the factor",
                    "hazard-ratio": "the share of patients with an event",
                    "c-index": "the assumed c-index and the share of patients with an event"}  # fmt: skip
        meaning = meanings[request.measure]
        shown = ",".join(f"{r:g}" for r in request.rates) or None
        demands.refuse("--rates", shown, rule=f"{request.measure} needs {needed}", remedy=f"give {meaning}")
    for rate in request.rates:
        demands.share("--rates", rate, most=1.0 if request.measure != "hazard-ratio" else 1.0 + 1e-9)
    if request.measure == "c-index" and request.rates and not request.rates[0] > 0.5:
        remedy = "give a number above 0.5, which is no discrimination, and below 1"
        demands.refuse("--rates", f"{request.rates[0]:g}", rule="is no c-index of a useful predictor", remedy=remedy)
    if request.measure in ON_ITS_SCALE:
        demands.share("--half-width", request.half_width, most=0.5)
    else:
        if request.factor is None or not 1 < request.factor <= 100:
            remedy = "give a number above 1: with 2 the limits are half and twice the estimate"
            demands.refuse("--factor", request.factor, rule="is not above 1 and up to 100", remedy=remedy)
        demands.share("--share", request.share)
    demands.share("--confidence", request.confidence, least=0.5)
    if (request.exclude is None) != (request.ratio is None):
        remedy = "give both, or neither"
        demands.refuse("--exclude, --ratio", None, rule="one of them alone gives no power", remedy=remedy)
    for option, value in (("--exclude", request.exclude), ("--ratio", request.ratio)):
        if value is not None:
            demands.positive(option, value, most=100)
    if request.exclude is not None and request.exclude == request.ratio:
        demands.refuse("--exclude", request.exclude, rule="is the true ratio", remedy="give another")


def _events(request: PrecisionRequest, factor: float) -> float:
    return hazard_ratio_events(factor, share=request.share, confidence=request.confidence)


def _size(request: PrecisionRequest, wanted: float) -> PrecisionSize:
    if request.measure == "proportion":
        return proportion_size(request.rates[0], wanted, confidence=request.confidence, most=MOST_PATIENTS)
    if request.measure == "c-index":
        return c_index_size(request.rates[0], wanted, share=request.rates[1], confidence=request.confidence,
                            most=MOST_PATIENTS)  # fmt: skip
    if request.measure == "odds-ratio":
        return odds_ratio_size((request.rates[0], request.rates[1]), wanted, share=request.share,
                               confidence=request.confidence, most=MOST_PATIENTS)  # fmt: skip
    n = math.ceil(math.ceil(_events(request, wanted)) / request.rates[0])
    return PrecisionSize(n if n <= MOST_PATIENTS else None, math.log(wanted), float("nan"))

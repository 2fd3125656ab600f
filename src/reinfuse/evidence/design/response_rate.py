"""Single-arm studies of a response rate: Simon's two stages, and Bayesian with predictive monitoring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from reinfuse.evidence.design.demands import Demands
from reinfuse.evidence.design.prior_text import prior_of
from reinfuse.evidence.design.published_prior import PublishedPrior
from reinfuse.evidence.design.virtual_rates import RateScenario, virtual_rates
from reinfuse.exceptions import RequestRefused
from reinfuse.statistics.beta_rules import (
    OperatingCharacteristics,
    SingleArmRule,
    operating_characteristics,
    single_arm_rule,
)
from reinfuse.statistics.conjugate_mixture import BetaMixture
from reinfuse.statistics.two_stage import TwoStageDesign, probability_promising, two_stage_designs

MOST_PATIENTS = 400
Three = tuple[float, float, float]
"""A probability at a rate, and at its lower and upper limit."""
_TRUE_RATES = 7


@dataclass(frozen=True, kw_only=True)
class TwoStageRequest:
    """What is asked of Simon's designs; as the options of `reinfuse design simon`.

    Attributes
    ----------
    virtual
        Folder of a virtual trial, whose arms are scenarios.
    """

    p0: float
    p1: float
    alpha: float = 0.05
    beta: float = 0.2
    most: int = 100
    virtual: Path | None = None


@dataclass(frozen=True)
class TwoStageStudy:
    """Simon's designs for a request.

    Attributes
    ----------
    request
        What was asked.
    designs
        ``optimal`` and ``minimax``.
    promising
        For each design, pairs of a true rate and the probability of ending with more than r responses.
    scenarios
        Arms of virtual patients, each with this probability of each design at its rate and at the limits.
    """

    request: TwoStageRequest
    designs: dict[str, TwoStageDesign]
    promising: dict[str, tuple[tuple[float, float], ...]]
    scenarios: tuple[tuple[RateScenario, dict[str, Three]], ...] = ()


@dataclass(frozen=True, kw_only=True)
class SingleArmRequest:
    """What is asked of a Bayesian single-arm study; as the options of `reinfuse design bayes`.

    Attributes
    ----------
    prior
        As it is typed, or from published studies.
    """

    p0: float
    p1: float
    n: int
    threshold: float = 0.95
    prior: str | PublishedPrior = "Beta(0.5, 0.5)"
    robust: float = 0.0
    looks: tuple[int, ...] = ()
    futility: float = 0.05
    efficacy: float = 1.0
    virtual: Path | None = None


@dataclass(frozen=True)
class SingleArmStudy:
    """A Bayesian single-arm study for a request.

    Attributes
    ----------
    request
        What was asked.
    prior
        With its robust component.
    rule
        Decisions at each look.
    characteristics
        At true rates, p0 and p1 among them.
    scenarios
        Arms of virtual patients, each with the probability of success at its rate and at the limits.
    """

    request: SingleArmRequest
    prior: BetaMixture
    rule: SingleArmRule
    characteristics: tuple[OperatingCharacteristics, ...]
    scenarios: tuple[tuple[RateScenario, Three], ...] = ()


def plan_two_stage(request: TwoStageRequest) -> TwoStageStudy:
    """Return Simon's designs.

    Raises
    ------
    RequestRefused
        With everything that is wrong with the request, or if no design has so few patients.
    """
    demands = Demands("design simon")
    _rates(demands, request.p0, p1=request.p1)
    demands.share("--alpha", request.alpha, most=0.5)
    demands.share("--beta", request.beta, most=0.5)
    demands.whole("--max-n", request.most, least=2, most=MOST_PATIENTS)
    virtual = () if request.virtual is None else virtual_rates(request.virtual, demands)
    demands.settle()
    designs = two_stage_designs(request.p0, request.p1, request.alpha, beta=request.beta, most=request.most)
    if not designs:
        rule = f"no two-stage design of {request.most} patients or fewer has these errors"
        remedy = "allow more patients (--max-n), a larger difference, or larger errors"
        demands.refuse("--max-n", request.most, rule=rule, remedy=remedy)
        demands.settle()
    rates = _grid(request.p0, request.p1)
    promising = {kind: tuple((p, _promising(d, p)) for p in rates) for kind, d in designs.items()}
    scenarios = tuple((s, {kind: _at_rates(s, partial(_promising, d)) for kind, d in designs.items()}) for s in virtual)
    return TwoStageStudy(request, designs, promising, scenarios)


def _promising(design: TwoStageDesign, p: float) -> float:
    return probability_promising(design.r1, design.n1, design.r, n=design.n, p=p)


def _at_rates(scenario: RateScenario, probability: Callable[[float], float]) -> Three:
    return probability(scenario.rate), probability(scenario.lower), probability(scenario.upper)


def plan_single_arm(request: SingleArmRequest) -> SingleArmStudy:
    """Return a Bayesian single-arm study.

    Raises
    ------
    RequestRefused
        With everything that is wrong with the request, or if no number of responses is a success.
    """
    demands = Demands("design bayes")
    _rates(demands, request.p0, p1=request.p1)
    demands.whole("--n", request.n, least=1, most=MOST_PATIENTS)
    demands.share("--threshold", request.threshold, least=0.5)
    if request.robust:
        demands.share("--robust", request.robust)
    demands.rising("--looks", request.looks, last=request.n)
    if not 0 <= request.futility < request.efficacy <= 1:
        shown = f"{request.futility:g}, {request.efficacy:g}"
        remedy = "give 0 or more for futility, 1 or less for efficacy, the first below the second"
        demands.refuse("--futility, --efficacy", shown, rule="are not probabilities that rise", remedy=remedy)
    virtual = () if request.virtual is None else virtual_rates(request.virtual, demands)
    given = request.prior
    prior = given.mixture if isinstance(given, PublishedPrior) else prior_of(given, demands)
    if prior is None or demands.problems:
        raise RequestRefused(demands.problems)
    whole = prior.robust(weight=request.robust) if request.robust else prior
    rule = single_arm_rule(whole, (*request.looks, request.n), p0=request.p0, threshold=request.threshold,
                           futility=request.futility, efficacy=request.efficacy)  # fmt: skip
    if rule.success[-1] > request.n:
        rule_text = f"even {request.n} responses in {request.n} patients are no success with this prior and threshold"
        demands.refuse("--n", request.n, rule=rule_text, remedy="take more patients, or a lower threshold")
        demands.settle()
    rates = _grid(request.p0, request.p1)
    scenarios = tuple((s, _at_rates(s, lambda p: operating_characteristics(rule, p).success)) for s in virtual)
    return SingleArmStudy(request, whole, rule, tuple(operating_characteristics(rule, p) for p in rates), scenarios)


def _rates(demands: Demands, p0: float, *, p1: float) -> None:
    """Demand two rates that rise."""
    both = [demands.share("--p0", p0), demands.share("--p1", p1)]
    if all(both) and p1 <= p0:
        remedy = "give as --p0 the rate that would not be worth further study, as --p1 the larger one that would"
        demands.refuse("--p1", p1, rule=f"is not above --p0 ({p0:g})", remedy=remedy)


def _grid(p0: float, p1: float) -> Sequence[float]:
    """Return true rates around p0 and p1, both among them."""
    step = (p1 - p0) / 2
    grid = {round(p0 + k * step, 6) for k in range(-2, _TRUE_RATES - 2)}
    return sorted({float(p) for p in grid if 0 < p < 1} | {float(np.round(p0, 6)), float(np.round(p1, 6))})

"""Finding a dose by its toxicity: a BOIN design, its decision table, and its exact operating characteristics."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import expit, logit

from reinfuse.evidence.design.demands import Demands
from reinfuse.statistics.dose_boundaries import (
    DoseBoundaries,
    DoseCharacteristics,
    TooManyStates,
    dose_boundaries,
    dose_characteristics,
)

MOST_DOSES = 8
_STEP = 0.85
"""Rise of the log odds of DLT from dose to dose in the scenarios that are not given."""


@dataclass(frozen=True, kw_only=True)
class DoseRequest:
    """What is asked of a dose-finding study; as the options of `reinfuse design dose`."""

    target: float = 0.3
    doses: tuple[str, ...] = ("1", "2", "3")
    cohort: int = 3
    cohorts: int = 8
    cutoff: float = 0.95
    start: int = 1
    scenarios: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class DoseScenario:
    """True rates of dose-limiting toxicity, and what the design does then."""

    name: str
    rates: tuple[float, ...]
    exact: DoseCharacteristics


@dataclass(frozen=True)
class DoseStudy:
    """A BOIN design for a request.

    Attributes
    ----------
    request
        What was asked.
    boundaries
        Rates that decide.
    table
        Patients at a dose; most DLTs to escalate, fewest to de-escalate, fewest to eliminate.
    scenarios
        Exact operating characteristics.
    """

    request: DoseRequest
    boundaries: DoseBoundaries
    table: tuple[tuple[int, int, int, int | None], ...]
    scenarios: tuple[DoseScenario, ...]


def plan_dose(request: DoseRequest) -> DoseStudy:
    """Return a BOIN design.

    Raises
    ------
    RequestRefused
        With everything that is wrong with the request, or if there are too many paths for an exact sum.
    """
    demands = Demands("design dose")
    demands.share("--target", request.target, most=0.7)
    demands.share("--cutoff", request.cutoff, least=0.5)
    demands.whole("--cohort", request.cohort, least=1, most=6)
    demands.whole("--cohorts", request.cohorts, least=2, most=40)
    if demands.whole("--doses", len(request.doses), least=2, most=MOST_DOSES):
        demands.whole("--start", request.start, least=1, most=len(request.doses))
    for rates in request.scenarios:
        _scenario(demands, rates, doses=len(request.doses))
    demands.settle()
    rule = dose_boundaries(request.target, cutoff=request.cutoff)
    most = request.cohort * request.cohorts
    sizes = range(request.cohort, most + 1, request.cohort)
    given = [(f"scenario {i + 1}", rates) for i, rates in enumerate(request.scenarios)]
    try:
        scenarios = tuple(
            DoseScenario(name, rates, dose_characteristics(rule, rates, cohort=request.cohort, cohorts=request.cohorts,
                                                           start=request.start - 1))
            for name, rates in given or _usual(request)
        )  # fmt: skip
    except TooManyStates:
        rule_text = "has too many paths for exact operating characteristics"
        demands.refuse(
            "--cohorts", request.cohorts, rule=rule_text, remedy="take fewer or larger cohorts, or fewer doses"
        )
        demands.settle()
        raise
    return DoseStudy(request, rule, tuple((n, *rule.row(n)) for n in sizes), scenarios)


def _scenario(demands: Demands, rates: tuple[float, ...], *, doses: int) -> None:
    shown = ",".join(f"{rate:g}" for rate in rates)
    if len(rates) != doses:
        demands.refuse(
            "--rates", shown, rule=f"has {len(rates)} rates for {doses} doses", remedy="give one rate a dose"
        )
    elif not all(0 <= rate <= 1 for rate in rates):
        demands.refuse("--rates", shown, rule="holds what is no rate", remedy="give numbers from 0 to 1")
    elif any(a > b for a, b in pairwise(rates)):
        remedy = "give rates of toxicity that do not fall with the dose: the design rests on that"
        demands.refuse("--rates", shown, rule="falls from a dose to the next", remedy=remedy)


def _usual(request: DoseRequest) -> list[tuple[str, tuple[float, ...]]]:
    """Return a scenario for each dose that may be the right one, and one in which all are too toxic."""
    places = np.arange(len(request.doses))
    rows = []
    for k, dose in enumerate(request.doses):
        rates = expit(logit(request.target) + _STEP * (places - k))
        rows.append((f"dose {dose} is the right one", tuple(float(np.round(r, 3)) for r in rates)))
    rates = expit(logit(request.target) + _STEP * (places + 2))
    return [*rows, ("every dose is too toxic", tuple(float(np.round(r, 3)) for r in rates))]

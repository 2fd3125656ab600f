"""The optimisation problem: design space of second infusions, objective and toxicity constraint."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.exceptions import PlanRefused, Problem, nearest
from reinfuse.simulation.model.parameters import Disease
from reinfuse.simulation.model.toxicities import exposure_class
from reinfuse.simulation.search.published_range import FLU_OF_CY, PAIRS, PUBLISHED, beyond, most_fludarabine
from reinfuse.simulation.trial.protocol import Arm, Infusion, dose_text
from reinfuse.simulation.trial.trial import SHARES

TOXICITY, INTERVAL = "crs_grade_3", "interval_days"
DURABLE = "durable_response"
OBJECTIVES = (DURABLE, *(name for name in SHARES if name != TOXICITY))
"""Shares of patients that can be searched for. A durable response is one on day 28 without progression or death within
6 months. `pfs_6_months` alone is a trap for a search: a large tumour that no longer grows has no progression, and is
best left alone."""


@dataclass(frozen=True)
class Coordinate:
    """One coordinate of a protocol: its limits, the width of its rounding, and its value in the usual protocol."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    step: float
    usual: float


COORDINATES = (
    Coordinate("cy", "Cyclophosphamide before CART2", "courses", 0.0, 1.3, 0.05, 1.0),
    Coordinate("flu", "Fludarabine before CART2", "courses", 0.0, 1.5, 0.05, 1.0),
    Coordinate("log10_dose", "Dose at CART2", "log10 cells/kg", math.log10(2e5), math.log10(2e7), 0.05,
               math.log10(2e7)),
    Coordinate(INTERVAL, "Days from CART1 to CART2", "days", 35.0, 365.0, 1.0, 120.0),
)  # fmt: skip
BEFORE_CART1 = (
    Coordinate("cy_cart1", "Cyclophosphamide before CART1", "courses", 0.0, 1.3, 0.05, 1.0),
    Coordinate("flu_cart1", "Fludarabine before CART1", "courses", 0.0, 1.5, 0.05, 1.0),
)
_REACH = {"log10_dose": (3.0, 9.0), INTERVAL: (32.0, 3650.0)}
"""What limits may be set to where extrapolation is asked for, courses from 0 to 3; otherwise to what has been published
(`published_range`). Before day 32 the response to CART1 is not assessed."""


_ASK, _NEAR = ", or extrapolate (--extrapolate)", 1e-9
WEIGHT, MOST_WEIGHT, MOST_AUC = 0.1, 10.0, 100.0
"""What a toxicity counts for, by default and at most; greatest exposure of a course."""
CART1 = Infusion(lymphodepletion="Cy-Flu", dose_cells_per_kg=2e6)


@dataclass(frozen=True)
class Question:
    """The optimisation problem.

    Attributes
    ----------
    objective
        Quantity to maximise, a share of patients, one of `OBJECTIVES`.
    max_crs_rate
        The toxicity constraint: highest allowed rate of CRS of grade 3 or more.
    toxicity_weight
        What one toxicity counts for, in units of the objective: 0.1, that one more patient with the objective
        outweighs ten toxicities. What is best is the objective minus the toxicities so weighed.
    probability
        Probability over the ensemble with which the constraint must hold.
    margin
        Indifference margin, as a fraction of the best objective: in the same patients even a negligible difference
        is distinguishable.
    cart1
        The first infusion.
    fludarabine_auc
        Exposure to fludarabine of one course at the centre (AUC, mg h/L), so that protocols have its published class;
        None: not known.
    search_cart1
        Whether its lymphodepletion is searched as well. Then the patients are all who have CART1, toxicity is that of
        either infusion, and the interval is fixed (at 120 days, or by its limits): it says when patients who never
        need CART2 are assessed.
    diseases
        Weights of the diseases of the patients; None: as in the reference study (ALL 14, CLL 9, NHL 21).
    extrapolate
        Whether protocols may be searched that no published second infusion supports (`published_range`).
    limits
        Limits of coordinates by name, instead of the declared ones; equal limits fix a coordinate.
    """

    objective: str = DURABLE
    max_crs_rate: float = 0.15
    probability: float = 0.5
    margin: float = 0.1
    cart1: Infusion = CART1
    search_cart1: bool = False
    toxicity_weight: float = WEIGHT
    fludarabine_auc: float | None = None
    diseases: Mapping[Disease, float] | None = None
    extrapolate: bool = False
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = tuple(self._problems())
        if problems:
            raise PlanRefused(problems)

    def _problems(self) -> Iterator[Problem]:
        if self.objective not in OBJECTIVES:
            yield _wrong("objective", self.objective, "is not an objective", remedy=f"one of {', '.join(OBJECTIVES)}")
        for name in ("max_crs_rate", "probability"):
            value = getattr(self, name)
            if not 0 < value < 1:
                yield _wrong(name, f"{value:g}", "is not a probability", remedy="a number between 0 and 1")
        yield from self._problems_of_costs()
        if not 0 <= self.margin < 1:
            yield _wrong("margin", f"{self.margin:g}", "is not a share", remedy="a number from 0 to below 1")
        searchable = [c.name for c in COORDINATES + BEFORE_CART1 * self.search_cart1]
        for name, (low, high) in self.limits.items():
            least, most = self._reach(name)
            if name not in searchable:
                yield _wrong(
                    name,
                    name,
                    "is not searched",
                    remedy=f"did you mean {nearest(name, searchable) or ', '.join(searchable)}?",
                )
            elif not least <= low <= high <= most:
                yield _wrong(name, f"{low:g} to {high:g}", "cannot be its limits",
                             remedy=f"from {least:.6g} to {most:.6g}{'' if self.extrapolate else _ASK}")  # fmt: skip
            elif self.search_cart1 and name == INTERVAL and low < high:
                yield _wrong(
                    name, f"{low:g} to {high:g}", "must be fixed where CART1 is searched too", remedy="equal limits"
                )

        yield from self._problems_of_pairs()
        for what in () if self.extrapolate else self._beyond_of_cart1():
            cy, flu = self.cart1.courses
            value = f"Cy {cy:g}, Flu {flu:g}; {dose_text(self.cart1.dose_cells_per_kg)}"
            yield _wrong("cart1", value, f"lies outside of what has been published ({what[0].lower()}{what[1:]})",
                         remedy=f"another CART1{_ASK}")  # fmt: skip

    def _beyond_of_cart1(self) -> tuple[str, ...]:
        """Return in what a CART1 that is given lies outside of what has been published."""
        labels = {c.name: c.label for c in BEFORE_CART1} | {"log10_dose": "Dose at CART1"}
        at = {"log10_dose": math.log10(self.cart1.dose_cells_per_kg)}
        if not self.search_cart1:
            at |= dict(zip((c.name for c in BEFORE_CART1), self.cart1.courses, strict=True))
        return beyond(at, labels)

    def _reach(self, name: str) -> tuple[float, float]:
        if self.extrapolate or name not in PUBLISHED:
            return _REACH.get(name, (0.0, 3.0))
        return PUBLISHED[name].low, PUBLISHED[name].high

    def _problems_of_pairs(self) -> Iterator[Problem]:
        for cy, flu in () if self.extrapolate else PAIRS:
            least, (_, most) = self.limits.get(flu, (0.0, 0.0))[0], self.limits.get(cy, (0.0, math.inf))
            if least > FLU_OF_CY * most + _NEAR:
                yield _wrong(flu, f"{least:g} with {most:g} of cyclophosphamide", "is more than has been given",
                             remedy=f"at most {FLU_OF_CY:g} courses with one of cyclophosphamide{_ASK}")  # fmt: skip

    def _problems_of_costs(self) -> Iterator[Problem]:
        if not 0 <= self.toxicity_weight <= MOST_WEIGHT:
            text = f"{self.toxicity_weight:g}"
            yield _wrong("toxicity_weight", text, "is no weight", remedy=f"a number from 0 to {MOST_WEIGHT:g}")
        if self.fludarabine_auc is not None and not 1 <= self.fludarabine_auc <= MOST_AUC:
            text = f"{self.fludarabine_auc:g}"
            yield _wrong(
                "fludarabine_auc", text, "is no exposure", remedy=f"mg h/L of a course, from 1 to {MOST_AUC:g}"
            )

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:
        """The coordinates of a protocol, in order."""
        coordinates = []
        for one in COORDINATES + BEFORE_CART1 * self.search_cart1:
            fixed = self.search_cart1 and one.name == INTERVAL
            low, high = self.limits.get(one.name, (one.usual, one.usual) if fixed else (one.low, one.high))
            coordinates.append(replace(one, low=low, high=high, usual=min(max(one.usual, low), high)))
        return tuple(coordinates)

    @property
    def usual(self) -> Floats:
        """The usual protocol, as far as the limits allow: Cy-Flu, 2e7/kg, day 120."""
        return self._given(np.array([c.usual for c in self.coordinates]))

    def by_name(self, point: Floats) -> dict[str, float]:
        """Return the value of each variable of a protocol."""
        return {c.name: float(x) for c, x in zip(self.coordinates, point, strict=True)}

    def at_limits(self, point: Floats) -> Mapping[str, str]:
        """Return which variables of a protocol lie at a limit of the search, to half a step: "lower" or "upper"."""
        least, most = self._limits(point)
        return {c.name: "lower" if x <= low + c.step / 2 else "upper"
                for c, x, low, high in zip(self.coordinates, point, least, most, strict=True)
                if c.low < c.high and not low + c.step / 2 < x < high - c.step / 2}  # fmt: skip

    def beyond(self, point: Floats) -> tuple[str, ...]:
        """Return in what a protocol lies outside of what has been published; nothing if it does not."""
        at = self.by_name(point)
        return (*self._beyond_of_cart1(), *beyond(at, {c.name: c.label for c in self.coordinates}))

    def _limits(self, points: Floats) -> tuple[Floats, Floats]:
        """Return the least and the greatest value of each coordinate; of fludarabine given the cyclophosphamide."""
        ends = ([getattr(c, n) for c in self.coordinates] for n in ("low", "high"))
        least, most = (np.broadcast_to(of, points.shape) for of in ends)
        most, place = most.copy(), {c.name: k for k, c in enumerate(self.coordinates)}
        for cy, flu in () if self.extrapolate else PAIRS:
            if flu in place:
                k = place[flu]
                given = most_fludarabine(points[..., place[cy]], self.coordinates[k].step)
                most[..., k] = np.clip(given, least[..., k], most[..., k])
        return least, most

    def _given(self, points: Floats) -> Floats:
        """Return points with no more fludarabine than has been given with their cyclophosphamide."""
        capped: Floats = np.minimum(points, self._limits(points)[1])
        return capped

    def exposure(self, point: Floats) -> str | None:
        """Return the class of exposure to fludarabine before CART2 of the protocol at a point; None where not known."""
        if self.fludarabine_auc is None:
            return None
        return exposure_class(self.by_name(point)["flu"] * self.fludarabine_auc).name

    def rounded(self, points: Floats) -> Floats:
        """Return points on the steps of their coordinates, within the limits."""
        low, high, step = (np.array([getattr(c, n) for c in self.coordinates]) for n in ("low", "high", "step"))
        on_steps: Floats = np.clip(np.round(np.round(points / step) * step, 6), low, high)
        return self._given(on_steps)

    def unit(self, points: Floats) -> Floats:
        """Return points as shares of the way from the lower to the upper limit, without fixed coordinates.

        The upper limit of fludarabine goes with the cyclophosphamide of the point, so that the cube holds nothing else.
        """
        free = [k for k, c in enumerate(self.coordinates) if c.low < c.high]
        low, high = (of[..., free] for of in self._limits(points))
        shares: Floats = np.divide(points[..., free] - low, high - low, out=np.zeros_like(high), where=high > low)
        return shares

    def at(self, unit: Floats) -> Floats:
        """Return the rounded points at these shares of the way; the inverse of `unit`."""
        points, k = np.full((*unit.shape[:-1], len(self.coordinates)), [c.low for c in self.coordinates]), 0
        for c, one in enumerate(self.coordinates):
            if one.low < one.high:
                high = self._limits(points)[1][..., c]
                points[..., c] = one.low + unit[..., k] * (high - one.low)
                k += 1
        return self.rounded(points)

    def arm(self, point: Floats) -> Arm:
        """Return the protocol at a point."""
        at = self.by_name(point)
        first, name = self.cart1, ""
        if self.search_cart1:
            first = first.model_copy(update={"cy": at["cy_cart1"], "flu": at["flu_cart1"]})
            name = f"CART1 Cy {at['cy_cart1']:.4g}, Flu {at['flu_cart1']:.4g}; CART2 "
        dose = 10 ** at["log10_dose"]
        second = Infusion(lymphodepletion="Cy-Flu", cy=at["cy"], flu=at["flu"], dose_cells_per_kg=dose,
                          after_days=at[INTERVAL])  # fmt: skip
        name += f"Cy {at['cy']:.4g}, Flu {at['flu']:.4g}; {dose_text(float(f'{dose:.3g}'))}; "
        return Arm(name=f"{name}day {at['interval_days']:.6g}", infusions=(first, second))


def _wrong(what: str, value: str, rule: str, *, remedy: str) -> Problem:
    return Problem(table="search", column=what, value=value, rule=rule, remedy=remedy)

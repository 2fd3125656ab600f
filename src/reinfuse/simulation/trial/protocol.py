"""Protocols: arms of infusions, each with its lymphodepletion, dose and day."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, ValidationError, model_validator
from pydantic_core import ErrorDetails

from reinfuse.arrays import Floats, Integers
from reinfuse.cohort.declarations import Label, Title
from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.simulation.model.parameters import CELLS_A_COUNT, DISEASES, LEAD, REGIMENS, WEIGHT, Disease
from reinfuse.simulation.population.virtual_patients import MOST_INFUSIONS
from reinfuse.simulation.solver.dopri5 import COURSE
from reinfuse.tabular.toml import NotToml, read_toml

Regimen = Literal["None", "Cy", "Flu", "Cy-Flu"]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number as TOML has it: neither true nor a text that looks like one."""
Dose = Annotated[Number, Field(gt=0, le=1e9)]
RESPONSE_READ = LEAD + COURSE
"""Least days between infusions at which the response to the one before is read: on its day 28, before the next
lymphodepletion."""
_SPLIT = 7
"""Most parts of a split dose, given on consecutive days."""


def dose_text(dose: float) -> str:
    """Return a dose in words: 2e6/kg."""
    mantissa, exponent = f"{dose:.3e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}/kg"


def _own(error: ValidationError) -> list[ErrorDetails]:
    """Return the errors but those that only follow from another: a list that is too short once its bad items are
    gone."""
    errors = error.errors()
    places = [e["loc"] for e in errors]
    return [e for e in errors if e["type"] != "too_short"
            or not any(p != e["loc"] and p[: len(e["loc"])] == e["loc"] for p in places)]  # fmt: skip


def _some(diseases: dict[Disease, float]) -> dict[Disease, float]:
    if not sum(diseases.values()) > 0:
        raise ValueError("give a disease a weight above 0: ALL, CLL, NHL")
    return diseases


DiseaseWeights = Annotated[dict[Disease, Annotated[Number, Field(ge=0)]], AfterValidator(_some)]
"""Weights of the diseases of virtual patients, of which one at least is above 0."""


def mix_text(diseases: Mapping[Disease, float] | None) -> str:
    """Return the mix of diseases of virtual patients in words."""
    if diseases is None:
        return "ALL 14, CLL 9, NHL 21, as in the reference study"
    total = sum(diseases.values())
    return ", ".join(f"{d} {100 * diseases[d] / total:.3g} %" for d in DISEASES if diseases.get(d))


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Infusion(_Declared):
    """One infusion of an arm.

    Attributes
    ----------
    after_days
        Days since the infusion before; 0 for the first.
    lymphodepletion
        Regimen class: one reference course of each of its drugs, on day -3.
    cy, flu
        Courses of each drug instead, in reference courses.
    shares
        Parts of a split dose, given on consecutive days; together 1.
    """

    lymphodepletion: Regimen
    dose_cells_per_kg: Dose
    after_days: Annotated[Number, Field(ge=0, le=3650)] = 0.0
    cy: Annotated[Number, Field(ge=0, le=3)] | None = None
    flu: Annotated[Number, Field(ge=0, le=3)] | None = None
    shares: Annotated[tuple[Annotated[Number, Field(gt=0)], ...], Field(min_length=1, max_length=_SPLIT)] = (1.0,)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(sum(self.shares) - 1) > 1e-6:
            raise ValueError("the shares of a dose must sum to 1")
        return self

    @property
    def courses(self) -> tuple[float, float]:
        """Cyclophosphamide and fludarabine in reference courses."""
        cy, flu = REGIMENS[self.lymphodepletion]
        return (cy if self.cy is None else self.cy, flu if self.flu is None else self.flu)


@dataclass(frozen=True)
class Schedule:
    """An arm as the solver takes it: `course`, `event` and `day` of `solver.solve`, for one patient."""

    course: Integers
    event: Floats
    day: Floats


class Arm(_Declared):
    """One protocol: its infusions in order."""

    name: Annotated[Label, Field(max_length=80)]
    infusions: Annotated[tuple[Infusion, ...], Field(min_length=1, max_length=MOST_INFUSIONS)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.infusions[0].after_days:
            raise ValueError("the first infusion is day 0: leave its after_days out")
        for before, after in itertools.pairwise(self.infusions):
            if after.after_days < LEAD + len(before.shares) + 1:
                raise ValueError(f"after_days of a later infusion must be {LEAD + len(before.shares) + 1:g} or more")
        return self

    @property
    def schedule(self) -> Schedule:
        """The arm as the solver takes it."""
        course, event = [], []
        for c, one in enumerate(self.infusions):
            cells = one.dose_cells_per_kg * WEIGHT / CELLS_A_COUNT
            parts = [(-LEAD, *one.courses, 0.0)]
            parts += [(float(d), 0.0, 0.0, cells * share) for d, share in enumerate(one.shares)]
            course += [c] * len(parts)
            event += parts
        day = np.cumsum([one.after_days for one in self.infusions], dtype=np.float64)
        return Schedule(np.array(course), np.array(event), day)


class FactorialDesign(_Declared):
    """Arms of two infusions, all combinations of what is listed."""

    regimens: Annotated[tuple[tuple[Regimen, Regimen], ...], Field(min_length=1)]
    cart1_dose_cells_per_kg: Dose = 2e6
    cart2_dose_cells_per_kg: Annotated[tuple[Dose, ...], Field(min_length=1)]
    interval_days: Annotated[tuple[Annotated[Number, Field(ge=LEAD + 2, le=3650)], ...], Field(min_length=1)] = (120.0,)

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms."""
        several = len(self.interval_days) > 1
        combinations = []
        for (first, second), dose, days in itertools.product(
                self.regimens, self.cart2_dose_cells_per_kg, self.interval_days):  # fmt: skip
            name = f"{first}, then {second}; {dose_text(dose)}{f'; day {days:g}' if several else ''}"
            infusions = (Infusion(lymphodepletion=first, dose_cells_per_kg=self.cart1_dose_cells_per_kg),
                         Infusion(lymphodepletion=second, dose_cells_per_kg=dose, after_days=days))  # fmt: skip
            combinations.append(Arm(name=name, infusions=infusions))
        return tuple(combinations)


class Protocols(_Declared):
    """What a virtual trial compares.

    Attributes
    ----------
    arms, grid
        Arms spelt out, and arms that are combinations; the grid's come first.
    reference
        Name of the arm with which all are compared; the first without one.
    selected
        Whether a later infusion is given only to patients who need it: without response or with progression after
        the infusion before, alive, with antigen-positive tumour. The reference study's own selection.
    follow_days
        Follow-up after the last infusion; outcomes that are read later are left out.
    diseases
        Weights of the diseases of the patients; None: as in the reference study (ALL 14, CLL 9, NHL 21).
    """

    title: Title = "Virtual trial"
    reference: str | None = None
    selected: StrictBool = True
    follow_days: Annotated[Number, Field(ge=56, le=3650)] = 365.0
    grid: FactorialDesign | None = None
    arms: tuple[Arm, ...] = ()
    diseases: DiseaseWeights | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        names = [a.name for a in self.all_arms]
        if not names:
            raise ValueError("declare [[arms]] or a [grid]")
        if len(set(names)) < len(names):
            raise ValueError("two arms have the same name")
        if self.reference is not None and self.reference not in names:
            raise ValueError(f"reference must be the name of an arm: {', '.join(names)}")
        if len({len(a.infusions) for a in self.all_arms}) > 1:
            raise ValueError("all arms must have the same number of infusions")
        if self.selected:
            self._response_is_read()
        return self

    def _response_is_read(self) -> None:
        soon = [a.name for a in self.all_arms if any(i.after_days < RESPONSE_READ for i in a.infusions[1:])]
        if soon:
            raise ValueError(
                f"with selected, an infusion can follow from day {RESPONSE_READ:g} on: whether it is needed is read on "
                f"day {COURSE:g} of the one before, and lymphodepletion is {LEAD:g} days before it. Lengthen the "
                f"interval, or set selected = false, in: {', '.join(soon)}"
            )

    @property
    def all_arms(self) -> tuple[Arm, ...]:
        """All arms, the reference first."""
        declared = (self.grid.arms if self.grid else ()) + self.arms
        return tuple(sorted(declared, key=lambda a: a.name != self.reference)) if self.reference else declared

    @classmethod
    def load(cls, path: str | Path) -> Protocols:
        """Read a protocols file (TOML).

        Raises
        ------
        PlanRefused
            With every problem of the file.
        """
        try:
            return cls.model_validate(read_toml(Path(path)))
        except NotToml as why:
            raise PlanRefused(
                [Problem(table="protocols", value=str(path), rule=str(why), remedy="give a TOML file")]
            ) from None
        except ValidationError as error:
            raise PlanRefused(
                [
                    Problem(
                        table="protocols",
                        column=".".join(str(p) for p in e["loc"]) or None,
                        value=str(e.get("input", ""))[:60],
                        rule="cannot be followed",
                        remedy=e["msg"].removeprefix("Value error, "),
                    )
                    for e in _own(error)
                ]
            ) from None

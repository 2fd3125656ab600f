"""Data of a centre's patients from before their second infusion, as far as the model has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import polars as pl

from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.paired_outcomes import pairs
from reinfuse.cohort.responders import is_responder
from reinfuse.cohort.study_days import ID
from reinfuse.cohort.typed_table import CLASS_SUFFIX
from reinfuse.exceptions import CohortRefused, PlanRefused, Problem
from reinfuse.kinetics.cohort_kinetics import CohortKinetics
from reinfuse.kinetics.profiles import Profile
from reinfuse.plan.analysis_plan import Plan
from reinfuse.simulation.model.parameters import DISEASES, REGIMENS
from reinfuse.simulation.trial.protocol import Infusion, Regimen

LEAST_PATIENTS = 5
MOST_DOSE = 1e9
"""Doses above it, cells/kg, are taken as missing."""
SHORTEST = 35.0
"""Least days between infusions in the model: the response to the first is read before the next lymphodepletion."""
NONE, PARTIAL, COMPLETE = range(3)
"""Responses to CART1."""
_FLAGS = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_UNKNOWN = (None, "NE")


@dataclass(frozen=True, repr=False)
class PatientData:
    """A patient's data from before CART2; None where missing, or where the model does not have them.

    Attributes
    ----------
    regimen, dose, days
        Of CART1; days from it to CART2.
    bulky
        Bulky disease before CART2.
    counts
        After CART1.
    second, response
        CART2 as it was given; whether there was a response to it.
    before
        Response to CART1: `NONE`, `PARTIAL`, `COMPLETE`.
    planned
        Whether CART2 was planned from the start, so that it says nothing of CART1.
    disease
        The patient's, if the model has it.
    """

    regimen: Regimen | None
    dose: float | None
    days: float | None
    bulky: bool | None
    counts: Profile | None
    second: Infusion | None
    response: bool | None
    before: int | None = None
    planned: bool = False
    disease: str | None = None

    @property
    def assumed(self) -> bool:
        """Whether something of CART1 must be taken from the protocol, or the interval be lengthened."""
        return None in (self.regimen, self.dose, self.days) or (self.days or 0.0) < SHORTEST


NO_DATA = PatientData(None, None, None, None, None, None, None)
"""A patient without data."""


def of_cohort(
    cohort: Cohort, data: AnalysisSet, *, plan: Plan, counts: CohortKinetics | None
) -> tuple[PatientData, ...]:
    """Return the data of each patient of a cohort, as analysed by a plan.

    Raises
    ------
    CohortRefused
        If there are fewer than 5 patients with a second infusion.
    PlanRefused
        If the plan does not study the second infusion.
    """
    if plan.index_infusion != 2:
        rule, remedy = "twins are for the second infusion", "leave index_infusion out of the plan"
        raise PlanRefused([Problem(table="plan", column="index_infusion", rule=rule, remedy=remedy)])
    both, before = pairs(cohort, 2, rules=plan.rules), {}
    if both is not None:
        responses = zip(both.ids, both.response[:, 0] + both.cr[:, 0], both.assessed[:, 0], strict=True)
        before = {one: int(response) for one, response, assessed in responses if assessed == 1}
    profiles = counts.all_profiles.profiles if counts else ()
    return of_frame(data.frame, profiles, before=before, rules=plan.rules)


def of_frame(frame: pl.DataFrame, profiles: Sequence[Profile], *, before: Mapping[str, int] | None = None,
             rules: Rules | None = None) -> tuple[PatientData, ...]:  # fmt: skip
    """Return the data of each patient, from an analysed frame and the profiles of the cohort's counts.

    Parameters
    ----------
    before
        Response to CART1 by patient.
    rules
        What counts as response.

    Raises
    ------
    CohortRefused
        If there are fewer than 5 patients with a second infusion.
    """
    if frame.height < LEAST_PATIENTS:
        rule = f"fewer than {LEAST_PATIENTS} patients had a second infusion"
        remedy = "twins are for groups, never for one patient"
        raise CohortRefused([Problem(table="cohort", rule=rule, remedy=remedy)])
    after = [p for p in profiles if p.infusion == 1 and p.subset == "total"]
    first = {p.patient_id: p for p in sorted(after, key=lambda p: p.unit == "cells/uL")}  # these where there are both
    responses = before or {}
    return tuple(_of_row(row, responded, first.get(str(row[ID])), before=responses.get(str(row[ID])))
                 for row, responded in zip(frame.iter_rows(named=True), _responded(frame, rules or Rules()),
                                           strict=True))  # fmt: skip


def _of_row(
    row: dict[str, object], responded: bool | None, counts: Profile | None, *, before: int | None
) -> PatientData:
    dose, regimen = _dose(row.get("cart2_dose_cells_per_kg")), _regimen(row.get("cart2_lymphodepletion" + CLASS_SUFFIX))
    second = None
    if regimen is not None and dose is not None:
        second = Infusion(lymphodepletion=regimen, dose_cells_per_kg=dose, after_days=SHORTEST)
    days = cast("float | None", row.get("interval_days"))
    return PatientData(
        _regimen(row.get("cart1_lymphodepletion" + CLASS_SUFFIX)), _dose(row.get("cart1_dose_cells_per_kg")),
        days if days is not None and days > 0 else None, _flag(row.get("bulky")), counts, second, responded,
        before, row.get("reason") == "planned", _disease(row.get("diagnosis")),
    )  # fmt: skip


def _responded(frame: pl.DataFrame, rules: Rules) -> list[bool | None]:
    """Return who responded to CART2; None: not assessed."""
    if "response" not in frame.columns:
        return [None] * frame.height
    whole = frame if "diagnosis" in frame.columns else frame.with_columns(diagnosis=pl.lit(None, pl.String))
    by_rule = whole.select(r=is_responder(rules))["r"].to_list()
    best = frame["response"].to_list()
    return [None if b in _UNKNOWN else flag if (flag := _flag(b)) is not None else bool(r)
            for b, r in zip(best, by_rule, strict=True)]  # fmt: skip


def _regimen(value: object) -> Regimen | None:
    return cast("Regimen", value) if value in REGIMENS else None


def _disease(value: object) -> str | None:
    return str(value) if value in DISEASES else None


def _dose(value: object) -> float | None:
    dose = cast("float | None", value)
    return float(dose) if dose is not None and 0 < dose <= MOST_DOSE else None


def _flag(value: object) -> bool | None:
    return value if value is None or isinstance(value, bool) else _FLAGS.get(str(value).casefold())

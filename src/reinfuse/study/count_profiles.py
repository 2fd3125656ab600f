"""CAR-T counts as profiles to be looked at, and what they sum up to by a rule for counts below the limit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from reinfuse.cohort.raw_tables import CohortInput
from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.kinetics.nca import nca
from reinfuse.plan.kinetics_rules import After, Before, Between
from reinfuse.study.plans import PlanOrPath, plan_of
from reinfuse.study.study import Study

RULES: Mapping[str, tuple[str, ...]] = {"before": get_args(Before), "between": get_args(Between),
                                        "after": get_args(After)}  # fmt: skip
"""Where a count below the limit stands -> what it can stand for, the default of a plan first."""
_SHOWN = ("CMAX", "TMAX", "AUCINT28", "TLST", "LAMZHL")


@dataclass(frozen=True)
class CountProfile:
    """Counts after one infusion.

    Attributes
    ----------
    points
        Day, count (the limit where it is below) and whether it is below; without those below a limit that is not known.
    limit
        The highest limit of counts below it; None where none is below a limit that is known.
    parameters
        Of `CountProfiles.parameters`: value, or None and the reason.
    """

    patient: str
    infusion: int
    points: tuple[tuple[float, float, bool], ...]
    limit: float | None
    parameters: tuple[tuple[float | None, str], ...]


@dataclass(frozen=True)
class CountProfiles:
    """All profiles of a cohort in one unit.

    Attributes
    ----------
    parameters
        Code and unit of each parameter.
    rules
        What a count below the limit stands for, by where it stands; `planned`: as the plan says.
    """

    unit: str
    profiles: tuple[CountProfile, ...]
    parameters: tuple[tuple[str, str], ...]
    rules: Mapping[str, str]
    planned: Mapping[str, str]
    notes: tuple[str, ...]


def count_profiles(cohort: CohortInput, plan: PlanOrPath = None,
                   *, rules: Mapping[str, str] | None = None) -> CountProfiles | None:  # fmt: skip
    """Return the profiles of a cohort; None where it holds no count after an infusion.

    Parameters
    ----------
    rules
        As in a plan's `[kinetics]`: `before`, `between`, `after`; what is not named is as the plan says.

    Raises
    ------
    CohortRefused, PlanRefused
        With every problem.
    """
    chosen = plan_of(plan)
    planned = {name: str(getattr(chosen.kinetics, name)) for name in RULES}
    wanted = planned | {n: v for n, v in (rules or {}).items() if n in RULES}
    if wrong := [n for n, v in wanted.items() if v not in RULES[n]]:
        raise PlanRefused([Problem(table="plan", column=f"kinetics.{n}", value=wanted[n], rule="is no such rule",
                                   remedy=f"use one of: {', '.join(RULES[n])}") for n in wrong])  # fmt: skip
    if wanted != planned:
        chosen = chosen.replace(kinetics={**chosen.kinetics.model_dump(mode="json"), **wanted})
    counts = Study.read(cohort, chosen).counts
    if counts is None:
        return None
    units: dict[str, str] = {}
    profiles = []
    for one in counts.profiles:
        by_code = {p.code: p for p in nca(one, counts.rules)}
        units |= {code: p.unit for code, p in by_code.items()}
        points = tuple((float(d), float(v), bool(b)) for d, v, b in zip(one.day, one.value, one.below, strict=True)
                       if math.isfinite(v))  # fmt: skip
        low = [v for _, v, below in points if below]
        parameters = tuple((by_code[c].value, by_code[c].reason or "") for c in _SHOWN)
        profiles.append(CountProfile(one.patient_id, one.infusion, points, max(low, default=None), parameters))
    return CountProfiles(counts.unit, tuple(profiles), tuple((c, units[c]) for c in _SHOWN), wanted, planned,
                         counts.all_profiles.notes)  # fmt: skip

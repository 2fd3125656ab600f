"""The counts of one cohort, ready to be compared: the unit, the profiles in it, and what they sum up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from reinfuse.cohort.cohort import Cohort
from reinfuse.kinetics.exposure import exposures, main_unit, of_unit
from reinfuse.kinetics.profiles import Profile, Profiles, profiles
from reinfuse.plan.kinetics_rules import NcaRules


@dataclass(frozen=True)
class CohortKinetics:
    """The counts of a cohort, ready to be compared.

    Attributes
    ----------
    found
        Every profile, of every unit and subset.
    unit
        The unit that is compared.
    """

    all_profiles: Profiles
    unit: str
    rules: NcaRules
    cohort: Cohort = field(repr=False)

    @cached_property
    def profiles(self) -> list[Profile]:
        """Profiles of all cells in the compared unit."""
        return of_unit(self.all_profiles, self.unit)

    @cached_property
    def exposures(self) -> pl.DataFrame:
        """One row a profile."""
        return exposures(self.profiles, self.rules)

    def as_dict(self) -> dict[str, Any]:
        """Return the section `kinetics` of findings.json."""
        others = sorted({p.unit for p in self.all_profiles.profiles} - {self.unit})
        return {
            "unit": self.unit, "other_units": others, "profiles": len(self.profiles),
            "patients": len({p.patient_id for p in self.profiles}),
            "infusions": {str(i): sum(p.infusion == i for p in self.profiles)
                          for i in sorted({p.infusion for p in self.profiles})},
            "all_below_the_limit": int(self.exposures["low"].sum()),
            "late": int(self.exposures["late"].sum()),
            "residue": sum(bool(p.residue) for p in self.profiles if p.infusion > 1),
            "residue_known": sum(p.residue is not None for p in self.profiles if p.infusion > 1),
            "rules": {"before": self.rules.below.before, "between": self.rules.below.between,
                      "after": self.rules.below.after, "area": "linear up, logarithmic down",
                      "half_life": f"adjusted R2 at least {self.rules.least_r2:g}"},
            "notes": list(self.all_profiles.notes),
        }  # fmt: skip


def cohort_kinetics(cohort: Cohort, unit: str | None, *, rules: NcaRules) -> CohortKinetics | None:
    """Return the counts of a cohort in a unit, by default that of most profiles; None where there are none."""
    all_profiles = profiles(cohort)
    chosen = main_unit(all_profiles, unit)
    return None if chosen is None else CohortKinetics(all_profiles, chosen, rules, cohort)

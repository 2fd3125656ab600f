"""Findings: every number of a report, and where each comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.cohort_summary import Described
from reinfuse.exceptions import CohortRefused, Problem
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.curves import CURVE_SCHEMA, Curve, CurveKey, read_curves
from reinfuse.results.estimate import FIELDS, Estimate
from reinfuse.tabular.csv_files import read_csv

_NUMBERS = ("at", "estimate", "lower", "upper", "confidence", "p_value")


@dataclass(frozen=True)
class Findings:
    """What a study found: every number of its report, and where each comes from.

    Attributes
    ----------
    estimates
        The records; `to_frame` gives them as a frame.
    flow
        Every patient of the input once: `patient_id`, `status`, `reason`.
    warnings
        What a reader must know, as ``{"about": ..., "text": ...}``.
    provenance
        Inputs and plan by SHA-256, versions, seed, date.
    curves
        (endpoint, population, group) -> Kaplan-Meier curve.
    patients
        One row an analysed patient (`patients.csv`).
    described
        Endpoints, factors and populations in words.
    kinetics
        How the CAR-T counts were read and summed up; None without counts.
    cohort, data
        The patients themselves; None of findings that were read back.
    read_from
        The folder of findings that were read back.
    """

    estimates: tuple[Estimate, ...] = field(repr=False)
    flow: pl.DataFrame = field(repr=False)
    warnings: tuple[dict[str, str], ...] = field(repr=False)
    provenance: Mapping[str, Any] = field(repr=False)
    curves: Mapping[CurveKey, Curve] = field(repr=False)
    patients: pl.DataFrame = field(repr=False)
    plan: Plan = field(repr=False)
    described: Described = field(repr=False)
    kinetics: Mapping[str, Any] | None = field(default=None, repr=False)
    cohort: Cohort | None = field(default=None, repr=False)
    data: AnalysisSet | None = field(default=None, repr=False)
    read_from: Path | None = field(default=None, repr=False, compare=False)

    def to_frame(self) -> pl.DataFrame:
        """Return the estimates as a frame, one row a record."""
        kinds = {"n": pl.Int64, "events": pl.Int64, **dict.fromkeys(_NUMBERS, pl.Float64)}
        schema = {name: kinds.get(name, pl.String) for name in FIELDS}
        return pl.DataFrame([e.as_dict() for e in self.estimates], schema=schema, orient="row")

    def as_dict(self) -> dict[str, Any]:
        """Return the contents of `findings.json`."""
        contents = {"provenance": dict(self.provenance), "flow": self.flow.to_dicts(),
                    "estimates": [e.as_dict() for e in self.estimates], "warnings": list(self.warnings)}  # fmt: skip
        return contents if self.kinetics is None else {**contents, "kinetics": dict(self.kinetics)}

    @classmethod
    def load(cls, directory: str | Path) -> Findings:
        """Read findings back from a folder of results: all but the patients' own data.

        Raises
        ------
        CohortRefused
            If the folder holds no results of this version.
        """
        folder = Path(directory)
        try:
            contents = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
            curves = read_curves(read_csv(folder / "curves.csv", CURVE_SCHEMA))
            provenance = contents["provenance"]
            estimates = tuple(Estimate(**record) for record in contents["estimates"])
            plan, about = Plan.model_validate(provenance["declared"]), Described.of(provenance["described"])
            flow = pl.DataFrame(contents["flow"], schema=dict.fromkeys(("patient_id", "status", "reason"), pl.String))
            return cls(estimates, flow, tuple(contents["warnings"]), provenance, curves, pl.DataFrame(), plan, about,
                       contents.get("kinetics"), read_from=folder.absolute())  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
            rule, remedy = "holds no results that can be read", "name a folder that `reinfuse analyze` made"
            raise CohortRefused([Problem(value=str(directory), rule=rule, remedy=remedy)]) from None

    def __repr__(self) -> str:
        return f"<Findings of {self.described.patients} patients: {len(self.estimates)} estimates>"

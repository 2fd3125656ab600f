"""Findings: every number of a report, and where each comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from reinfuse.analysis.estimate import FIELDS, Estimate
from reinfuse.analysis.survival import Curve
from reinfuse.cohort.analysed import Analysed
from reinfuse.cohort.cohort import Cohort
from reinfuse.plan import Plan

Progress = Callable[[str, int, int], None]
CurveKey = tuple[str, str, str | None]
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
    """

    estimates: tuple[Estimate, ...] = field(repr=False)
    flow: pl.DataFrame = field(repr=False)
    warnings: tuple[dict[str, str], ...] = field(repr=False)
    provenance: Mapping[str, Any] = field(repr=False)
    curves: Mapping[CurveKey, Curve] = field(repr=False)
    patients: pl.DataFrame = field(repr=False)
    plan: Plan = field(repr=False)
    cohort: Cohort
    data: Analysed = field(repr=False)

    def to_frame(self) -> pl.DataFrame:
        """Return the estimates as a frame, one row a record."""
        kinds = {"n": pl.Int64, "events": pl.Int64, **dict.fromkeys(_NUMBERS, pl.Float64)}
        schema = {name: kinds.get(name, pl.String) for name in FIELDS}
        return pl.DataFrame([e.as_dict() for e in self.estimates], schema=schema, orient="row")

    def as_dict(self) -> dict[str, Any]:
        """Return the contents of `findings.json`."""
        return {"provenance": dict(self.provenance), "flow": self.flow.to_dicts(),
                "estimates": [e.as_dict() for e in self.estimates], "warnings": list(self.warnings)}  # fmt: skip

    def save(self, directory: str | Path, progress: Progress | None = None) -> Path:
        """Write report, findings, estimates, patients and figures; nothing is left half-written.

        Raises
        ------
        OutputRefused
            If the folder cannot be written.
        """
        from reinfuse.report.write import write

        return write(self, Path(directory), progress)

    def __repr__(self) -> str:
        return f"<Findings of {self.patients.height} patients: {len(self.estimates)} estimates>"

    def _repr_html_(self) -> str:
        """Show the report's main tables in a notebook."""
        from reinfuse.report.html import fragment

        return fragment(self)

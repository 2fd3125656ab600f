"""Findings: every number of a report, and where each comes from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from reinfuse.analyses.survival import Curve
from reinfuse.cohort.analysis_set import Analysed
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.cohort_summary import Described
from reinfuse.exceptions import CohortRefused, Problem
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.estimate import FIELDS, Estimate
from reinfuse.tabular.csv_files import read_csv

Progress = Callable[[str, int, int], None]
CurveKey = tuple[str, str, str | None]
CURVE_POINTS = ("time", "survival", "lower", "upper", "at_risk", "events", "censored")
CURVE_SCHEMA: dict[str, Any] = {"endpoint": pl.String, "population": pl.String, "group": pl.String, "n": pl.Int64,
                                **dict.fromkeys(CURVE_POINTS, pl.Float64)}  # fmt: skip
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
    data: Analysed | None = field(default=None, repr=False)
    read_from: Path | None = field(default=None, repr=False, compare=False)

    def to_frame(self) -> pl.DataFrame:
        """Return the estimates as a frame, one row a record."""
        kinds = {"n": pl.Int64, "events": pl.Int64, **dict.fromkeys(_NUMBERS, pl.Float64)}
        schema = {name: kinds.get(name, pl.String) for name in FIELDS}
        return pl.DataFrame([e.as_dict() for e in self.estimates], schema=schema, orient="row")

    def as_dict(self) -> dict[str, Any]:
        """Return the contents of `findings.json`."""
        told = {"provenance": dict(self.provenance), "flow": self.flow.to_dicts(),
                "estimates": [e.as_dict() for e in self.estimates], "warnings": list(self.warnings)}  # fmt: skip
        return told if self.kinetics is None else {**told, "kinetics": dict(self.kinetics)}

    def save(self, directory: str | Path, progress: Progress | None = None, *, force: bool = False) -> Path:
        """Write report, findings, estimates, patients and figures; nothing is left half-written.

        Parameters
        ----------
        directory
            The folder: new, empty, or with the results of an earlier analysis, which are replaced.
        progress
            Called with what is done, how many steps are done, and how many there are.
        force
            Move a folder with other files aside, to ``<directory>-replaced-<date>``.

        Raises
        ------
        OutputRefused
            If the folder cannot be written, is the cohort's or in it, or holds files of somebody else (without force).
        """
        from reinfuse.output import Destination
        from reinfuse.report.export.results_folder import write

        source = self.cohort.raw.path if self.cohort else self.read_from
        return write(
            self, Destination(Path(directory), "analyze", (source,) if source else (), force), progress=progress
        )

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
            told = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
            curves = read_curves(read_csv(folder / "curves.csv", CURVE_SCHEMA))
            provenance = told["provenance"]
            estimates = tuple(Estimate(**record) for record in told["estimates"])
            plan, about = Plan.model_validate(provenance["declared"]), Described.of(provenance["described"])
            flow = pl.DataFrame(told["flow"], schema=dict.fromkeys(("patient_id", "status", "reason"), pl.String))
            return cls(estimates, flow, tuple(told["warnings"]), provenance, curves, pl.DataFrame(), plan, about,
                       told.get("kinetics"), read_from=folder.absolute())  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
            rule, remedy = "holds no results that can be read", "name a folder that `reinfuse analyze` made"
            raise CohortRefused([Problem(value=str(directory), rule=rule, remedy=remedy)]) from None

    def curves_frame(self) -> pl.DataFrame:
        """Return the points of every curve (`curves.csv`)."""
        frames = [pl.DataFrame({"endpoint": key[0], "population": key[1], "group": key[2], "n": curve.n,
                                **{name: getattr(curve, name) for name in CURVE_POINTS}},
                               schema=CURVE_SCHEMA) for key, curve in self.curves.items()]  # fmt: skip
        return pl.concat([pl.DataFrame(schema=CURVE_SCHEMA), *frames]).with_columns(pl.selectors.float().fill_nan(None))

    def __repr__(self) -> str:
        return f"<Findings of {self.described.patients} patients: {len(self.estimates)} estimates>"

    def _repr_html_(self) -> str:
        """Show the report's main tables in a notebook."""
        from reinfuse.report.document.html import fragment

        return fragment(self)


def read_curves(frame: pl.DataFrame) -> dict[CurveKey, Curve]:
    """Return the curves of a frame that `Findings.curves_frame` made; an unknown limit is NaN again."""
    curves: dict[CurveKey, Curve] = {}
    for (endpoint, population, group), points in frame.group_by("endpoint", "population", "group", maintain_order=True):
        columns = {n: points[n].fill_null(float("nan")).to_numpy().astype(np.float64) for n in CURVE_POINTS}
        curves[str(endpoint), str(population), None if group is None else str(group)] = Curve(
            **columns, n=int(points["n"][0]))  # fmt: skip
    return curves

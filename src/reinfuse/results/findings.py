"""Findings: every number of a report, and where each comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.cohort_summary import Described
from reinfuse.cohort.strata import as_parts, from_parts
from reinfuse.exceptions import CohortRefused, Problem
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.curves import CURVE_SCHEMA, Curve, CurveKey, read_curves
from reinfuse.results.estimate import Estimate, frame
from reinfuse.tabular.csv_files import read_csv


class _EarlierVersion(Exception):
    """The records lack what this version writes."""


class _OfSeveralCentres(Exception):
    """`reinfuse pool combine` wrote the records."""


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

    @property
    def reads(self) -> tuple[Path, ...]:
        """What these findings were made of, where it is a file or folder: nothing is written into it."""
        source = self.cohort.raw.path if self.cohort else self.read_from
        return (source,) if source else ()

    def to_frame(self) -> pl.DataFrame:
        """Return the estimates as a frame, one row a record."""
        return frame(self.estimates)

    def as_dict(self) -> dict[str, Any]:
        """Return the contents of `findings.json`."""
        contents = {"provenance": {**self.provenance, "parts": self._parts()}, "flow": self.flow.to_dicts(),
                    "estimates": [e.as_dict() for e in self.estimates], "warnings": list(self.warnings)}  # fmt: skip
        return contents if self.kinetics is None else {**contents, "kinetics": dict(self.kinetics)}

    def _parts(self) -> dict[str, list[list[str]]]:
        """Return what every population, group and combination is made of, by which `load` reads them."""
        texts = [t for e in self.estimates for t in (e.population, e.group, e.term)]
        return as_parts([*self.described.populations, *texts, *(t for _, *place in self.curves for t in place)])

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
            provenance = contents["provenance"]
            if "pooled" in provenance:
                raise _OfSeveralCentres
            if "parts" not in provenance:
                raise _EarlierVersion
            texts = from_parts(provenance.pop("parts"))
            curves = read_curves(read_csv(folder / "curves.csv", CURVE_SCHEMA), texts)
            estimates = tuple(Estimate.of(record, texts) for record in contents["estimates"])
            plan, about = Plan.model_validate(provenance["declared"]), Described.of(provenance["described"])
            about = replace(about, populations=tuple(texts.get(p, p) for p in about.populations))
            flow = pl.DataFrame(contents["flow"], schema=dict.fromkeys(("patient_id", "status", "reason"), pl.String))
            return cls(estimates, flow, tuple(contents["warnings"]), provenance, curves, pl.DataFrame(), plan, about,
                       contents.get("kinetics"), read_from=folder.absolute())  # fmt: skip
        except _OfSeveralCentres:
            rule = "holds the results of several centres (`reinfuse pool combine`): sums, and no patient's row"
            remedy = "read its report, estimates.csv and findings.json; name a folder that `reinfuse analyze` made"
            raise CohortRefused([Problem(value=str(directory), rule=rule, remedy=remedy)]) from None
        except _EarlierVersion:
            rule, remedy = "holds results of an earlier version", "run `reinfuse analyze` on the cohort again"
            raise CohortRefused([Problem(value=str(directory), rule=rule, remedy=remedy)]) from None
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
            rule, remedy = "holds no results that can be read", "name a folder that `reinfuse analyze` made"
            raise CohortRefused([Problem(value=str(directory), rule=rule, remedy=remedy)]) from None

    def __repr__(self) -> str:
        ends = ", ".join(e.name for e in self.described.endpoints) or "no endpoint"
        counted = f"{len(self.estimates)} estimates, {len(self.warnings)} warnings"
        return f"<Findings of {self.described.patients} patients: {ends}; {counted}>"

"""What `reinfuse kinetics` writes: the report on the counts, its numbers, and those of every infusion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from reinfuse.kinetics.cdisc_pp import parameters
from reinfuse.kinetics.cohort_kinetics import CohortKinetics
from reinfuse.output import Destination, at
from reinfuse.report.document.html import html
from reinfuse.report.export.results_folder import write_figures
from reinfuse.report.figures.catalog import kinetic_figures
from reinfuse.report.figures.fits import A_FIGURE, FittedCurve, fits
from reinfuse.report.figures.vpc import vpc
from reinfuse.report.sections.contents import kinetic_report
from reinfuse.report.sections.study_sections import Placed
from reinfuse.results.findings import Findings
from reinfuse.tabular.csv_files import write_csv

if TYPE_CHECKING:
    from reinfuse.analyses.population_steps import Sampled

MOST_FITS = 4
"""Figures of single patients' curves; fitted.csv has all."""


def write_kinetics(
    findings: Findings, counts: CohortKinetics, sampled: Sampled | None, *, place: Destination | Path
) -> Path:
    """Write report.html, findings.json, estimates.csv, kinetics.csv, fitted.csv and figures into a folder.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """

    def write(draft: Path) -> None:
        drawn = [(place, figure) for place, _, draw in kinetic_figures(findings)
                 if (figure := draw()) is not None]  # fmt: skip
        drawn += _of_the_model(sampled, counts, synthetic=bool(findings.provenance["synthetic"])) if sampled else ()
        write_figures([figure for _, figure in drawn], draft / "figures")
        (draft / "report.html").write_text(html(kinetic_report(findings, drawn)), encoding="utf-8")
        text = json.dumps(findings.as_dict(), indent=1, allow_nan=False, ensure_ascii=False)
        (draft / "findings.json").write_text(text + "\n", encoding="utf-8")
        write_csv(findings.to_frame(), draft / "estimates.csv")
        write_csv(parameters(counts.all_profiles, counts.rules), draft / "kinetics.csv")
        if sampled and sampled.fit is not None:
            write_csv(_fitted(sampled), draft / "fitted.csv")

    return at(place, "kinetics").write(write)


def _of_the_model(sampled: Sampled, counts: CohortKinetics, *, synthetic: bool) -> Iterator[Placed]:
    if sampled.fit is None:
        return
    if sampled.checks:
        title = "Visual predictive check of the population model"
        yield (
            "kinetics_population",
            vpc("predictive_check", title, sampled.checks, unit=counts.unit, synthetic=synthetic),
        )
    curves = list(_curves(sampled))
    patients = sorted({c.profile.patient_id for c in curves})
    parts = [patients[i : i + A_FIGURE] for i in range(0, len(patients), A_FIGURE)]
    for i, part in enumerate(parts[:MOST_FITS]):
        of_part = [c for c in curves if c.profile.patient_id in part]
        title = f"Counts of each patient and fitted curves ({i + 1} of {len(parts)})"
        yield "kinetics_population", fits(f"fits_{i + 1}", title, of_part, unit=counts.unit, synthetic=synthetic)


def _curves(sampled: Sampled) -> Iterator[FittedCurve]:
    profiles = sampled.fit.layout.profiles if sampled.fit else ()
    for profile, curve in zip(profiles, sampled.fitted, strict=True):
        yield FittedCurve(profile, np.asarray(sampled.grid), curve.median, curve.low, curve.high)


def _fitted(sampled: Sampled) -> pl.DataFrame:
    return pl.concat([
        pl.DataFrame({"patient_id": c.profile.patient_id, "infusion": c.profile.infusion, "day": c.day,
                      "median": c.median, "low": c.low, "high": c.high})
        for c in _curves(sampled)
    ])  # fmt: skip

"""Factors of exposure: ratios of peak and area between infusions, with a random intercept of each patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from reinfuse.analyses import mixed_model
from reinfuse.analyses.base import NO_COUNTS, Analysis, ratios_of_counts
from reinfuse.arrays import Floats
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.factors import FactorColumn
from reinfuse.kinetics.cohort_kinetics import CohortKinetics
from reinfuse.kinetics.day_28 import WINDOW
from reinfuse.kinetics.infusion_factors import declared, factors, label
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.estimate import Estimate, joined

COMPARED = ("auc_0_28", "cmax")
"""Measures whose ratios between infusions are estimated."""
AMONG_REPEATS = ("cart1_cy_flu", "log2_dose_ratio")
"""Factors that only a repeat infusion has."""
ADJUSTED = ("repeat", "cy_flu", "cart1_cy_flu", "log10_dose", "log2_dose_ratio")
"""Factors of the multivariable model of exposure."""


def columns(values: Mapping[str, Floats], rows: np.ndarray | None = None) -> dict[str, FactorColumn]:
    """Return factors of infusions as factor columns; those with two values 0 and 1 as yes/no."""
    columns_of = {}
    for name, value in values.items():
        value = value if rows is None else np.where(rows, value, np.nan)
        distinct = set(value[~np.isnan(value)].tolist())
        if distinct <= {0.0, 1.0}:
            words = pl.Series(name, [None if np.isnan(v) else "yes" if v else "no" for v in value], dtype=pl.String)
            columns_of[name] = FactorColumn(name, label(name), "binary", words, ("no", "yes"))
        else:
            numbers = pl.Series(name, value).fill_nan(None)
            columns_of[name] = FactorColumn(name, label(name), "number", numbers)
    return columns_of


def _effects(counts: CohortKinetics, data: AnalysisSet, plan: Plan) -> list[Estimate]:
    ordered = sorted(counts.profiles, key=lambda p: (p.patient_id, p.infusion))
    values = factors(counts.cohort, ordered) | declared(data, ordered)
    patient = [p.patient_id for p in ordered]
    repeat = np.array([p.infusion > 1 for p in ordered])
    alone = columns(values) | columns({n: v for n, v in values.items() if n in AMONG_REPEATS}, repeat)
    varied = {n for n, v in values.items() if n in ADJUSTED and len(set(v[~np.isnan(v)])) > 1}
    together = [c for n, c in columns(values).items() if n in varied]
    records = []
    for measure in COMPARED:
        log = np.log(counts.exposures[measure].fill_null(float("nan")).to_numpy())
        effects = [
            e
            for f in alone.values()
            for e in mixed_model.effects(
                measure, log, patient, factors=[f], model="univariable", confidence=plan.confidence
            )
        ]
        if len(together) > 1:
            effects += mixed_model.effects(
                measure, log, patient, factors=together, model="multivariable", confidence=plan.confidence
            )
        note = _halved(counts, measure)
        records += [replace(e, note=joined([e.note, note])) for e in effects]
    return records


def _halved(counts: CohortKinetics, measure: str) -> str | None:
    """Say how many infusions enter with half the limit."""
    by, none = (f" by day {WINDOW:g}", pl.col("low") | pl.col("late")) if measure != "cmax" else ("", pl.col("low"))
    many = counts.exposures.filter(none & pl.col(measure).is_not_null()).height
    s = "" if many == 1 else "s"
    return f"{many} infusion{s} with no count above the limit{by}, set to half the limit" if many else None


ANALYSIS = Analysis(
    "factors of exposure",
    records="kinetics",
    section="kinetics",
    steps=lambda inputs: ratios_of_counts("factors of exposure", inputs, work=_effects),
    what="ratios of peak and AUC between infusions",
    method=(
        "log values, random intercept per patient (REML), CR2 robust standard errors and Satterthwaite "
        "degrees of freedom; `cart1_cy_flu` and `log2_dose_ratio` alone: among repeat infusions (J Bus Econ "
        "Stat 2018;36:672)"
    ),
    lacking=NO_COUNTS,
    switches=("kinetics",),
)

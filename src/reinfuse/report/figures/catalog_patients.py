"""Which figures of single patients a report has; none of findings that were read back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from reinfuse.arrays import Bools
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.endpoint_catalog import declaration
from reinfuse.cohort.patient_courses import courses
from reinfuse.cohort.tumour_size import COLUMN as SIZE_CHANGE
from reinfuse.report.document.split import MainItem
from reinfuse.report.figures.doses import Dose, doses
from reinfuse.report.figures.figure_spec import Planned
from reinfuse.report.figures.missing import missing
from reinfuse.report.figures.swimmer import MOST, swimmer
from reinfuse.report.figures.theme import Columns, Drawn
from reinfuse.report.figures.waterfall import waterfall
from reinfuse.results.findings import Findings

MAIN = (MainItem("swimmer"),)
"""Those that stand in the report."""


def patient_figures(findings: Findings, columns: Columns | None) -> Iterator[Planned]:
    """Yield the figures that show single patients."""
    cohort, data = findings.cohort, findings.data
    if cohort is None or data is None:
        return
    synthetic, index = bool(findings.provenance["synthetic"]), findings.plan.index_infusion
    n, threshold = data.frame.height, findings.plan.rules.umrd_threshold
    unknowns = f"Missing values, {n} patients"
    yield "patients", "missing", lambda: missing(unknowns, unknown(data), synthetic, columns=columns or 2)
    if index > 1 and {f"cart{i}_dose_cells_per_kg" for i in (index - 1, index)} <= set(data.frame.columns):
        yield "patients", "doses", lambda: _doses(data, index, synthetic, columns=columns or 1)
    if n <= MOST:
        yield (
            "course",
            "swimmer",
            lambda: swimmer(
                f"Course of {n} patients",
                courses(cohort, data, index, threshold=threshold),
                synthetic,
                columns=columns or 2,
            ),
        )
    if SIZE_CHANGE in data.frame.columns and data.frame[SIZE_CHANGE].is_not_null().any():
        yield "response", "waterfall", lambda: _waterfall(data, synthetic, columns=columns or 2)


def unknown(data: AnalysisSet) -> dict[str, Bools]:
    """Return which patients' value of each factor and endpoint is not known.

    What does not apply is not unknown: the duration of a response that there was not.
    """
    missing_by_label = {f.label: f.values.is_null().to_numpy() for f in data.factors}
    for end in data.endpoints:
        gone = ~end.known
        among = data.endpoint(declaration(end.name).among or "")
        if among is not None:
            gone &= among.event == 1
        missing_by_label[end.label] = gone
    for grade in data.grades:
        missing_by_label[grade.removeprefix("toxicity_").replace("_", " ")] = data.frame[grade].is_null().to_numpy()
    return missing_by_label


def _doses(data: AnalysisSet, index: int, synthetic: bool, *, columns: Columns) -> Drawn | None:
    response = data.endpoint("response")
    responses = np.full(data.frame.height, "missing", dtype="<U12")
    if response is not None:
        responses = np.where(
            np.isnan(response.event), "missing", np.where(response.event == 1, "response", "no response")
        )
    both = [data.frame[f"cart{i}_dose_cells_per_kg"].to_list() for i in (index - 1, index)]
    dose_pairs = [Dose(a, b, str(r)) for a, b, r in zip(*both, responses, strict=True) if a and b]
    if not dose_pairs:
        return None
    left_out = data.frame.height - len(dose_pairs)
    title = f"Dose of CART{index - 1} and CART{index}, {len(dose_pairs)} patients"
    title += f" ({left_out} without both doses)" if left_out else ""
    return doses(title, dose_pairs, left_out, index=index, synthetic=synthetic, columns=columns)


def _waterfall(data: AnalysisSet, synthetic: bool, *, columns: Columns) -> Drawn:
    sized = data.frame.filter(pl.col(SIZE_CHANGE).is_not_null())
    best = sized["response"] if "response" in sized.columns else pl.Series([None] * sized.height, dtype=pl.String)
    changes = list(zip(sized[SIZE_CHANGE].to_list(), best.fill_null("not assessed").to_list(), strict=True))
    without = data.frame.height - sized.height
    title = f"Best change of the measured disease, {sized.height} patients"
    title += f" ({without} without sizes)" if without else ""
    return waterfall(title, changes, without, synthetic=synthetic, columns=columns)

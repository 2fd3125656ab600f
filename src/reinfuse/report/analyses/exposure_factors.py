"""Factors of exposure in the report."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.kinetics.exposure import MEASURES
from reinfuse.kinetics.infusion_factors import label
from reinfuse.report.analyses.base import Cite, Part, Shown
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.forest import forest
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.labels import lowered
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings

_TEXT = (
    "A ratio above 1 means higher exposure or longer persistence with the factor. Models account for correlated "
    "infusions of a patient. These are associations: clinicians chose regimens and doses for reasons that may also "
    "affect expansion (confounding by indication)."
)


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    if any((e.analysis, e.endpoint, e.statistic) == ("kinetics", "auc_0_28", "ratio") for e in findings.estimates):
        yield (
            "Log peak and log AUC were compared by a linear mixed model with a random intercept per patient and "
            f"small-sample robust standard errors {cite('cr2')}; persistence by an interval-censored Weibull model "
            "with profile-likelihood intervals."
        )


def _parts(tables: StudyTables) -> Iterator[Part]:
    title = "Factors associated with exposure"
    yield Part("kinetics_factors", title, tables=(tables.factors(),), text=(_TEXT,))


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    if inputs.findings.kinetics is not None:
        for measure in ("auc_0_28", "cmax") if inputs.counts_alone else ("auc_0_28",):
            yield "kinetics_factors", f"forest_{measure}", partial(forest_of, inputs, measure)


def forest_of(inputs: FigureInputs, measure: str) -> Drawn | None:
    """Draw the factors of one measure of exposure, or of persistence."""
    records = [e for e in inputs.tables.ratios() if e.endpoint == measure]
    if not any(e.estimate is not None for e in records):
        return None
    times = measure == "persistence"
    title = "Factors associated with " + ("persistence" if times else lowered(MEASURES[measure][0]))
    return forest(
        f"forest_{measure}",
        title,
        records,
        labels=inputs.tables.labels,
        synthetic=inputs.synthetic,
        columns=inputs.two,
        what="Time ratio" if times else "Ratio",
        named=None if times else label,
        counted="Losses / n" if times else "Patients / infusions",
    )


SHOWN = Shown(_methods, references=cited("cr2"), figures=_figures, parts=_parts, tables_named=("exposure_factors",))

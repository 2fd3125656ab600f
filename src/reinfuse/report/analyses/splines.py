"""Shapes of associations in the report: a table of the tests of non-linearity, and a figure an endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.analyses.splines import REFERENCE
from reinfuse.cohort.strata import level_of
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.shapes import AssociationCurve, shapes
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.robustness import RATIOS
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered, without_unit
from reinfuse.report.text.references import Reference
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.results.findings import Findings

HARRELL = Reference(
    "Harrell FE, Lee KL, Pollock BG",
    "Regression models in clinical studies: determining relationships between predictors and response",
    "J Natl Cancer Inst", 1988, "80", "1198-1202", "15", "10.1093/jnci/80.15.1198")  # fmt: skip
_TEXT = (
    "Numeric factors are otherwise taken as straight lines on the log odds or log hazard scale. Here each is a "
    "restricted cubic spline of three knots, alone. With few events only a strong bend is shown."
)


def _table(tables: StudyTables) -> Table | None:
    lines: list[tuple[str, tuple[str, ...], str | None]] = []
    for e in (e for end in tables.findings.described.endpoints for e in tables.look.all("spline", end.name, "p_value")):
        p = NOT_ESTIMABLE if e.p_value is None else number_format.p_value(e.p_value)
        head = (
            f"{tables.labels.endpoint(e.endpoint or '')}: {lowered(without_unit(tables.labels.factor(e.term or '')))}"
        )
        lines.append((head, (number_format.count(e.n), number_format.count(e.events), p), e.note))
    heads = ("Endpoint and factor", "n", "Events", f"Non-linearity {tables.p}")
    return tables.marked(heads, "splines", "Non-linearity of numeric factors", lines) if lines else None


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    for end in inputs.findings.described.endpoints:
        if inputs.tables.look.all("spline", end.name, REFERENCE):
            yield "splines", f"shape_{end.name}", partial(_shapes, inputs, end.name)


def _shapes(inputs: FigureInputs, endpoint: str) -> Drawn:
    tables = inputs.tables
    curves = [_shape(tables, e) for e in tables.look.all("spline", endpoint, REFERENCE)]
    what = "Odds ratio" if tables.look.all("spline", endpoint, "odds_ratio") else "Hazard ratio"
    title = f"Numeric factors and {lowered(tables.labels.endpoint(endpoint))}: restricted cubic splines, {tables.ci}"
    return shapes(f"shape_{endpoint}", title, what, curves=curves, synthetic=inputs.synthetic, columns=inputs.two)


def _shape(tables: StudyTables, reference: Estimate) -> AssociationCurve:
    where = {"term": reference.term}
    points = [(float(level_of(e.group)), e.estimate, e.lower, e.upper)
              for s in RATIOS for e in tables.look.all("spline", reference.endpoint, s, **where)]  # fmt: skip
    test = tables.look.all("spline", reference.endpoint, "p_value", **where)[0]
    label = without_unit(tables.labels.factor(reference.term or ""))
    axis = f"{label}, {reference.unit}" if (reference.unit or "").endswith("s") else label
    return AssociationCurve(label, axis, f"non-linearity {number_format.p_is(test.p_value or 0)}", points,
                 reference.estimate or 0.0)  # fmt: skip


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield (
        "Non-linearity of numeric factors was tested in restricted cubic splines with knots at the 10th, 50th and 90th "
        f"percentiles {cite('splines')}, where there were at least 5 events for each of their two columns."
    )


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield Part("splines", "Shape of associations with numeric factors", tables=(_table(tables),), text=(_TEXT,))


SHOWN = Shown(
    _methods,
    references={"splines": HARRELL},
    strobe=(Strobe("17", "spline", "non-linearity"),),
    figures=_figures,
    parts=_parts,
    tables_named=("splines",),
    figures_named=("shape_{endpoint}",),
)

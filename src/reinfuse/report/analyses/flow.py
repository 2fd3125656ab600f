"""The patients' flow in the report: a figure."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Shown
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.flow import flow
from reinfuse.report.figures.theme import Drawn


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    yield "patients", "flow", lambda: _flow(inputs)


def _flow(inputs: FigureInputs) -> Drawn:
    counts = inputs.tables.look.all("flow", None, "count")
    return flow(counts, inputs.findings.plan.index_infusion, inputs.synthetic, columns=inputs.one)


SHOWN = Shown(figures=_figures)

"""The patients' flow in the report: a figure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from reinfuse.report.analyses.base import Shown
from reinfuse.report.document.split import MainItem
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.flow import flow
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.study_tables import StudyTables


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    yield "patients", "flow", lambda: _flow(inputs)


def _flow(inputs: FigureInputs) -> Drawn:
    counts = inputs.tables.look.all("flow", None, "count")
    return flow(counts, inputs.findings.plan.index_infusion, inputs.synthetic, columns=inputs.one)


def _main(tables: StudyTables, _: Collection[str]) -> Iterator[MainItem]:
    """Yield the figure only where it shows more than a sentence says: where somebody was excluded."""
    if any(e.term == "excluded" for e in tables.look.all("flow", None, "count")):
        yield MainItem("flow")


SHOWN = Shown(figures=_figures, main=_main)

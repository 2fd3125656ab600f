"""Which figures a report has: those that the analyses declare, and those of single patients."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.plan.report_options import ReportOptions
from reinfuse.report.analyses import registry
from reinfuse.report.figures.catalog_patients import patient_figures
from reinfuse.report.figures.figure_spec import Draw, FigureInputs, Planned
from reinfuse.report.figures.theme import Columns, Drawn, drawn_as
from reinfuse.report.text.journal_style import printed_as
from reinfuse.report.text.labels import with_own_labels
from reinfuse.report.text.narrowing import of_subgroups
from reinfuse.results.findings import Findings


def figures(findings: Findings, columns: Columns | None = None, *, every_group: bool = False) -> Iterator[Planned]:
    """Yield every figure that these findings may have: the patients' flow, single patients, results.

    Parameters
    ----------
    columns
        Columns of a journal's page that each spans; default: what suits the figure.
    every_group
        Curves of every time to event by every factor that has levels.
    """
    findings = of_subgroups(with_own_labels(findings))
    planned = list(registry.figures(FigureInputs(findings, columns, every_group=every_group)))
    first = [one for one in planned if one[0] == "patients"]
    every = (*first, *patient_figures(findings, columns), *(one for one in planned if one[0] != "patients"))
    yield from (_in_style(one, options=findings.plan.report) for one in every)


def kinetic_figures(findings: Findings) -> Iterator[Planned]:
    """Yield the figures of a report on the CAR-T counts alone."""
    findings = with_own_labels(findings)
    planned = registry.figures(FigureInputs(findings, counts_alone=True), section="kinetics")
    yield from (_in_style(one, options=findings.plan.report) for one in planned)


def _in_style(planned: Planned, *, options: ReportOptions) -> Planned:
    """Return a figure that prints its numbers as the plan asks for, whenever it is drawn."""
    section, name, draw = planned
    return section, name, partial(_drawn, draw, options=options, name=name)


def _drawn(draw: Draw, *, options: ReportOptions, name: str) -> Drawn | None:
    with printed_as(options), drawn_as(options.figure_style.look_of(name)):
        return draw()

"""Which figures a report has: those that the analyses declare, and those of single patients."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses import registry
from reinfuse.report.figures.catalog_patients import patient_figures
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.theme import Columns
from reinfuse.results.findings import Findings


def figures(findings: Findings, columns: Columns | None = None) -> Iterator[Planned]:
    """Yield every figure that these findings may have: the patients' flow, single patients, results.

    Parameters
    ----------
    columns
        Columns of a journal's page that each spans; default: what suits the figure.
    """
    planned = list(registry.figures(FigureInputs(findings, columns)))
    yield from (one for one in planned if one[0] == "patients")
    yield from patient_figures(findings, columns)
    yield from (one for one in planned if one[0] != "patients")


def kinetic_figures(findings: Findings) -> Iterator[Planned]:
    """Yield the figures of a report on the CAR-T counts alone."""
    yield from registry.figures(FigureInputs(findings, counts_alone=True), section="kinetics")

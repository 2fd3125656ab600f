"""One drawing of findings by its name, or why there is none."""

from __future__ import annotations

from collections.abc import Collection

from reinfuse.report.figures.catalog import figures
from reinfuse.report.figures.figure_spec import MOST_GROUPS
from reinfuse.report.figures.swimmer import MOST
from reinfuse.report.figures.theme import Columns, Drawn
from reinfuse.results.findings import Findings
from reinfuse.study.requests import among, refused

_OF_PATIENTS = ("swimmer", "waterfall", "doses", "missing")
"""Figures of single patients."""


def drawing_of(findings: Findings, name: str, *, columns: Columns | None, what: str) -> Drawn:
    """Draw a figure.

    Parameters
    ----------
    name
        In the report, or that of curves by a factor by which the report has none.
    columns
        Columns of a journal's page that it spans; None: what suits it.
    what
        The method, as the user called it.

    Raises
    ------
    RequestRefused
        If there is none of this name, or nothing to draw.
    """
    if columns not in (None, 1, 2):
        raise refused(what, "columns", columns, rule="is no width of a figure", remedy="use 1 or 2")
    planned = {key: draw for _, key, draw in figures(findings, columns, every_group=what == "km")}
    drawn = planned[name]() if name in planned else None
    if drawn is None:
        rule, remedy = _why_not(findings, name, planned=planned)
        raise refused(what, "name" if what == "figure" else None, name, rule=rule, remedy=remedy)
    return drawn


def _why_not(findings: Findings, name: str, *, planned: Collection[str]) -> tuple[str, str]:
    """Return why a figure is not drawn, and what can be done."""
    if name in planned:
        few = f": curves are drawn of 2 to {MOST_GROUPS} groups in which somebody is evaluated"
        return f"{name!r} has nothing to draw{few if '_by_' in name else ''}", "take another factor or endpoint"
    if findings.cohort is None and name in _OF_PATIENTS:
        return f"{name!r} shows single patients, and findings that were read back hold none", "analyse the cohort"
    if name == "swimmer":
        return f"a swimmer plot shows {MOST} patients at most", "analyse a part of the cohort"
    return f"{name!r} is no figure of these findings", among(planned, name=name)

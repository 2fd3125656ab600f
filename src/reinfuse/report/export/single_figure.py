"""One figure alone, at the width of one or two columns of a journal."""

from __future__ import annotations

from pathlib import Path

from reinfuse.exceptions import FigureRefused, Problem, nearest
from reinfuse.output import Destination, at
from reinfuse.plan.analysis_plan import Plan
from reinfuse.plan.figure_options import Format
from reinfuse.plan.options import Analyses
from reinfuse.report.document.typst import png
from reinfuse.report.export.figure_files import figure_file
from reinfuse.report.figures.catalog import figures
from reinfuse.report.figures.theme import Columns, Drawn
from reinfuse.results.findings import Findings
from reinfuse.tabular.csv_files import csv_text

_DESCRIPTIVE = ("flow", "swimmer", "waterfall", "missing", "doses", "response_best", "km_")
"""Figures, or beginnings of their names, that need the description of the patients alone."""
FORMATS: tuple[Format, ...] = ("svg", "pdf", "png")


def enough(plan: Plan, name: str) -> Plan:
    """Return the plan with what a figure needs: many show only the description and the models."""
    if not name.startswith(_DESCRIPTIVE):
        return plan
    return plan.model_copy(update={"analyses": Analyses.none(), "landmarks": (), "time_dependent": ()})


def names(findings: Findings) -> list[str]:
    """Return the names of all figures that can be drawn of these findings."""
    return [name for _, name, draw in figures(findings) if draw() is not None]


def one(findings: Findings, name: str, *, columns: Columns) -> Drawn:
    """Draw one figure.

    Raises
    ------
    FigureRefused
        If there is no such figure, or nothing to draw.
    """
    drawings = {name: draw for _, name, draw in figures(findings, columns)}
    if name not in drawings:
        near = nearest(name, drawings, short=3)
        remedy = f"did you mean {near}?" if near else f"use one of: {', '.join(drawings)}"
        raise FigureRefused([Problem(value=name, rule="is not a figure of these data", remedy=remedy)])
    drawn = drawings[name]()
    if drawn is None:
        rule = "nothing to draw: too few patients in a group, or too many groups"
        raise FigureRefused([Problem(value=name, rule=rule, remedy="choose another figure")])
    return drawn


def files_of(name: str) -> list[str]:
    """Return the names of the files that are written of every figure."""
    return [f"{name}.{ending}" for ending in (*FORMATS, "csv")]


def write(drawn: Drawn, place: Destination | Path) -> list[Path]:
    """Write a figure as SVG, PDF, PNG (300 dpi) and CSV, and in the plan's further formats; return the files.

    Raises
    ------
    OutputRefused
        If the folder cannot be written, or holds files of these names.
    """
    pixels = png(drawn.svg)
    kinds = dict.fromkeys((*FORMATS, *drawn.formats))
    files = {f"{drawn.name}.{kind}": figure_file(drawn, kind, pixels=pixels) for kind in kinds}
    return at(place, "figure").write_files({**files, f"{drawn.name}.csv": csv_text(drawn.data).encode()})

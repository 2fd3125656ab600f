"""Factors of persistence in the report: a figure; the sentence on the factors of exposure says how."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.report.analyses.base import Shown
from reinfuse.report.analyses.exposure_factors import forest_of
from reinfuse.report.figures.figure_spec import FigureInputs, Planned


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    if inputs.findings.kinetics is not None and inputs.counts_alone:
        yield "kinetics_factors", "forest_persistence", partial(forest_of, inputs, "persistence")


SHOWN = Shown(figures=_figures)

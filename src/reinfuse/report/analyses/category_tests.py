"""Tests of all levels of a category in the report: rows of the tables of associations."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown
from reinfuse.results.findings import Findings


def _methods(_: Findings, __: Cite) -> Iterator[str]:
    yield "Categories of three levels or more were also tested by one penalised likelihood-ratio test of all levels."


SHOWN = Shown(_methods)

"""Mediation analysis in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses.mediation import ASSUMPTIONS
from reinfuse.report.analyses.base import Cite, Part, Shown
from reinfuse.report.document.model import Bullets
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings

_TEXT = (
    "Decomposition of a factor's association with response into direct and indirect (through exposure) effects. "
    "Hypothesis-generating: it is causal only under all of the following assumptions, which the data cannot verify."
)


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield f"Natural direct and indirect effects were estimated by g-computation {cite('mediation')}."


def _parts(tables: StudyTables) -> Iterator[Part]:
    shown, assumptions = (tables.mediation(),), (Bullets(ASSUMPTIONS),)
    yield Part("kinetics_mediation", "Mediation analysis", tables=shown, text=(_TEXT,), after=assumptions)


SHOWN = Shown(_methods, references=cited("mediation"), parts=_parts, tables_named=("mediation",))

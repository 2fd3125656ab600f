"""The joint model in the report: hazard ratios beside their priors."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Part, Shown
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings

_TEXT = (
    "Counts and progression-free survival are modelled jointly, so that no hazard depends on future counts. A hazard "
    "ratio below 1 means fewer events with higher counts."
)


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield f"Counts and progression-free survival were fitted in a joint model {cite('joint')}."


def _parts(tables: StudyTables) -> Iterator[Part]:
    title = "Joint model of counts and progression-free survival"
    yield Part("kinetics_joint", title, tables=(tables.joint(),), text=(_TEXT,))


SHOWN = Shown(_methods, references=cited("joint"), parts=_parts, tables_named=("joint",))

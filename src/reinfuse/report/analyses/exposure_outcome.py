"""Exposure and outcome in the report; Firth's models and the landmark are cited with their own analyses."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Part, Shown
from reinfuse.report.tables.study_tables import StudyTables

_TEXT = (
    "Only counts by day 28 are used. PFS is analysed from a landmark at day 28, among patients free of progression, to "
    "avoid immortal-time bias. For response, counts cover the same weeks: an association, not a prediction. Most "
    "patients who progressed before the day 21 visit have no AUC and are excluded."
)


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield Part("kinetics_outcome", "Exposure and outcome", tables=(tables.outcome(),), text=(_TEXT,))


SHOWN = Shown(parts=_parts, tables_named=("exposure_outcome",))

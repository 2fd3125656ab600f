"""The table `patients.csv`: one row an analysed patient, which read again as a wide sheet gives the same estimates."""

from __future__ import annotations

import polars as pl

from reinfuse.cohort.analysis_set import ID, AnalysisSet
from reinfuse.cohort.declarations import Design
from reinfuse.cohort.raw_tables import ROW
from reinfuse.cohort.schema import WIDE
from reinfuse.cohort.wide_format import LATER, is_grade

MORE_BASELINE = ("histology", "reason", "product")
SOURCE_SUFFIX = "_source"


def patients_frame(data: AnalysisSet, design: Design) -> pl.DataFrame:
    """Return the analysed patients under the standard names.

    Standard columns first, then every column that the plan names itself (so that the same plan reads the table
    again), factors that are not columns already, and last the columns that say which row decided each endpoint.
    """
    frame = data.frame
    standard = [c for c in WIDE.names if c in frame.columns]
    doses = [c for c in frame.columns if LATER.fullmatch(c) and c not in standard]
    grades = [c for c in frame.columns if is_grade(c) and c not in standard]
    more = [c for c in (*MORE_BASELINE, *design.used_columns) if c in frame.columns]
    sources = [c for c in frame.columns if c.endswith(SOURCE_SUFFIX)]
    columns = list(dict.fromkeys([ID, *standard, *doses, *grades, *more]))
    factor_columns = {f.name: f.unscaled for f in data.factors if f.name not in columns and f.name not in sources}
    out = frame[columns].with_columns(**factor_columns)
    last = [c for c in sources if c not in columns]
    out = out.with_columns([frame[c] for c in last])
    if not last and ROW in frame.columns and "source" not in out.columns:
        out = out.with_columns(frame.select(source=pl.format("sheet row {}", pl.col(ROW))))
    return out

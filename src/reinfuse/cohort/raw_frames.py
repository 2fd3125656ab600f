"""Data frames as the raw tables of a cohort: the same texts, rows and problems as of files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from reinfuse.cohort.file_names import SHEET
from reinfuse.cohort.near_columns import plain_name
from reinfuse.cohort.raw_tables import Collector, RawCohort, RawTable, Reading, table_of
from reinfuse.problems import Problem
from reinfuse.tabular.files import Unreadable
from reinfuse.tabular.frames import FrameTexts, read_frame

NAME = "data frame"
"""What a cohort of data frames is called that nobody named."""
_RESET = "frame.reset_index() makes it a column"


def raw_frames(frames: Mapping[str, object], *, name: str = NAME) -> RawCohort:
    """Return data frames as a raw cohort.

    Parameters
    ----------
    frames
        Table -> data frame of any library; `SHEET` alone is one with one row a patient.
    name
        What the cohort is called.

    Returns
    -------
    RawCohort
        Its `problems` say what could not be read.
    """
    collector, tables = Collector(), {}
    for table, frame in frames.items():
        try:
            texts = read_frame(frame)
        except Unreadable as refused:
            whole = f"{refused.remedy}; tables: Cohort.from_frames(patients=..., infusions=...)"
            collector.refuse(table, refused.rule, whole if isinstance(frame, dict) else refused.remedy)
            continue
        raw = table_of(table, texts.grid, collector, above=None)
        collector.sources[f"{table} (data frame)"] = _digest(texts)
        if texts.index:
            note = f"the index of the data frame ({texts.index}) is not read; {_RESET}"
            collector.readings.append(Reading(table, None, note, 1))
        if raw is not None:
            tables[table] = replace(raw, labels=texts.labels, index=texts.index)
    return RawCohort(name, tables, SHEET in tables, collector.sources, readings=tuple(collector.readings),
                     problems=tuple(collector.problems))  # fmt: skip


def in_words_of_frames(problem: Problem, table: RawTable) -> Problem:
    """Return a problem with the label of its row, and where an index is the column that is missed, with that remedy."""
    labels, index = table.labels, table.index
    if labels is not None and problem.row is not None and problem.row <= len(labels):
        return replace(problem, index=labels[problem.row - 1])
    missed = problem.rule == "the column is missing" and problem.column is not None and index is not None
    if missed and plain_name(str(index)) == plain_name(str(problem.column)):
        return replace(problem, remedy=f"it is the index of the data frame: {_RESET}")
    return problem


def _digest(texts: FrameTexts) -> str:
    """Return the SHA-256 of the texts of a data frame."""

    def lines() -> Iterator[str]:
        yield "\x1f".join(texts.grid.header)
        yield from (f"{number}\x1f" + "\x1f".join(row) for number, row in texts.grid.rows)

    return hashlib.sha256("\x1e".join(lines()).encode()).hexdigest()

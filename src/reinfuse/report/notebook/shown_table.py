"""One table as a notebook shows it, and as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from reinfuse.report.document.docx import word
from reinfuse.report.document.html import html, table_alone
from reinfuse.report.document.model import Table, alone
from reinfuse.report.document.pdf import pdf, png
from reinfuse.report.notebook.frames import to_pandas
from reinfuse.report.notebook.saving import Writers, save
from reinfuse.results.estimate import Estimate, frame
from reinfuse.tabular.csv_files import csv_text

if TYPE_CHECKING:
    import pandas as pd

_FIRST = ("variable", "level")
"""Columns before those of the table: a row's head, and the heads of the indented rows under it."""


@dataclass(frozen=True)
class ShownTable:
    """A table of a report, by itself: shown by a notebook, saved as a file, read as a data frame.

    Attributes
    ----------
    table
        Its texts.
    estimates
        The records behind them.
    banners, facts
        What a file of it says beside it: that data are synthetic; version and date.
    reads
        What the analysis read, into which no file is written.
    """

    table: Table
    estimates: Sequence[Estimate] = field(repr=False)
    banners: tuple[str, ...] = field(default=(), repr=False)
    facts: dict[str, str] = field(default_factory=dict, repr=False)
    reads: tuple[Path, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """Its name in the report."""
        return self.table.name

    @property
    def records(self) -> pl.DataFrame:
        """The numbers behind the table, one row a record, under the names of findings.json."""
        return frame(self.estimates)

    def to_polars(self) -> pl.DataFrame:
        """Return the table as it is shown: a column each of its heads, `variable` and `level` first; all texts."""
        rows, above = [], ""
        for row in self.table.rows:
            above = above if row.inner else row.head
            rows.append((above, row.head if row.inner else None, *row.cells))
        schema = dict.fromkeys((*_FIRST, *_unlike(self.table.head[1:])), pl.String)
        return pl.DataFrame(rows, schema=schema, orient="row")

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as it is shown, as a data frame of pandas.

        Raises
        ------
        ExtraMissing
            If pandas is not installed.
        """
        return to_pandas(self.to_polars())

    def save(self, path: str | Path) -> Path:
        """Write the table as .docx, .html, .pdf, .png, .csv or .md, by the ending; a file of the name is replaced.

        Raises
        ------
        RequestRefused
            If the ending is another.
        OutputRefused
            If the file cannot be written; what stood there is as it was.
        """
        return save(path, self._writers(), what="a table", reads=self.reads)

    def _writers(self) -> Writers:
        document = alone(self.table, self.table.caption, banners=self.banners, facts=self.facts)
        return {
            ".docx": lambda: word(document, {}), ".html": lambda: html(document).encode(),
            ".pdf": lambda: pdf(document), ".png": lambda: png(document),
            ".csv": lambda: csv_text(self.to_polars()).encode(), ".md": lambda: self._markdown().encode(),
        }  # fmt: skip

    def _markdown(self) -> str:
        def line(texts: Sequence[str]) -> str:
            return f"| {' | '.join(t.replace('|', chr(92) + '|') for t in texts)} |"

        rows = [(f"{'&emsp;' if r.inner else ''}{r.head}", *r.cells) for r in self.table.rows]
        body = [line(self.table.head), line(["---"] * len(self.table.head)), *map(line, rows)]
        notes = [f"\n{self.table.footnote}"] if self.table.notes else []
        return "\n".join([f"**{self.table.caption}**\n", *body, *notes, *(f"\n*{b}*" for b in self.banners), ""])

    def _repr_html_(self) -> str:
        return table_alone(self.table, self.banners)

    def __repr__(self) -> str:
        """Return the table as text, its columns one under the other."""
        rows = [self.table.head, *((f"{'  ' if r.inner else ''}{r.head}", *r.cells) for r in self.table.rows)]
        wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
        texts = ["  ".join(t.ljust(w) for t, w in zip(row, wide, strict=True)).rstrip() for row in rows]
        return "\n".join([self.table.caption, "", *texts, "", *self.table.notes, *self.banners])


def _unlike(heads: Sequence[str]) -> list[str]:
    """Return heads of which none occurs twice."""
    return [h if heads[:i].count(h) == 0 else f"{h} ({heads[:i].count(h) + 1})" for i, h in enumerate(heads)]

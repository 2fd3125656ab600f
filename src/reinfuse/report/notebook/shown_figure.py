"""One figure as a notebook shows it, and as files."""

from __future__ import annotations

import html as markup
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from reinfuse.report.document.docx import word
from reinfuse.report.document.html import html
from reinfuse.report.document.model import Picture, alone
from reinfuse.report.document.typst import as_pdf, png
from reinfuse.report.export.figure_files import figure_file
from reinfuse.report.figures.theme import WIDTHS, Drawn
from reinfuse.report.notebook.frames import to_pandas
from reinfuse.report.notebook.saving import Writers, save
from reinfuse.tabular.csv_files import csv_text

if TYPE_CHECKING:
    import pandas as pd

_SHOWN_DPI = 192
"""Pixels an inch of the picture that a notebook keeps; a saved one has more."""
_SCREEN = 96
"""Pixels an inch of a page on a screen."""


@dataclass(frozen=True)
class ShownFigure:
    """A figure of a report, by itself: shown by a notebook, saved as a file, its data read as a data frame.

    Attributes
    ----------
    drawn
        The drawing, with its title and alternative text.
    banners, facts
        What a file of it says beside it: that data are synthetic; version and date.
    reads
        What the analysis read, into which no file is written.
    """

    drawn: Drawn
    banners: tuple[str, ...] = field(default=(), repr=False)
    facts: dict[str, str] = field(default_factory=dict, repr=False)
    reads: tuple[Path, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """Its name in the report."""
        return self.drawn.name

    @property
    def alt(self) -> str:
        """What it shows, in words."""
        return self.drawn.alt

    def to_polars(self) -> pl.DataFrame:
        """Return what is drawn, as numbers."""
        return self.drawn.data

    def to_pandas(self) -> pd.DataFrame:
        """Return what is drawn, as a data frame of pandas.

        Raises
        ------
        ExtraMissing
            If pandas is not installed.
        """
        return to_pandas(self.drawn.data)

    def save(self, path: str | Path) -> Path:
        """Write the figure as .svg, .pdf, .png or .tiff (300 dpi), .docx or .html, or its data as .csv.

        A file of that name is replaced. Also as .eps, where ``figure_style={"formats": ["eps"]}`` was asked for.

        Raises
        ------
        RequestRefused
            If the ending is another.
        OutputRefused
            If the file cannot be written; what stood there is as it was.
        """
        return save(path, self._writers(), what="a figure", reads=self.reads)

    def _writers(self) -> Writers:
        drawn = self.drawn
        document = alone(Picture(drawn), drawn.title, banners=self.banners, facts=self.facts)
        return {
            ".svg": lambda: drawn.svg, ".png": lambda: png(drawn.svg), ".pdf": lambda: as_pdf(drawn.svg),
            ".docx": lambda: word(document, {drawn.name: png(drawn.svg)}), ".html": lambda: html(document).encode(),
            ".csv": lambda: csv_text(drawn.data).encode(),
            ".tiff": lambda: figure_file(drawn, "tiff", pixels=png(drawn.svg)),
            **({} if drawn.eps is None else {".eps": lambda: figure_file(drawn, "eps", pixels=b"")}),
        }  # fmt: skip

    @cached_property
    def _pixels(self) -> bytes:
        return png(self.drawn.svg, _SHOWN_DPI)

    def _repr_svg_(self) -> str:
        """Return the drawing with its alternative text, for those who do not see it."""
        label = markup.escape(self.drawn.alt, quote=True)
        text = self.drawn.svg.decode()
        return re.sub(r"<svg ", lambda _: f'<svg role="img" aria-label="{label}" ', text, count=1)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> tuple[dict[str, object], dict[str, object]]:
        """Return the drawing as SVG and PNG, of which a notebook, or what is made of it, takes one."""
        width = round(WIDTHS[self.drawn.columns] * _SCREEN)
        kinds = {"image/svg+xml": self._repr_svg_, "image/png": lambda: self._pixels, "text/plain": self.__repr__}
        wanted = [k for k in kinds if (not include or k in include) and k not in (exclude or ())]
        return {k: kinds[k]() for k in wanted}, {"image/png": {"width": width}} if "image/png" in wanted else {}

    def __repr__(self) -> str:
        return f"<Figure {self.name}: {self.drawn.alt}>"

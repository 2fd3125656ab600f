"""One look for every figure: colour-blind safe, told apart without colour, the same bytes from the same data."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar, overload

import polars as pl
from matplotlib import rc_context
from matplotlib.figure import Figure

from reinfuse.plan.figure_options import PALETTES, FigureLook, Format
from reinfuse.report.figures.compact_svg import compact
from reinfuse.report.figures.svg_renderer import as_svg

T = TypeVar("T")
_LOOK: ContextVar[FigureLook] = ContextVar("look")
_BY_ITSELF = FigureLook()


def look() -> FigureLook:
    """Return how the figure that is drawn now shall look."""
    return _LOOK.get(_BY_ITSELF)


@contextmanager
def drawn_as(chosen: FigureLook) -> Iterator[None]:
    """Draw figures as a plan asks for, within this context."""
    token = _LOOK.set(chosen)
    try:
        yield
    finally:
        _LOOK.reset(token)


class Cycle(tuple[T, ...]):
    """A tuple that begins anew at its end, however many groups a table names."""

    def __getitem__(self, i: Any) -> Any:
        """Return the item at a place, counted on beyond the end."""
        return super().__getitem__(i % len(self) if isinstance(i, int) else i)


class GroupColours(Sequence[str]):
    """The colours of groups in the palette that the plan asks for; begins anew at its end."""

    def __len__(self) -> int:
        return len(look().colours)

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[str]: ...
    def __getitem__(self, i: int | slice) -> str | Sequence[str]:
        """Return the colour of a group, counted on beyond the end."""
        colours = look().colours
        return colours[i] if isinstance(i, slice) else colours[i % len(colours)]


COLOURS = GroupColours()
MEANING = Cycle(PALETTES["Okabe-Ito"])
"""Colours that stand for one thing in every figure, such as a complete response, whatever the palette of groups is."""
STYLES: Cycle[Any] = Cycle(("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2))))
INK = "#222222"
FAINT = "#6b6b6b"
SYNTHETIC = "Synthetic data: no real patient"
Columns = Literal[1, 2]
MILLIMETRES = 25.4
"""Of an inch."""
WIDTHS: dict[Columns, float] = {1: 89 / MILLIMETRES, 2: 183 / MILLIMETRES}
"""Inches of a figure over one or two columns of a journal (89 and 183 mm)."""
TEXT, SMALL, HEAD = 7.0, 6.0, 8.0
"""Sizes of letters, in points of the printed figure."""
LINE = 0.15
"""Inches from one line of text to the next."""
_LETTERS: dict[Columns, int] = {1: 52, 2: 110}
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": TEXT, "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "axes.labelsize": TEXT, "axes.linewidth": 0.7, "xtick.major.width": 0.7, "ytick.major.width": 0.7,
    "xtick.major.size": 2.5, "ytick.major.size": 2.5, "xtick.labelsize": TEXT, "ytick.labelsize": TEXT,
    "lines.linewidth": 1.3, "hatch.linewidth": 0.5, "svg.fonttype": "path", "legend.frameon": False,
    "legend.fontsize": TEXT,
    "text.parse_math": False,  # a dollar sign in a patient's table is a dollar sign
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """A finished figure.

    Attributes
    ----------
    name
        File name without ending.
    title
        Caption.
    alt
        What it shows, for those who do not see it.
    svg
        The figure; `report.raster` makes pixels of it.
    data
        What is drawn, as a table.
    columns
        Columns of a journal's page that it spans.
    patient_level
        True where single patients can be told apart.
    formats
        The files that are written of it.
    eps
        The figure as PostScript, where that is one of them.
    """

    name: str
    title: str
    alt: str
    svg: bytes = field(repr=False)
    data: pl.DataFrame = field(default_factory=pl.DataFrame, repr=False)
    columns: Columns = 2
    patient_level: bool = False
    formats: tuple[Format, ...] = ("svg", "png")
    eps: bytes | None = field(default=None, repr=False)

    @cached_property
    def compact(self) -> str:
        """The figure in few characters, for a page that holds it."""
        return compact(self.svg)


def new(columns: Columns, height: float) -> Figure:
    """Return an empty figure over one or two columns, its height in inches."""
    with rc_context(_SETTINGS):
        return Figure(figsize=(WIDTHS[columns], height), facecolor="white")


def style() -> AbstractContextManager[None]:
    """Return the context in which axes are made."""
    return rc_context(_SETTINGS)


def wrapped(title: str, columns: Columns) -> list[str]:
    """Return a title in lines that fit the width."""
    return textwrap.wrap(title, _LETTERS[columns]) or [""]


def headline(figure: Figure, title: str, *, columns: Columns) -> None:
    """Put the title at the top left, where the plan wants it in the figure."""
    if not look().title:
        return
    height = figure.get_size_inches()[1]
    text = "\n".join(wrapped(title, columns))
    figure.text(
        0.03 / WIDTHS[columns], 1 - 0.03 / height, text, weight="bold", va="top", fontsize=HEAD, linespacing=1.1
    )


def head_height(title: str, columns: Columns) -> float:
    """Return the inches that the title needs; a narrow edge where it stands in the legend."""
    if not look().title:
        return 0.06
    return 0.06 + 0.135 * len(wrapped(title, columns))


def finish(figure: Figure, name: str, title: str, alt: str, synthetic: bool, data: pl.DataFrame | None = None,
           *, columns: Columns = 2, patient_level: bool = False) -> Drawn:  # fmt: skip
    """Mark a figure of synthetic data, and render it."""
    formats = look().formats
    with rc_context({**_SETTINGS, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a box stands for it
        if synthetic:
            figure.text(0.995, 0.005, SYNTHETIC, ha="right", va="bottom", fontsize=SMALL, color=FAINT, style="italic")
        svg = as_svg(figure, title)
        eps = _eps(figure, title) if "eps" in formats else None
    return Drawn(name, title, shortened(alt), svg, pl.DataFrame() if data is None else data, columns,
                 patient_level, formats, eps)  # fmt: skip


def _eps(figure: Figure, title: str) -> bytes:
    from reinfuse.report.figures.postscript import as_eps  # slow to import, and seldom asked for

    return as_eps(figure, title)


def fitted(labels: Sequence[str], inches: float, letter: float) -> tuple[list[str], float]:
    """Return labels cut to what fits into a width, and the inches that they take.

    Parameters
    ----------
    letter
        Inches of a letter.
    """
    most = max(int(inches / letter), 4)
    cut = [label if len(label) <= most else f"{label[: most - 1].rstrip()}…" for label in labels]
    return cut, letter * max(map(len, cut), default=0)


def shortened(text: str, most: int = 900) -> str:
    """Return an alternative text of a length that can be listened to; the rest is in the figure's data."""
    if len(text) <= most:
        return text
    return f"{text[:most].rsplit(';', 1)[0]}; the rest is in the figure's data."

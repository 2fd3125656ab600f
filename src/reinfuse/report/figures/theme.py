"""One look for every figure: colour-blind safe, told apart without colour, the same bytes from the same data."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette."""
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
INK = "#222222"
FAINT = "#767676"
SYNTHETIC = "Synthetic data: no real patient"
DPI = 200
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left", "svg.fonttype": "path",
    "legend.frameon": False,
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
    svg, png
        The figure.
    """

    name: str
    title: str
    alt: str
    svg: bytes = field(repr=False)
    png: bytes = field(repr=False)


def new(width: float, height: float) -> Figure:
    """Return an empty figure, in inches."""
    with rc_context(_SETTINGS):
        return Figure(figsize=(width, height), facecolor="white")


def style() -> AbstractContextManager[None]:
    """Return the context in which axes are made."""
    return rc_context(_SETTINGS)


def finish(figure: Figure, name: str, title: str, alt: str, synthetic: bool) -> Drawn:
    """Mark a figure of synthetic data, and render it."""
    if synthetic:
        figure.text(0.995, 0.005, SYNTHETIC, ha="right", va="bottom", fontsize=7, color=FAINT, style="italic")
    with rc_context({**_SETTINGS, "svg.hashsalt": name}):
        svg, png = io.BytesIO(), io.BytesIO()
        FigureCanvasSVG(figure)
        figure.savefig(svg, format="svg", metadata={"Date": None, "Title": title})
        FigureCanvasAgg(figure)
        figure.savefig(png, format="png", dpi=DPI, metadata={"Title": title, "Software": None},
                       pil_kwargs={"compress_level": 2})  # fmt: skip
    return Drawn(name, title, alt, svg.getvalue(), png.getvalue())

"""A figure in the formats of its files."""

from __future__ import annotations

from reinfuse.plan.figure_options import Format
from reinfuse.report.document.tiff import tiff
from reinfuse.report.document.typst import DPI, as_pdf
from reinfuse.report.figures.theme import Drawn


def figure_file(drawn: Drawn, kind: Format, *, pixels: bytes) -> bytes:
    """Return a figure as the contents of one file.

    Parameters
    ----------
    pixels
        The figure as PNG.
    """
    if kind == "png":
        return pixels
    if kind == "svg":
        return drawn.svg
    if kind == "pdf":
        return as_pdf(drawn.svg)
    if kind == "tiff":
        return tiff(pixels, DPI)
    assert drawn.eps is not None, "EPS is drawn with the figure"
    return drawn.eps

"""The one module that knows typst: pages and pixels from sources in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import typst

DPI = 300
_PAGE = b'#set page(width: auto, height: auto, margin: 0pt)\n#image("drawing.svg")\n'


def compiled(files: Mapping[str, bytes], *, font_folders: Sequence[str] = (), **options: Any) -> bytes:
    """Return what the file `main` makes of itself and the others; no font of the machine and no package is used."""
    fonts = _fonts(*font_folders)
    output: bytes = typst.compile(dict(files), ignore_system_fonts=True, font_paths=fonts, **options)
    return output


@cache
def _fonts(*folders: str) -> typst.Fonts:
    """Return typst's own fonts and those of folders, read once."""
    return typst.Fonts(include_system_fonts=False, font_paths=list(folders))


def png(svg: bytes, dpi: int | None = None) -> bytes:
    """Return an SVG drawing as PNG.

    Parameters
    ----------
    svg
        With a size of its own.
    dpi
        Pixels an inch of that size; None: `DPI`.
    """
    return compiled({"main": _PAGE, "drawing.svg": svg}, format="png", ppi=float(dpi or DPI))


def as_pdf(svg: bytes) -> bytes:
    """Return an SVG drawing as a PDF of its size."""
    return compiled({"main": _PAGE, "drawing.svg": svg}, format="pdf")

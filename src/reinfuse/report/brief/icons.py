"""Icon arrays: one figure of a person each, the counted ones dark, the others in outline."""

from __future__ import annotations

import polars as pl

from reinfuse.report.figures.theme import Drawn
from reinfuse.report.text import number_format

A_ROW = 25
MOST = 100
"""More people are drawn as so many of every 100."""
_STEP, _HIGH = 26, 40
_DARK = "#0B5C93"


def icons(name: str, title: str, counted: int, *, of: int, alt: str) -> Drawn | None:
    """Draw an icon array; None where it would show none or all of 100 although it is some.

    Parameters
    ----------
    title, alt
        How many of how many; and of what, in words.
    counted, of
        People; more than `MOST` are drawn as so many of every 100.
    """
    shown, drawn = (int(number_format.hundredths(counted / of)), 100) if of > MOST else (counted, of)
    if (shown == 0 < counted) or (shown == drawn and counted < of):
        return None
    rows = -(-drawn // A_ROW)
    width, height = min(drawn, A_ROW) * _STEP, rows * _HIGH
    people = "".join(_person(i % A_ROW * _STEP, i // A_ROW * _HIGH, dark=i < shown) for i in range(drawn))
    svg = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
           f'<rect width="{width}" height="{height}" fill="#fff"/>{people}</svg>')  # fmt: skip
    data = pl.DataFrame({"what": [alt], "counted": [counted], "of": [of]})
    return Drawn(name, title, alt, svg.encode(), data, 1)


def _person(x: int, y: int, *, dark: bool) -> str:
    look = f'fill="{_DARK}"' if dark else 'fill="#fff"'
    body = f"M{x + 5} {y + 36}v-12q0-9 8-9t8 9v12z"
    style = f'{look} stroke="{_DARK}" stroke-width="1.6"'
    return f'<circle cx="{x + 13}" cy="{y + 8}" r="5.2" {style}/><path d="{body}" {style}/>'

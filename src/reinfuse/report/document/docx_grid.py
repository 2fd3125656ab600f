"""A table for Word: rules as journals have them, widths, heads on every page, cells; on the XML itself.

The library's own way to write a cell takes a second a hundred rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from typing import Any

from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Length

from reinfuse.report.document.model import Table, widths

WIDTH = Cm(17.8)
"""Of the text of a page."""
HALF = Cm(8.4)
"""Of a table or figure that may stand beside another."""
_LEAST = Cm(1.05)
"""Of a column: "Events" is not cut."""
_SPECIAL = re.compile(r"[\t\n\r]")
"""What the library writes as an element of its own."""


def rule(table: Any, caption: str) -> None:
    """Rule a table as journals do: above, under the heads, below; and describe it."""
    properties = table._tbl.tblPr
    borders = OxmlElement("w:tblBorders")
    for side, size in (("top", 8), ("bottom", 8), ("insideH", 2)):
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", str(size)), ("space", "0"), ("color", "808080")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    properties.append(borders)
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "50")
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    properties.append(margins)
    description = OxmlElement("w:tblCaption")
    description.set(qn("w:val"), caption)
    properties.append(description)


def set_widths(grid: Any, table: Table, *, whole: Length) -> None:
    """Give the columns widths in proportion to their texts."""
    shares = widths(table)
    twips = [max(round(whole.twips * share / sum(shares)), _LEAST.twips) for share in shares]
    twips[twips.index(max(twips))] -= max(0, sum(twips) - whole.twips)
    _set_widths(grid, twips)


def set_equal_widths(grid: Any) -> None:
    """Give the columns of a page's width equal parts."""
    columns = len(grid._tbl.tblGrid.gridCol_lst)
    _set_widths(grid, [round(WIDTH.twips / columns)] * columns)


def _set_widths(grid: Any, twips: Sequence[int]) -> None:
    grid.autofit = False
    for column, width in zip(grid._tbl.tblGrid.gridCol_lst, twips, strict=True):
        column.set(qn("w:w"), str(width))
    for row in grid._tbl.tr_lst:
        for cell, width in zip(row.tc_lst, twips, strict=True):
            own = cell.get_or_add_tcPr().get_or_add_tcW()
            own.set(qn("w:w"), str(width))
            own.set(qn("w:type"), "dxa")


def set_heads(table: Any) -> None:
    """Let the row of heads stand on every page, and no row break."""
    for i, row in enumerate(table._tbl.tr_lst):
        properties = row.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if i == 0:
            properties.append(OxmlElement("w:tblHeader"))


def fill_cell(cell: Any, text: str, size: Any, *, bold: bool) -> None:
    """Write a new cell's text; on the XML itself, since the library's way takes a second a hundred rows."""
    paragraph = cell.p_lst[0]
    for part in _cell_parts(int(size.pt * 2), bold):
        paragraph.append(deepcopy(part))
    run = paragraph[-1]
    if _SPECIAL.search(text):
        run.text = text
    elif text:
        run.add_t(text)


@cache
def _cell_parts(half_points: int, bold: bool) -> tuple[Any, Any]:
    """Return the properties of a cell's paragraph and an empty run of a size, to be copied."""
    properties, run = OxmlElement("w:pPr"), OxmlElement("w:r")
    spacing = OxmlElement("w:spacing")
    for name in ("before", "after"):
        spacing.set(qn(f"w:{name}"), "20")
    properties.append(spacing)
    style = OxmlElement("w:rPr")
    if bold:
        style.append(OxmlElement("w:b"))
    for name in ("sz", "szCs"):
        mark = OxmlElement(f"w:{name}")
        mark.set(qn("w:val"), str(half_points))
        style.append(mark)
    run.append(style)
    return properties, run


def indent_cell(cell: Any) -> None:
    """Indent the text of a cell."""
    indent = OxmlElement("w:ind")
    indent.set(qn("w:left"), "200")
    cell.p_lst[0].get_or_add_pPr().append(indent)

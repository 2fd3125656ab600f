"""What a reader of a sheet sees beside its values: lines through cells, colours, comments, formats of numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from reinfuse.tabular.cell_parsing import as_text
from reinfuse.tabular.grid import Place
from reinfuse.tabular.plain_rows import RawCell, unescaped

_LITERAL = re.compile(r'"([^"]*)"|\\(.)')
_SIMPLE = re.compile(r"[#0?,]*[#0?](?:\.[0#?]+)?")
_BRACKETS = re.compile(r"\[[^\]]*\]|_.|\*.")
_OVER_ROWS = re.compile(
    r"\b(?:SUM|AVERAGE|COUNT|MEDIAN|MIN|MAX|STDEV|VAR|SUBTOTAL|AGGREGATE|QUARTILE|PERCENTILE)[A-Z.]*\("
    r"[^()]*?\$?[A-Z]{1,3}\$?(\d+):\$?[A-Z]{1,3}\$?(\d+)"
)
_OF_TABLE = re.compile(
    r"\b(?:SUBTOTAL|AGGREGATE)\(\s*\d|\b(?:SUM|AVERAGE|COUNT|MEDIAN|MIN|MAX)[A-Z.]*\(\s*\w+\[[^\[\]#@]+\]"
)
_DIGITS = re.compile(r"\s*[-−+]?\d+\s*")
_TAG = re.compile(r"\{[^}]*\}")
_WHITE = ("rgb:FFFFFFFF", "rgb:00FFFFFF", "theme:0", "indexed:9", "indexed:64")


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks of the cells of one sheet.

    Attributes
    ----------
    struck
        Cells with a line through their text, or part of it.
    fills
        Background colour of each filled cell that has one.
    comments
        Cells with a comment.
    summaries
        Cells with a formula over several rows: sums, means, counts.
    scaled
        Numbers shown in thousands or millions of what is stored.
    """

    struck: frozenset[Place] = frozenset()
    fills: Mapping[Place, str] = field(default_factory=lambda: MappingProxyType({}))
    comments: tuple[Place, ...] = ()
    summaries: frozenset[Place] = frozenset()
    scaled: frozenset[Place] = frozenset()


NO_MARKS = Marks()


class Styles:
    """The formats of a workbook, by the number that its cells name."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self.rich = _rich_texts(book)
        self.struck = frozenset(i for i, one in enumerate(book._cell_styles) if book._fonts[one.fontId].strike)
        colours = ((i, _colour(book._fills[one.fillId])) for i, one in enumerate(book._cell_styles))
        self.fills = {i: colour for i, colour in colours if colour}

    @cached_property
    def shown(self) -> Mapping[int, Callable[[Any], str]]:
        """Style -> how a number or date is shown, where that says something else than its stored value."""
        formats = ((i, self._format(one.numFmtId)) for i, one in enumerate(self._book._cell_styles))
        return {i: shown for i, form in formats if (shown := _shown(form))}

    @cached_property
    def scaled(self) -> frozenset[int]:
        """Styles that show numbers in thousands or millions."""
        formats = ((i, self._format(one.numFmtId)) for i, one in enumerate(self._book._cell_styles))
        return frozenset(i for i, form in formats if re.search(r"[0#],+(?![0#?])", _plain(form)))

    def _format(self, number: int) -> str:
        from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

        if number < BUILTIN_FORMATS_MAX_SIZE:
            return str(BUILTIN_FORMATS.get(number, "General"))
        own = self._book._number_formats
        return str(own[number - BUILTIN_FORMATS_MAX_SIZE]) if number - BUILTIN_FORMATS_MAX_SIZE < len(own) else ""


class Marker:
    """Gathers the marks of one sheet, cell by cell."""

    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self._struck: set[Place] = set()
        self._fills: dict[Place, str] = {}
        self._summaries: set[Place] = set()
        self._scaled: set[Place] = set()

    def shown(self, style: int, value: object) -> str:
        """Return a number or date as it is shown, where that says something else than its value."""
        return self._styles.shown[style](value) if style in self._styles.shown else ""

    def see(self, cell: RawCell, place: Place, *, text: str) -> str:
        """Note the marks of a filled cell; return its text as it is shown."""
        styles, style = self._styles, cell.style
        if cell.formula:
            self.see_formula(cell.formula, place)
        if style in styles.struck:
            self._struck.add(place)
        if style in styles.fills:
            self._fills[place] = styles.fills[style]
        if style in styles.scaled and cell.kind == "n":
            self._scaled.add(place)
        rich = styles.rich.get(int(cell.value or -1)) if styles.rich and cell.kind == "s" else None
        rich = rich if cell.rich is None else _as_shown(cell.rich)
        if rich and rich[1]:
            self._struck.add(place)
        return rich[0] if rich else text

    def see_formula(self, formula: str, place: Place) -> None:
        """Note a formula over several rows."""
        if _is_summary(formula):
            self._summaries.add(place)

    def marks(self, comments: tuple[Place, ...]) -> Marks:
        """Return all that was seen."""
        struck, summaries = frozenset(self._struck), frozenset(self._summaries)
        return Marks(struck, self._fills, comments, summaries, frozenset(self._scaled))


def comments_of(archive: ZipFile, part: str) -> tuple[Place, ...]:
    """Return the cells of a sheet that have a comment."""
    from openpyxl.packaging.relationship import get_dependents, get_rels_path
    from openpyxl.utils.cell import coordinate_to_tuple

    path = get_rels_path(part)
    names = frozenset(archive.namelist())
    targets = [r.target for r in get_dependents(archive, path)] if path in names else []
    places = set()
    for target in (t for t in targets if t in names and "omment" in t):
        for element in ElementTree.fromstring(archive.read(target)).iter():
            if element.tag.endswith(("}comment", "}threadedComment")) and (reference := element.get("ref")):
                row, column = coordinate_to_tuple(reference)
                places.add((row - 1, column - 1))
    return tuple(sorted(places))


def _is_summary(formula: str) -> bool:
    upper = formula.upper()
    rows = _OVER_ROWS.search(upper)
    return (rows is not None and rows[1] != rows[2]) or _OF_TABLE.search(upper) is not None


def _colour(fill: Any) -> str:
    """Return the colour of a fill; none for white and for no fill."""
    if getattr(fill, "fill_type", None) in (None, "none"):
        return "gradient" if type(fill).__name__ == "GradientFill" else ""
    colour = fill.fgColor
    text = f"{colour.type}:{colour.value}" + (f"{colour.tint:+.2f}" if colour.tint else "")
    return "" if text in _WHITE else text


def _plain(form: str) -> str:
    """Return the first section of a format of numbers, without literal texts, colours and spaces."""
    return _BRACKETS.sub("", _LITERAL.sub("", form.replace('";"', "")).split(";")[0]).strip()


def _shown(form: str) -> Callable[[Any], str] | None:
    plain = _plain(form)
    if re.fullmatch(r"[#0,.]*0(?:\.0+)?\s*%", plain):
        return lambda value: f"{as_text(round(value * 100, 10))}%" if _is_number(value) else ""
    low = plain.casefold()
    if "y" in low and not re.search(r"[dhsgb]", low):
        return _month if "m" in low else _year
    if re.fullmatch(r"0{2,}", plain) and not _LITERAL.search(form):
        return lambda value: f"{int(value):0{len(plain)}d}" if _is_number(value) and value == int(value) >= 0 else ""
    return _with_literals(form)


def _with_literals(form: str) -> Callable[[Any], str] | None:
    """Show a number with the texts that its format sets before and after it: `0.0" x10^6/kg"`, `"<"0.00`."""
    section = _BRACKETS.sub("", form).split(";")[0]
    texts: list[str] = []

    def hold(match: re.Match[str]) -> str:
        texts.append(match[1] if match[1] is not None else match[2])
        return "\x00" * len(texts[-1])

    masked = _LITERAL.sub(hold, section)
    number = _SIMPLE.search(masked)
    if not texts or not number or masked.replace(number[0], "", 1).replace("\x00", "").strip(" /%"):
        return None
    count = masked[: number.start()].count("\x00")
    joined = "".join(texts)
    before, after = joined[:count], joined[count:]
    if not re.search(r"\w|[<>%^]", joined):
        return None
    return lambda value: f"{before}{as_text(value)}{after}" if _is_number(value) else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _month(value: Any) -> str:
    """Leave out the day where a date is shown without it and it is the first: who typed `Mar 2019` typed no day."""
    return f"{value:%Y-%m}" if isinstance(value, date | datetime) and value.day == 1 else ""


def _year(value: Any) -> str:
    return f"{value:%Y}" if isinstance(value, date | datetime) and (value.month, value.day) == (1, 1) else ""


def _rich_texts(book: Any) -> Mapping[int, tuple[str, bool]]:
    """Return the shared texts that are struck through in part, or hold raised digits: text as shown, whether struck."""
    part = next((n for n in book._archive.namelist() if n.casefold().endswith("sharedstrings.xml")), None)
    data = book._archive.read(part) if part else b""
    if b"strike" not in data and b"superscript" not in data:
        return {}
    items = (e for e in ElementTree.fromstring(data) if e.tag.endswith("}si"))
    return {i: _as_shown(item) for i, item in enumerate(items) if any(run.tag.endswith("}r") for run in item)}


def _as_shown(item: Element) -> tuple[str, bool]:
    runs = list(_runs(item))
    return unescaped("".join(text for text, _ in runs)), any(struck for _, struck in runs)


def _runs(item: Element) -> Iterator[tuple[str, bool]]:
    """Yield the runs of a text: raised digits after a caret (2x10^6), and whether the run is struck through."""
    before = ""
    for run in item:
        name = _TAG.sub("", run.tag)
        if name == "t":
            yield run.text or "", False
        elif name == "r":
            features = {_TAG.sub("", e.tag): e.get("val", "1") for form in run for e in form if "rPr" in form.tag}
            text = "".join(e.text or "" for e in run if _TAG.sub("", e.tag) == "t")
            raised = features.get("vertAlign") == "superscript" and _DIGITS.fullmatch(text) and before[-1:].isdigit()
            yield f"^{text.strip()}" if raised else text, features.get("strike", "0") not in ("0", "false")
            before = text

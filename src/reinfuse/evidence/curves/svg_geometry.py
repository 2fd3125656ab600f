"""The lines and texts of an SVG file in one system of coordinates: what a Kaplan-Meier figure is made of.

Paths of straight lines (`path`, `polyline`, `line`, and `use` of one) with all transformations applied; numbers that
are texts, or that matplotlib wrote beside the outlines of a label. Nothing is loaded from elsewhere, and a file with
its own entities is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.exceptions import Problem

MOST_BYTES = 30_000_000
_MOST_DEPTH = 200
_FARTHEST = 1e7
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TRANSFORM = re.compile(r"(matrix|translate|scale|rotate)\s*\(([^)]*)\)")
_COMMAND = re.compile(r"([MLHVZmlhvz])|([A-Za-z])|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_HIDDEN = {"defs", "clipPath", "symbol", "marker", "mask", "pattern", "metadata", "style", "script", "foreignObject"}
_LABEL = re.compile(r"[-+−]?(?:\d+[.,]?\d*|[.,]\d+)\s*%?")


@dataclass(frozen=True)
class SvgLine:
    """A path of straight lines: its points, shape (k, 2), y downwards, its colour, whether dashed or filled."""

    points: Floats
    colour: str
    dashed: bool
    filled: bool


@dataclass(frozen=True)
class SvgNumber:
    """A number that is written in the figure, the middle or begin of its text, and its axis where the file says it."""

    value: float
    x: float
    y: float
    axis: str = ""


@dataclass
class SvgDrawing:
    """All lines and numbers of a file."""

    lines: list[SvgLine] = field(default_factory=list)
    numbers: list[SvgNumber] = field(default_factory=list)
    decimals: int = 6


def read_svg(path: Path, problems: list[Problem]) -> SvgDrawing | None:
    """Return lines and numbers of a file; None, with a problem, where it is no SVG that can be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        rule = f"cannot be read ({(error.strerror or 'not possible').lower()})"
        problems.append(Problem(table=path.name, rule=rule, remedy="give the path of an SVG file"))
        return None
    if len(content) > MOST_BYTES or b"<!ENTITY" in content:
        rule = "is larger than 30 MB" if len(content) > MOST_BYTES else "defines its own entities"
        problems.append(Problem(table=path.name, rule=rule, remedy="save the one figure as plain SVG"))
        return None
    try:
        parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
        root = ElementTree.fromstring(content, parser)
        drawing = SvgDrawing()
        _Walk(drawing, {e.get("id", ""): e for e in root.iter()}).visit(root, np.eye(3), {})
    except (ElementTree.ParseError, ValueError, RecursionError):
        remedy = "save the figure as SVG; a picture of pixels inside it is no curve"
        problems.append(Problem(table=path.name, rule="is no SVG that can be read", remedy=remedy))
        return None
    return drawing


class _Walk:
    """Goes through the elements of a file, with the transformation and style that hold for each."""

    def __init__(self, drawing: SvgDrawing, by_id: dict[str, ElementTree.Element]) -> None:
        self.drawing, self.by_id = drawing, by_id

    def visit(self, element: ElementTree.Element, above: Floats, style: dict[str, str], *,
              axis: str = "", depth: int = 0) -> None:  # fmt: skip
        """Collect what an element and those within it draw."""
        if depth > _MOST_DEPTH:
            raise RecursionError
        tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        if tag in _HIDDEN:
            return
        matrix = above @ _matrix(element.get("transform", ""))
        style = {**style, **_style(element)}
        name = element.get("id", "")
        axis = "x" if name.startswith("xtick") else "y" if name.startswith("ytick") else axis
        self._draw(element, tag, matrix, style=style)
        if tag == "text":
            self._text(element, matrix, style)
        previous: str | None = None
        for child in element:
            if not isinstance(child.tag, str):  # a comment: matplotlib's label
                previous = (child.text or "").strip()
                continue
            if previous is not None and _LABEL.fullmatch(previous):
                place = matrix @ _matrix(child.get("transform", "")) @ np.array([0, 0, 1])
                self.drawing.numbers.append(SvgNumber(_value(previous), float(place[0]), float(place[1]), axis))
                previous = None
                continue  # the outlines of its letters
            previous = None
            self.visit(child, matrix, style, axis=axis, depth=depth + 1)

    def _draw(self, element: ElementTree.Element, tag: str, matrix: Floats, *, style: dict[str, str]) -> None:
        if tag == "use":
            link = element.get("href") or element.get("{http://www.w3.org/1999/xlink}href") or ""
            target = self.by_id.get(link.removeprefix("#"))
            if target is None or target.tag.rpartition("}")[2] not in ("path", "line", "polyline"):
                return
            shift = _matrix(f"translate({element.get('x', '0')} {element.get('y', '0')})")
            self._draw(target, target.tag.rpartition("}")[2], matrix @ shift, style={**style, **_style(target)})
            return
        if tag == "line":
            ends = [_coordinate(_first(element.get(k, "0"))) for k in ("x1", "y1", "x2", "y2")]
            parts = [np.array(ends).reshape(2, 2)]
        elif tag == "polyline":
            values = [_coordinate(x) for x in _NUMBER.findall(element.get("points", ""))]
            parts = [np.array(values[: len(values) // 2 * 2]).reshape(-1, 2)]
        elif tag == "path":
            parts = list(_straight(element.get("d", "")))
        else:
            return
        dashed = style.get("stroke-dasharray", "none") not in ("none", "")
        filled = style.get("fill", "black" if tag == "path" else "none") not in ("none", "transparent")
        for points in parts:
            if len(points) > 1:
                moved = np.column_stack([points, np.ones(len(points))]) @ matrix.T
                self.drawing.lines.append(SvgLine(moved[:, :2], style.get("stroke", "black"), dashed, filled))

    def _text(self, element: ElementTree.Element, matrix: Floats, style: dict[str, str]) -> None:
        text = "".join(element.itertext()).strip()
        if not _LABEL.fullmatch(text):
            return
        inner = next((e for e in element.iter() if isinstance(e.tag, str) and e.get("x") is not None), element)
        x, y = (_coordinate(_first(inner.get(k, "0"))) for k in ("x", "y"))
        length = element.get("textLength")
        anchor = style.get("text-anchor", "start")
        if length and anchor != "middle":
            x += _coordinate(_first(length)) / 2 * (1 if anchor == "start" else -1)
        place = matrix @ np.array([x, y, 1])
        self.drawing.numbers.append(SvgNumber(_value(text), float(place[0]), float(place[1])))


def _value(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ".").rstrip("% "))


def _coordinate(text: str) -> float:
    """Return a number of a drawing.

    Raises
    ------
    ValueError
        If it is larger than any drawing.
    """
    value = float(text)
    if not abs(value) <= _FARTHEST:
        raise ValueError("a coordinate out of all bounds")
    return value


def _first(text: str) -> str:
    match = _NUMBER.search(text)
    return match.group() if match else "0"


def _style(element: ElementTree.Element) -> dict[str, str]:
    names = ("stroke", "fill", "stroke-dasharray", "text-anchor")
    own = {name: value for name in names if (value := element.get(name)) is not None}
    for part in element.get("style", "").split(";"):
        name, _, value = part.partition(":")
        if name.strip() in names:
            own[name.strip()] = value.strip()
    return own


def _matrix(text: str) -> Floats:
    matrix: Floats = np.eye(3)
    for kind, inside in _TRANSFORM.findall(text):
        v = [_coordinate(x) for x in _NUMBER.findall(inside)]
        step = np.eye(3)
        if kind == "matrix" and len(v) == 6:
            step[:2] = [[v[0], v[2], v[4]], [v[1], v[3], v[5]]]
        elif kind == "translate" and v:
            step[:2, 2] = [v[0], v[1] if len(v) > 1 else 0.0]
        elif kind == "scale" and v:
            step[0, 0], step[1, 1] = v[0], v[-1]
        elif kind == "rotate" and v:
            angle = math.radians(v[0])
            step[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
            if len(v) == 3:
                centre = np.array(v[1:])
                step[:2, 2] = centre - step[:2, :2] @ centre
        matrix = matrix @ step
    return matrix


def _straight(d: str) -> Iterator[Floats]:
    """Yield the parts of a path that are straight lines; a path with curves gives nothing."""
    if re.search(r"[CcSsQqTtAa]", re.sub(r"[eE][-+]?\d", "", d)):
        return
    command, start, now = "", (0.0, 0.0), (0.0, 0.0)
    values: list[float] = []
    points: list[tuple[float, float]] = []
    for letter, _, number in _COMMAND.findall(d):
        if letter:
            command, values = letter, []
            if letter in "Zz":
                points.append(start)
                now = start
            continue
        values.append(_coordinate(number))
        if len(values) < (1 if command in "HhVv" else 2):
            continue
        now = _moved(command, values, now=now)
        values = []
        if command in "Mm":
            if len(points) > 1:
                yield np.array(points)
            points, start, command = [now], now, "L" if command == "M" else "l"
        else:
            points.append(now)
    if len(points) > 1:
        yield np.array(points)


def _moved(command: str, values: list[float], *, now: tuple[float, float]) -> tuple[float, float]:
    relative = command.islower()
    x0, y0 = now if relative else (0.0, 0.0)
    if command in "Hh":
        return x0 + values[0], now[1]
    if command in "Vv":
        return now[0], y0 + values[0]
    return x0 + values[0], y0 + values[1]

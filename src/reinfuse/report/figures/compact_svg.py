"""An SVG drawing in few bytes, for a page that holds it: nothing that is seen changes.

Numbers are rounded to a hundredth of a point (a fiftieth of a pixel at the size at which a page shows it), paths are
written from point to point, names are short, and what no reader shows (metadata, comments, names of groups) is left
out. The files beside the page stay as they were drawn, since other programs edit them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import groupby
from xml.etree import ElementTree

_NAMESPACE = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
"""Of a letter, `#DejaVuSans-41`: no other name has a hyphen."""
_SCALE = 100
"""Steps of a path in a point."""
_GLYPH_UNIT, _GLYPH_STEP = "scale(0.015625)", 16
"""How matplotlib writes letters: in 64ths of a hundredth of their size; and how many of these make a step here."""
_LINK = re.compile(r"#([\w-]+)")
_COLOUR = re.compile(r"#([0-9a-f])\1([0-9a-f])\2([0-9a-f])\3\b")
_MOVE = re.compile(r"translate\((-?[\d.]+)[ ,](-?[\d.]+)\)")
_PATH = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_NUMBERS = {"M": 2, "L": 2, "Q": 4, "C": 6, "z": 0}
_DOT = re.compile(r"m(-?[\d.]+) ?(-?[\d.]+)(c[^mz]*z)")
_FEW_DOTS = 8
_DROPPED = frozenset(("metadata", "title"))
_SHOWN_TEXT = frozenset(("style", "text", "tspan"))
_STYLED = frozenset(("path", "use", "g"))
_LENGTHS = frozenset(("x", "y", "width", "height", "r", "cx", "cy"))
_ESCAPED = str.maketrans({"%": "%25", "#": "%23", "&": "%26", '"': "'", "'": "%26%2339;"})


def data_uri(drawing: str) -> str:
    """Return a compact drawing as the address of an image, which can stand between double quotes."""
    return f"data:image/svg+xml,{drawing.translate(_ESCAPED)}"


def compact(svg: bytes) -> str:
    """Return a drawing in few characters.

    Parameters
    ----------
    svg
        As matplotlib or an icon array writes it. What holds a path of other than absolute lines and curves keeps it.
    """
    root = ElementTree.fromstring(svg)
    ids = {e.get("id") for e in root.iter()}
    used = {name for e in root.iter() for value in e.attrib.values() if "#" in value for name in _LINK.findall(value)}
    names = {str(name): _short(i) for i, name in enumerate(sorted(used & ids))}
    _shrink(root, names)
    root.set("xmlns", _NAMESPACE)
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")


def _short(number: int) -> str:
    """Return a name for an element: a letter first."""
    return chr(97 + number % 26) + (str(number // 26) if number >= 26 else "")


def _shrink(element: ElementTree.Element, names: Mapping[str, str]) -> None:
    tag = element.tag = element.tag.rpartition("}")[2]
    element.tail = None
    if tag not in _SHOWN_TEXT:
        element.text = None
    attributes = dict(element.attrib)
    element.attrib.clear()
    element.attrib.update(_attributes(tag, attributes, names=names))
    children: list[ElementTree.Element] = []
    for child in element:
        if child.tag.rpartition("}")[2] in _DROPPED:
            continue
        _shrink(child, names)
        children += list(child) if child.tag == "g" and not child.attrib else [child]
    if tag == "pattern":
        children = [piece for child in children for piece in _repeated(child, f"{element.get('id')}o")]
    element[:] = children if tag == "defs" else _grouped(children)


def _repeated(path: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    """Yield a path of the dots of a hatch as one dot and the places of the others; any other as it is."""
    dots = _DOT.findall(path.get("d", ""))
    if len(dots) < _FEW_DOTS or len({shape for *_, shape in dots}) > 1 or path.get("d") != "".join(
            f"m{x}{'' if y[0] == '-' else ' '}{y}{shape}" for x, y, shape in dots):  # fmt: skip
        yield path
        return
    x, y, shape = dots[0]
    yield ElementTree.Element("path", {**path.attrib, "id": name, "d": f"m{x} {y}{shape}"})
    across = down = 0.0
    for x, y, _ in dots[1:]:
        across, down = across + float(x), down + float(y)
        at = {"x": _hundredths(across), "y": _hundredths(down)}
        yield ElementTree.Element("use", {"href": f"#{name}", **{axis: n for axis, n in at.items() if n != "0"}})


def _grouped(elements: Iterable[ElementTree.Element]) -> Iterator[ElementTree.Element]:
    """Yield elements; those that follow each other in one style stand in a group that has it."""
    for style, run in groupby(elements, lambda e: e.get("style") if e.tag in _STYLED else None):
        alike = list(run)
        if style is None or len(alike) == 1:
            yield from alike
            continue
        group = ElementTree.Element("g", style=style)
        for one in alike:
            del one.attrib["style"]
        group[:] = alike
        yield group


def _attributes(tag: str, attributes: Mapping[str, str], *, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    letter = attributes.get("transform") == _GLYPH_UNIT
    path = _path(attributes["d"], 1 / _GLYPH_STEP if letter else _SCALE) if "d" in attributes else None
    for full, value in attributes.items():
        name = full.rpartition("}")[2]
        if name == "id":
            if value in names:
                yield name, names[value]
        elif name == "d":
            yield name, value if path is None else path
        elif name == "transform":
            yield from _transform(
                value, letter=letter and path is not None, placed=tag == "use" and "-" in attributes.get(_HREF, "")
            )
        elif name in _LENGTHS and "." in value and not value.endswith(("pt", "%")):
            yield name, _hundredths(float(value))
        elif name == "style" or "#" in value:
            linked = (
                _LINK.sub(lambda m: f"#{names.get(m[1], m[1])}", value) if value[0] == "#" or "url(" in value else value
            )
            yield name, _style(linked)
        else:
            yield name, value


def _transform(value: str, *, letter: bool, placed: bool) -> Iterator[tuple[str, str]]:
    """Yield what stands for a transform: that of a letter's shape, of a letter in its word, or another."""
    move = _MOVE.fullmatch(value) if placed else None
    if letter:
        yield "transform", f"scale({_GLYPH_STEP / 64:g})"
    elif move:
        places = [f"{float(n):.0f}" for n in move.groups()]
        yield from ((axis, place) for axis, place in zip("xy", places, strict=True) if place != "0")
    else:
        yield "transform", _MOVE.sub(_moved, value)


def _moved(move: re.Match[str]) -> str:
    return f"translate({_hundredths(float(move[1]))} {_hundredths(float(move[2]))})"


@cache
def _style(style: str) -> str:
    return _COLOUR.sub(r"#\1\2\3", style).replace(": ", ":").replace("; ", ";")


def _hundredths(value: float) -> str:
    return _plain(round(value * _SCALE), _SCALE)


@lru_cache(maxsize=65536)
def _plain(steps: int, scale: float) -> str:
    """Return steps as a number of few characters: `.5` and `-.5`."""
    if scale != _SCALE or steps % _SCALE == 0:
        return str(steps if scale != _SCALE else steps // _SCALE)
    text = f"{steps / _SCALE:.2f}".rstrip("0")
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


@lru_cache(maxsize=4096)
def _path(path: str, scale: float) -> str | None:
    """Return a path from point to point, in whole steps so that no error adds up; letters recur, and are remembered.

    None where it is of other than absolute lines and curves, each with its own letter.
    """
    commands = [(letter, numbers.split()) for letter, numbers in _PATH.findall(path)]
    if any(_NUMBERS.get(letter) != len(numbers) for letter, numbers in commands):
        return None
    written: list[str] = []
    before, x, y, x0, y0 = "", 0, 0, 0, 0
    for letter, numbers in commands:
        if letter == "z":
            written.append("z")
            before, x, y = "", x0, y0
            continue
        whole = [round(float(n) * scale) for n in numbers]
        steps = [n - (y if i % 2 else x) for i, n in enumerate(whole)]
        shown, x, y = letter.lower(), whole[-2], whole[-1]
        if letter == "M":
            x0, y0 = x, y
        elif letter == "L" and 0 in steps:  # a step of a curve, a side of a box
            shown, steps = ("v", steps[1:]) if steps[0] == 0 else ("h", steps[:1])
        texts = [_plain(n, scale) for n in steps]
        joined = "".join(text if not i or text[0] == "-" else f" {text}" for i, text in enumerate(texts))
        written.append(f"{'' if joined[0] == '-' else ' '}{joined}" if shown == before else shown + joined)
        before = shown
    return "".join(written)

"""A matplotlib figure as SVG: what `Figure.savefig` writes, to the byte, with texts laid out once for all figures.

Axes and legends say the same again and again, and to lay a text out takes longer than to write it.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.textpath import TextToPath

_MOST = 4096
_POINTS = 72
"""In an inch."""


def as_svg(figure: Figure, title: str) -> bytes:
    """Return a figure as SVG, without the date."""
    text, dpi = io.StringIO(), figure.dpi
    width, height = (float(inches) * _POINTS for inches in figure.get_size_inches())
    figure.dpi = _POINTS
    try:
        renderer: Any = _Renderer(width, height, text, image_dpi=dpi, metadata={"Date": None, "Title": title})
        figure.draw(renderer)
        renderer.finalize()
    finally:
        figure.dpi = dpi
    return text.getvalue().encode()


class _Renderer(RendererSVG):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self._text2path = _RememberedText()


class _RememberedText(TextToPath):
    """Matplotlib's `TextToPath`, which lays a text out once; what it returns is the same."""

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> tuple[float, float, float]:
        """Return width, height and descent of a text."""
        return _size(s, prop.copy(), ismath)

    def get_glyphs_with_font(self, font: Any, s: str, glyph_map: Any = None, return_new_glyphs_only: bool = False,
                             **options: Any) -> tuple[list[Any], dict[str, Any], list[Any]]:  # fmt: skip
        """Return the places of the letters of a text, and the shapes of letters that are not in the map yet."""
        places, shapes = _letters(font, s, tuple(options.items()))
        known = {} if glyph_map is None else glyph_map
        fresh = {letter: shape for letter, shape in shapes.items() if letter not in known}
        if not return_new_glyphs_only:
            known.update(fresh)
        return places, fresh if return_new_glyphs_only else known, []


_PLAIN = TextToPath()


@lru_cache(_MOST)
def _size(s: str, prop: Any, ismath: Any) -> tuple[float, float, float]:
    size: tuple[float, float, float] = _PLAIN.get_text_width_height_descent(s, prop, ismath)
    return size


@lru_cache(_MOST)
def _letters(font: Any, s: str, options: tuple[tuple[str, Any], ...]) -> tuple[list[Any], dict[str, Any]]:
    places, shapes, _ = _PLAIN.get_glyphs_with_font(font, s, **dict(options))
    return places, shapes

"""Figures as encapsulated PostScript, which knows no transparency: what shines through is drawn as a light colour.

The colour is that over white paper; where two bands overlap, the later one covers the earlier.
"""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.backends.backend_ps import FigureCanvasPS
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

_DATE = re.compile(rb"^%%CreationDate:.*\n", re.MULTILINE)


def as_eps(figure: Figure, title: str) -> bytes:
    """Return a figure as EPS, vectors and embedded letters, the same bytes from the same figure.

    The figure's colours are opaque afterwards.
    """
    for artist in figure.findobj():
        _opaque(artist)
    file = io.BytesIO()
    FigureCanvasPS(figure)
    with rc_context({"ps.fonttype": 3}):
        figure.savefig(file, format="eps", metadata={"Title": title.encode("ascii", "replace").decode()})
    return _DATE.sub(b"", file.getvalue())


def _opaque(artist: Artist) -> None:
    if isinstance(artist, Line2D):
        artist.set_color(_over_white(artist.get_color(), artist.get_alpha()))
        for part in ("markerfacecolor", "markeredgecolor"):
            colour: Any = getattr(artist, f"get_{part}")()
            if isinstance(colour, str) and colour == "none":
                continue
            getattr(artist, f"set_{part}")(_over_white(colour, artist.get_alpha()))
    elif isinstance(artist, Collection | Patch):
        for part in ("facecolor", "edgecolor"):
            colours = to_rgba_array(getattr(artist, f"get_{part}")())
            blended: list[Any] = [_over_white(c, None) if c[3] else "none" for c in colours] or ["none"]
            artist.set_alpha(None)
            getattr(artist, f"set_{part}")(blended if isinstance(artist, Collection) else blended[0])
        return
    artist.set_alpha(None)


def _over_white(colour: Any, alpha: float | None) -> tuple[float, float, float, float]:
    """Return the opaque colour that a transparent one has over white."""
    rgba = np.array(to_rgba(colour, alpha))
    red, green, blue = (rgba[3] * rgba[:3] + (1 - rgba[3])).tolist()
    return red, green, blue, 1.0

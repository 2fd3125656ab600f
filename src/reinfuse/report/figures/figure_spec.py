"""A figure that a report may have: where it stands, its name, how it is drawn."""

from __future__ import annotations

from collections.abc import Callable

from reinfuse.report.figures.theme import Drawn

Draw = Callable[[], Drawn | None]
Planned = tuple[str, str, Draw]
"""The section in which a figure stands, its name, and how it is drawn (None: nothing to draw)."""

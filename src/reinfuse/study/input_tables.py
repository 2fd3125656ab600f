"""The tables that a cohort may hold: described, and as an empty cohort to be filled."""

from __future__ import annotations

from reinfuse.cohort.template import explanations, markdown, write_template

__all__ = ["HEADS", "columns", "markdown", "write_template"]
HEADS = ("table", "column", "needed", "meaning", "example")


def columns() -> list[dict[str, str]]:
    """Return every declared column, by `HEADS`."""
    return [dict(zip(HEADS, row, strict=True)) for row in explanations()]

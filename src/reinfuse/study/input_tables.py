"""The tables that a cohort may hold: described, and as an empty cohort to be filled, with its plan and map."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from reinfuse.cohort import template
from reinfuse.cohort.template import explanations, markdown
from reinfuse.output import Destination
from reinfuse.sources.map_template import template_map_text

__all__ = ["HEADS", "columns", "markdown", "write_template"]
HEADS = ("table", "column", "needed", "meaning", "example")


def columns() -> list[dict[str, str]]:
    """Return every declared column, by `HEADS`."""
    return [dict(zip(HEADS, row, strict=True)) for row in explanations()]


def write_template(place: Destination | Path) -> tuple[list[Path], list[Path]]:
    """Write an empty cohort, a commented plan and a map in which everything is open.

    Returns
    -------
    written, kept
        The files that were written; those that were there already and were left as they are (without `force`).

    Raises
    ------
    OutputRefused
        If the folder cannot be written, or holds results.
    """
    plan = files("reinfuse.plan").joinpath("template.toml").read_bytes()
    return template.write_template(place, {"plan.toml": plan, "map.toml": template_map_text().encode()})

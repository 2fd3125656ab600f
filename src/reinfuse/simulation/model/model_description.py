"""The declared model as text: tables for the terminal, for docs/virtual.md, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reinfuse.simulation.model.parameters import BETWEEN, PARAMETERS, STATES


def as_dict() -> dict[str, Any]:
    """Return states, equations and parameters."""
    return {"states": [vars(s) for s in STATES], "between": list(BETWEEN), "parameters": [vars(p) for p in PARAMETERS]}


def markdown() -> str:
    """Return states, equations and parameters as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from ("| State | Meaning | Unit | Change a day |", "| --- | --- | --- | --- |")
    for s in STATES:
        yield f"| {s.name} | {s.label} | {s.unit} | `{s.equation}` |"
    yield ""
    yield from (f"- {text}" for text in BETWEEN)
    yield ""
    yield "| Parameter | Meaning | Unit | Median | CV of patients | Spread of the median | Source |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for p in PARAMETERS:
        cv = f"{p.cv:g} (spread {p.spread_of_cv:g})" if p.spread_of_cv else f"{p.cv:g}"
        yield f"| {p.name} | {p.label} | {p.unit} | {p.median:g} | {cv} | {p.spread:g} | {p.source} |"

"""The declared model as text: tables for the terminal, for docs/virtual.md, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from reinfuse.simulation.model.parameters import BETWEEN, MIXTURE, PARAMETERS, STATES
from reinfuse.simulation.model.toxicities import CHARGES, EFFECTS, EXPOSURE, NOT_USED, RATES

_NORMAL = 1.959964


def as_dict() -> dict[str, Any]:
    """Return states, equations and parameters."""
    toxicities = {
        "rates": [vars(r) for r in RATES],
        "effects": [vars(e) for e in EFFECTS],
        "exposure": [vars(c) for c in EXPOSURE],
        "charges": list(CHARGES),
        "not_used": list(NOT_USED),
    }
    return {"states": [vars(s) for s in STATES], "between": list(BETWEEN), "parameters": [vars(p) for p in PARAMETERS],
            "mixture": [vars(m) for m in MIXTURE], "toxicities": toxicities}  # fmt: skip


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
    yield ""
    yield "| Mixture of patients | Meaning | Unit | Median | Spread | Source |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for m in MIXTURE:
        yield f"| {m.name} | {m.label} | {m.unit} | {m.median:.3g} | {m.spread:g} | {m.source} |"
    yield ""
    yield "Toxicities beside severe CRS, by published numbers:"
    yield ""
    yield from (f"- {text}" for text in CHARGES)
    yield ""
    yield "| Toxicity or effect | Published | Source |"
    yield "| --- | --- | --- |"
    for r in RATES:
        yield f"| {r.label} | {r.events} of {r.n} | {_sourced(r.source, r.worked_out)} |"
    for e in EFFECTS:
        limits = " to ".join(f"{math.exp(e.log_ratio + z * e.error):.2f}" for z in (-_NORMAL, _NORMAL))
        yield f"| {e.label} | {math.exp(e.log_ratio):.2f} ({limits}) | {_sourced(e.source, e.worked_out)} |"
    yield ""
    yield "Not used, or not charged:"
    yield ""
    yield from (f"- {text}" for text in NOT_USED)


def _sourced(source: str, worked_out: str) -> str:
    return f"{source}: {worked_out}" if worked_out else source

"""Toxicities by published rates, in the report of a virtual trial."""

from __future__ import annotations

from collections.abc import Sequence

from reinfuse.report.document.model import Row, Table
from reinfuse.report.tables.search_frontier import TOXICITIES
from reinfuse.report.tables.simulation import valued
from reinfuse.results.estimate import Estimate
from reinfuse.simulation.model.toxicities import NOT_USED, RATES


def toxicity_table(estimates: Sequence[Estimate], arms: Sequence[str]) -> Table:
    """Return the rates of each arm."""
    at = {(e.endpoint, e.group): e for e in estimates if e.endpoint in TOXICITIES and e.statistic == "proportion"}
    rows = tuple(Row(arm, tuple(valued(at.get((name, arm))) for name in TOXICITIES)) for arm in arms)
    sources = "; ".join(f"{r.label}: {r.events} of {r.n} ({r.source})" for r in RATES)
    return Table("virtual_toxicities", "Toxicities of the last infusion, by published rates",
                 ("Arm", *TOXICITIES.values()), rows,
                 (f"Not simulated, but by courses of lymphodepletion and dose. {sources}",
                  f"Not used: {'; '.join(NOT_USED)}"))  # fmt: skip

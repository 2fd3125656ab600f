"""The frontier of a search: objective against toxicities."""

from __future__ import annotations

import math

from reinfuse.report.document.model import Row, Table
from reinfuse.report.text import number_format
from reinfuse.simulation.search.near_optimal import Region

TOXICITIES = {
    "neurotoxicity_grade_3": "Severe neurotoxicity",
    "infection_28_days": "Infection within 28 days",
    "prolonged_neutropenia": "Neutropenia on day 28",
}


def frontier_table(region: Region) -> Table:
    """Return the protocols on the frontier, from the least toxicities to the most."""
    rows = []
    for k, weights in region.frontier.items():
        one = region.protocols[k]
        rows.append(Row(region.question.arm(one.point).name, (
            f"{number_format.hundredths(one.value.mean, decimals=1)}%", f"{one.burden.mean:.2f}",
            _weights(weights), "best" if k == region.best else "")))  # fmt: skip
    head = ("Protocol", "Objective", "Toxicities expected a patient", "Best for weights", "")
    own = f"Best: at the weight of the question, {region.question.toxicity_weight:g}, in the search's own patients"
    return Table("search_frontier", "Protocols on the frontier", head, tuple(rows),
                 (own, "–: not the best for any weight; it lies under the line between two others"))  # fmt: skip


def _weights(weights: tuple[float, float] | None) -> str:
    if weights is None:
        return "–"
    low, high = weights
    return f"{low:.2g} and more" if math.isinf(high) else f"{low:.2g} to {high:.2g}"

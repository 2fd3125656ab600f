"""Power in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses import simulated_inference
from reinfuse.report.analyses.base import Cite, Shown
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered
from reinfuse.results.findings import Findings


def _methods(findings: Findings, _: Cite) -> Iterator[str]:
    yield f"Power was estimated from {findings.plan.analyses.power} simulated data sets per effect size."


def _text(tables: ProtocolTables) -> Iterator[str]:
    """Say for each factor which ratios had 80 % power."""
    for end in tables.findings.described.endpoints:
        for e in tables.look.all("power", end.name, "type_1_error"):
            if e.method not in simulated_inference.METHODS.values():
                continue
            sides = {side: next(iter(tables.look.all("power", end.name, "detectable_ratio", group=side, term=e.term,
                                                     model=e.model, method=e.method)), None)
                     for side in ("below 1", "above 1")}  # fmt: skip
            parts = [f"{number_format.ratio(r.estimate)} or {'less' if side == 'below 1' else 'more'}"
                     for side, r in sides.items() if r is not None and r.estimate is not None]  # fmt: skip
            reached = f"80% power to detect a ratio of {', or of '.join(parts)}"
            power = reached if parts else "80% power is not reached for any ratio between 0.1 and 10"
            yield (
                f"{tables.labels.endpoint(end.name)}, {lowered(tables.labels.per_sd(e))}: {power} "
                f"(n = {number_format.count(e.n)}, events {number_format.count(e.events)})."
            )


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield tables.power()


SHOWN = Shown(_methods, tables=_tables, text=_text)

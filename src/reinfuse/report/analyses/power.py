"""Power in the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from reinfuse.analyses import simulated_inference
from reinfuse.cohort.strata import level_of
from reinfuse.report.analyses.base import Cite, Shown
from reinfuse.report.document.model import Table
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.power import power
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.tables.robustness import effect_of
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings

_MOST_CURVES = 12


def _methods(findings: Findings, _: Cite) -> Iterator[str]:
    yield f"Power was estimated from {findings.plan.analyses.power} simulated data sets per effect size."


def _text(tables: ProtocolTables) -> Iterator[str]:
    """Say for each factor which ratios had 80 % power."""
    for end in tables.findings.described.endpoints:
        for e in tables.look.all("power", end.name, "type_1_error"):
            if e.method not in simulated_inference.METHODS.values():
                continue
            sides = {side: next(iter(tables.look.all("power", end.name, "detectable_ratio", group=side,
                                                     method=e.method, **effect_of(e))), None)
                     for side in ("below 1", "above 1")}  # fmt: skip
            parts = [f"{number_format.ratio(r.estimate)} or {'less' if side == 'below 1' else 'more'}"
                     for side, r in sides.items() if r is not None and r.estimate is not None]  # fmt: skip
            reached = f"80% power to detect a ratio of {', or of '.join(parts)}"
            ratios = (
                reached
                if parts
                else f"80% power is not reached for any ratio between {number_format.printed('0.1')} and 10"
            )
            yield (
                f"{tables.labels.endpoint(end.name)}, {lowered(tables.labels.per_sd(e))}: {ratios} "
                f"(n = {number_format.count(e.n)}, events {number_format.count(e.events)})."
            )


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield tables.power()


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    for end in inputs.findings.described.endpoints:
        yield "power", f"power_{end.name}", partial(_power, inputs, end.name)


def _power(inputs: FigureInputs, endpoint: str) -> Drawn | None:
    tables = inputs.tables
    records = [
        e for e in tables.look.all("power", endpoint, "power") if e.method in simulated_inference.METHODS.values()
    ]
    model = "multivariable" if any(e.model == "multivariable" for e in records) else "univariable"
    records = [e for e in records if e.model == model]
    curves = _power_curves(tables, endpoint, records=records)
    if not curves or len(curves) > _MOST_CURVES:
        return None
    title = f"{tables.labels.endpoint(endpoint)}: power by true effect"
    what = "odds ratio" if "logistic" in (records[0].method or "") else "hazard ratio"
    return power(f"power_{endpoint}", title, what, curves=curves, synthetic=inputs.synthetic, columns=inputs.one)


def _power_curves(
    tables: ProtocolTables, endpoint: str, *, records: Sequence[Estimate]
) -> dict[str, list[tuple[float, float]]]:
    """Return label of a factor -> ratios with their power, sorted; at a ratio of 1 stands the type I error."""
    false_alarms = tables.look.all("power", endpoint, "type_1_error")
    curves: dict[str, list[tuple[float, float]]] = {}
    for e in (r for r in records if r.estimate is not None and r.group and r.term):
        at_one = [
            (1.0, r.estimate)
            for r in false_alarms
            if (r.term, r.level, r.model, r.method) == (e.term, e.level, e.model, e.method) and r.estimate is not None
        ]
        points = curves.setdefault(tables.labels.per_sd(e), at_one)
        points.append((float(level_of(e.group)), e.estimate or 0.0))
    return {label: sorted(points) for label, points in curves.items()}


SHOWN = Shown(_methods, tables=_tables, figures=_figures, text=_text, quoted=True, tables_named=("power",))

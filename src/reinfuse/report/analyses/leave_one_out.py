"""Leave-one-out analysis in the report."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.influence import influence
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.text import number_format
from reinfuse.results.findings import Findings


def _methods(_: Findings, __: Cite) -> Iterator[str]:
    yield "Influence was assessed by leave-one-out analysis."


def _text(tables: ProtocolTables) -> Iterator[str]:
    records = [e for end in tables.findings.described.endpoints
               for e in tables.look.all("influence", end.name, "patients_changing")]  # fmt: skip
    changing = [e for e in records if e.estimate]
    if records and not changing:
        yield "No conclusion of the models changes when a single patient is left out."
    for e in changing:
        count = number_format.count(e.estimate)
        noun = "patient" if e.estimate == 1 else "patients, each alone,"
        yield (
            f"Leaving out {count} {noun} ({e.note}) moves the association of {tables.named(e)} across "
            f"{number_format.level_of_test(1 - (e.confidence or 0))}."
        )


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield tables.influence()


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    for end in inputs.findings.described.endpoints:
        yield "sure", f"influence_{end.name}", partial(_influence, inputs, end.name)


def _influence(inputs: FigureInputs, endpoint: str) -> Drawn | None:
    """Draw what single patients change; of a plan without models that is too much to draw, and needs their effects."""
    tables = inputs.tables
    left_out = [e for s in ("odds_ratio", "hazard_ratio") for e in tables.look.all("influence", endpoint, s)
                if e.model == "multivariable"]  # fmt: skip
    full = [e for e in tables.effects(endpoint) if e.model == "multivariable"]
    if not left_out or not full:
        return None
    title = f"{tables.labels.endpoint(endpoint)}: leave-one-out analysis"
    return influence(
        f"influence_{endpoint}",
        title,
        full,
        left_out=left_out,
        labels=tables.labels,
        synthetic=inputs.synthetic,
        columns=inputs.two,
    )


SHOWN = Shown(
    _methods,
    strobe=(Strobe("12e", "influence", "leave-one-out"),),
    tables=_tables,
    figures=_figures,
    text=_text,
    quoted=True,
    tables_named=("influence",),
)

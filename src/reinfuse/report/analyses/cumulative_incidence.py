"""Cumulative incidence in the report: the competing events of all patients together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reinfuse.analyses import competing_risks
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.incidence import incidence
from reinfuse.report.figures.km import GroupCurve
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    if any(e.method == competing_risks.CUMULATIVE for e in findings.estimates):
        yield (
            "Relapse and non-relapse mortality were treated as competing events, with Aalen-Johansen cumulative "
            f"incidence {cite('aalen')}."
        )


COMPETING = Part("survival_competing", "Competing events")


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield replace(COMPETING, tables=(tables.competing(),))


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    yield COMPETING.name, "incidence", lambda: _incidence(inputs)


def _incidence(inputs: FigureInputs) -> Drawn | None:
    look, findings = inputs.tables.look, inputs.findings
    arms, rates = [], []
    for end in (e for e in findings.described.endpoints if e.competing):
        curve = findings.curves.get((end.name, "all", None))
        rates_at = look.all("competing", end.name, "rate_at", population="all", group=None)
        at_risk = look.all("competing", end.name, "at_risk", population="all", group=None)
        if curve is not None and rates_at and at_risk:
            arms.append(GroupCurve(end.label, curve, rates_at[0], at_risk))
            rates.append([r for r in rates_at if r.estimate is not None])
    if not arms:
        return None
    title = "Cumulative incidence of competing events"
    return incidence("incidence", title, arms, rates=rates, synthetic=inputs.synthetic, columns=inputs.one)


SHOWN = Shown(
    _methods,
    references=cited("aalen"),
    strobe=(Strobe("15", "competing rate_at", "competing events"),),
    figures=_figures,
    parts=_parts,
    tables_named=("competing",),
)

"""Landmark analyses in the report, in one table with time-dependent factors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.cohort.post_baseline import ASSESSED, FIRST_DAY, LABELS
from reinfuse.cohort.strata import factor_of, level_of
from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.km import GroupCurve, kaplan_meier
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.text.labels import lowered
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings

_FEWEST_IN_GROUP = 3
_TEXT = (
    "A factor known only after the infusion cannot be compared from day 0, because patients who live longer have more "
    "time to respond (immortal-time bias). Landmark: patients still at risk at the landmark day, grouped by their "
    "status on that day. Time-dependent: the factor changes from no to yes on the day of the event."
)


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    days = _days(findings)
    yield f"Post-baseline factors were studied by landmark analysis {cite('landmark')}{days}."


def _days(findings: Findings) -> str:
    """State the landmark of each factor, and the rule of the default."""
    marks = findings.plan.landmarks
    names = {m.factor: lowered(LABELS.get(m.factor, m.factor.replace("_", " "))) for m in marks}
    pairs = {(e.term, e.at) for e in findings.estimates if e.analysis == "landmark" and e.estimate is not None}
    days = [f"{names[term]} at day {day:g}" for term, day in sorted(pairs, key=str) if term in names and day]
    rule = (
        f"; the default landmark is day {FIRST_DAY:g}, or later for response (the end of the week by which {ASSESSED}% "
        "of assessed patients had their first assessment) and for factors known later"
    )
    return f" ({', '.join(days)}{rule if any(m.day is None for m in marks) else ''})" if days else ""


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield tables.later()


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    curves = inputs.findings.curves
    for endpoint, population in dict.fromkeys((e, p) for e, p, _ in curves if factor_of(p) == "landmark"):
        for factor in dict.fromkeys(factor_of(g) for e, p, g in curves if (e, p) == (endpoint, population)):
            draw = partial(_landmark, inputs, endpoint, population, factor=factor)
            yield "later", _name(endpoint, population, factor), draw


def _name(endpoint: str, population: str, factor: str) -> str:
    return f"{population.replace('=', '_')}_{endpoint}_by_{factor}"


def _landmark(inputs: FigureInputs, endpoint: str, population: str, *, factor: str) -> Drawn | None:
    tables, curves = inputs.tables, inputs.findings.curves
    day = float(level_of(population))
    arms = []
    for key in (k for k in curves if k[:2] == (endpoint, population) and factor_of(k[2]) == factor):
        median = tables.look.one("landmark", endpoint, "median", population, key[2])
        at_risk = tables.look.all("landmark", endpoint, "at_risk", population=population, group=key[2])
        if median is not None:
            arms.append(GroupCurve(tables.labels.level_label(factor, level_of(key[2])), curves[key], median, at_risk))
    if len(arms) < 2 or min(a.curve.n for a in arms) < _FEWEST_IN_GROUP:
        return None
    factor_label = tables.labels.own_label(factor) or LABELS.get(factor) or tables.labels.factor(factor)
    title = f"{tables.labels.endpoint(endpoint)} from landmark day {day:g}, by {lowered(factor_label)}"
    name = _name(endpoint, population, factor)
    return kaplan_meier(
        name,
        title,
        arms,
        p_value=None,
        since=f"day {day:g}",
        synthetic=inputs.synthetic,
        columns=inputs.one,
        what=tables.labels.endpoint(endpoint),
    )


SHOWN = Shown(
    _methods,
    references=cited("landmark"),
    strobe=(Strobe("17", "landmark", "landmark"),),
    tables=_tables,
    figures=_figures,
    text=lambda _: (_TEXT,),
    tables_named=("later",),
    figures_named=("landmark_{day}_{endpoint}_by_{factor}",),
)

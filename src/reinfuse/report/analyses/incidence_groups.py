"""Cumulative incidence by group in the report: curves by the factors of the plan's models, a table of all groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from reinfuse.analyses.competing_risks import GRAY
from reinfuse.analyses.incidence_groups import RECORDS
from reinfuse.analyses.small_groups import FEWEST_EVENTS, FEWEST_EVENTS_A_PARAMETER
from reinfuse.cohort.strata import Stratum, factor_of, level_of
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.analyses.cumulative_incidence import COMPETING
from reinfuse.report.document.model import Row, Table
from reinfuse.report.figures.figure_spec import MOST_GROUPS, FigureInputs, Planned
from reinfuse.report.figures.incidence import incidence
from reinfuse.report.figures.km import GroupCurve
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered
from reinfuse.report.text.references import cited
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield f"Cumulative incidence was also estimated within each group {cite('aalen')}."


def _table(tables: StudyTables, endpoint: str, label: str) -> Table | None:
    """Return incidences with the numbers at risk under each level; None where the endpoint has too few events."""
    look = tables.look
    every = look.all(RECORDS, endpoint, "rate_at")
    days = list(dict.fromkeys(e.at for e in every))
    groups = list(dict.fromkeys(e.group for e in every))
    whole = look.one("competing", endpoint, "rate_at")
    if not groups or whole is None or (whole.events or 0) < FEWEST_EVENTS:
        return None
    rows, factor = [], ""
    for group in groups:
        if factor_of(group) != factor:
            factor = factor_of(group)
            test = next(iter(look.all("competing", endpoint, "p_value", term=factor)), None)
            p = number_format.p_value(test.p_value) if test else number_format.NOT_SHOWN
            rows.append(Row(tables.labels.factor(factor), ("",) * (2 + 2 * len(days)) + (p,)))
        rates = [look.one(RECORDS, endpoint, "rate_at", group=group, at=day) for day in days]
        at_risk = [look.one(RECORDS, endpoint, "at_risk", group=group, at=day) for day in days]
        cells = [cell for rate, risk in zip(rates, at_risk, strict=True) for cell in (_share(rate), _count(risk))]
        first = rates[0]
        sizes = [number_format.count(v) for v in ((first.n, first.events) if first else (None, None))]
        rows.append(Row(tables.labels.level_label(factor, level_of(group)), (*sizes, *cells, ""), inner=True))
    of_days = (h for d in days for h in (f"At {number_format.month(d)} months ({tables.ci})", "At risk"))
    heads = ("", "n", "Events", *of_days, f"{GRAY} {tables.p}")
    return Table(f"incidence_groups_{endpoint}", f"{label}: cumulative incidence by group", heads, tuple(rows),
                 ("at risk: under observation without either event at that time",))  # fmt: skip


def _share(record: Estimate | None) -> str:
    return number_format.share(record) if record is not None else number_format.NOT_SHOWN


def _count(record: Estimate | None) -> str:
    return number_format.count(record.estimate if record is not None else None)


def _parts(tables: StudyTables) -> Iterator[Part]:
    competing = [e for e in tables.findings.described.endpoints if e.competing]
    yield replace(COMPETING, tables=tuple(_table(tables, end.name, end.label) for end in competing))


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    factors = [f.name for f in inputs.findings.described.factors if f.kind != "number" and f.name in inputs.modelled]
    for end in (e for e in inputs.findings.described.endpoints if e.competing):
        for factor in factors:
            yield COMPETING.name, f"incidence_{end.name}_by_{factor}", partial(_figure, inputs, end.name, factor)


def _figure(inputs: FigureInputs, endpoint: str, factor: str) -> Drawn | None:
    """Draw one event at each level of a factor; nothing of an event too rare for an effect to be estimated."""
    look, labels = inputs.tables.look, inputs.tables.labels
    levels = next(f.levels for f in inputs.findings.described.factors if f.name == factor)
    months = {e.at for e in look.all("competing", endpoint, "at_risk", population="all")}
    arms, rates = [], []
    for level in levels:
        group = Stratum(factor, level)
        curve = inputs.findings.curves.get((endpoint, "all", group))
        of_group = look.all(RECORDS, endpoint, "rate_at", group=group)
        at_risk = [e for e in look.all(RECORDS, endpoint, "at_risk", group=group) if e.at in months]
        if curve is not None and of_group and at_risk:
            arms.append(GroupCurve(labels.level_label(factor, level), curve, of_group[0], at_risk))
            rates.append([r for r in of_group if r.estimate is not None])
    events = sum(arm.median.events or 0 for arm in arms)
    if not 1 < len(arms) <= MOST_GROUPS or events < FEWEST_EVENTS_A_PARAMETER:
        return None
    test = next(iter(look.all("competing", endpoint, "p_value", term=factor)), None)
    remark = "" if test is None or test.p_value is None else f"{GRAY}: {number_format.p_is(test.p_value)}"
    title = f"{labels.endpoint(endpoint)} by {lowered(labels.factor(factor))}"
    return incidence(f"incidence_{endpoint}_by_{factor}", title, arms, rates=rates, synthetic=inputs.synthetic,
                     columns=inputs.one, remark=remark)  # fmt: skip


SHOWN = Shown(
    _methods,
    references=cited("aalen"),
    strobe=(Strobe("15", "incidence_groups rate_at", "competing events by group"),),
    figures=_figures,
    parts=_parts,
    tables_named=("incidence_groups_{endpoint}",),
)

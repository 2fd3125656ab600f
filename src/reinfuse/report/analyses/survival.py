"""Kaplan-Meier curves in the report: of all patients, by diagnosis and by the factors of the plan's models."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from reinfuse.analyses import survival
from reinfuse.analyses.curve_numbers import CUMULATIVE, figure_name
from reinfuse.cohort.endpoint_catalog import declaration
from reinfuse.cohort.strata import factor_of, level_of
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.document.split import MainItem
from reinfuse.report.figures.figure_spec import MOST_GROUPS, FigureInputs, Planned
from reinfuse.report.figures.km import GroupCurve, kaplan_meier
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    used = {e.method for e in findings.estimates}
    level = number_format.confidence_level(findings.plan.confidence)
    if survival.METHOD in used:
        yield (
            f"Time-to-event endpoints were estimated by the Kaplan-Meier method with log-log {level} confidence "
            f"intervals {cite('kaplan')}; intervals of medians were obtained by inversion {cite('brookmeyer')}."
        )
    if survival.FOLLOW_UP_METHOD in used:
        yield f"Median follow-up was estimated by the reverse Kaplan-Meier method {cite('follow_up')}."
    if survival.LOG_RANK in used:
        yield f"Groups were compared by the log-rank test {cite('log_rank')}."


def _parts(tables: StudyTables) -> Iterator[Part]:
    for end in tables.findings.described.endpoints:
        if end.kind == "time" and not end.competing:
            yield Part(f"survival_{end.name}", end.label, tables=(tables.survival(end.name),))


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    """Yield curves of every time to event; of main endpoints and a plan's own, also by factors."""
    plan, described = inputs.findings.plan, inputs.findings.described
    by_factor = {e.name for e in inputs.tables.by_factor}
    factors = [f.name for f in described.factors if f.kind != "number"
               and (inputs.every_group or f.name in inputs.modelled or f.name in plan.subgroups)]  # fmt: skip
    for end in (e.name for e in described.endpoints if e.kind == "time" and not e.competing):
        yield f"survival_{end}", figure_name(end), partial(_curves, inputs, end, None)
        if inputs.every_group or end in by_factor:
            for factor in factors:
                yield f"survival_{end}", figure_name(end, factor), partial(_curves, inputs, end, factor)


def _curves(inputs: FigureInputs, endpoint: str, factor: str | None) -> Drawn | None:
    look, labels = inputs.tables.look, inputs.tables.labels
    own = declaration(endpoint)
    label = f"{labels.endpoint(endpoint)}{own.origin}"
    arms = list(_arms(inputs, endpoint, factor))
    if not arms or (factor is not None and not 1 < len(arms) <= MOST_GROUPS):
        return None
    if factor is None:
        return kaplan_meier(figure_name(endpoint), label, arms, p_value=None, synthetic=inputs.synthetic,
                            columns=inputs.one, since=own.since, what=label)  # fmt: skip
    test = look.one("survival", endpoint, "p_value", term=factor)
    title = f"{label} by {lowered(labels.factor(factor))}"
    p_value = test.p_value if test else None
    return kaplan_meier(
        figure_name(endpoint, factor), title, arms, p_value=p_value, synthetic=inputs.synthetic, columns=inputs.one,
        since=own.since, what=label,
    )  # fmt: skip


def _arms(inputs: FigureInputs, endpoint: str, factor: str | None) -> Iterator[GroupCurve]:
    """Yield the curve of all patients, or of each level of a factor."""
    look, labels, curves = inputs.tables.look, inputs.tables.labels, inputs.findings.curves
    keys = [k for k in curves if k[0] == endpoint and k[1] == "all"
            and (k[2] is None if factor is None else factor_of(k[2]) == factor)]  # fmt: skip
    for _, population, group in keys:
        median = look.one("survival", endpoint, "median", population, group)
        at_risk = look.all("survival", endpoint, "at_risk", population=population, group=group)
        if median is not None:
            name = "All patients" if group is None else labels.level_label(factor_of(group), level_of(group))
            place = {"population": population, "group": group}
            counts = {row: look.all("survival", endpoint, statistic, **place) for row, statistic in CUMULATIVE.items()}
            yield GroupCurve(name, curves[endpoint, population, group], median, at_risk, counts)


def _main(tables: StudyTables, drawn: Collection[str]) -> Iterator[MainItem]:
    """Yield the primary endpoint's curves by the primary factor, for the first page, then those of the others."""
    factor, ends = tables.primary, [e.name for e in tables.by_factor]
    modelled = [m.endpoint for m in tables.findings.plan.models if m.endpoint in ends]
    for end in dict.fromkeys((*modelled, *ends)):
        by = figure_name(end, factor.name) if factor else ""
        yield MainItem(by if by in drawn else figure_name(end), "" if end != (modelled or ends)[0] else "summary")
    yield MainItem("times")


SHOWN = Shown(
    _methods,
    references=cited("kaplan", "brookmeyer", "follow_up", "log_rank"),
    strobe=(Strobe("15", "survival"), Strobe("16c", "survival rate_at", "rates at fixed times")),
    tables=lambda tables: (tables.times(),),
    figures=_figures,
    parts=_parts,
    main=_main,
    tables_named=("times", "survival_{endpoint}"),
)

"""What a plan's `[report]` may name, known before anything is estimated: sections, and tables and figures of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from reinfuse.analyses.registry import modules
from reinfuse.cohort.declarations import LANDMARK_FACTORS
from reinfuse.exceptions import Problem, nearest
from reinfuse.report.analyses import registry
from reinfuse.report.figures.catalog import figures
from reinfuse.report.figures.figure_spec import FigureInputs
from reinfuse.report.sections.headings import HEADINGS, MAIN
from reinfuse.report.sections.study_sections import OF_NO_ANALYSIS
from reinfuse.report.text.narrowing import narrowed
from reinfuse.results.findings import Findings

Places = Mapping[str, str]
"""Name of a table or figure -> the section of its analysis."""
_DAY = "DAY"
"""Stands in a name for a day that results tell."""


def wrong_choices(findings: Findings, built: Places | None = None) -> Iterator[Problem]:
    """Yield what the plan chooses and there is not.

    Parameters
    ----------
    findings
        Results, or what is known of them before anything is estimated.
    built
        Tables that there are besides, of results.
    """
    options = findings.plan.report
    of_results = [name for name in HEADINGS if name not in OF_NO_ANALYSIS and name not in MAIN]
    tables, drawings = {**_tables(findings), **(built or {})}, _figures(findings)
    for name in dict.fromkeys(options.sections or ()):
        if name not in (valid := [*MAIN, *of_results]):
            yield _unknown("report.sections", name, valid)
    for setting, names, places in (
        ("tables", options.tables, {"outcomes": "summary", **tables}), ("figures", options.figures, drawings),
    ):  # fmt: skip
        for name in dict.fromkeys(names or ()):
            place = places.get(re.sub(r"_\d+_", f"_{_DAY}_", name, count=1), places.get(name))
            if place is None:
                yield _unknown(f"report.{setting}", name, list(places))
            elif name != "outcomes" and place not in (options.sections or (place,)):
                rule = f"stands in section {place}, which report.sections leaves out"
                yield Problem(table="plan", column=f"report.{setting}", value=name, rule=rule,
                              remedy=f"name {place} in report.sections")  # fmt: skip
    if options.endpoints is not None and not narrowed(findings).described.endpoints:
        yield Problem(table="plan", column="report.endpoints", rule="none of these endpoints is in the data",
                      remedy="name others, or leave it out")  # fmt: skip


def _unknown(setting: str, name: str, valid: Sequence[str]) -> Problem:
    near = nearest(name, valid)
    listed = f"there are: {', '.join(valid)}"
    rule = f"is none of the {setting.partition('.')[2]} of these results"
    return Problem(table="plan", column=setting, value=name, rule=rule,
                   remedy=f"did you mean {near}? {listed}" if near else listed)  # fmt: skip


def _tables(findings: Findings) -> Places:
    """Return the tables that the analyses may have."""
    return {name: modules()[module].section for module, one in registry.shown().items()
            for template in one.tables_named for name in _filled(template, findings)}  # fmt: skip


def _figures(findings: Findings) -> Places:
    """Return the figures that are planned, and those of which results tell whether they are."""
    sections = {module: modules()[module].section for module in registry.shown()}
    inputs = FigureInputs(findings)
    planned = {name: sections[module] for module, one in registry.shown().items() for _, name, _ in one.figures(inputs)}
    of_patients = {name: place for place, name, _ in figures(findings) if name not in planned}
    later = {name: sections[module] for module, one in registry.shown().items()
             for template in one.figures_named for name in _filled(template, findings)}  # fmt: skip
    return {**of_patients, **planned, **later}


def _filled(template: str, findings: Findings) -> Iterator[str]:
    """Yield a template with each endpoint and each factor in its place."""
    about = findings.described
    ends = [e.name for e in about.endpoints] if "{endpoint}" in template else [""]
    own = [*(f.name for f in about.factors), *LANDMARK_FACTORS, *(m.factor for m in findings.plan.landmarks)]
    factors = list(dict.fromkeys(own)) if "{factor}" in template else [""]
    for end, factor in product(ends, factors):
        yield template.format(endpoint=end, factor=factor, day=_DAY)

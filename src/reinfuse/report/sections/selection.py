"""Which sections, tables and figures the report holds: what the analyses declare, or what the plan chooses instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reinfuse.cohort.strata import factor_of
from reinfuse.exceptions import PlanRefused, Problem, nearest
from reinfuse.plan.report_contents import ReportContents
from reinfuse.report.analyses import registry
from reinfuse.report.document.model import Picture, Table
from reinfuse.report.document.split import MainItem, items
from reinfuse.report.figures.catalog import figures
from reinfuse.report.figures.catalog_patients import MAIN as OF_PATIENTS
from reinfuse.report.sections.headings import HEADINGS, MAIN
from reinfuse.report.sections.study_sections import OF_NO_ANALYSIS, StudySections
from reinfuse.results.findings import Findings

Shelf = Mapping[str, tuple[str, Table | Picture]]
"""Name of a table or figure -> the section of its analysis, and the table or figure."""
FIRST_PAGE = "summary"
_OF_FIRST_PAGE = "survival"
"""The section whose first figure, where the plan names figures, stands on the first page."""


@dataclass(frozen=True)
class MainSelection:
    """What the report holds.

    Attributes
    ----------
    sections
        Names of its sections, in order.
    items
        Its tables and figures by name, in order.
    absent
        Names that the plan chooses and that have nothing to show in these data.
    """

    sections: tuple[str, ...]
    items: Mapping[str, MainItem]
    absent: tuple[str, ...] = ()


def shelf(sections: StudySections) -> Shelf:
    """Return every table and figure of the study's results."""
    return {one.name: (name, one) for name, section in sections.results.items() for one in items(section)}


def narrowed(findings: Findings) -> Findings:
    """Return findings that describe only the endpoints and subgroups that the plan chooses, endpoints in its order."""
    options, about = findings.plan.report, findings.described
    if options.endpoints is not None:
        places = {name: i for i, name in enumerate(options.endpoints)}
        shown = sorted((e for e in about.endpoints if e.name in places), key=lambda e: places[e.name])
        about = replace(about, endpoints=tuple(shown))
    if options.subgroups is not None:
        about = replace(about, populations=tuple(p for p in about.populations
                                                 if p == "all" or factor_of(p) in options.subgroups))  # fmt: skip
    return replace(findings, described=about)


def selected(sections: StudySections, on: Shelf, *, findings: Findings) -> MainSelection:
    """Return what the report holds.

    Parameters
    ----------
    sections
        Of the report's endpoints and subgroups.
    on
        Every table and figure.
    findings
        Of all endpoints and subgroups.

    Raises
    ------
    PlanRefused
        If the plan chooses what there is not, in results that are not read back: those may lack what the plan knew.
    """
    options = sections.findings.plan.report
    problems = list(_problems(sections, on, findings=findings)) if sections.findings.data is not None else []
    if problems:
        raise PlanRefused(problems)
    drawn = {drawn.name for _, drawn in sections.figures}
    declared = registry.main_items(sections.tables, drawn)
    default = {item.name: item for item in (*declared, *OF_PATIENTS) if item.name in on}
    chosen = _chosen(options, default, on)
    order = _order(options, [item.section or on[name][0] for name, item in chosen.items()])
    whole = [name for name in options.sections or () if name not in MAIN]
    free = ((Table,) if options.tables is None else ()) + ((Picture,) if options.figures is None else ())
    chosen |= {
        name: MainItem(name) for name, (section, one) in on.items() if section in whole and isinstance(one, free)
    }
    kept = {name: item for name, item in chosen.items() if (item.section or on[name][0]) in order}
    named = (*(options.tables or ()), *(options.figures or ()))
    return MainSelection(order, kept, tuple(name for name in named if name not in on and name != "outcomes"))


def _chosen(options: ReportContents, default: Mapping[str, MainItem], on: Shelf) -> dict[str, MainItem]:
    """Return the named figures and tables, each kind by default as declared."""
    if options.tables is None and options.figures is None:
        return dict(default)
    of_kind = {kind: [n for n, item in default.items() if isinstance(on[n][1], kind)] for kind in (Picture, Table)}
    pictures = of_kind[Picture] if options.figures is None else [n for n in options.figures if n in on]
    tables = of_kind[Table] if options.tables is None else [n for n in options.tables if n in on]
    places = {name: MainItem(name) for name in pictures} | {name: MainItem(name) for name in tables}
    if options.figures is None:
        return places | {name: default[name] for name in pictures}
    first = next((n for n in pictures if on[n][0] == _OF_FIRST_PAGE), None)
    return places if first is None else {**places, first: MainItem(first, FIRST_PAGE)}


def _order(options: ReportContents, used: Sequence[str]) -> tuple[str, ...]:
    """Return the sections in order; where the plan names none, further ones stand before the limitations."""
    if options.sections is not None:
        return tuple(dict.fromkeys(options.sections))
    further = [name for name in HEADINGS if name in used and name not in MAIN]
    at = MAIN.index("limits")
    return (*MAIN[:at], *further, *MAIN[at:])


def _problems(sections: StudySections, on: Shelf, *, findings: Findings) -> Iterator[Problem]:
    """Yield what the plan chooses and there is not."""
    options = sections.findings.plan.report
    of_results = [name for name in HEADINGS if name not in OF_NO_ANALYSIS and name not in MAIN]
    tables = [name for name, (_, one) in on.items() if isinstance(one, Table)]
    planned = {name: place for place, name, _ in figures(findings)}
    for setting, names, valid in (
        ("sections", options.sections, [*MAIN, *of_results]),
        ("tables", options.tables, ["outcomes", *tables]),
        ("figures", options.figures, list(planned)),
    ):
        for name in dict.fromkeys(names or ()):
            if name not in valid:
                yield _unknown(f"report.{setting}", name, valid)
            elif setting != "sections" and name in on and on[name][0] not in (options.sections or (on[name][0],)):
                rule = f"stands in section {on[name][0]}, which report.sections leaves out"
                yield Problem(table="plan", column=f"report.{setting}", value=name, rule=rule,
                              remedy=f"name {on[name][0]} in report.sections")  # fmt: skip
    ends = [e.name for e in sections.findings.described.endpoints]
    if options.endpoints is not None and not ends:
        yield Problem(table="plan", column="report.endpoints", rule="none of these endpoints is in the data",
                      remedy="name others, or leave it out")  # fmt: skip


def _unknown(setting: str, name: str, valid: Sequence[str]) -> Problem:
    near = nearest(name, valid)
    there = f"there are: {', '.join(valid)}"
    rule = f"is none of the {setting.partition('.')[2]} of these results"
    return Problem(table="plan", column=setting, value=name, rule=rule,
                   remedy=f"did you mean {near}? {there}" if near else there)  # fmt: skip

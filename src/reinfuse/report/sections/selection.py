"""Which sections, tables and figures the report holds: what the analyses declare, or what the plan chooses instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reinfuse.exceptions import PlanRefused
from reinfuse.plan.report_contents import ReportContents
from reinfuse.report.analyses import registry
from reinfuse.report.document.model import Picture, Table
from reinfuse.report.document.split import MainItem, items
from reinfuse.report.figures.catalog_patients import MAIN as OF_PATIENTS
from reinfuse.report.sections.choices import wrong_choices
from reinfuse.report.sections.headings import HEADINGS, MAIN
from reinfuse.report.sections.study_sections import StudySections
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
    built = {name: place for name, (place, one) in on.items() if isinstance(one, Table)}
    problems = list(wrong_choices(findings, built)) if options.chosen and findings.data is not None else []
    if problems:
        raise PlanRefused(problems)
    drawn = {drawn.name for _, drawn in sections.figures}
    declared = registry.main_items(sections.tables, drawn)
    shown = shelf(sections)
    default = {item.name: item for item in (*declared, *OF_PATIENTS) if item.name in shown}
    chosen = _chosen(options, default, on)
    order = _order(options, [item.section or on[name][0] for name, item in chosen.items()])
    whole = [name for name in options.sections or () if name not in MAIN]
    free = ((Table,) if options.tables is None else ()) + ((Picture,) if options.figures is None else ())
    chosen |= {
        name: MainItem(name) for name, (section, one) in on.items() if section in whole and isinstance(one, free)
    }
    items = {name: item for name, item in chosen.items() if (item.section or on[name][0]) in order}
    named = (*(options.tables or ()), *(options.figures or ()))
    return MainSelection(order, items, tuple(name for name in named if name not in on and name != "outcomes"))


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

"""How each analysis is shown, in the order of the analyses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cache, partial
from importlib import import_module
from itertools import zip_longest
from pkgutil import iter_modules
from weakref import WeakKeyDictionary

import reinfuse.report.analyses
from reinfuse.analyses.registry import modules
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.document.split import MainItem
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.references import REFERENCES, Reference
from reinfuse.results.findings import Findings
from reinfuse.runtime.boundary import Boundary

TURNS = ("sure", "power")
"""Sections whose figures, one an endpoint, take turns: what an association rests on, and what could be seen of it."""

_Tables = tuple[tuple[Table | None, ...], tuple[Part, ...]]
_TABLES: WeakKeyDictionary[StudyTables, dict[str, _Tables]] = WeakKeyDictionary()
"""Tables and parts of each analysis of a study: made once, whoever asks for them."""


@cache
def shown() -> dict[str, Shown]:
    """Return module -> how the report shows its analysis, in the order of the analyses."""
    files = {m.name for m in iter_modules(reinfuse.report.analyses.__path__)}
    names = [name for name in modules() if name in files]
    return {name: import_module(f"reinfuse.report.analyses.{name}").SHOWN for name in names}


def of_section(section: str) -> Iterator[tuple[str, Shown]]:
    """Yield module and declaration of each analysis of a section."""
    yield from ((name, one) for name, one in shown().items() if modules()[name].section == section)


@cache
def references() -> dict[str, Reference]:
    """Return the references of all methods, by key."""
    return REFERENCES | {key: article for one in shown().values() for key, article in one.references.items()}


def strobe(item: str) -> Iterator[tuple[str, str, Strobe]]:
    """Yield module, section and declaration of all that answers an item of the checklist."""
    for name, one in shown().items():
        yield from ((name, s.section or modules()[name].section, s) for s in one.strobe if s.item == item)


def methods(
    findings: Findings, cite: Cite, *, section: str | None = None, modules_of: Collection[str] | None = None
) -> Iterator[str]:
    """Yield the sentences on each analysis that gave a number, and nothing else.

    Parameters
    ----------
    section
        Of the report; default: of all.
    modules_of
        The analyses whose sentences are wanted; default: all.
    """
    given = {e.analysis for e in findings.estimates if e.estimate is not None}
    for name, one in shown().items():
        wanted = modules_of is None or name in modules_of
        if wanted and modules()[name].records in given and section in (None, modules()[name].section):
            yield from one.methods(findings, cite)


def main_items(tables: StudyTables, drawn: Collection[str]) -> Iterator[MainItem]:
    """Yield each table or figure that an analysis gives to the report.

    Parameters
    ----------
    drawn
        Names of the figures that there are.
    """
    yield from (item for one in shown().values() for item in one.main(tables, drawn))


def owners(tables: StudyTables) -> dict[str, str]:
    """Return name of each table and figure -> module of the analysis that shows it; of one that fails nothing."""
    apart = Boundary()  # what fails is noted where its section is built
    by_name: dict[str, str] = {}
    none: tuple[str, ...] = ()
    for module in shown():
        by_name |= dict.fromkeys(apart.attempt(module, "", partial(_names, module, tables), otherwise=none), module)
    return by_name


def _tables_of(module: str, tables: StudyTables) -> _Tables:
    """Return tables and parts of an analysis."""
    own = _TABLES.setdefault(tables, {})
    if module not in own:
        one = shown()[module]
        own[module] = tuple(one.tables(tables)), tuple(one.parts(tables))
    return own[module]


def _names(module: str, tables: StudyTables) -> tuple[str, ...]:
    """Return the names of the tables and figures of an analysis."""
    of_section, of_parts = _tables_of(module, tables)
    own = (*of_section, *(table for part in of_parts for table in part.tables))
    figures_of_it = (name for _, name, _ in shown()[module].figures(FigureInputs(tables.findings)))
    return (*(table.name for table in own if table is not None), *figures_of_it)


def told_in_report(given: Collection[str]) -> list[str]:
    """Return the modules whose methods the report tells, of those that give something to it: these, and the quoted."""
    return [name for name, one in shown().items() if name in given or one.quoted]


def texts(section: str, tables: StudyTables) -> Iterator[str]:
    """Yield what a section says before its tables."""
    yield from (text for _, one in of_section(section) for text in one.text(tables))


def tables_of(section: str, tables: StudyTables) -> Iterator[Table]:
    """Yield the tables of a section that have something to show."""
    drawn = (table for module, _ in of_section(section) for table in _tables_of(module, tables)[0])
    yield from (table for table in drawn if table is not None)


def parts(section: str, tables: StudyTables) -> Iterable[Part]:
    """Return the parts of a section that have a heading of their own."""
    merged: dict[str, Part] = {}
    for part in (part for module, _ in of_section(section) for part in _tables_of(module, tables)[1]):
        merged[part.name] = merged[part.name].with_more(part) if part.name in merged else part
    return merged.values()


def figures(inputs: FigureInputs, *, section: str | None = None) -> Iterator[Planned]:
    """Yield the figures that the analyses may have, section by section.

    Parameters
    ----------
    section
        Of the report; default: of all, in the order in which the analyses name them.
    """
    sections = [section] if section else [modules()[name].section for name in shown()]
    for row in dict.fromkeys(TURNS if name in TURNS and section is None else (name,) for name in sections):
        planned = [[p for _, one in of_section(name) for p in one.figures(inputs)] for name in row]
        yield from (p for turn in zip_longest(*planned) for p in turn if p is not None)

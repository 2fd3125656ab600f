"""How a report shows an analysis. Each module of this room that holds such a declaration names it `SHOWN`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace

from reinfuse.report.document.model import Block, Table
from reinfuse.report.document.split import MainItem
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.references import Reference
from reinfuse.results.findings import Findings

Cite = Callable[..., str]
"""Gives the numbers of references, from their keys."""


@dataclass(frozen=True)
class Strobe:
    """An item of the STROBE checklist that an analysis answers.

    Attributes
    ----------
    item
        Such as `12e`.
    records
        The field `analysis` of the records that answer it, with a blank and a statistic where it is one of them.
    text
        What the section shows of it; empty where the section shows nothing else.
    section
        The section's name, where it is not the analysis' own.
    """

    item: str
    records: str
    text: str = ""
    section: str = ""


@dataclass(frozen=True)
class Part:
    """A part of a section under a heading of its own; parts of one name are one part.

    Attributes
    ----------
    name
        The place of its figures, which stand before its tables.
    title
        Its heading.
    tables
        None where there is nothing to show.
    text, after
        What stands before figures and tables, and after them, where there is a table.
    otherwise
        What is said where there is no table.
    """

    name: str
    title: str
    _: KW_ONLY
    tables: tuple[Table | None, ...] = ()
    text: tuple[str, ...] = ()
    after: tuple[Block, ...] = ()
    otherwise: tuple[str, ...] = ()

    def with_more(self, other: Part) -> Part:
        """Return this part with what another analysis shows in it."""
        names = ("tables", "text", "after", "otherwise")
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in names})


def _no_table(_: StudyTables) -> Iterable[Table | None]:
    return ()


def _no_part(_: StudyTables) -> Iterable[Part]:
    return ()


def _no_item(_: StudyTables, __: Collection[str]) -> Iterable[MainItem]:
    return ()


def main_items(*names: str) -> Callable[[StudyTables, Collection[str]], Iterable[MainItem]]:
    """Return what gives the tables or figures of these names to the report, in the analysis' own section."""
    return lambda _, __: tuple(MainItem(name) for name in names)


def _no_text(_: StudyTables) -> Iterable[str]:
    return ()


def _no_figure(_: FigureInputs) -> Iterable[Planned]:
    return ()


def _no_sentence(_: Findings, __: Cite) -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class Shown:
    """How a report shows one analysis; its section is declared with the analysis.

    Attributes
    ----------
    methods
        The sentences of the methods paragraph, where the analysis gave a number.
    references
        The articles that it cites, by key.
    strobe
        The items of the checklist that it answers.
    tables
        The tables that stand in its section; None where there is nothing to show.
    figures
        The figures that it may have, each with its place in the report.
    text
        What its section says before the tables.
    parts
        Its parts of the section, each with a heading of its own.
    main
        Those of its tables and figures that stand in the report, in order, given the names of the figures that were
        drawn; all others stand in the supplement. A plan may choose otherwise.
    tables_named
        Names of its tables, by which a plan chooses them before there are results; `{endpoint}` stands for each one.
    figures_named
        Names of those of its figures of which results tell whether they are planned; also with `{factor}`, `{day}`.
    quoted
        Key findings quote its numbers, so that the methods of the report tell of it.
    """

    methods: Callable[[Findings, Cite], Iterable[str]] = _no_sentence
    _: KW_ONLY
    references: Mapping[str, Reference] = field(default_factory=dict)
    strobe: tuple[Strobe, ...] = ()
    tables: Callable[[StudyTables], Iterable[Table | None]] = _no_table
    figures: Callable[[FigureInputs], Iterable[Planned]] = _no_figure
    text: Callable[[StudyTables], Iterable[str]] = _no_text
    parts: Callable[[StudyTables], Iterable[Part]] = _no_part
    main: Callable[[StudyTables, Collection[str]], Iterable[MainItem]] = _no_item
    tables_named: tuple[str, ...] = ()
    figures_named: tuple[str, ...] = ()
    quoted: bool = False

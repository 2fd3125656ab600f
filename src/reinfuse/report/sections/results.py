"""A section of results in full: its opening, and the tables, figures and parts that its analyses declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from reinfuse.report.analyses import registry
from reinfuse.report.analyses.base import Part
from reinfuse.report.document.model import Block, Paragraph, Picture, Section
from reinfuse.report.sections.headings import Heading
from reinfuse.report.sections.openings import OPENINGS
from reinfuse.report.tables.study_tables import StudyTables

Pictures = Callable[[str], Iterable[Picture]]
"""Gives the figures of a place of the report."""


def section(heading: Heading, tables: StudyTables, pictures: Pictures) -> Section:
    """Return a section; without blocks where it has nothing to show."""
    name, own = heading.name, tuple(pictures(heading.name))
    opening = tuple(OPENINGS[name](tables, own)) if name in OPENINGS else ()
    shown = tuple(registry.tables_of(name, tables))
    texts = (Paragraph(text) for text in registry.texts(name, tables)) if shown or own else ()
    in_opening = {block.name for block in opening if isinstance(block, Picture)}
    further = (picture for picture in own if picture.name not in in_opening)
    blocks: tuple[Block, ...] = (*opening, *texts, *shown, *further, *_parts(name, tables, pictures))
    return Section(name, heading.title, blocks, heading.short)


def _parts(name: str, tables: StudyTables, pictures: Pictures) -> Iterator[Section]:
    for part in registry.parts(name, tables):
        blocks = tuple(_blocks(part, pictures))
        if blocks:
            yield Section(part.name, part.title, blocks)


def _blocks(part: Part, pictures: Pictures) -> Iterator[Block]:
    tables = [table for table in part.tables if table is not None]
    yield from (Paragraph(text) for text in (part.text if tables else part.otherwise))
    yield from pictures(part.name)
    yield from tables
    yield from part.after if tables else ()

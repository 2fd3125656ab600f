"""The report: key findings on the first page, then what answers the study's question; all else is in the supplement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from reinfuse.report.analyses import registry
from reinfuse.report.document.model import Block, Bullets, Paragraph, Picture, Section, Table, with_citations
from reinfuse.report.document.split import MainItem, items
from reinfuse.report.figures.catalog_patients import MAIN as OF_PATIENTS
from reinfuse.report.sections.headings import HEADINGS, MAIN
from reinfuse.report.sections.key_findings import KeyFindings, key_findings
from reinfuse.report.sections.openings import OPENINGS
from reinfuse.report.sections.study_sections import StudySections
from reinfuse.report.sections.supplement import references
from reinfuse.report.text.labels import lowered
from reinfuse.report.text.narrative import Prose

Shelf = Mapping[str, tuple[str, Table | Picture]]
"""Name of a table or figure -> the section of its analysis, and the table or figure."""


def shelf(sections: StudySections) -> Shelf:
    """Return every table and figure of the study's results."""
    return {one.name: (name, one) for name, section in sections.results.items() for one in items(section)}


def chosen(sections: StudySections, on: Shelf) -> dict[str, MainItem]:
    """Return those that stand in the report, by name, in order."""
    drawn = {drawn.name for _, drawn in sections.figures}
    declared = [item for _, item in registry.main_items(sections.tables, drawn)]
    return {item.name: item for item in (*declared, *OF_PATIENTS) if item.name in on}


def main_sections(
    sections: StudySections,
    on: Shelf,
    items_of: Mapping[str, MainItem],
    *,
    further: Mapping[str, Section],
    prose: Prose,
) -> Iterator[tuple[str, Section | None]]:
    """Yield names and sections of the report, in order; None where there is nothing to show.

    Parameters
    ----------
    on
        Every table and figure.
    items_of
        Those that stand in the report.
    further
        The supplement's sections of results, by name.
    """
    blocks: dict[str, list[Table | Picture]] = {name: [] for name in MAIN}
    for name, item in items_of.items():
        blocks[item.section or on[name][0]].append(on[name][1])
    makers: Mapping[str, _Maker] = {
        "summary": _summary, "patients": _patients, "course": _course, "limits": _limits, "methods": _methods,
    }  # fmt: skip
    page = _Page(sections, prose, further, tuple(items_of))
    for name in MAIN:
        make = makers.get(name, _results)
        yield name, sections.of_blocks(name, partial(make, page, blocks[name], name))


class _Page:
    """What the sections of one report are made of."""

    def __init__(
        self, sections: StudySections, prose: Prose, further: Mapping[str, Section], names: Sequence[str]
    ) -> None:
        self.sections, self.prose, self.further, self.names = sections, prose, further, names

    def pointers(self, name: str) -> Iterator[Block]:
        """Yield where in the supplement readers of a section find more."""
        told = [self._pointer(other) for other, heading in HEADINGS.items()
                if heading.reader == name and (other in self.further or name == "methods")]  # fmt: skip
        if told:
            yield Paragraph(f"Supplement: {'; '.join(told)}.", "aside")

    def _pointer(self, name: str) -> str:
        section = self.further.get(name)
        parts = [lowered(b.title) for b in section.blocks if isinstance(b, Section)] if section else []
        inside = f" ({', '.join(parts)})" if parts and HEADINGS[name].reader == name else ""
        inside = " (in full, with endpoint definitions)" if name == "methods" else inside
        return f"section {self.sections.heading(name).mentioned}{inside}"


_Maker = Callable[[_Page, Sequence[Table | Picture], str], Iterator[Block]]
"""Makes the blocks of a section."""


def _summary(page: _Page, blocks: Sequence[Table | Picture], _: str) -> Iterator[Block]:
    yield from key_findings(page.sections.tables, blocks)


def _patients(page: _Page, blocks: Sequence[Table | Picture], name: str) -> Iterator[Block]:
    yield Paragraph(" ".join(KeyFindings(page.sections.tables).patients()))
    yield from blocks
    yield from page.pointers(name)


def _course(page: _Page, blocks: Sequence[Table | Picture], name: str) -> Iterator[Block]:
    yield from OPENINGS["course"](page.sections.tables, [b for b in blocks if isinstance(b, Picture)])
    yield from _results(page, blocks, name)


def _results(page: _Page, blocks: Sequence[Table | Picture], name: str) -> Iterator[Block]:
    if blocks:
        yield from blocks
        yield from page.pointers(name)


def _limits(page: _Page, _: Sequence[Table | Picture], __: str) -> Iterator[Block]:
    yield Bullets(tuple(page.prose.limits()))


def _methods(page: _Page, _: Sequence[Table | Picture], name: str) -> Iterator[Block]:
    given = {
        module for module, item in registry.main_items(page.sections.tables, page.names) if item.name in page.names
    }
    yield Paragraph(with_citations(" ".join(page.prose.methods(registry.told_in_report(given)))))
    yield from page.pointers(name)
    yield references(page.prose)

"""The report: key findings on the first page, then what answers the study's question; all else is in the supplement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from reinfuse.report.analyses import registry
from reinfuse.report.document.model import Block, Bullets, Paragraph, Picture, Section, Table, with_citations
from reinfuse.report.document.split import items, without
from reinfuse.report.sections.headings import HEADINGS, MAIN
from reinfuse.report.sections.key_findings import KeyFindings, key_findings
from reinfuse.report.sections.openings import OPENINGS
from reinfuse.report.sections.selection import MainSelection, Shelf
from reinfuse.report.sections.study_sections import StudySections
from reinfuse.report.sections.supplement import references
from reinfuse.report.text.labels import lowered
from reinfuse.report.text.narrative import Prose


def main_sections(
    sections: StudySections,
    on: Shelf,
    selection: MainSelection,
    *,
    full: StudySections,
    further: Mapping[str, Section],
    prose: Prose,
) -> Iterator[tuple[str, Section | None]]:
    """Yield names and sections of the report, in order; None where there is nothing to show.

    Parameters
    ----------
    on
        Every table and figure.
    full
        The sections of all endpoints and subgroups.
    further
        The supplement's sections of results, by name.
    """
    makers: Mapping[str, _Maker] = {
        "summary": _summary, "patients": _patients, "course": _course, "limits": _limits, "methods": _methods,
    }  # fmt: skip
    page = _Page(sections, prose, selection, further=further, full=full)
    blocks: dict[str, list[Table | Picture]] = {name: [] for name in selection.sections}
    for name, item in selection.items.items():
        blocks[item.section or on[name][0]].append(on[name][1])
    for name in selection.sections:
        if name in MAIN:
            make = makers.get(name, _results)
            yield name, sections.of_blocks(name, partial(make, page, blocks[name], name))
        else:
            yield name, _of_supplement(full.results.get(name), selection)


def left_out(sections: StudySections, selection: MainSelection, *, prose: Prose) -> dict[str, Section]:
    """Return what the report always has unless the plan leaves it out, by name."""
    page = _Page(sections, prose, selection, further={}, full=sections)
    makers: Mapping[str, _Maker] = {"summary": _summary, "limits": _limits}
    built = {name: sections.of_blocks(name, partial(make, page, (), name))
             for name, make in makers.items() if name not in selection.sections}  # fmt: skip
    return {name: section for name, section in built.items() if section is not None}


class _Page:
    """What the sections of one report are made of."""

    def __init__(
        self,
        sections: StudySections,
        prose: Prose,
        selection: MainSelection,
        *,
        further: Mapping[str, Section],
        full: StudySections,
    ) -> None:
        self.sections, self.prose, self.selection, self.further = sections, prose, selection, further
        self.full = full

    def pointers(self, name: str) -> Iterator[Block]:
        """Yield where in the supplement readers of a section find more."""
        last = self.selection.sections[-1]
        places = [self._pointer(other) for other, heading in HEADINGS.items()
                  if (heading.reader if heading.reader in self.selection.sections else last) == name
                  and (other in self.further or heading.reader == "methods")]  # fmt: skip
        if places:
            yield Paragraph(f"Supplement: {'; '.join(places)}.", "aside")
        if name == last and self.selection.absent:
            yield Paragraph(
                f"Chosen by the plan, without anything to show: {', '.join(self.selection.absent)}.", "aside"
            )

    def _pointer(self, name: str) -> str:
        section = self.further.get(name)
        parts = [lowered(b.title) for b in section.blocks if isinstance(b, Section)] if section else []
        inside = f" ({', '.join(parts)})" if parts and HEADINGS[name].reader == name else ""
        inside = " (in full, with endpoint definitions)" if name == "methods" else inside
        return f"section {self.sections.heading(name).mentioned}{inside}"


def _of_supplement(full: Section | None, selection: MainSelection) -> Section | None:
    """Return a section that is the supplement's by default, with its texts and the chosen tables and figures."""
    return None if full is None else without(full, {one.name for one in items(full)} - set(selection.items))


_Maker = Callable[[_Page, Sequence[Table | Picture], str], Iterator[Block]]
"""Makes the blocks of a section."""


def _summary(page: _Page, blocks: Sequence[Table | Picture], name: str) -> Iterator[Block]:
    yield from key_findings(page.full.tables, page.sections.tables.outcomes(), figures=blocks)
    yield from page.pointers(name)


def _patients(page: _Page, blocks: Sequence[Table | Picture], name: str) -> Iterator[Block]:
    yield Paragraph(" ".join(KeyFindings(page.full.tables).patients()))
    yield from blocks
    yield from page.pointers(name)


def _course(page: _Page, blocks: Sequence[Table | Picture], name: str) -> Iterator[Block]:
    yield from OPENINGS["course"](page.sections.tables, [b for b in blocks if isinstance(b, Picture)])
    yield from _results(page, blocks, name)


def _results(page: _Page, blocks: Sequence[Table | Picture], name: str) -> Iterator[Block]:
    if blocks:
        yield from blocks
        yield from page.pointers(name)


def _limits(page: _Page, _: Sequence[Table | Picture], name: str) -> Iterator[Block]:
    yield Bullets(tuple(page.prose.limits()))
    yield from page.pointers(name)


def _methods(page: _Page, _: Sequence[Table | Picture], name: str) -> Iterator[Block]:
    owners = page.sections.owners
    given = {owners[item] for item in page.selection.items if item in owners}
    yield Paragraph(with_citations(" ".join(page.prose.methods(registry.told_in_report(given)))))
    yield from page.pointers(name)
    yield references(page.prose)

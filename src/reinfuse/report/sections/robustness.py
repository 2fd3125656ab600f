"""The report's sections after the associations: what they are called; what stands in them is declared by analyses."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

from reinfuse.report.analyses import registry
from reinfuse.report.document.model import Block, Paragraph, Section
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.results.findings import Findings

Part = tuple[str, str, Callable[[], Iterable[Section]]]
"""A part of the report: its name, its heading, and the building of its sections, which may fail."""


def more_sections(findings: Findings, tables: StudyTables, drawn: Container[str],
                  *, pictures: Callable[[str], Iterable[Block]]) -> Iterator[Part]:  # fmt: skip
    """Yield the sections that may have something to show.

    Parameters
    ----------
    drawn
        The sections that have figures.
    pictures
        Returns the figures of a section.
    """
    index = findings.plan.index_infusion
    for name, short, title in (
        ("sure", "Robustness", "Robustness and sensitivity analyses"),
        ("power", "Power", "Power: smallest detectable effect"),
        ("later", "Post-infusion factors",
         "Post-infusion (post-baseline) factors: landmark and time-dependent analyses"),
        ("protocols", "Standardised outcomes", "Standardised outcomes by protocol (g-computation)"),
        ("paired", f"CART{index - 1} vs CART{index}", f"Within-patient comparison of CART{index - 1} and CART{index}"),
    ):  # fmt: skip

        def build(name: str = name, short: str = short, title: str = title) -> Iterator[Section]:
            shown = tuple(registry.tables_of(name, tables))
            if shown or name in drawn:
                text = (Paragraph(p) for p in registry.texts(name, tables))
                yield Section(name, title, (*text, *shown, *pictures(name)), short)

        yield name, title, build

"""What `reinfuse evidence synthesis` and `reinfuse evidence borrow` write: a page, its numbers and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from reinfuse.evidence.borrowing import Borrowing
from reinfuse.evidence.records import borrowing_records, synthesis_records
from reinfuse.evidence.subgroups import Subgroups
from reinfuse.evidence.synthesis import Synthesis
from reinfuse.output import Destination, at
from reinfuse.report.document.html import html
from reinfuse.report.document.model import Document
from reinfuse.report.export.results_folder import write_figures
from reinfuse.report.figures.published_rates import drawings
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.sections.published_rates import borrowing_document, synthesis_document
from reinfuse.results.estimate import Estimate, frame
from reinfuse.tabular.csv_files import write_csv

COMMAND = "evidence"


def write_synthesis(synthesis: Synthesis, groups: Sequence[Subgroups], place: Destination | Path, *, on: date) -> Path:
    """Write synthesis.html, estimates.csv and figures.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    page = synthesis_document(synthesis, groups, on=on)
    records = [*synthesis_records(synthesis)]
    return _write("synthesis", page, records, drawings(synthesis), place=place)


def write_borrowing(borrowing: Borrowing, place: Destination | Path, *, on: date) -> Path:
    """Write borrowing.html, estimates.csv and figures.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    page = borrowing_document(borrowing, on=on)
    records = [*borrowing_records(borrowing), *synthesis_records(borrowing.synthesis)]
    return _write("borrowing", page, records, drawings(borrowing.synthesis, borrowing), place=place)


def _write(
    name: str, page: Document, records: Sequence[Estimate], drawn: Sequence[Drawn], *, place: Destination | Path
) -> Path:
    def write(draft: Path) -> None:
        (draft / f"{name}.html").write_text(html(page), encoding="utf-8")
        write_csv(frame(records), draft / "estimates.csv")
        if drawn:
            write_figures(drawn, draft / "figures")

    return at(place, COMMAND).write(write)

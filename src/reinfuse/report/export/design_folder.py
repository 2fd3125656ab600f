"""What `reinfuse design` writes: the page of a protocol, and its tables as CSV."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from reinfuse.output import Destination, at
from reinfuse.report.designs.page import ProtocolPage, document
from reinfuse.report.designs.sources import SOURCES
from reinfuse.report.document.docx import word
from reinfuse.report.document.html import html
from reinfuse.report.document.pdf import pdf
from reinfuse.report.text.bibtex import entry
from reinfuse.tabular.csv_files import write_rows


def write_design(page: ProtocolPage, place: Destination | Path) -> Path:
    """Write protocol.html, .docx and .pdf, a CSV file for each table, and the references.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    whole = document(page, date.today())

    def write(draft: Path) -> None:
        (draft / "protocol.html").write_text(html(whole), encoding="utf-8")
        (draft / "protocol.docx").write_bytes(word(whole, {}))
        (draft / "protocol.pdf").write_bytes(pdf(whole))
        for one in (*page.decisions, *page.characteristics):
            write_rows([one.head, *((row.head, *row.cells) for row in one.rows)], draft / f"{one.name}.csv")
        keys = dict.fromkeys(key for method in page.methods for key in method.sources)
        (draft / "references.bib").write_text("\n\n".join(entry(SOURCES[k]) for k in keys) + "\n", encoding="utf-8")

    return at(place, "design").write(write)

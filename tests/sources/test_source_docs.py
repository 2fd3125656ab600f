"""The pages on a centre's own files hold what the code does: a walk through a sheet, what the reader understands."""

from __future__ import annotations

from pathlib import Path

from walkthrough import PAGE, page_run

from reinfuse.sources.documentation import page

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_what_the_reader_understands_is_listed_from_the_code():
    assert (DOCS / "values.md").read_text(encoding="utf-8") == page()
    assert "| `NR` | asked |" in page()
    assert "| `PD (D28)` | response `PD`, day `28` |" in page()


def test_the_walk_from_a_spreadsheet_to_a_report_goes_as_the_page_says(tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("```console\n$ reinfuse ") == 6
    assert page_run(text, tmp_path) == text
    provenance = (tmp_path / "cohort" / "provenance.csv").read_text(encoding="utf-8")
    assert "120 Mio,total cells / 60 kg" in provenance
    assert (tmp_path / "results" / "report.html").is_file()

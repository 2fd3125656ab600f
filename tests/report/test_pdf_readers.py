"""The PDF in the readers that are here: none has a complaint. Those that are not are skipped, saying so."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from pypdf import PdfReader
from pypdf.generic import BooleanObject

from reinfuse.report.document.pdf import pdf
from report.test_documents import small

READERS = {
    "pdfinfo": ("pdfinfo", "{}"),
    "pdftotext": ("pdftotext", "{}", "-"),
    "qpdf": ("qpdf", "--check", "{}"),
    "mutool": ("mutool", "draw", "-q", "-F", "txt", "-o", "-", "{}"),
    "gs": ("gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=nullpage", "{}"),
}
HARMLESS = ("warning: ICC support is not available",)
"""Said by a mutool that was built without it, of every file."""


@pytest.fixture(scope="module")
def files(demo_report, tmp_path_factory):
    one = tmp_path_factory.mktemp("pdf") / "small.pdf"
    one.write_bytes(pdf(small()))
    return [one, *sorted(demo_report.glob("*.pdf"))]


def complaints(reader: str, file: Path) -> list[str]:
    command = [part.format(file) for part in READERS[reader]]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
    lines = [line for line in done.stderr.splitlines() if line.strip() and line not in HARMLESS]
    return lines + ([f"status {done.returncode}"] if done.returncode else [])


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_has_no_complaint(files, reader):
    if shutil.which(reader) is None:
        pytest.skip(f"{reader} is not installed")
    assert {file.name: said for file in files if (said := complaints(reader, file))} == {}


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_complains_of_a_broken_file(files, reader, tmp_path):
    if shutil.which(reader) is None:
        pytest.skip(f"{reader} is not installed")
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(files[0].read_bytes()[:5000])
    assert complaints(reader, broken) != []


def test_what_the_file_claims_is_there(files):
    """PDF/UA-1 is claimed: marked, tagged, titled, with a language; and a default is not stated."""
    for file in files:
        reader = PdfReader(file, strict=True)
        root = reader.trailer["/Root"]
        assert root["/MarkInfo"] == {"/Marked": BooleanObject(True)}
        assert root["/StructTreeRoot"]["/K"]
        assert root["/Lang"] in ("en", "es")
        assert root["/ViewerPreferences"]["/DisplayDocTitle"] == BooleanObject(True)
        assert reader.metadata.title
        assert b"pdfuaid:part" in root["/Metadata"].get_data()
        for page in reader.pages:
            assert page["/Tabs"] == "/S"
            assert "/StructParents" in page

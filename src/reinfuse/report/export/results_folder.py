"""Writing the results: all of them or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from reinfuse.disclosure import suppressed
from reinfuse.output import Destination, at
from reinfuse.report.brief.content import brief
from reinfuse.report.document.docx import word
from reinfuse.report.document.html import html
from reinfuse.report.document.model import Document
from reinfuse.report.document.pdf import pdf
from reinfuse.report.document.typst import png
from reinfuse.report.export.figure_files import figure_file
from reinfuse.report.export.pictures import drawn_figures, with_pixels
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.sections.contents import REPORT, SUPPLEMENT, documents
from reinfuse.report.sections.study_sections import Placed
from reinfuse.report.text.bibtex import bibliography
from reinfuse.results.curves import curves_frame
from reinfuse.results.findings import Findings
from reinfuse.runtime.boundary import Boundary
from reinfuse.runtime.parallel import CORES
from reinfuse.runtime.progress import Progress
from reinfuse.runtime.second_process import SecondProcess, worth_a_copy
from reinfuse.tabular.csv_files import write_csv

BRIEF, FIGURES = "brief", "figures"
PARTS = (REPORT, SUPPLEMENT, BRIEF, FIGURES)
"""Parts of the folder that can be left out; findings, estimates, curves and patients are always in it."""


def write(findings: Findings, place: Destination | Path, *, progress: Progress | None = None,
          boundary: Boundary | None = None, second: SecondProcess | None = None,
          parts: Collection[str] = PARTS) -> Path:  # fmt: skip
    """Write report, findings, estimates, patients and figures into a folder.

    Parameters
    ----------
    boundary
        Keeps what could not be drawn or written.
    second
        Another process that draws its part of the figures of a cohort that is not large.
    parts
        Of `PARTS`, what is written.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    return at(place, "analyze").write(
        lambda draft: write_results(findings, draft, progress=progress, boundary=boundary, second=second, parts=parts)
    )


def write_results(findings: Findings, draft: Path, *, progress: Progress | None = None,
                  boundary: Boundary | None = None, second: SecondProcess | None = None,
                  parts: Collection[str] = PARTS) -> None:  # fmt: skip
    """Write everything into an empty folder, or parts; patients' own data only where the findings hold them."""
    boundary = boundary or Boundary()
    if findings.data is not None and not worth_a_copy(*findings.data.frame.shape):
        second = None
    with ThreadPoolExecutor(CORES) as pool:  # typst lets other threads run while it works
        drawn: list[Placed] = []
        pixels: dict[str, bytes] = {}
        if set(parts) != {BRIEF}:
            drawn, pixels = with_pixels(
                *drawn_figures(findings, pool, boundary, progress=progress, second=second), boundary=boundary
            )
        if progress:
            progress("documents", 1, 1)
        if FIGURES in parts:
            _write_figures([figure for _, figure in drawn], pixels, folder=draft / FIGURES)
        written = _written(findings, drawn, draft, parts=parts, boundary=boundary)
        _write_documents(written, pixels, draft, pool=pool, boundary=boundary, second=second)
    _write_numbers(replace(findings, warnings=(*boundary.warnings, *findings.warnings)), draft)


def _write_documents(written: Mapping[str, Document], pixels: Mapping[str, bytes], draft: Path, *, pool: Executor,
                     boundary: Boundary, second: SecondProcess | None) -> None:  # fmt: skip
    """Write each document as HTML and PDF, report and supplement as Word too.

    The supplement takes longest: the second process sets its pages and writes the report for Word, while this one
    writes the supplement for Word and sets the other pages.
    """
    words: dict[str, Callable[[], bytes]] = {
        name: partial(word, written[name], pixels) for name in (REPORT, SUPPLEMENT) if name in written
    }
    pages = {name: pool.submit(pdf, document) for name, document in written.items() if not second or name != SUPPLEMENT}
    with ThreadPoolExecutor(1) as thread:
        if second and SUPPLEMENT in written:
            pages[SUPPLEMENT] = thread.submit(second.either, pdf, written[SUPPLEMENT])
            if REPORT in written:
                words[REPORT] = thread.submit(second.either, word, written[REPORT], pixels).result
        for name, document in written.items():
            (draft / f"{name}.html").write_text(html(document), encoding="utf-8")
        _write_binary(words, pages, draft, boundary=boundary)


def _write_binary(words: Mapping[str, Callable[[], bytes]], pages: Mapping[str, Future[bytes]], draft: Path,
                  *, boundary: Boundary) -> None:  # fmt: skip
    """Write documents as Word and PDF as they are ready; what fails is left out."""
    further: dict[str, Callable[[], bytes]] = {
        **{f"{name}.docx": work for name, work in words.items()},
        **{f"{name}.pdf": page.result for name, page in pages.items()},
    }
    for name, work in further.items():
        contents = boundary.attempt(name, "summary", work, otherwise=None)
        if contents is not None:
            (draft / name).write_bytes(contents)


def _write_numbers(findings: Findings, draft: Path) -> None:
    """Write findings, estimates, curves and, where the findings hold them, patients."""
    text = json.dumps(findings.as_dict(), indent=1, allow_nan=False, ensure_ascii=False)
    (draft / "findings.json").write_text(text + "\n", encoding="utf-8")
    write_csv(findings.to_frame(), draft / "estimates.csv")
    write_csv(curves_frame(findings.curves), draft / "curves.csv")
    if findings.patients.height:
        write_csv(findings.patients, draft / "patients.csv")


def _written(findings: Findings, drawn: Sequence[Placed], draft: Path, *, parts: Collection[str],
             boundary: Boundary) -> dict[str, Document]:  # fmt: skip
    """Return the documents of these parts by name; references are written beside report and supplement."""
    by_name: dict[str, Document] = {}
    if {REPORT, SUPPLEMENT} & set(parts):
        both = documents(findings, drawn, boundary=boundary)
        (draft / "references.bib").write_text(bibliography(both[SUPPLEMENT].cited), encoding="utf-8")
        by_name |= {name: document for name, document in both.items() if name in parts}
    if BRIEF in parts:
        nothing: dict[str, Document] = {}
        by_name |= boundary.attempt("The patients' brief", "summary", lambda: briefs(findings), otherwise=nothing)
    return by_name


def briefs(findings: Findings) -> dict[str, Document]:
    """Return the patients' brief in each language of the plan, under its file's name."""
    plan = findings.plan
    shareable = suppressed(findings, plan.small_cells)[0] if plan.small_cells else findings
    names = (BRIEF, *(f"{BRIEF}.{language}" for language in plan.languages[1:]))
    return {name: brief(shareable, language) for name, language in zip(names, plan.languages, strict=True)}


def write_figures(drawn: Sequence[Drawn], folder: Path) -> None:
    """Write figures in their formats, with their data as CSV, into a new folder."""
    with ThreadPoolExecutor(CORES) as pool:
        rendered = pool.map(png, [figure.svg for figure in drawn])
        _write_figures(drawn, dict(zip((figure.name for figure in drawn), rendered, strict=True)), folder=folder)


def _write_figures(drawn: Sequence[Drawn], pixels: Mapping[str, bytes], *, folder: Path) -> None:
    folder.mkdir()
    for figure in drawn:
        for kind in figure.formats:
            contents = figure_file(figure, kind, pixels=pixels[figure.name])
            (folder / f"{figure.name}.{kind}").write_bytes(contents)
        write_csv(figure.data, folder / f"{figure.name}.csv")

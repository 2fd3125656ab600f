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
from reinfuse.report.figures.catalog import figures
from reinfuse.report.figures.figure_spec import Planned
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.sections.contents import REPORT, SUPPLEMENT, documents
from reinfuse.report.sections.study_sections import Placed
from reinfuse.report.text.bibtex import bibliography
from reinfuse.results.curves import curves_frame
from reinfuse.results.findings import Findings
from reinfuse.runtime.boundary import Boundary, Failure
from reinfuse.runtime.parallel import CORES
from reinfuse.runtime.progress import Progress
from reinfuse.runtime.second_process import SecondProcess, worth_a_copy
from reinfuse.tabular.csv_files import write_csv

BRIEF, FIGURES = "brief", "figures"
PARTS = (REPORT, SUPPLEMENT, BRIEF, FIGURES)
"""Parts of the folder that can be left out; findings, estimates, curves and patients are always in it."""
Picture = tuple[Drawn | None, Future[bytes] | bytes | None, tuple[Failure, ...]]
"""A figure, its pixels, and what failed."""


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
    if findings.plan.report.chosen:
        documents(findings, (), boundary=Boundary())  # what is chosen wrongly is refused before figures are drawn
    if findings.data is not None and not worth_a_copy(*findings.data.frame.shape):
        second = None
    with ThreadPoolExecutor(CORES) as pool:  # typst lets other threads run while it works
        drawn: list[Placed] = []
        pixels: dict[str, bytes] = {}
        if set(parts) != {BRIEF}:
            drawn, pixels = _with_pixels(
                *_drawn(findings, pool, boundary, progress=progress, second=second), boundary=boundary
            )
        if progress:
            progress("documents", 1, 1)
        if FIGURES in parts:
            _write_figures([figure for _, figure in drawn], pixels, draft / FIGURES)
        written = _written(findings, drawn, draft, parts=parts, boundary=boundary)
        _write_documents(written, pixels, draft, pool=pool, boundary=boundary, second=second)
    _write_numbers(replace(findings, warnings=(*boundary.warnings, *findings.warnings)), draft)


def _write_documents(written: Mapping[str, Document], pixels: Mapping[str, bytes], draft: Path, *, pool: Executor,
                     boundary: Boundary, second: SecondProcess | None) -> None:  # fmt: skip
    """Write each document as HTML and PDF, report and supplement as Word too."""
    words: dict[str, Callable[[], bytes]] = {
        name: partial(word, written[name], pixels) for name in (REPORT, SUPPLEMENT) if name in written
    }
    if second and SUPPLEMENT in words:  # the longest of all; the second process has nothing else to do
        words[SUPPLEMENT] = pool.submit(second.either, word, written[SUPPLEMENT], pixels).result
    pages = {name: pool.submit(pdf, document) for name, document in written.items()}
    for name, document in written.items():
        (draft / f"{name}.html").write_text(html(document), encoding="utf-8")
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


def _drawn(findings: Findings, pool: Executor, boundary: Boundary, *, progress: Progress | None,
           second: SecondProcess | None) -> tuple[list[Placed], list[Future[bytes]]]:  # fmt: skip
    """Return the figures, each with its section, and their pixels, which are on their way."""
    planned: list[Planned] = boundary.attempt("The figures", "patients", lambda: list(figures(findings)), otherwise=[])

    def here(place: int) -> Picture:
        if progress:
            progress(f"figure {planned[place][1]}", place, len(planned))
        return _picture(planned[place], lambda svg: pool.submit(png, svg))

    places = range(len(planned))
    pictures = second.results(pieces_of, findings, places, here) if second else {i: here(i) for i in places}
    drawn: list[Placed] = []
    waiting: list[Future[bytes]] = []
    for place in places:
        figure, pixels, failures = pictures[place]
        boundary.failures += failures
        if figure is not None and pixels is not None:
            drawn.append((planned[place][0], figure))
            waiting.append(_ready(pixels))
    return drawn, waiting


def pieces_of(findings: Findings) -> list[Callable[[], Picture]]:
    """Return the figures of findings as pieces of work."""
    return [partial(_picture, one, png) for one in figures(findings)]


def _picture(planned: Planned, render: Callable[[bytes], Future[bytes] | bytes]) -> Picture:
    boundary, (section, name, draw) = Boundary(), planned
    figure = boundary.attempt(f"Figure {name}", section, draw, otherwise=None)
    pixels = (
        None
        if figure is None
        else boundary.attempt(f"Figure {name}", section, lambda: render(figure.svg), otherwise=None)
    )
    return figure, pixels, tuple(boundary.failures)


def _ready(pixels: Future[bytes] | bytes) -> Future[bytes]:
    """Return pixels that are there already like those that are on their way."""
    if isinstance(pixels, Future):
        return pixels
    ready: Future[bytes] = Future()
    ready.set_result(pixels)
    return ready


def _with_pixels(drawn: Sequence[Placed], waiting: Sequence[Future[bytes]],
                 *, boundary: Boundary) -> tuple[list[Placed], dict[str, bytes]]:  # fmt: skip
    """Return the figures of which pixels came, and the pixels by name."""
    pixels: dict[str, bytes] = {}
    for (_, figure), coming in zip(drawn, waiting, strict=True):
        rendered = boundary.attempt(f"Figure {figure.name}", "summary", coming.result, otherwise=None)
        if rendered is not None:
            pixels[figure.name] = rendered
    return [placed for placed in drawn if placed[1].name in pixels], pixels


def write_figures(drawn: Sequence[Drawn], folder: Path) -> None:
    """Write figures in their formats, with their data as CSV, into a new folder."""
    with ThreadPoolExecutor(CORES) as pool:
        rendered = pool.map(png, [figure.svg for figure in drawn])
        _write_figures(drawn, dict(zip((figure.name for figure in drawn), rendered, strict=True)), folder)


def _write_figures(drawn: Sequence[Drawn], pixels: Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir()
    for figure in drawn:
        for kind in figure.formats:
            contents = figure_file(figure, kind, pixels=pixels[figure.name])
            (folder / f"{figure.name}.{kind}").write_bytes(contents)
        write_csv(figure.data, folder / f"{figure.name}.csv")

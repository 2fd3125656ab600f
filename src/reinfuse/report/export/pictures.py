"""The figures of findings with their pixels, each drawn by whichever process is free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from functools import partial

from reinfuse.report.document.typst import png
from reinfuse.report.figures.catalog import figures
from reinfuse.report.figures.figure_spec import Planned
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.sections.study_sections import Placed
from reinfuse.results.findings import Findings
from reinfuse.runtime.boundary import Boundary, Failure
from reinfuse.runtime.progress import Progress
from reinfuse.runtime.second_process import SecondProcess

Picture = tuple[Drawn | None, Future[bytes] | bytes | None, tuple[Failure, ...]]
"""A figure, its pixels, and what failed."""


def drawn_figures(findings: Findings, pool: Executor, boundary: Boundary, *, progress: Progress | None,
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

    def rendered(drawn: Drawn) -> Future[bytes] | bytes:
        _ = drawn.compact  # pages hold it: made here, where both processes share the work
        return render(drawn.svg)

    pixels = (
        None
        if figure is None
        else boundary.attempt(f"Figure {name}", section, lambda: rendered(figure), otherwise=None)
    )
    return figure, pixels, tuple(boundary.failures)


def _ready(pixels: Future[bytes] | bytes) -> Future[bytes]:
    """Return pixels that are there already like those that are on their way."""
    if isinstance(pixels, Future):
        return pixels
    ready: Future[bytes] = Future()
    ready.set_result(pixels)
    return ready


def with_pixels(drawn: Sequence[Placed], waiting: Sequence[Future[bytes]],
                 *, boundary: Boundary) -> tuple[list[Placed], dict[str, bytes]]:  # fmt: skip
    """Return the figures of which pixels came, and the pixels by name."""
    pixels: dict[str, bytes] = {}
    for (_, figure), coming in zip(drawn, waiting, strict=True):
        rendered = boundary.attempt(f"Figure {figure.name}", "summary", coming.result, otherwise=None)
        if rendered is not None:
            pixels[figure.name] = rendered
    return [placed for placed in drawn if placed[1].name in pixels], pixels

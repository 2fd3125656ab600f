"""Writing the results: all of them or nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from reinfuse.errors import OutputRefused, Problem
from reinfuse.findings import Findings, Progress
from reinfuse.report.draw import figures
from reinfuse.report.html import Placed, report


def write(findings: Findings, directory: Path, progress: Progress | None = None) -> Path:
    """Write report, findings, estimates, patients and figures into a folder.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    return in_place(directory, lambda draft: _write_all(findings, draft, progress))


def in_place(directory: Path, make: Callable[[Path], None]) -> Path:
    """Let everything be made in a temporary folder beside the directory, and move it there when complete.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        if directory.exists() and not directory.is_dir():
            raise NotADirectoryError
        draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    except OSError:
        rule, remedy = "the results cannot be written there", "name a folder that can be written"
        raise OutputRefused([Problem(None, None, None, str(directory), rule, remedy)]) from None
    try:
        make(draft)
        _move(draft, directory)
    except OSError:
        rule = "the results could not be written (is the disk full, or a file of the folder open?)"
        raise OutputRefused([Problem(None, None, None, str(directory), rule, "make room and try again")]) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return directory


def _write_all(findings: Findings, draft: Path, progress: Progress | None) -> None:
    (draft / "figures").mkdir()
    drawn: list[Placed] = []
    planned = list(figures(findings))
    for done, (section, name, draw) in enumerate(planned):
        if progress:
            progress(f"figure {name}", done, len(planned))
        figure = draw()
        if figure is None:
            continue
        drawn.append((section, figure))
        (draft / "figures" / f"{figure.name}.svg").write_bytes(figure.svg)
        (draft / "figures" / f"{figure.name}.png").write_bytes(figure.png)
    if progress:
        progress("report", len(planned), len(planned))
    text = json.dumps(findings.as_dict(), indent=1, allow_nan=False, ensure_ascii=False)
    (draft / "findings.json").write_text(text + "\n", encoding="utf-8")
    findings.to_frame().write_csv(draft / "estimates.csv")
    findings.patients.write_csv(draft / "patients.csv")
    (draft / "report.html").write_text(report(findings, drawn), encoding="utf-8")


def _move(draft: Path, directory: Path) -> None:
    """Put the finished files in place; figures of an earlier run go."""
    directory.mkdir(exist_ok=True)
    if (directory / "figures").is_dir():
        shutil.rmtree(directory / "figures")
    for made in sorted(draft.iterdir()):
        made.replace(directory / made.name)

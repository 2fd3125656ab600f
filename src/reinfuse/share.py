"""The folder that may leave the centre: no ids, no dates, no small numbers, and a list of what was removed."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reinfuse.disclosure import Removed, suppressed
from reinfuse.errors import Problem, ShareRefused
from reinfuse.findings import Findings
from reinfuse.report.write import in_place, write_results

SMALLEST = 11
_DATE = re.compile(r"\b(?:19|20)\d\d-\d\d-\d\d\b")
_TEXTS = (".html", ".json", ".csv", ".txt", ".svg", ".bib")
_README = """\
Results of an analysis by reinfuse, made to leave the centre
============================================================

Numbers of patients from 1 to {most} are not shown, nor anything from which they could be worked out (docs/sharing.md of
reinfuse tells the rules). There is no row of a patient, no identifier and no date but the year in this folder.
removed.csv lists what was taken away.

Whoever receives it must not try to recognise a patient, and must not compare it with another release of the same
cohort in order to work out hidden numbers.
"""


def share(directory: str | Path, out: str | Path, smallest: int = SMALLEST) -> tuple[Removed, ...]:
    """Make the folder that may leave the centre.

    Parameters
    ----------
    directory
        A folder of results.
    out
        The folder to make.
    smallest
        The smallest number of patients that is shown.

    Returns
    -------
    tuple of Removed
        What was taken away.

    Raises
    ------
    CohortRefused
        If the folder holds no results.
    OutputRefused
        If the new folder cannot be written.
    ShareRefused
        If an identifier or a date is still found in it; nothing is written.
    """
    found = Findings.load(directory)
    ids = [str(i) for i in found.flow["patient_id"]]
    kept, removed = suppressed(found, smallest)
    kept = replace(kept, provenance=_without_dates(kept.provenance))
    more = (*removed, *_files(Path(directory)))

    def make(draft: Path) -> None:
        write_results(kept, draft)
        (draft / "README.txt").write_text(_README.format(most=smallest - 1), encoding="utf-8")
        with (draft / "removed.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("what", "why", "count"), *((r.what, r.why, r.count) for r in more)])
        _refuse_what_is_left(draft, ids)

    in_place(Path(out), make)
    return more


def _without_dates(provenance: Mapping[str, Any]) -> dict[str, object]:
    """Return the provenance with the year for the date, and files by number."""
    told = dict(provenance)
    told["date"] = str(told["date"])[:4]
    told["inputs"] = {f"input {i}": digest for i, digest in enumerate(told["inputs"].values(), 1)}
    told["cohort"] = "shared results"
    return told


def _files(directory: Path) -> list[Removed]:
    """Return the files of patients' own data, which the new folder does not have."""
    here = [name for name in ("patients.csv",) if (directory / name).is_file()]
    return [Removed(name, "single patients", 1) for name in here]


def _refuse_what_is_left(draft: Path, ids: Sequence[str]) -> None:
    """Look through every text of the folder for an identifier or a date."""
    words = re.compile(rf"(?<![\w-])(?:{'|'.join(re.escape(i) for i in ids)})(?![\w-])") if ids else None
    problems = []
    for path in sorted(p for p in draft.rglob("*") if p.suffix in _TEXTS):
        text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", path.read_text(encoding="utf-8"))
        name = str(path.relative_to(draft))
        if words is not None and any(_telling(i) for i in words.findall(text)):
            problems.append(Problem(name, None, None, None, "holds a patient's identifier", "tell the developers"))
        if _DATE.search(text):
            problems.append(Problem(name, None, None, None, "holds a date", "take dates out of the plan's texts"))
    if problems:
        raise ShareRefused(problems)


def _telling(identifier: str) -> bool:
    """Tell whether an identifier can be told from a number of the report: `7` cannot, `P07` can."""
    return not identifier.isdigit() or len(identifier) > 4

"""The folder that may leave the centre: results without ids, dates and small numbers, and what was removed."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from reinfuse.disclosure import FEWEST, SHOWN_FROM, Removed, suppressed
from reinfuse.errors import Problem, ShareRefused
from reinfuse.findings import Findings
from reinfuse.output import Destination
from reinfuse.report.write import write_results

SMALLEST = 11
LONGEST_COUNT = 4
"""An identifier of so many digits or fewer cannot be told from a number of the report."""
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)")
_PICTURE = re.compile(r"base64,[A-Za-z0-9+/=\s]+")
_WORD = re.compile(r"[\w-]+")
_TEXTS = (".html", ".json", ".csv", ".txt", ".svg", ".bib")
_README = """\
Results of an analysis by reinfuse, made to leave the centre
============================================================

What it is    Report, brief, figures and numbers of groups of patients. findings.json and estimates.csv hold every
              number shown; `note` says where one was suppressed.
The rule      Numbers of patients from 1 to {most} are not shown, nor numbers from which they could be worked out by
              adding and subtracting. 0 may be shown. Curves are told at whole months only, rounded. There is no row
              of a patient, no identifier, no date but the year, and no name of an input file.
Removed       {removed} things; removed.csv counts them by kind and reason.

Whoever receives it must not try to recognise a patient, must not work out hidden numbers from it and another release
of the same cohort, and must not pass it on beyond what was agreed with the centre. Titles and descriptions were
written by people and are passed on as they are: read them before this folder leaves the centre.
"""


def share(directory: str | Path, out: str | Path, smallest: int = SMALLEST, force: bool = False) -> tuple[Removed, ...]:
    """Make the folder that may leave the centre.

    Parameters
    ----------
    directory
        A folder of results.
    out
        The folder to make: new, empty, or of an earlier `share`.
    smallest
        The smallest number of patients that is shown, at least 3; the plan's `small_cells` where that is larger.
    force
        Move aside what stands in the way of the new folder.

    Returns
    -------
    tuple of Removed
        What was taken away.

    Raises
    ------
    CohortRefused
        If the folder holds no results.
    OutputRefused
        If the new folder cannot be written, or holds files that `share` did not write.
    ShareRefused
        If there are fewer patients than `smallest`, the results were made to be shared before, or an identifier or a
        date is still found; nothing is written.
    ValueError
        If `smallest` is below 3.
    """
    if smallest < FEWEST:
        raise ValueError(f"the smallest number shown must be {FEWEST} or more")
    found = Findings.load(directory)
    place = Destination(Path(out), "share", (Path(directory),), force)
    place.check()
    smallest = max(smallest, found.plan.small_cells)
    _refuse_what_cannot_be_shared(found, smallest)
    kept, removed = suppressed(found, smallest)
    told = {**_neutral(kept.provenance), "described": kept.described.as_dict()}
    kept = replace(kept, provenance=told)
    removed = (*removed, *_more(Path(directory), found.provenance))
    ids = [str(i) for i in found.flow["patient_id"]]

    def make(draft: Path) -> None:
        write_results(kept, draft)
        text = _README.format(most=smallest - 1, removed=sum(r.count for r in removed))
        (draft / "README.txt").write_text(text, encoding="utf-8")
        with (draft / "removed.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("what", "why", "count"), *((r.what, r.why, r.count) for r in removed)])
        _refuse_what_is_left(draft, ids)

    place.write(make)
    return removed


def _refuse_what_cannot_be_shared(found: Findings, smallest: int) -> None:
    if SHOWN_FROM in found.provenance:
        rule, remedy = "was made to be shared already", "name the folder of results that it was made from"
    elif found.described.patients < smallest:
        rule = f"has fewer than {smallest} patients: no number of it may be shown"
        remedy = "do not share it, or pool it with other centres"
    else:
        return
    raise ShareRefused([Problem(None, None, None, None, rule, remedy)])


def _neutral(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the provenance with the year for the date, and without names of folders and files."""
    inputs = {f"input {i}": digest for i, digest in enumerate(provenance["inputs"].values(), 1)}
    return {**provenance, "date": str(provenance["date"])[:4], "inputs": inputs, "cohort": "shared results"}


def _more(directory: Path, provenance: Mapping[str, Any]) -> Iterator[Removed]:
    """Yield what else the new folder does not have."""
    if (directory / "patients.csv").is_file():
        yield Removed("patients.csv", "single patients", 1)
    yield Removed("date of the analysis", "only the year is kept", 1)
    yield Removed("name of an input file or folder", "may hold a name", len(provenance["inputs"]) + 1)


def _refuse_what_is_left(draft: Path, ids: Sequence[str]) -> None:
    """Look through every text of the folder for an identifier or a date."""
    told = {i for i in ids if is_telling(i)}
    problems = [Problem("patients.csv", None, None, None, "holds single patients", "tell the developers")
                for _ in draft.rglob("patients.csv")]  # fmt: skip
    for name, text in _texts(draft):
        if _holds(text, told):
            remedy = "take it out of the titles, labels and levels of plan and cohort, or rename the patient"
            problems.append(Problem(name, None, None, None, "holds a patient's identifier", remedy))
        if _DATE.search(text):
            remedy = "take dates out of the titles, labels and levels of plan and cohort"
            problems.append(Problem(name, None, None, None, "holds a date", remedy))
    if problems:
        raise ShareRefused(problems)


def _texts(draft: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of every file that has one; of a Word document its parts, but for its template's date."""
    for path in sorted(p for p in draft.rglob("*") if p.is_file()):
        name = str(path.relative_to(draft))
        if path.suffix in _TEXTS:
            yield name, _PICTURE.sub("", path.read_text(encoding="utf-8"))
        elif path.suffix == ".docx":
            with ZipFile(path) as parts:
                for part in sorted(p for p in parts.namelist() if p.endswith((".xml", ".rels"))):
                    text = parts.read(part).decode("utf-8")
                    yield f"{name}/{part}", re.sub(r"<dcterms:(created|modified)[^<]*<", "<", text)


def _holds(text: str, ids: set[str]) -> bool:
    """Tell whether one of the identifiers stands in a text as a word."""
    words = set(_WORD.findall(text))
    odd = [i for i in ids if not _WORD.fullmatch(i)]
    return bool(ids & words) or any(re.search(rf"(?<![\w-]){re.escape(i)}(?![\w-])", text) for i in odd if i in text)


def is_telling(identifier: str) -> bool:
    """Tell whether an identifier can be told from a number or a letter of a report: `P07` can, `7` cannot."""
    return len(identifier) > 1 and not (identifier.isdigit() and len(identifier) <= LONGEST_COUNT)

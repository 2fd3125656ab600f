"""The folder that may leave the centre: results without ids, dates and small numbers, and what was removed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from reinfuse.cohort.schema import WIDE
from reinfuse.disclosure import FEWEST, SHOWN_FROM, Removed, suppressed
from reinfuse.disclosure.identifying import RECONSTRUCTED_ID, holds_date, pattern
from reinfuse.disclosure.release_log import Release, Releases
from reinfuse.exceptions import Problem, ShareRefused
from reinfuse.output import Destination
from reinfuse.output.manifest import read_manifest
from reinfuse.report.export.readable_text import texts
from reinfuse.report.export.results_folder import write_results
from reinfuse.report.text.plan_history import to_year as history_to_year
from reinfuse.results.estimate import SUPPRESSED
from reinfuse.results.findings import Findings
from reinfuse.tabular.csv_files import read_csv, write_rows

SMALLEST = 11
KEEP_LOCAL = "KEEP-LOCAL.txt"
"""Marks a folder that is not to leave the centre, whatever becomes of its manifest."""
_ID = "patient_id"
_README = """\
Results of an analysis by reinfuse, made to leave the centre
============================================================

What it is    Report, supplement, brief, figures and numbers of groups of patients. findings.json and estimates.csv
              hold every number shown; `note` says where one was suppressed.
The rule      Numbers of patients from 1 to {most} are not shown, nor numbers from which they could be worked out by
              adding and subtracting. 0 may be shown. Curves are told at whole months only, rounded; medians,
              their limits and quartiles no finer than {smallest} patients share them, limits rounded outwards. There
              is no row of a patient, no identifier, no date but the year, no name and no hash of an input file.
Removed       {removed} things; removed.csv counts them by kind and reason.

Whoever receives it must not try to recognise a patient, must not work out hidden numbers from it and another release
of the same cohort, and must not pass it on beyond what was agreed with the centre. Titles and descriptions were
written by people and are passed on as they are: read them before this folder leaves the centre.
"""


def share(directory: str | Path, out: str | Path, *, smallest: int = SMALLEST,
          force: bool = False, again: bool = False) -> tuple[Removed, ...]:  # fmt: skip
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
    again
        Release although the patients differ by few from those of an earlier release (`disclosure.release_log`).

    Returns
    -------
    tuple of Removed
        What was taken away.

    Raises
    ------
    CohortRefused
        If the folder holds no results.
    OutputRefused
        If the new folder cannot be written, or holds files that `share` did not write; if the log of releases cannot.
    ShareRefused
        If there are fewer patients than `smallest`, the results were made to be shared before, an earlier release
        differs by few patients, or an identifier or a date is still found; nothing is written.
    ValueError
        If `smallest` is below 3.
    """
    if smallest < FEWEST:
        raise ValueError(f"the smallest number shown must be {FEWEST} or more")
    _refuse_patients_behind_curves(Path(directory))
    findings = Findings.load(directory)
    place = Destination(Path(out), "share", (Path(directory),), force)
    place.check()
    smallest = max(smallest, findings.plan.small_cells)
    patients, log, release = _release(Path(directory), findings, smallest, again=again)
    shown, removed = _suppressed(Path(directory), findings, patients, smallest=smallest)
    provenance = {**_neutral(shown.provenance), "described": shown.described.as_dict()}
    shown = replace(shown, provenance=provenance)
    levels = {w for p in findings.described.populations for w in re.split(r"\W", p)}
    named = pattern(
        (str(i) for i in findings.flow[_ID]), levels | {w for f in findings.described.factors for w in f.levels}
    )

    def make(draft: Path) -> None:
        write_results(shown, draft)
        text = _README.format(most=smallest - 1, smallest=smallest, removed=sum(r.count for r in removed))
        (draft / "README.txt").write_text(text, encoding="utf-8")
        write_rows([("what", "why", "count"), *((r.what, r.why, r.count) for r in removed)], draft / "removed.csv")
        _refuse_what_is_left(draft, named, seed=findings.plan.seed)
        log.note(release)

    place.write(make)
    return removed


def preview(directory: str | Path, *, smallest: int = SMALLEST) -> tuple[tuple[Removed, ...], int, int]:
    """Return what `share` would take away, how many estimates it would hide, and of how many; nothing is released.

    Raises
    ------
    CohortRefused, OutputRefused, ShareRefused
        As `share`, but for an identifier or a date that is still found in what would be written.
    """
    findings, path = Findings.load(directory), Path(directory)
    smallest = max(smallest, findings.plan.small_cells)
    patients, _, _ = _release(path, findings, smallest, again=False)
    shown, removed = _suppressed(path, findings, patients, smallest=smallest)
    hidden = sum((e.note or "").startswith(SUPPRESSED) for e in shown.estimates)
    return removed, hidden, len(findings.estimates)


def _release(directory: Path, findings: Findings, smallest: int, *,
             again: bool) -> tuple[pl.DataFrame, Releases, Release]:  # fmt: skip
    """Return the rows of patients, the log of releases, and this release, which is not noted yet."""
    _refuse_what_cannot_be_shared(findings, smallest)
    patients, log = _patients(directory), Releases()
    release = log.release(_rows(findings, patients), smallest, plan=str(findings.provenance["plan"]))
    if not again:
        _refuse_what_can_be_subtracted(log.conflicts(release, smallest))
    return patients, log, release


def _suppressed(directory: Path, findings: Findings, patients: pl.DataFrame,
                *, smallest: int) -> tuple[Findings, tuple[Removed, ...]]:  # fmt: skip
    """Return findings without small numbers, and all that the new folder does not have."""
    shown, removed = suppressed(replace(findings, patients=patients), smallest)
    return shown, (*removed, *_more(directory, findings.provenance))


def _patients(directory: Path) -> pl.DataFrame:
    """Return the rows of patients, as texts; nothing where the folder does not hold them."""
    try:
        return read_csv(directory / "patients.csv", as_texts=True)
    except (OSError, pl.exceptions.PolarsError):
        return pl.DataFrame()


def _rows(findings: Findings, patients: pl.DataFrame) -> dict[str, str]:
    """Return what is known of each analysed patient, whatever the plan."""
    if _ID not in patients.columns:
        return dict.fromkeys(findings.flow.filter(pl.col("status") == "analysed")[_ID].to_list(), "")
    standard = patients.select(c for c in sorted(patients.columns) if c in WIDE.names)
    return dict(zip(patients[_ID].to_list(), (repr(row) for row in standard.rows()), strict=True))


def _refuse_what_can_be_subtracted(conflicts: Iterator[str]) -> None:
    remedy = "wait for more patients; --again only if who receives it will never see the earlier release"
    problems = [Problem(rule=f"{rule}: who has both can subtract", remedy=remedy) for rule in conflicts]
    if problems:
        raise ShareRefused(problems)


def _refuse_patients_behind_curves(directory: Path) -> None:
    """Refuse what `reinfuse curve` wrote, and results within it."""
    for folder in (directory, directory.resolve(), *directory.resolve().parents):
        manifest = read_manifest(folder)
        if (folder / KEEP_LOCAL).exists() or (manifest is not None and manifest.command == "curve"):
            _refuse_reconstructed()


def _refuse_reconstructed() -> None:
    rule = "holds patients behind published curves: a small curve can disclose them"
    raise ShareRefused([Problem(rule=rule, remedy="cite the publication; do not pass on what was made of its curve")])


def _refuse_what_cannot_be_shared(findings: Findings, smallest: int) -> None:
    if any(str(one).startswith(RECONSTRUCTED_ID) for one in findings.flow[_ID]):
        _refuse_reconstructed()
    if SHOWN_FROM in findings.provenance:
        rule, remedy = "was made to be shared already", "name the folder of results that it was made from"
    elif findings.described.patients < smallest:
        rule = f"has fewer than {smallest} patients: no number of it may be shown"
        remedy = "do not share it, or pool it with other centres"
    else:
        return
    raise ShareRefused([Problem(rule=rule, remedy=remedy)])


def _neutral(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the provenance with the year for the date, and without names and hashes of files and folders.

    A hash tells a small table to whoever tries the few that it can be.
    """
    declared = provenance["declared"]
    declared = {**declared, "evidence": {**declared.get("evidence", {}), "registers": []}}
    neutral = {**provenance, "date": str(provenance["date"])[:4], "inputs": {}, "cohort": "shared results",
               "declared": declared}  # fmt: skip
    if "plan_history" in neutral:
        neutral["plan_history"] = history_to_year(neutral["plan_history"])
    return neutral


def _more(directory: Path, provenance: Mapping[str, Any]) -> Iterator[Removed]:
    """Yield what else the new folder does not have."""
    if (directory / "patients.csv").is_file():
        yield Removed("patients.csv", "single patients", 1)
    yield Removed("date of the analysis", "only the year is kept", 1)
    if changes := provenance.get("plan_history", {}).get("changes"):
        yield Removed("reason for a change of the plan", "free text", len(changes))
    yield Removed("name of an input file or folder", "may hold a name", len(provenance["inputs"]) + 1)
    yield Removed("SHA-256 of an input file", "a small table can be recovered by guessing", len(provenance["inputs"]))


def _refuse_what_is_left(draft: Path, named: re.Pattern[str] | None, *, seed: int) -> None:
    """Look through every text of the folder for an identifier or a date."""
    problems = [Problem(table="patients.csv", rule="holds single patients", remedy="tell the developers")
                for _ in draft.rglob("patients.csv")]  # fmt: skip
    for name, text in texts(draft):
        if named is not None and named.search(text):
            remedy = "take it out of the titles, labels and levels of plan and cohort, or rename the patient"
            problems.append(Problem(table=name, rule="holds a patient's identifier", remedy=remedy))
        if holds_date(text, seed):
            remedy = "take dates out of the titles, labels and levels of plan and cohort"
            problems.append(Problem(table=name, rule="holds a date", remedy=remedy))
    if problems:
        raise ShareRefused(problems)

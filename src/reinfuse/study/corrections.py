"""Corrections of a person: noted in a ledger beside the data, which never change, and applied where they are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from reinfuse.cohort.raw_tables import CohortInput, read_raw
from reinfuse.exceptions import Problem, SourceRefused
from reinfuse.output.single_file import write_file
from reinfuse.sources.corrections import (
    TAKEN_BACK,
    Correction,
    corrected_raw,
    faults_of,
    last_decisions,
    ledger_text,
    read_ledger,
)

__all__ = ["Correction", "corrected_cohort", "note_correction", "read_ledger", "take_back"]


def note_correction(ledger: Path, *, table: str, row: str, column: str, old: str, new: str,
                    reason: str = "") -> Correction:  # fmt: skip
    """Add a line to a ledger, and return it.

    Parameters
    ----------
    ledger
        Its file; made if it is not there.
    table, row, column
        Where, as a problem tells it.
    old, new
        The text before and after; the same where it is left as it is.
    reason
        Why; needed where a text is left.

    Raises
    ------
    SourceRefused
        If the line cannot be noted, or the file is no ledger.
    OutputRefused
        If it cannot be written; it is as it was.
    """
    earlier = read_ledger(ledger)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    correction = Correction(table, row, column, old, new.strip(), " ".join(reason.split()), now)
    if wrong := faults_of(correction):
        number = int(row) if row.isdecimal() else None
        raise SourceRefused([Problem(table=table, row=number, column=column, rule="cannot be noted", remedy=wrong)])
    write_file(ledger, ledger_text([*earlier, correction]).encode())
    return correction


def take_back(ledger: Path, number: int) -> None:
    """Undo the decision of a line by a further line: the text that stood there before stands there again.

    Parameters
    ----------
    number
        Of the line, from 0; only the last one about its cell can be taken back.

    Raises
    ------
    SourceRefused
        If there is no such line, or a later one is about the same cell.
    """
    lines = read_ledger(ledger)
    if number not in last_decisions(lines):
        rule, remedy = "is no decision that stands", "take back the last one about its cell"
        raise SourceRefused([Problem(table=ledger.name, row=number + 1, rule=rule, remedy=remedy)])
    line = lines[number]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    undone = replace(line, old=line.new, new=line.old, reason=TAKEN_BACK, time=now)
    write_file(ledger, ledger_text([*lines, undone]).encode())


def corrected_cohort(path: CohortInput, corrections: Path | None) -> CohortInput:
    """Return a cohort with the corrections of a ledger; without one, the cohort as it is given.

    Raises
    ------
    SourceRefused
        If the file is no ledger.
    """
    ledger = () if corrections is None else read_ledger(corrections)
    return corrected_raw(read_raw(path), ledger) if ledger else path

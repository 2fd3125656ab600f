"""Corrections of a person: noted in a ledger beside the data, which never change, and applied where they are read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from reinfuse.cohort.raw_tables import CohortInput, read_raw
from reinfuse.exceptions import Problem, SourceRefused
from reinfuse.output.single_file import write_file
from reinfuse.sources.corrections import Correction, corrected_raw, faults_of, ledger_text, read_ledger

__all__ = ["Correction", "corrected_cohort", "note_correction", "read_ledger"]


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


def corrected_cohort(path: CohortInput, corrections: Path | None) -> CohortInput:
    """Return a cohort with the corrections of a ledger; without one, the cohort as it is given.

    Raises
    ------
    SourceRefused
        If the file is no ledger.
    """
    ledger = () if corrections is None else read_ledger(corrections)
    return corrected_raw(read_raw(path), ledger) if ledger else path

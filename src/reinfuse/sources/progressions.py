"""One progression told twice: as the result of an assessment without a day, and with its day in a column of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from reinfuse.sources.imported import ImportedCell
from reinfuse.sources.infusion_days import PLACED, in_time

_SAME = 31
"""Days within which a recorded progression is the one that an assessment before it found."""
Row = dict[str, ImportedCell]


def with_recorded_days(responses: Sequence[Row], infusions: Sequence[Mapping[str, ImportedCell]]) -> Iterator[Row]:
    """Yield responses; a progression that the map placed on a day has the recorded one that follows it, if one does.

    Parameters
    ----------
    responses
        Rows of the table responses.
    infusions
        Rows of the table infusions: between the two days, no infusion may lie.
    """
    recorded: dict[str, list[str]] = {}
    given: dict[str, list[str]] = {}
    for row in responses:
        if _progressed(row) and not _is_placed(_time(row)):
            recorded.setdefault(row["patient_id"].text, []).append(_time(row).text)
    for infusion in infusions:
        given.setdefault(infusion["patient_id"].text, []).append(_time(infusion).text)
    for row in responses:
        patient, time = row["patient_id"].text, _time(row)
        if not (_progressed(row) and _is_placed(time)):
            yield row
            continue
        later = (t for t in recorded.get(patient, ()) if 0 < _days_between(time.text, t) <= _SAME)
        same = [
            t for t in later if not any(in_time(time.text) < in_time(g) <= in_time(t) for g in given.get(patient, ()))
        ]
        rule = f"the recorded day of this progression, and not {time.rule}"
        new = time._replace(text=min(same, key=in_time), rule=rule) if same else time
        yield {column: new if cell is time else cell for column, cell in row.items()}


def _progressed(row: Mapping[str, ImportedCell]) -> bool:
    return "response" in row and row["response"].text == "PD" and bool(_time(row).text)


def _time(row: Mapping[str, ImportedCell]) -> ImportedCell:
    return row.get("date") or row.get("day") or row["patient_id"]._replace(text="", rule="")


def _is_placed(cell: ImportedCell) -> bool:
    return PLACED in cell.rule


def _days_between(first: str, second: str) -> int:
    """Return the days from one date or day to another; 0 where either is none."""
    try:
        return int(second) - int(first)
    except ValueError:
        try:
            return (date.fromisoformat(second) - date.fromisoformat(first)).days
        except ValueError:
            return 0

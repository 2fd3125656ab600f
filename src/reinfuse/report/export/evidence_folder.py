"""What `reinfuse evidence update` writes: a folder that joins the register, with notices, screening list and flow."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from reinfuse.evidence.notices import Notice
from reinfuse.evidence.reading import NOTICES
from reinfuse.evidence.screening import HEADS, SCREENING
from reinfuse.evidence.search_strategy import DatabaseSearch
from reinfuse.evidence.update import FlowStep, RegisterUpdate
from reinfuse.output import Destination
from reinfuse.tabular.csv_files import write_rows

FLOW, STRATEGY = "flow.csv", "search_strategy.txt"
_NOTICE = tuple(f.name for f in fields(Notice))


def write_update(
    update: RegisterUpdate, notices: list[Notice], searches: list[DatabaseSearch], *, included: list[FlowStep],
    place: Destination,
) -> None:  # fmt: skip
    """Write the folder.

    Parameters
    ----------
    notices
        All that are known: those of earlier updates too.
    included
        The last steps of the flow: the register.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """

    def write(draft: Path) -> None:
        rows = [[str(getattr(n, name)) for name in _NOTICE] for n in notices]
        write_rows([_NOTICE, *rows], draft / NOTICES)
        write_rows([HEADS, *(r.cells() for r in update.screening)], draft / SCREENING)
        steps = [[s.step, s.records, s.on.isoformat(), s.note] for s in (*update.flow, *included)]
        write_rows([("step", "records", "date", "note"), *steps], draft / FLOW)
        (draft / STRATEGY).write_text(strategy_text(searches), encoding="utf-8")

    place.write(write)


def strategy_text(searches: list[DatabaseSearch]) -> str:
    """Return the searches as a text to paste from."""
    parts = []
    for one in searches:
        parts.append(f"{one.database}, search of {one.written_on}\n\n{one.text}\n")
        if one.again:
            parts.append(f"{one.database}, studies of the register, for notices to them\n\n{one.again}\n")
    return "\n".join(parts)

"""Days of assessments that stand in the cells of the response: ``CR (d33)`` dates it, and the MRD beside it."""

from __future__ import annotations

from dataclasses import replace

from reinfuse.sources.propose.filled import ProposedLine
from reinfuse.sources.source_map import OPEN, Field
from reinfuse.sources.values import understand
from reinfuse.sources.values.responses import told_beside

_TELLING = frozenset({"day", "month", "date"})


def day_in_cells(line: ProposedLine, placed: Field) -> Field:
    """Return the day of an assessment as the cells of a response tell it; the day that is placed where none does.

    Parameters
    ----------
    line
        A response, of the same infusion and day as the assessment.
    placed
        Where no cell tells it: a day after an infusion.

    Returns
    -------
    Field
        A guess that a person confirms; cells that tell no day have that of `placed`.
    """
    texts = line.match.cells.counts
    silent = sum(n for text, n in texts.items() if not _tells_day(text))
    if placed.after == OPEN or 2 * silent >= line.match.cells.seen:
        return placed
    header = line.match.name.header
    why = f"no column holds its date: the day stands in the cells of {header!r}"
    own = Field(column=header, part="day", after=placed.after, confirm=True, reason=why)
    if not silent:
        return own
    where = f"{silent} of {line.match.cells.seen} cells tell none: there, day {placed.day}"
    return replace(own, day=placed.day, said=placed.said, reason=f"{why}; {where}")


def _tells_day(text: str) -> bool:
    said = understand("response", text, order="dmy")
    return bool(_TELLING & set(said.parts if said else told_beside(text, order="dmy")))

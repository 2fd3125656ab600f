"""Death from a vital status and a date of last contact: the dead died on the day that the other column holds."""

from __future__ import annotations

from dataclasses import replace

from reinfuse.sources.propose.concepts import concepts
from reinfuse.sources.propose.evidence import are_initials
from reinfuse.sources.propose.filled import ProposedLine, line_of
from reinfuse.sources.propose.matching import Match
from reinfuse.sources.source_map import OPEN, Field
from reinfuse.sources.source_table import SourceTable
from reinfuse.sources.values import understand
from reinfuse.sources.values.understood import plain, unaccented
from reinfuse.sources.values.vital_status import DEAD, read_vital_status
from reinfuse.sources.values.words import YES_NO
from reinfuse.tabular.cell_parsing import clean, is_missing

_SHOWN = 3
_ASKS_DEATH = frozenset("death dead died deceased tot os".split())
_ASKS_LIFE = frozenset("alive living survival".split())


def status_line(match: Match, contact: ProposedLine) -> ProposedLine:
    """Return the line of death: the date of last contact, where the status says that the patient died.

    Parameters
    ----------
    match
        The column of the vital status.
    contact
        The line of the last contact.
    """
    dead = _texts_of_the_dead(match)
    shared = "death" in contact.match.name.words  # "last follow-up or death" says itself that it is both
    doubts = [] if shared else ["no column holds the date of death: the day of last contact is taken for the dead"]
    if are_initials(match.cells.counts):
        doubts.append("A is taken for alive, D for dead")
    if dead and all(t.isdigit() for t in match.cells.counts):
        doubts.append(f"{dead[0]} is taken for dead")
    if dead is None:
        doubts.append("which of its words mean dead is not said: write them in `where`")
    header = match.name.header
    line = line_of(match, order="", doubts=doubts)
    filled = Field(column=contact.filled.column, partial=contact.filled.partial,
                   where={header: (OPEN,) if dead is None else dead or (DEAD,)},
                   order=contact.filled.order, reason=line.filled.reason, confidence=match.confidence,
                   confirm=line.filled.confirm)  # fmt: skip
    return replace(line, filled=filled, words=())


def tells_dates(match: Match) -> bool:
    """Tell whether each text that says dead gives the day: ``Dead 8/5/2023 - PD``, beside ``Alive``."""
    told = [s.parts for t in match.cells.counts
            if (s := read_vital_status(t, order="dmy") or read_vital_status(t, order="mdy"))]  # fmt: skip
    dead = [parts for parts in told if parts.get("status") == DEAD]
    return bool(dead) and all("death" in parts for parts in dead)


def tells_causes(match: Match) -> bool:
    """Tell whether a vital status says of what patients died: ``DOD``, ``died of sepsis``."""
    return any((s := understand("death_cause", t)) and "death_cause" in s.parts and not _is_answer(t)
               for t in match.cells.counts)  # fmt: skip


def of_status(match: Match, target: str, *, order: str) -> ProposedLine:
    """Return the line of death or its cause that reads a column of the vital status itself."""
    own = Match(match.name, match.cells, concepts()[target], match.name_score, match.share, None)
    return line_of(own, order=order, doubts=["it stands in the column of the vital status"])


def _is_answer(text: str) -> bool:
    return unaccented(plain(text)) in YES_NO


def dead_without_date(table: SourceTable, status: Match, *, death: Match) -> str:
    """Return the places of rows whose status says dead while their date of death is empty; nothing where none is."""
    dead = _texts_of_the_dead(status) or ()
    pairs = zip(table.texts(status.name.header), table.texts(death.name.header), table.rows, strict=True)
    places = [row.place for said, day, row in pairs if clean(said) in dead and is_missing(clean(day))]
    return f"{', '.join(places[:_SHOWN])}{', ...' if len(places) > _SHOWN else ''}"


def _texts_of_the_dead(match: Match) -> tuple[str, ...] | None:
    """Return the texts that mean dead; None where a word is not understood."""
    if are_initials(match.cells.counts):
        return tuple(t for t in match.cells.counts if t.casefold() == "d")
    dead = []
    words = {w for w in match.name.words if not w.isdigit()}
    asks_death, asks_life = bool(words & _ASKS_DEATH), bool(words & _ASKS_LIFE)
    for text in match.cells.counts:
        said = match.cells.said(text)
        status = read_vital_status(said, order="dmy") or read_vital_status(said, order="mdy")
        answer = YES_NO.get(unaccented(plain(match.cells.said(text))))
        if status is not None and "status" in status.parts:
            is_dead = status.parts["status"] == DEAD
        elif answer is not None and asks_death != asks_life:
            is_dead = (answer == "yes") == asks_death
        else:
            return None
        if is_dead:
            dead.append(text)
    return tuple(dead)

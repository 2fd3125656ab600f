"""Which requests of pooled studies a centre has answered: a private log beside that of releases.

It holds hashes of files alone. By it a centre knows that a request follows from its own answers, that it answers one
request of each number, and how many it has answered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from reinfuse.disclosure.release_log import VARIABLE
from reinfuse.exceptions import OutputRefused, Problem

_LOG = "answers.jsonl"


@dataclass(frozen=True)
class AnswerEntry:
    """One answer.

    Attributes
    ----------
    study, request, answer
        SHA-256 of each.
    centre, number
        The centre's name, and the number of the exchange.
    patients
        Keyed hash of all that the study uses of the patients; it tells nothing without the key.
    """

    study: str
    centre: str
    number: int
    request: str
    answer: str
    patients: str


class AnswerLog:
    """The log in a folder.

    Raises
    ------
    OutputRefused
        If it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / _LOG
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
            self.entries = [AnswerEntry(**json.loads(line)) for line in lines if line]
        except (OSError, ValueError, TypeError):
            rule = "the log of what was answered cannot be read"
            remedy = f"mend it, or name another folder in the environment's variable {VARIABLE}"
            raise OutputRefused([Problem(value=str(self.path), rule=rule, remedy=remedy)]) from None

    def centre_of(self, study: str) -> str | None:
        """Return under which name this centre answered a study before."""
        return next((e.centre for e in self.entries if e.study == study), None)

    def changed_since(self, entry: AnswerEntry) -> int | None:
        """Return the number of a request of the same study that was answered of other patients or values, or None."""
        own = (e for e in self.entries if (e.study, e.centre) == (entry.study, entry.centre))
        return next((e.number for e in own if e.number < entry.number and e.patients != entry.patients), None)

    def conflicts(self, entry: AnswerEntry, before: str) -> Iterator[str]:
        """Yield in words why a request is not to be answered.

        Parameters
        ----------
        before
            SHA-256 of the answer on which the request says that it is built; empty in the first.
        """
        own = [e for e in self.entries if (e.study, e.centre) == (entry.study, entry.centre)]
        if any(e.number == entry.number and e.request != entry.request for e in own):
            yield f"another request {entry.number} of this study was answered already"
        if entry.number > 1 and not any(e.number == entry.number - 1 and e.answer == before for e in own):
            yield f"it is not built on what this centre answered to request {entry.number - 1}"

    def note(self, entry: AnswerEntry) -> None:
        """Add an answer, unless it is there."""
        if entry in self.entries:
            return
        with os.fdopen(
            os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
        ) as file:
            file.write(json.dumps(asdict(entry)) + "\n")

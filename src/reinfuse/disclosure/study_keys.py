"""The private key of a centre in one masked study: a file for its owner alone, beside the log of releases.

A key is of one study and one centre. It is written when the centre's public key leaves, and ended with the study:
what was ended makes no mask again.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from reinfuse.exceptions import OutputRefused, Problem

_FOLDER = "pool-keys"


@dataclass(frozen=True)
class StudyKey:
    """A key.

    Attributes
    ----------
    private
        Empty once it was ended.
    keys
        Hash of the public keys of all centres, as the first request that held them said; empty before.
    """

    study: str
    centre: str
    private: str
    keys: str = ""


class KeyFile:
    """The file of a key.

    Raises
    ------
    OutputRefused
        If it cannot be read.
    """

    def __init__(self, folder: Path, study: str, centre: str) -> None:
        name = hashlib.sha256(f"{study} {centre}".encode()).hexdigest()[:32]
        self.path = folder / _FOLDER / f"{name}.json"
        try:
            text = self.path.read_text(encoding="utf-8") if self.path.exists() else None
            self.key = None if text is None else StudyKey(**json.loads(text))
        except (OSError, ValueError, TypeError):
            raise self._refused("the key of this study cannot be read", "restore it, or begin a new study") from None

    def write(self, key: StudyKey) -> None:
        """Write a key, readable by its owner alone.

        Raises
        ------
        OutputRefused
            If it cannot be written.
        """
        if key == self.key:
            return
        draft = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.unlink(missing_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(json.dumps(asdict(key)) + "\n")
            draft.replace(self.path)
        except OSError:
            raise self._refused(
                "the key of this study cannot be written", "make room, or name another folder"
            ) from None
        self.key = key

    def end(self) -> bool:
        """Take the private key away and tell whether there was one."""
        if self.key is None or not self.key.private:
            return False
        self.write(replace(self.key, private=""))
        return True

    def _refused(self, rule: str, remedy: str) -> OutputRefused:
        return OutputRefused([Problem(value=str(self.path), rule=rule, remedy=remedy)])

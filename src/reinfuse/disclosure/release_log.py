"""Which patients were released before: a private log, so that no two releases differ by few patients.

The log holds keyed hashes (HMAC-SHA-256) of identifiers and rows. The key lies beside it and never leaves the centre:
without it a hash tells nothing of a small table, which anybody could find by trying. Both are for the owner alone.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from reinfuse.exceptions import OutputRefused, Problem

VARIABLE = "REINFUSE_RELEASES"
"""The environment's variable that names another folder for the log."""
_KEY, _LOG, _KEY_BYTES = "key", "releases.jsonl", 32


@dataclass(frozen=True)
class Release:
    """What was released once.

    Attributes
    ----------
    patients
        Keyed hash of each identifier -> keyed hash of all that was known of the patient.
    smallest
        The smallest number shown.
    plan
        SHA-256 of the plan, which is no secret.
    """

    day: str
    smallest: int
    plan: str
    patients: Mapping[str, str]


def folder() -> Path:
    """Return the user's own folder of the log: outside any results, which may be moved or given away."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".local" / "state"
    return Path(state) / "reinfuse" / "releases"


class Releases:
    """The log of a folder.

    Raises
    ------
    OutputRefused
        If the log cannot be read or made.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or folder()
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._key = self._read_key()
            log = self.path / _LOG
            lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
            self.earlier = [Release(**json.loads(line)) for line in lines if line]
        except (OSError, ValueError, TypeError):
            rule = "the log of what was released cannot be read or written"
            remedy = f"mend it, or name another folder in the environment's variable {VARIABLE}"
            raise OutputRefused([Problem(value=str(self.path), rule=rule, remedy=remedy)]) from None

    def _read_key(self) -> bytes:
        key = self.path / _KEY
        if not key.exists():
            _append(key, secrets.token_hex(_KEY_BYTES))
        return bytes.fromhex(key.read_text(encoding="ascii"))

    def release(self, rows: Mapping[str, str], smallest: int, *, plan: str) -> Release:
        """Return a release of patients, given what is known of each under the identifier."""
        patients = {self._hash(f"patient {name}"): self._hash(f"row {name}\n{row}") for name, row in rows.items()}
        return Release(date.today().isoformat(), smallest, plan, dict(sorted(patients.items())))

    def fingerprint(self, values: bytes) -> str:
        """Return one keyed hash of all that is known of some patients, to tell whether anything was changed."""
        return hmac.digest(self._key, b"values " + values, "sha256").hex()

    def _hash(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256").hex()

    def note(self, release: Release) -> None:
        """Add a release to the log, unless it is there."""
        if not any(_same(release, one) for one in self.earlier):
            _append(self.path / _LOG, json.dumps(asdict(release)) + "\n")

    def conflicts(self, release: Release, smallest: int) -> Iterator[str]:
        """Yield in words how a release together with an earlier one would tell of fewer patients than may be told."""
        for one in self.earlier:
            common = release.patients.keys() & one.patients.keys()
            if not common or _same(release, one):
                continue
            k = max(smallest, one.smallest)
            changes = {
                "more": len(release.patients.keys() - common),
                "fewer": len(one.patients.keys() - common),
                "changed": sum(release.patients[p] != one.patients[p] for p in common),
            }
            few = [f"1 to {k - 1} patients {how}" for how, number in changes.items() if 0 < number < k]
            if not few and not any(changes.values()):
                few = ["the same patients, by another plan or with another smallest number"]
            if few:
                yield f"the release of {one.day} held {', '.join(few)}"


def _same(one: Release, other: Release) -> bool:
    return (one.patients, one.smallest, one.plan) == (other.patients, other.smallest, other.plan)


def _append(path: Path, text: str) -> None:
    """Write at the end of a file that only its owner may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
        file.write(text)

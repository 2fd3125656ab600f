"""Checkpoints of searches and calibrations: what was simulated is saved piece by piece, and read when it is due again.

What is simulated next depends on what was simulated before and on the seed alone, so a run that reads the pieces of an
interrupted one comes to the same end.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from reinfuse.simulation.trial.dask_runner import software_fingerprint

Arrays = Mapping[str, "np.ndarray[Any, Any]"]


def run_key(*identity: object) -> str:
    """Return what distinguishes the pieces of a run from those of another one, or of other sources or libraries."""
    return hashlib.sha256(repr((software_fingerprint(), identity)).encode()).hexdigest()[:20]


@dataclass(frozen=True)
class ArrayStore:
    """A folder with a file for each piece; one that is damaged or of another run (`key`) is not read."""

    folder: Path
    key: str

    def load(self, name: str) -> dict[str, Any] | None:
        """Return the arrays of a piece; None if there are none that can be trusted."""
        try:
            with self._path(name).open("rb") as data, np.load(data, allow_pickle=False) as file:
                arrays = {k: file[k] for k in file.files if k != "checksum"}
                written = str(file["checksum"])
        except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile, zlib.error):
            return None
        return arrays if written == self._checksum(name, arrays) else None

    def save(self, name: str, arrays: Arrays) -> None:
        """Keep the arrays of a piece."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.part.npz")
        columns: dict[str, Any] = {**arrays, "checksum": np.array(self._checksum(name, arrays))}
        np.savez_compressed(draft, **columns)
        draft.rename(path)

    def _path(self, name: str) -> Path:
        return self.folder / self.key / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.npz"

    def _checksum(self, name: str, arrays: Arrays) -> str:
        digest = hashlib.sha256(repr((self.key, name)).encode())
        for column in sorted(arrays):
            array = np.ascontiguousarray(arrays[column])
            digest.update(repr((column, array.dtype.str, array.shape)).encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

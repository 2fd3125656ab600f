"""`reinfuse.manifest.json`: which files of a folder reinfuse wrote, so that a user's own are told from them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reinfuse.version import __version__

NAME = "reinfuse.manifest.json"
OF_THE_SYSTEM = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))
"""Files that file managers leave wherever somebody looks: nobody's own."""


@dataclass(frozen=True)
class Manifest:
    """The command that wrote a folder, and size and SHA-256 of each of its files by relative path."""

    command: str
    files: dict[str, tuple[int, str]]


def write_manifest(folder: Path, command: str, *, only: Sequence[str] = ()) -> None:
    """List the files of a finished folder in it, and what was asked for where that was not all."""
    files = {name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)}
             for name in sorted(_files(folder))}  # fmt: skip
    text = json.dumps({"reinfuse": __version__, "command": command, **({"only": list(only)} if only else {}),
                       "files": files}, indent=1)  # fmt: skip
    (folder / NAME).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest | None:
    """Return a folder's manifest; None where it has none that can be read."""
    path = folder / NAME
    if path.is_symlink() or not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        files = {str(name): (int(f["bytes"]), str(f["sha256"])) for name, f in content["files"].items()}
        return Manifest(str(content["command"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def own_files(folder: Path) -> Iterator[str]:
    """Yield what a folder holds that reinfuse did not write, or that was changed since: paths relative to the folder.

    Raises
    ------
    OSError
        If a part of the folder cannot be read.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        yield from sorted(e.name for e in folder.iterdir() if e.name not in OF_THE_SYSTEM)
        return
    within = {str(parent) for name in manifest.files for parent in Path(name).parents}
    for name in _files(folder, within):
        path, size, digest = folder / name, *manifest.files.get(name, (-1, ""))
        if path.is_symlink() or not path.is_file() or path.stat().st_size != size or sha256_of(path) != digest:
            yield name


def _files(folder: Path, within: set[str] | None = None) -> Iterator[str]:
    """Yield every file, and every folder that is not one of `within`, but for the manifest and the system's files."""

    def refuse(error: OSError) -> None:
        raise error

    for place, folders, files in os.walk(folder, onerror=refuse):
        here = Path(place).relative_to(folder)
        for name in (*files, *(f for f in folders if (Path(place) / f).is_symlink())):
            if name not in OF_THE_SYSTEM and (here / name) != Path(NAME):
                yield (here / name).as_posix()
        if within is not None and str(here) not in within and here != Path():
            yield here.as_posix()


def sha256_of(path: Path) -> str:
    """Return the hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

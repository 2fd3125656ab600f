"""What speaks against writing to a place: looked for before anything is computed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from reinfuse.exceptions import OutputRefused, Problem
from reinfuse.output.manifest import own_files, read_manifest
from reinfuse.output.workplace import workplace

LONGEST_INSIDE = ("figures", "x" * 80)
"""A path within a folder of results that must still be possible."""
_FORCE = "name a new folder, or use --force (in Python force=True), which moves this one aside and deletes nothing"
_SHOWN = 3
Identity = tuple[int, int]


def refused(path: Path, rule: str, remedy: str, *, value: str = "") -> OutputRefused:
    """Return the error for a place that cannot be written to."""
    return OutputRefused([Problem(value=value or str(path), rule=f"the output folder {rule}", remedy=remedy)])


def resolved(path: Path) -> Path:
    """Return a path without links and without `..`; it need not exist."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        raise refused(path, "is no path that can be used", "name another folder") from None


def refuse_overlap(path: Path, reads: Sequence[Path], *, above: bool = True) -> None:
    """Refuse a place that is, lies in, or (with `above`) holds what the command reads.

    Places are compared by what the system calls them, so that links, `..` and upper case do not matter.
    """
    target = resolved(path)
    here, within = _identity(target), _identities(target.parents)
    for part in (part for read in reads for part in _parts(read)):
        one = _identity(part)
        if one is None:
            continue  # reading will say that it is not there
        remedy = "name a folder outside it"
        if one == here:
            raise refused(path, "is what the command reads: results would replace it", remedy)
        if one in within:
            raise refused(path, "lies inside of what the command reads", remedy)
        if above and here in _identities((*part.resolve().parents, *part.absolute().parents)):
            raise refused(path, "holds what the command reads", "name a folder beside it, or a new one within it")


def refuse_folder(path: Path, command: str, *, force: bool) -> None:
    """Refuse a folder that cannot be replaced whole, or that holds more than an earlier run of the command left."""
    target = resolved(path)
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise refused(path, "is a file, not a folder", "name another folder")
    within = f"name a folder within it, such as {path / 'results'}"
    if _identity(target) in _identities(_around()):
        raise refused(path, "is or holds the folder in which the command runs", within)
    if target.is_mount():
        raise refused(path, "is the root of a disk or volume, which cannot be replaced", within)
    try:
        if not os.access(target, os.W_OK | os.X_OK):
            raise PermissionError
        if not force:
            _refuse_contents(path, target, command=command)
    except OSError:
        raise refused(path, "cannot be read and written", "name another folder, or ask for the right to it") from None


def refuse_results(path: Path) -> None:
    """Refuse a folder of results, for what is no result."""
    if read_manifest(resolved(path)) is not None:
        raise refused(path, "is a folder of results", "name another folder")


def refuse_unwritable(path: Path, inside: Sequence[str]) -> None:
    """Refuse a folder that cannot be made: tried beside it, with the longest path that it will hold."""
    target = resolved(path)
    parent = next((p for p in target.parents if os.path.lexists(p)), target)
    if not parent.is_dir():
        raise refused(path, f"cannot be made: {parent.name} is a file", "name another folder")
    try:
        with workplace(parent) as work:
            place = work.new.joinpath(*target.parts[len(parent.parts) :], *inside)
            place.mkdir(parents=True)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "not possible").lower()
        raise refused(path, f"cannot be written ({reason})", "name a folder that can be written") from None


def _refuse_contents(path: Path, target: Path, *, command: str) -> None:
    own = list(islice(own_files(target), _SHOWN + 1))
    manifest = read_manifest(target)
    if own:
        rule = "holds files that reinfuse did not write"
        if manifest is not None:
            rule = "holds files that were added or changed since reinfuse wrote it"
        more = ", ..." if len(own) > _SHOWN else ""
        raise refused(path, rule, _FORCE, value=f"{path}: {', '.join(own[:_SHOWN])}{more}")
    if manifest is not None and manifest.command != command:
        raise refused(path, f"holds the results of `reinfuse {manifest.command}`", _FORCE)


def _around() -> Sequence[Path]:
    """Return the folder in which the program runs, and those above it."""
    try:
        return Path.cwd().joinpath("x").parents
    except OSError:
        return ()  # it was removed


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _identities(paths: Sequence[Path]) -> set[Identity | None]:
    """Return what exists of some paths."""
    return {_identity(p) for p in paths} - {None}


def _parts(read: Path) -> Iterator[Path]:
    """Yield what is read, and, of a folder, the files that are links to elsewhere."""
    yield read
    with contextlib.suppress(OSError):
        if read.is_dir():
            yield from [p for p in sorted(read.iterdir()) if p.is_symlink()]

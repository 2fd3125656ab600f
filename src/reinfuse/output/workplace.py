"""The hidden folder in which results are made, beside the place where they go; and what dead runs left in theirs.

A workplace holds `lock` (held by the run as long as it lives: the system lets go of it when the run is killed), `new`
(the draft), and, between the two renames that put a draft in place, `old` (what stood there before) and `state.json`.
`spent` is an `old` that was judged: nothing in it is a user's own, and it goes, be it half gone already.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reinfuse.output.manifest import own_files
from reinfuse.runtime.signals import held

try:
    import fcntl
except ImportError:  # Windows: there, an open file cannot be removed
    fcntl = None  # type: ignore[assignment]

PREFIX = ".reinfuse-work-"
_NAME = re.compile(rf"{re.escape(PREFIX)}[a-z0-9_]{{8}}")
_PARTS = frozenset(("lock", "new", "old", "spent", "state.json"))
_TRIES = 100
_open: set[Path] = set()

_log = logging.getLogger("reinfuse")


@dataclass(frozen=True)
class Workplace:
    """A run's hidden folder."""

    path: Path

    @property
    def new(self) -> Path:
        """The draft."""
        return self.path / "new"

    @property
    def old(self) -> Path:
        """What stood in the draft's place before."""
        return self.path / "old"

    @property
    def state(self) -> Path:
        """Where the draft goes."""
        return self.path / "state.json"

    def publish(self, target: Path) -> None:
        """Put the draft in place of a folder beside the workplace; that is kept in `old`, for `_settle` to judge."""
        self.state.write_text(json.dumps({"folder": target.name}), encoding="utf-8")
        with held():
            if os.path.lexists(target):
                target.rename(self.old)
            self.new.rename(target)


@contextmanager
def workplace(parent: Path) -> Iterator[Workplace]:
    """Give a new workplace in a folder, and remove it afterwards.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    path, lock = _opened(parent)
    try:
        yield Workplace(path)
    finally:
        with held():
            _settle(path)
            _open.discard(path)
            os.close(lock)


def clear(parent: Path) -> None:
    """Remove the workplaces of runs that were killed; what such a run had taken out of its place is put back."""
    try:
        with os.scandir(parent) as entries:
            left = sorted(Path(e.path) for e in entries if _NAME.fullmatch(e.name) and e.is_dir(follow_symlinks=False))
    except OSError:
        return
    for path in left:
        with contextlib.suppress(OSError):
            if _is_ours(path) and (lock := _lock(path, strict=True)) is not None:
                _settle(path)
                os.close(lock)


def discard() -> None:
    """Remove this process's workplaces at once: the program is about to end."""
    for path in tuple(_open):
        _settle(path)


def free_name(path: Path) -> Path:
    """Return a name beside a path under which it can be moved aside."""
    stem, ending = (path.name, "") if path.is_dir() else (path.stem, path.suffix)
    for number in range(1, 10_000):
        more = f"-replaced-{date.today().isoformat()}{f'-{number}' if number > 1 else ''}{ending}"
        shortened = os.fsencode(stem)[: 250 - len(os.fsencode(more))].decode(errors="ignore")
        free = path.with_name(shortened + more)
        if not os.path.lexists(free):
            return free
    raise FileExistsError(path)


def _opened(parent: Path) -> tuple[Path, int]:
    for _ in range(_TRIES):  # a run that clears may take a workplace for a dead one's before its lock is held
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        _open.add(path)
        lock = _lock(path, strict=False)
        if lock is not None:
            return path, lock
        _open.discard(path)
    raise BlockingIOError(parent)


def _lock(path: Path, strict: bool) -> int | None:
    """Take a workplace's lock, or return None; without `strict`, a disk that knows no locks is enough."""
    name = path / "lock"
    if fcntl is None and strict:
        name.unlink(missing_ok=True)  # fails while its run lives
    try:
        lock = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    try:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = name.exists() and name.stat().st_ino == os.fstat(lock).st_ino
    except OSError as error:
        same = not strict and not isinstance(error, BlockingIOError)
    if not same:
        os.close(lock)
        return None
    return lock


def _is_ours(path: Path) -> bool:
    """Tell whether a folder is a workplace of this user's and holds nothing else."""
    owner = path.stat().st_uid if hasattr(os, "geteuid") else None
    return (owner is None or owner == os.geteuid()) and {e.name for e in path.iterdir()} <= _PARTS


def _settle(path: Path) -> None:
    """Remove a workplace; of what it took out of its place, nothing is lost that is a user's own."""
    work = Workplace(path)
    try:
        if os.path.lexists(work.old):
            _keep_old(work)
    except (OSError, ValueError, KeyError, TypeError):
        return  # kept: better a hidden folder than a lost one
    shutil.rmtree(path, ignore_errors=True)


def _keep_old(work: Workplace) -> None:
    target = work.path.parent / Path(json.loads(work.state.read_text(encoding="utf-8"))["folder"]).name
    if not os.path.lexists(target):
        work.old.rename(target)
        _log.warning("A run was ended while it replaced %s: what stood there was put back.", target)
    elif work.new.exists() or _has_own(work.old):
        aside = free_name(target)
        work.old.rename(aside)
        _log.warning("Moved aside, not deleted: what stood in %s is now %s", target, aside)
    else:
        work.old.rename(work.path / "spent")


def _has_own(folder: Path) -> bool:
    try:
        return next(own_files(folder), None) is not None
    except OSError:
        return True

"""The one way to write: a whole folder or a few files, complete or not at all, and nothing of the user's is lost."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reinfuse.output.manifest import write_manifest
from reinfuse.output.refusals import (
    LONGEST_INSIDE,
    refuse_folder,
    refuse_overlap,
    refuse_unwritable,
    refused,
    resolved,
)
from reinfuse.output.workplace import clear, free_name, workplace
from reinfuse.runtime.signals import held

OWNER_FILE, OWNER_FOLDER = 0o600, 0o700
published: list[Path] = []
"""What this process has written."""
_log = logging.getLogger("reinfuse")


@dataclass(frozen=True)
class Destination:
    """Where a command writes.

    Attributes
    ----------
    path
        The folder.
    command
        The command that writes; it replaces its own earlier results, and no others.
    reads
        What it reads: never inside, over or above the folder.
    force
        A folder that is in the way is moved aside (logged as a warning of ``reinfuse``); without it, it is refused.
    only
        Names of what was asked for, where that was not all; the manifest lists them.
    """

    path: Path
    command: str = "analyze"
    reads: Sequence[Path] = ()
    force: bool = False
    only: Sequence[str] = ()

    def check(self) -> None:
        """Clear what dead runs left beside the folder, and refuse it if it could not be written.

        Raises
        ------
        OutputRefused
            With the reason and the remedy.
        """
        refuse_overlap(self.path, self.reads)
        clear(resolved(self.path).parent)
        refuse_folder(self.path, self.command, force=self.force)
        refuse_unwritable(self.path, LONGEST_INSIDE)

    def write(self, fill: Callable[[Path], None]) -> Path:
        """Let a draft be filled, and put it in place with one rename; files and folders are for their owner alone.

        Raises
        ------
        OutputRefused
            If the folder cannot be written; it is as it was.
        """
        self.check()
        target = resolved(self.path)
        with _refusing(self.path), _parents(target), workplace(target.parent) as work:
            work.new.mkdir()
            fill(work.new)
            write_manifest(work.new, self.command, only=self.only)
            _close_to_others(work.new)
            refuse_folder(self.path, self.command, force=self.force)  # something may have come into it meanwhile
            with held():
                work.publish(target)
                published.append(self.path)
        return self.path

    def check_files(self, names: Sequence[str]) -> None:
        """Refuse single files that could not be written, or that are there already.

        Raises
        ------
        OutputRefused
            With the reason and the remedy.
        """
        refuse_overlap(self.path, self.reads, above=False)
        target = resolved(self.path)
        clear(target)
        refuse_unwritable(self.path / max(names, key=len), ())
        taken = [] if self.force else [name for name in names if os.path.lexists(target / name)]
        if taken:
            remedy = "name another folder, or use --force, which moves these files aside and deletes nothing"
            raise refused(self.path, "holds files of these names", remedy, value=f"{self.path}: {', '.join(taken)}")

    def write_files(self, files: Mapping[str, bytes], *, before: Callable[[], None] | None = None) -> list[Path]:
        """Write single files into the folder, complete or not at all, for their owner alone; no files: nothing.

        Parameters
        ----------
        before
            Called when they can be written, before they are in place; nothing is written if it fails.

        Raises
        ------
        OutputRefused
            If they cannot be written, or are there already.
        """
        if not files:
            return []
        self.check_files(tuple(files))
        target = resolved(self.path)
        with _refusing(self.path), _parents(target / "x"), workplace(target) as work:
            work.new.mkdir()
            for name, content in files.items():
                (work.new / name).write_bytes(content)
            _close_to_others(work.new)
            if before is not None:
                before()
            with held():
                self._place(work.new, target, tuple(files))
                published.append(self.path)
        return [self.path / name for name in files]

    def _place(self, draft: Path, target: Path, names: Sequence[str]) -> None:
        moves: list[tuple[Path, Path]] = []
        try:
            for name in names:
                place = target / name
                if os.path.lexists(place):
                    moves.append((place, free_name(place)))
                    place.rename(moves[-1][1])
                moves.append((draft / name, place))
                (draft / name).rename(place)
        except OSError:
            for before, after in reversed(moves):
                with contextlib.suppress(OSError):
                    after.rename(before)
            raise
        for before, after in moves:
            if before.parent == target:
                _log.warning("Moved aside, not deleted: what was %s is now %s", before, after)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or "not possible").lower()
        rule = f"could not be written ({reason}): is the disk full, or a file of the folder open?"
        raise refused(path, rule, "make room and try again") from None


@contextmanager
def _parents(target: Path) -> Iterator[None]:
    """Make the folders above a place; those that were made go again if nothing came into them."""
    missing = [p for p in target.parents if not os.path.lexists(p)]
    try:
        for parent in reversed(missing):
            parent.mkdir(mode=OWNER_FOLDER, exist_ok=True)
        yield
    finally:
        with contextlib.suppress(OSError):
            for parent in missing:
                parent.rmdir()


def at(place: Destination | str | Path, command: str) -> Destination:
    """Return a destination; of a mere path, one that refuses whatever is in the way."""
    return place if isinstance(place, Destination) else Destination(Path(place), command)


def _close_to_others(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        Path(place).chmod(OWNER_FOLDER)
        for name in files:
            (Path(place) / name).chmod(OWNER_FILE)

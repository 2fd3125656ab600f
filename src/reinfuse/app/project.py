"""A project: a folder on the disk that holds all that was decided, in the files that the command line reads.

=====================  ==================================================================
``project.toml``       which data, and the screen where one was
``source/``            a copy of files that a browser sent
``map.toml``           what the columns mean (`reinfuse import --map`)
``corrections.csv``    what was corrected, or left with a reason (`--corrections`)
``plan.toml``          the analysis plan (`reinfuse analyze --plan`)
``cohort/``            the imported cohort
``results/``           the report
=====================  ==================================================================

Nothing else is state: a page is made anew of the folder each time, and every form carries the stamp of what it was
made of, so that a form of an older page changes nothing.
"""

from __future__ import annotations

import hashlib
import os
import threading
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from reinfuse.exceptions import OutputRefused, Problem, ReinfuseError, SourceRefused
from reinfuse.output.single_file import write_file

PROJECT_FILE = "project.toml"
_STAMPED = ("map.toml", "corrections.csv", "plan.toml")
_OWNER = 0o700
_BESIDE = "-reinfuse"
"""Ends the name of a project's folder that lies beside its data."""
_locks: defaultdict[Path, threading.RLock] = defaultdict(threading.RLock)


class Outdated(ReinfuseError):
    """A form was sent from a page that is older than the project: another tab, or another program, changed it."""


@dataclass(frozen=True)
class Project:
    """The folder of a project."""

    folder: Path

    @property
    def id(self) -> str:
        """What its pages' addresses call it."""
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]

    def task(self, name: str) -> tuple[str, str]:
        """Return what names one of its jobs."""
        return self.id, name

    @property
    def name(self) -> str:
        """What a person calls it: the folder's name; of one beside its data, that of the data."""
        return self.folder.name.removesuffix(_BESIDE) or self.folder.name

    @property
    def source(self) -> Path:
        """The data: a copy in the folder, or where they lie."""
        return self.folder / str(self._settings().get("source", ""))

    @property
    def map(self) -> Path:
        """What the columns mean."""
        return self.folder / "map.toml"

    @property
    def corrections(self) -> Path:
        """What was corrected."""
        return self.folder / "corrections.csv"

    @property
    def plan(self) -> Path:
        """The analysis plan."""
        return self.folder / "plan.toml"

    @property
    def cohort(self) -> Path:
        """The imported cohort."""
        return self.folder / "cohort"

    @property
    def results(self) -> Path:
        """The report."""
        return self.folder / "results"

    @property
    def screen(self) -> str:
        """The screen where one was."""
        return str(self._settings().get("screen", ""))

    def remember(self, screen: str) -> None:
        """Note the screen where one is; a folder that cannot be written is none that refuses to be looked at."""
        if screen != self.screen:
            with suppress(OutputRefused):
                self._write(source=str(self._settings().get("source", "")), screen=screen)

    @property
    def stamp(self) -> str:
        """What the folder holds now, in short: another one after every change of what was decided."""
        digest = hashlib.sha256(str(self._settings().get("source", "")).encode())
        for name in _STAMPED:
            place = self.folder / name
            digest.update(place.read_bytes() if place.is_file() else b"\0")
            digest.update(b"\1")
        return digest.hexdigest()[:16]

    @contextmanager
    def changing(self, stamp: str | None = None) -> Iterator[None]:
        """Let one change happen at a time.

        Parameters
        ----------
        stamp
            That of the page from which the change is asked; None: whatever the folder holds.

        Raises
        ------
        Outdated
            If the folder has another one by now.
        """
        with _locks[self.folder]:
            if stamp is not None and stamp != self.stamp:
                raise Outdated
            yield

    def _settings(self) -> dict[str, object]:
        try:
            return tomllib.loads((self.folder / PROJECT_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def _write(self, *, source: str, screen: str) -> None:
        lines = ["# A project of `reinfuse app`.", f"source = {_quoted(source)}", f"screen = {_quoted(screen)}", ""]
        write_file(self.folder / PROJECT_FILE, "\n".join(lines).encode())


def is_project(path: Path) -> bool:
    """Tell whether a folder is that of a project."""
    return (path / PROJECT_FILE).is_file()


def open_project(path: Path) -> Project:
    """Return the project of a folder.

    Raises
    ------
    SourceRefused
        If it is no project's folder.
    """
    if not is_project(path):
        rule, remedy = "is no folder of a project any more", "choose the data again: what was decided is in its folder"
        raise SourceRefused([Problem(value=str(path), rule=rule, remedy=remedy)])
    return Project(path.resolve())


def project_of(path: Path, *, beside: bool = True) -> Project:
    """Return the project of data that lie on this machine: the one that there is, or a new one.

    Parameters
    ----------
    path
        A file or folder that a cohort is made of, or the folder of a project.
    beside
        A new one stands beside the data, if a folder may be made there; else among the user's own.

    Raises
    ------
    SourceRefused
        If nothing is there.
    """
    path = path.absolute()
    if not path.exists():
        raise SourceRefused([Problem(value=str(path), rule="is not there", remedy="name a file or folder that is")])
    if is_project(path):
        return open_project(path)
    places = [(path.parent, f"{path.stem}{_BESIDE}")] if beside else []
    for parent, name in [*places, (home(), path.stem)]:
        earlier = parent / name
        if is_project(earlier) and Project(earlier.resolve()).source == path:
            return open_project(earlier)
        with suppress(OSError, OutputRefused):
            return _begun(_new_folder(parent, name), str(path))
    rule, remedy = "can have no folder beside it, nor among your own", "ask for the right to write there"
    raise SourceRefused([Problem(value=str(path), rule=rule, remedy=remedy)])


def project_of_files(name: str, files: dict[str, Path]) -> Project:
    """Return a project of files that were sent: they are moved into its folder.

    Parameters
    ----------
    name
        What to call it.
    files
        Plain name -> where it lies.
    """
    folder = _new_folder(home(), name)
    source = folder / "source"
    source.mkdir(mode=_OWNER)
    for plain, place in files.items():
        place.replace(source / plain) if place.stat().st_dev == source.stat().st_dev else _moved(place, source / plain)
    return _begun(folder, f"source/{next(iter(files))}" if len(files) == 1 else "source")


def home() -> Path:
    """Return the folder of the user's own projects: visible, since some browsers may read nothing hidden."""
    named = os.environ.get("REINFUSE_PROJECTS")
    place = Path(named) if named else Path.home() / "reinfuse"
    place.mkdir(mode=_OWNER, parents=True, exist_ok=True)
    return place


def _new_folder(parent: Path, name: str) -> Path:
    for number in range(1, 1000):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(mode=_OWNER)
            return folder.resolve()
    raise FileExistsError(name)


def _begun(folder: Path, source: str) -> Project:
    project = Project(folder)
    project._write(source=source, screen="")
    return project


def _moved(place: Path, target: Path) -> None:
    target.write_bytes(place.read_bytes())
    target.chmod(0o600)
    place.unlink()


def _quoted(text: str) -> str:
    """Return a text as TOML."""
    escaped = "".join(f"\\U{ord(c):08x}" if not c.isprintable() or c in '"\\' else c for c in text)
    return f'"{escaped}"'

"""One table or figure as a file, of the kind that its ending says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reinfuse.exceptions import Problem, RequestRefused, nearest
from reinfuse.output.single_file import write_file

Writers = Mapping[str, Callable[[], bytes]]
"""Ending -> what makes the contents of a file."""


def save(path: str | Path, writers: Writers, *, what: str, reads: Sequence[Path]) -> Path:
    """Write a file of the kind that its ending says; it does not lie in what was read.

    Raises
    ------
    RequestRefused
        If no file of this ending is made, with the endings that are.
    OutputRefused
        If the file cannot be written; what stood there is as it was.
    """
    target = Path(path).expanduser()
    return write_file(target, _contents_of(target, writers, what=what), reads=reads)


def _contents_of(path: Path, writers: Writers, *, what: str) -> bytes:
    """Return the contents of a file by its ending.

    Raises
    ------
    RequestRefused
        If no file of this ending is made, with the endings that are.
    """
    ending = path.suffix.casefold()
    if ending in writers:
        return writers[ending]()
    near = nearest(ending, writers, short=3)
    every = ", ".join(sorted(writers))
    rule = f"{what} is not saved as {ending or 'a file without an ending'}"
    remedy = f"{f'did you mean {near}? ' if near else ''}use one of {every}"
    raise RequestRefused([Problem(table="save", column="path", value=str(path), rule=rule, remedy=remedy)])

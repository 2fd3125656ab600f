"""One file that a user names himself: written whole or not at all, and put in place of one of that name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from reinfuse.exceptions import OutputRefused, Problem
from reinfuse.output.destination import OWNER_FILE
from reinfuse.output.refusals import refuse_overlap, resolved
from reinfuse.output.workplace import workplace
from reinfuse.runtime.signals import held


def write_file(path: Path, content: bytes, *, reads: Sequence[Path] = ()) -> Path:
    """Write a file, for its owner alone; one of its name is replaced in one step.

    Parameters
    ----------
    path
        In a folder that there is.
    reads
        What is read: the file does not lie in it.

    Raises
    ------
    OutputRefused
        If it cannot be written; what stood there is as it was.
    """
    target = resolved(path)
    refuse_overlap(path, reads, above=False)
    if not target.parent.is_dir():
        raise _refused(path, f"there is no folder {target.parent.name}", "make it, or name another")
    if target.is_dir():
        raise _refused(path, "this is a folder, not a file", "name a file in it")
    try:
        with workplace(target.parent) as work:
            work.new.write_bytes(content)
            work.new.chmod(OWNER_FILE)
            with held():
                os.replace(work.new, target)  # noqa: PTH105
    except OSError as error:
        reason = (error.strerror or "not possible").lower()
        raise _refused(path, f"the file could not be written ({reason})", "name a place that can be written") from None
    return path


def _refused(path: Path, rule: str, remedy: str) -> OutputRefused:
    return OutputRefused([Problem(value=str(path), rule=rule, remedy=remedy)])

"""The one way from a path to bytes: regular files only, and none larger than its limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from reinfuse.exceptions import ReinfuseError
from reinfuse.tabular.limits import FILE_BYTES, megabytes

_CLOSED = ("the file cannot be read", "check that you may open the file")
_KINDS = (
    (stat.S_ISDIR, "is a folder, not a file"),
    (stat.S_ISFIFO, "is a pipe, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
)


class Unreadable(ReinfuseError):
    """A file that is not read; `rule` says why, `remedy` what would mend it."""

    def __init__(self, rule: str, remedy: str) -> None:
        self.rule, self.remedy = rule, remedy
        super().__init__(rule)


def kind(path: Path) -> str:
    """Tell what stands at a path: ``file``, ``folder``, ``none``, or in words why it is not read."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "none"
    except (OSError, ValueError):  # too long a name, a circle of links, no permission, a null byte
        return "cannot be read"
    if stat.S_ISREG(mode):
        return "file"
    return "folder" if stat.S_ISDIR(mode) else next(what for test, what in _KINDS if test(mode))


def read_start(path: Path, size: int) -> bytes:
    """Return the first bytes of a regular file, however large it is.

    Raises
    ------
    Unreadable
        If it is no regular file, or cannot be opened.
    """
    return _read(path, size, whole=False)


def read_bytes(path: Path, limit: int = FILE_BYTES) -> bytes:
    """Return the bytes of a regular file.

    Raises
    ------
    Unreadable
        If it is no regular file, cannot be opened, or is larger than `limit` bytes.
    """
    return _read(path, limit, whole=True)


def _read(path: Path, limit: int, *, whole: bool) -> bytes:
    try:
        # a pipe that nobody writes to would keep `open` waiting for ever
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):
        raise Unreadable(*_CLOSED) from None
    try:
        status = os.fstat(handle)
        for test, what in _KINDS:
            if test(status.st_mode):
                raise Unreadable(what, "give a regular file")
        if whole and status.st_size > limit:
            rule = f"is larger than {megabytes(limit)}, the limit"
            raise Unreadable(rule, "leave out what is not needed, or check that it is the right file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit)
    except OSError:
        raise Unreadable(*_CLOSED) from None
    finally:
        os.close(handle)

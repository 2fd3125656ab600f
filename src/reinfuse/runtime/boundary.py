"""An analysis, figure or section that fails costs itself alone, and its failure is noted where readers see it.

What was refused, and an interruption, pass through. Where the environment variable `STRICT` is set, as in the tests,
a failure is an error: nothing hides here.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from reinfuse.exceptions import ReinfuseError

STRICT = "REINFUSE_STRICT"
FAILED = "failed"
_PACKAGE = Path(__file__).parents[1]
T = TypeVar("T")


@dataclass(frozen=True)
class Failure:
    """What failed.

    Attributes
    ----------
    what
        The analysis, figure or section.
    section
        The report's section where it would stand.
    fault
        Kind of the error and where it arose; never its text, which may hold a patient's value.
    """

    what: str
    section: str
    fault: str

    def as_warning(self) -> dict[str, str]:
        """Return it as a warning of the findings."""
        return {"about": FAILED, "section": self.section,
                "text": f"{self.what}: failed and is left out ({self.fault}); please report this fault"}  # fmt: skip


@dataclass
class Boundary:
    """Runs one thing after the other and keeps what failed."""

    failures: list[Failure] = field(default_factory=list)

    def attempt(self, what: str, section: str, work: Callable[[], T], *, otherwise: T) -> T:
        """Return the result of the work, or where it fails the other value."""
        try:
            return work()
        except ReinfuseError:
            raise
        except Exception as error:
            if os.environ.get(STRICT):
                raise
            self.failures.append(Failure(what, section, fault(error)))
            return otherwise

    @property
    def warnings(self) -> tuple[dict[str, str], ...]:
        """The failures as warnings of the findings."""
        return tuple(f.as_warning() for f in self.failures)


def failed(warnings: Iterable[Mapping[str, str]]) -> list[str]:
    """Return what the warnings of findings tell of failures, each text once."""
    return list(dict.fromkeys(w["text"] for w in warnings if w["about"] == FAILED))


def place_of(error: BaseException) -> str:
    """Return what failed and the line that raised it, of whatever library, without any value."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else "?"
    return f"{type(error).__name__} at {where}"


def fault(error: BaseException) -> str:
    """Return the kind of an error and the innermost line of this package that it came through."""
    kind = type(error).__name__
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_PACKAGE) and path != Path(__file__):
            return f"{kind} in {path.relative_to(_PACKAGE).as_posix()}, line {frame.lineno}"
    return kind

"""What can go wrong, named.

Everything that reinfuse refuses is a list of `Problem`, never a lone message: whoever mends a spreadsheet
wants all of it at once. The text of an exception says each of them, with place and remedy, and holds no patient-level
value, so that it may be logged; the values stand in the problems, which only the person at the machine is shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from reinfuse.messages import lines
from reinfuse.problems import Problem, Severity

__all__ = [
    "CohortRefused", "ExtraMissing", "FigureRefused", "MapRefused", "OutputRefused", "PlanRefused", "PoolRefused",
    "Problem", "Refused", "RegisterRefused", "ReinfuseError", "RequestRefused", "Severity", "ShareRefused",
    "SourceRefused", "nearest", "slips_between",
]  # fmt: skip


class ReinfuseError(Exception):
    """Base of every error that reinfuse raises on purpose."""


MOST_LINES = 20
"""Kinds of problems that the text of an exception tells one by one."""


class Refused(ReinfuseError):
    """The input was refused; `problems` says all that is wrong with it."""

    what = "input"
    in_full = True
    """Whether rule and remedy of its problems hold no patient-level value, and stand in its text."""
    of_the_caller = False
    """Whether a value that stands in no row is what the caller gave, and stands in its text too."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.summary)

    def __str__(self) -> str:
        """Return how many problems there are and, without any value, what and where each is and what would mend it."""
        if not self.in_full:
            return f"{self.summary}; the attribute problems holds them"
        errors = [self._without_value(p) for p in self.problems if p.severity == "error"]
        every = [line.removeprefix("ERROR: ") for line in lines(errors)]
        if len(every) == 1:
            return f"the {self.what} was refused: {every[0]}"
        more = len(every) - MOST_LINES
        shown = every if more <= 0 else [*every[:MOST_LINES], f"and {more} more (the attribute problems holds all)"]
        return "\n- ".join([f"{self.summary}:", *shown]) if shown else self.summary

    def _without_value(self, problem: Problem) -> Problem:
        """Return a problem without what its text must not hold, or says already."""
        is_shown = self.of_the_caller and problem.row is None and repr(problem.value) not in problem.rule
        return problem if is_shown else replace(problem, value=None)

    @property
    def summary(self) -> str:
        """How many problems there are, and where."""
        errors = [p for p in self.problems if p.severity == "error"]
        where = Counter(p.table or "whole input" for p in errors)
        places = ", ".join(f"{table}: {count}" for table, count in where.items())
        noun = "problem" if len(errors) == 1 else "problems"
        return f"the {self.what} was refused, {len(errors)} {noun} ({places})"


class CohortRefused(Refused):
    """The patients' data cannot be analysed as they stand."""

    what = "cohort"


class PlanRefused(Refused):
    """The analysis plan cannot be followed as it stands."""

    what = "plan"
    of_the_caller = True


class MapRefused(Refused):
    """The map from a source to a cohort cannot be followed as it stands."""

    what = "map"
    in_full = False


class SourceRefused(Refused):
    """A source cannot be imported as a cohort as it stands."""

    what = "source"
    in_full = False


class RegisterRefused(Refused):
    """A register of published studies, or an export of a literature search, cannot be read as it stands."""

    what = "register"
    of_the_caller = True


class OutputRefused(Refused):
    """The results cannot be written where they were asked for."""

    what = "output folder"
    of_the_caller = True


class FigureRefused(Refused):
    """There is no such figure."""

    what = "figure"
    of_the_caller = True


class RequestRefused(Refused):
    """What is asked of a report cannot be shown, or does not exist."""

    what = "request"
    of_the_caller = True


class ExtraMissing(Refused):
    """A part of reinfuse needs libraries that are not installed."""

    what = "command"


class PoolRefused(Refused):
    """A request or an answer of a study of several centres cannot be followed as it stands."""

    what = "exchange"
    of_the_caller = True


class ShareRefused(Refused):
    """The folder to be shared still held what must not leave the centre."""

    what = "folder to be shared"


_MOST_COMPARED = 10_000_000
"""Pairs of letters that are compared for one hint, in a second or two."""
_SHORT, _LONG = 4, 8
"""Letters: in words shorter than the first no letter is a slip, but one that stands twice (NR, PR, nPR and CR are
different things); from the second on two may be slips; in between, one."""


def nearest(word: str, names: Iterable[str], *, short: int = _SHORT) -> str | None:
    """Return the name of which a word is a slip of the pen; None if of none or of several, or for want of time.

    Parameters
    ----------
    short
        Letters of a word, or a part of it, from which on one of them may be wrong.
    """
    options = list(dict.fromkeys(names))
    if sum(map(len, options)) * len(word) > _MOST_COMPARED:
        return None
    slips = [(slips_between(word, name, short=short), name) for name in options]
    least = min((count for count, _ in slips if count is not None), default=None)
    near = [name for count, name in slips if count is not None and count == least]
    return near[0] if len(near) == 1 else None


def slips_between(word: str, name: str, *, short: int = _SHORT) -> int | None:
    """Return how many letters are wrong, missing, extra or exchanged in a word; None where it is another word.

    Case and marks do not count. Another word it is with another first letter (`PFS`, `DFS`), with other digits
    (`cart1`, `cart2`), and where a part of it is too short for a slip (`crs_grade`, `cns_grade`).
    """
    parts, others = (re.findall(r"[^\W_]+", text.casefold()) for text in (word, name))
    if len(parts) == len(others):
        counts = [_slips(a, b, short=short) for a, b in zip(parts, others, strict=True)]
        counted = [c for c in counts if c is not None]
        return sum(counted) if counts and len(counted) == len(counts) and sum(counted) <= 2 else None
    return _slips("".join(parts), "".join(others), short=short)


def _slips(word: str, name: str, *, short: int) -> int | None:
    if word == name:
        return 0
    shorter, longer = sorted((word, name), key=len)
    if not shorter or word[0] != name[0] or re.sub(r"\D", "", word) != re.sub(r"\D", "", name):
        return None
    if len(shorter) > 1 and (longer == f"{shorter}s" or longer in _with_a_letter_twice(shorter)):
        return 1
    allowed = 0 if len(shorter) < short else 1 if len(shorter) < _LONG else 2
    from rapidfuzz.distance import OSA  # two letters exchanged are one slip

    count = OSA.distance(word, name, score_cutoff=allowed)
    return count if count <= allowed else None


def _with_a_letter_twice(word: str) -> set[str]:
    return {word[:i] + word[i - 1 :] for i in range(1, len(word) + 1)} if len(word) < _LONG else set()

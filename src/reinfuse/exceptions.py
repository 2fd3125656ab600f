"""What can go wrong, named.

Everything that reinfuse refuses is a list of `Problem`, never a lone message: whoever mends a spreadsheet
wants all of it at once. The text of an exception holds no patient-level value, so that it may be logged;
the values stand in the problems, which only the person at the machine is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Literal

from reinfuse.texts import visible

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, or odd, with the input.

    Attributes
    ----------
    table, row, column
        Where: the table's name, the data row (1 = the first one) and the column; None where not applicable.
    value
        What stands there. Patient-level: shown to the user, kept out of `repr` and of exceptions.
    rule
        What it breaks.
    remedy
        What would mend it.
    severity
        ``error`` refuses the input; ``warning`` goes into the report.
    sheet_row, header
        Where the user sees it, for messages in words: the row as a spreadsheet program numbers it, and the column's
        own name where it is read under another one; None where they are `row` and `column`, or are not known.
    """

    table: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = field(default=None, repr=False)
    rule: str
    remedy: str
    severity: Severity = "error"
    sheet_row: int | None = None
    header: str | None = None

    def __post_init__(self) -> None:
        """Keep what a file holds from ruling the screen that shows it."""
        for name, longest in (("table", 120), ("column", 120), ("header", 120), ("value", 120), ("rule", 1000), ("remedy", 1000)):
            text = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, visible(text, longest))

    def as_dict(self) -> dict[str, object]:
        """Return the problem under the names of the contract."""
        return {name: value for name, value in asdict(self).items() if name not in ("sheet_row", "header")}


class ReinfuseError(Exception):
    """Base of every error that reinfuse raises on purpose."""


class Refused(ReinfuseError):
    """The input was refused; `problems` says all that is wrong with it."""

    what = "input"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{self.summary}; see .problems")

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


class MapRefused(Refused):
    """The map from a source to a cohort cannot be followed as it stands."""

    what = "map"


class SourceRefused(Refused):
    """A source cannot be imported as a cohort as it stands."""

    what = "source"


class OutputRefused(Refused):
    """The results cannot be written where they were asked for."""

    what = "output folder"


class FigureRefused(Refused):
    """There is no such figure."""

    what = "figure"


class ExtraMissing(Refused):
    """A part of reinfuse needs libraries that are not installed."""

    what = "command"


class ShareRefused(Refused):
    """The folder to be shared still held what must not leave the centre."""

    what = "folder to be shared"


_LIKE, _MOST_COMPARED = 0.7, 10_000_000
"""How like a name must be, from 0 to 1; pairs of letters that are compared for one hint, in a second or two."""


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the known name nearest in spelling to `word`, or None if none is near, or too many are to be compared."""
    from difflib import get_close_matches

    plain = {k.casefold().replace("_", ""): k for k in names}
    key = word.casefold().replace("_", "").replace(" ", "")
    like = [k for k in plain if 2 * min(len(k), len(key)) >= _LIKE * (len(k) + len(key))]
    if len(key) * sum(map(len, like)) > _MOST_COMPARED:
        return None
    matches = get_close_matches(key, like, n=1, cutoff=_LIKE)
    return plain[matches[0]] if matches else None

"""One thing that is wrong with an input, and where."""

from __future__ import annotations

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
    index
        For messages in words: the label of the row, in a data frame whose rows are numbered.
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
    index: int | None = None

    def __post_init__(self) -> None:
        """Keep what a file holds from ruling the screen that shows it."""
        for name, longest in (
            ("table", 120),
            ("column", 120),
            ("header", 120),
            ("value", 120),
            ("rule", 1000),
            ("remedy", 1000),
        ):
            text = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, visible(text, longest))

    def as_dict(self) -> dict[str, object]:
        """Return the problem under the names of the contract."""
        return {name: value for name, value in asdict(self).items() if name not in ("sheet_row", "header", "index")}

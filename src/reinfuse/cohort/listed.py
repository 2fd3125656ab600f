"""Many problems of one kind: the first are told row by row, the others by their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from reinfuse.exceptions import Problem
from reinfuse.tabular import limits


def listed(problems: Iterator[Problem], total: int) -> Iterator[Problem]:
    """Yield the first of `total` problems of one column, and one that says how many more there are."""
    last = None
    for last in islice(problems, limits.LISTED):
        yield last
    if last is not None and total > limits.LISTED:
        rule = f"{total - limits.LISTED:,} more rows are wrong, or were not looked at after so many that are"
        yield replace(last, row=None, value=None, rule=rule, remedy="mend those that are listed, and check again")

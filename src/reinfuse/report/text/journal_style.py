"""How a journal prints numbers: `journals.toml` declares it, and a plan's `[report]` chooses and overrides.

`number_format` reads the style that is in force. It is set around the making of a document or a figure (`printed_as`),
since the two hundred places that print a number would otherwise hand it on to each other.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from reinfuse.plan.report_options import Digits, ReportOptions


@dataclass(frozen=True)
class JournalStyle:
    """The rules of one journal; each is explained in `journals.toml`."""

    decimal: str
    thousands: str
    thousands_from: int
    between: str
    percent_twice: bool
    after_ci: str
    p: str
    p_zero: bool
    p_equals: str
    p_decimals: tuple[tuple[float, int], ...]
    p_smallest: float
    p_largest: float
    caption: str
    digits: Digits


@cache
def declared_journals() -> dict[str, dict[str, Any]]:
    """Return every journal's rules as declared, and `house`, which holds all of them."""
    return tomllib.loads(files(__package__).joinpath("journals.toml").read_text(encoding="utf-8"))


def style_of(options: ReportOptions) -> JournalStyle:
    """Return the style that a plan's `[report]` asks for."""
    journals = declared_journals()
    rules = {**journals["house"], **journals.get(options.journal or "house", {})}
    rules.pop("source")
    rules["p_decimals"] = tuple((float(limit), int(decimals)) for limit, decimals in rules["p_decimals"])
    if options.digits.p is not None:
        rules |= {"p_decimals": ((1.0, options.digits.p),), "p_smallest": 10.0**-options.digits.p}
        rules["p_largest"] = 1 - rules["p_smallest"]
    return JournalStyle(**rules, digits=options.digits)


_IN_FORCE: ContextVar[JournalStyle] = ContextVar("style")
_HOUSE = style_of(ReportOptions())


def in_force() -> JournalStyle:
    """Return the style in which numbers are printed now."""
    return _IN_FORCE.get(_HOUSE)


@contextmanager
def printed_as(options: ReportOptions) -> Iterator[JournalStyle]:
    """Print numbers as a plan asks for, within this context."""
    style = style_of(options)
    token = _IN_FORCE.set(style)
    try:
        yield style
    finally:
        _IN_FORCE.reset(token)

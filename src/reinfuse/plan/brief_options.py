"""What a plan says of the patients' brief: `[brief]`. Whose page it is, and when somebody there last read it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator

from reinfuse.cohort.declarations import Declaration, Text


def _day(given: object) -> object:
    """Return a date of a TOML file, written with or without quotes."""
    if isinstance(given, str):
        try:
            return date.fromisoformat(given)
        except ValueError:
            raise ValueError("is not a date such as 2026-11-29") from None
    return given


class BriefOptions(Declaration):
    """The centre behind the patients' brief.

    Attributes
    ----------
    centre
        Its name.
    contact
        Whom patients can ask: a telephone number, an address.
    reviewed
        The day on which the centre last reviewed the brief; None: the brief tells readers to ask. A day after that of
        the analysis is told as a review that is to come.
    """

    centre: Text | None = None
    contact: Text | None = None
    reviewed: Annotated[date, BeforeValidator(_day)] | None = None

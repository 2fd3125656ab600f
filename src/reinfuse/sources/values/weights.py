"""Body weights as centres write them, in kilograms or pounds."""

from __future__ import annotations

import re

from reinfuse.tabular.cell_parsing import UNSAID, clean, is_missing, read_number

KILOGRAMS = (2.0, 400.0)
"""Between them lies the weight of a patient."""
_POUND = 0.45359237
_POUNDS = re.compile(r"(?<![a-z])(?:lbs?|pounds?)(?![a-z])", re.IGNORECASE)


def says_nothing(text: str) -> bool:
    """Tell whether no body weight is told: an empty cell, or a word for it.

    Examples
    --------
    >>> says_nothing(""), says_nothing("unknown"), says_nothing("80"), says_nothing("heavy")
    (True, True, False, False)
    """
    return is_missing(clean(text)) or clean(text).casefold() in UNSAID


def in_pounds(header: str, text: str = "") -> bool:
    """Tell whether a body weight is in pounds, by its column's header or its own unit.

    Examples
    --------
    >>> in_pounds("Weight (lbs)", "172"), in_pounds("Wt (kg)", "80"), in_pounds("Weight", "172 lb")
    (True, False, True)
    """
    if _POUNDS.search(text):
        return True
    return bool(_POUNDS.search(header)) and "kg" not in text.casefold()


def kilograms(text: str, mark: str | None, *, pounds: bool = False) -> float | None:
    """Return a body weight in kg, None where a text holds none.

    Examples
    --------
    >>> kilograms("172", ".", pounds=True), kilograms("80 kg", "."), kilograms("6000", ".")
    (78.02, 80.0, None)
    """
    number = read_number(re.sub(r"\s*(?:kg|lbs?|pounds?)\.?$", "", clean(text), flags=re.IGNORECASE), mark).value
    if not isinstance(number, float):
        return None
    weight = round(number * _POUND, 2) if pounds else number
    return weight if KILOGRAMS[0] <= weight <= KILOGRAMS[1] else None

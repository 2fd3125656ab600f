"""Reading one cell of a spreadsheet: what is understood is normalised, what is not is a problem, never a guess."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from reinfuse.texts import is_piled

MISSING = frozenset(
    {"", "na", "n/a", "#n/a", "#n/d", "#nv", "nan", "null", ".", "-", "--", "–", "—", "?", "missing", "not available",
     "nd", "not done", "n.a.", "<na>", "n.d."}
)  # fmt: skip
UNKNOWN = "unknown"
UNSAID = frozenset({"?", "missing", "not available", "nd", "n.d.", "not done", UNKNOWN})
"""Words for `not known`, which say more than an empty cell does."""
_FAULT = re.compile(r"#[¡¿]?[^\W\d_][\w/]*[!?]|##+|#getting_data|err:\d{3}|loading\.\.\.")
"""What a spreadsheet program shows where a formula failed, in any language (#REF!, #BLOCKED!, #WERT!, #NOM?, Err:502),
is not done yet, or where the column was too narrow when it was printed (####)."""

LARGEST = 1e12
"""Numbers beyond it, and nearer to 0 than its inverse, are no measurements, and their squares are no numbers."""

Dialect = Literal["point", "either"]
"""``point``: the file keeps commas for thousands; ``either``: not separated by commas, so they may be decimal."""


@dataclass(frozen=True, slots=True)
class Read:
    """What became of one cell's text.

    Attributes
    ----------
    value
        The value; None where the cell is missing or not understood.
    how
        How a text that was not plain was read, in words; None for plain ones.
    rule, remedy
        Why it was not understood, and what would mend it.
    """

    value: object = None
    how: str | None = None
    rule: str | None = None
    remedy: str = ""


_INVISIBLE = re.compile("[\ufeff\u200b\u200e\u200f\u2060\u00ad]+")


def clean(text: str) -> str:
    """Return the text without invisible marks, odd spaces and spaces at its ends; what looks alike is alike."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
        text = text if is_piled(text) else unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def as_text(value: object) -> str:
    """Return the text of a typed cell: dates in ISO form, whole numbers without a decimal point."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def is_fault(text: str) -> bool:
    """Tell whether a cleaned text is an error of a spreadsheet program; `#N/A` stands for a missing value."""
    return bool(_FAULT.fullmatch(text.casefold()))


def is_missing(text: str) -> bool:
    """Tell whether a cleaned text stands for a missing value."""
    return text.casefold() in MISSING


_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_PLAIN = re.compile(r"[+-]?(?:\d++\.?+\d*+|\.\d++)")  # possessive: a cell of 30,000 digits is looked at once
_E_NOTATION = re.compile(r"([+-]?(?:\d++\.?+\d*+|\.\d++))\s*[eE]\s*([+-]?\d+)")
_POWER = re.compile(r"(?:([+-]?\d++(?:\.\d++)?+)\s*[x×*·]\s*)?10\s*(?:\^|\*\*)\s*\(?([+-]?\d{1,2})\)?", re.IGNORECASE)
_SUPERSCRIPT = re.compile(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)")
_ONE_COMMA = re.compile(r"[+-]?\d+,\d+")
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_GROUPS = (
    re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?"),
    re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?"),
    re.compile(r"[+-]?[1-9]\d{0,2}(?:[ '’]\d{3})+(?:\.\d+)?"),
)
_OTHER_DIGITS = "digits of another script"
_NUMBER_REMEDY = "write a plain number such as 2000000 or 2e6"


def decimal_mark(texts: Iterable[str], dialect: Dialect) -> str | None:
    """Return the decimal mark that a column's texts show, or None where they leave it open.

    A text such as ``1,500`` reads as 1500 or as 1.5. The other texts of the column decide: one that can be
    read in one way only (``1,25``; ``12.5``) shows the mark; else the file's dialect does.
    """
    comma = point = False
    for text in texts:
        if _AMBIGUOUS.fullmatch(text):
            continue
        comma = comma or bool(_ONE_COMMA.fullmatch(text)) or bool(re.fullmatch(r"[\d.]+\.\d{3},\d+", text))
        point = point or ("." in text and bool(_PLAIN.fullmatch(text) or _E_NOTATION.fullmatch(text)))
    if comma and point:
        return None
    if comma or point:
        return "," if comma else "."
    return "." if dialect == "point" else None


def read_number(text: str, mark: str | None = ".") -> Read:
    """Read a number as people write it.

    Parameters
    ----------
    text
        Cleaned text, not missing.
    mark
        Decimal mark of its column, from `decimal_mark`; None if unknown.

    Examples
    --------
    >>> read_number("2x10^6").value, read_number("2,000,000").value, read_number("2x106").rule
    (2000000.0, 2000000.0, 'is not a number')
    """
    raw = text.replace("−", "-")
    if _AMBIGUOUS.fullmatch(raw) and mark is None:
        return Read(rule="is an ambiguous number", remedy=_NUMBER_REMEDY)
    if _AMBIGUOUS.fullmatch(raw) and "," in raw and mark == ",":
        return _finite(raw.replace(",", "."), "decimal comma")
    if _AMBIGUOUS.fullmatch(raw) and "." in raw and mark == ",":
        return _finite(raw.replace(".", ""), "thousands separators")
    if _PLAIN.fullmatch(raw):
        return _finite(raw, None)
    if _E_NOTATION.fullmatch(raw):
        return _finite(re.sub(r"\s", "", raw), "power of ten")
    power = _POWER.fullmatch(_SUPERSCRIPT.sub(lambda m: "10^" + m[1].translate(_SUPER), raw))
    if power:
        return _finite(f"{power[1] or 1}e{power[2]}", "power of ten")
    for pattern, decimal in zip(_GROUPS, (".", ",", "."), strict=True):
        if pattern.fullmatch(raw):
            return _finite(re.sub(rf"[^\d{decimal}+-]", "", raw).replace(",", "."), "thousands separators")
    if _ONE_COMMA.fullmatch(raw):
        return _finite(raw.replace(",", "."), "decimal comma")
    return Read(rule="is not a number", remedy=_NUMBER_REMEDY)


def _finite(text: str, how: str | None) -> Read:
    number = float(text)
    if not math.isfinite(number) or abs(number) > LARGEST:
        return Read(rule=f"is beyond {LARGEST:g}, the largest accepted number", remedy=_NUMBER_REMEDY)
    if 0 < abs(number) < 1 / LARGEST or (number == 0 and re.search("[1-9]", re.split("[eE]", text)[0])):
        return Read(rule=f"is nearer to 0 than {1 / LARGEST:g}, but not 0", remedy="write 0, or another unit")
    return Read(number, how or (None if text.isascii() else _OTHER_DIGITS))


_ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?")
_NAMED = (
    re.compile(r"(\d{1,2})[ .-]+([a-z]{3,9})\.?[ ,-]+(\d{4})"),
    re.compile(r"([a-z]{3,9})\.? (\d{1,2}),? (\d{4})"),
)
_MONTHS = "january february march april may june july august september october november december".split()
_DATE_REMEDY = "write the date as YYYY-MM-DD, such as 2024-03-15"
EXCEL_EPOCH = date(1899, 12, 30)
"""Day 0 of spreadsheet programs."""
YEARS = (1950, 2100)


def _month(word: str) -> int | None:
    hits = [i for i, name in enumerate(_MONTHS, 1) if name.startswith(word) or (word == "sept" and i == 9)]
    return hits[0] if len(hits) == 1 else None


def _parts(text: str) -> tuple[int, int, int, str | None] | None:
    """Return year, month, day and how it was read, for a text with one reading only."""
    iso = _ISO.fullmatch(text)
    if iso:
        plain = iso[2] == "-" and len(iso[3]) == len(iso[4]) == 2 and len(text) == 10
        how = (None if plain else "date") if text.isascii() else _OTHER_DIGITS
        return int(iso[1]), int(iso[3]), int(iso[4]), how
    low = text.casefold()
    first, second = (pattern.fullmatch(low) for pattern in _NAMED)
    if first and (month := _month(first[2])):
        return int(first[3]), month, int(first[1]), "date with the month's name"
    if second and (month := _month(second[1])):
        return int(second[3]), month, int(second[2]), "date with the month's name"
    return None


def read_date(text: str) -> Read:
    """Read a date into days since 1970-01-01; ``03/04/2024`` has two readings and is a problem."""
    how: str | None = "Excel day number as a date"
    if re.fullmatch(r"[2-7]\d{4}(?:\.0+)?", text):
        day = EXCEL_EPOCH + timedelta(days=int(float(text)))
    else:
        parts = _parts(text)
        if parts is None:
            return Read(rule="is not an unambiguous date", remedy=_DATE_REMEDY)
        try:
            day, how = date(*parts[:3]), parts[3]
        except ValueError:
            return Read(rule="is not a calendar date", remedy=_DATE_REMEDY)
    if not YEARS[0] <= day.year <= YEARS[1]:
        return Read(rule=f"is not between the years {YEARS[0]} and {YEARS[1]}", remedy=_DATE_REMEDY)
    return Read((day - date(1970, 1, 1)).days, how)


_YES_NO = {"yes": "yes", "y": "yes", "true": "yes", "no": "no", "n": "no", "false": "no", "1": "yes", "0": "no",
           "1.0": "yes", "0.0": "no"}  # fmt: skip


def read_yes_no(text: str) -> Read:
    """Read yes/no, true/false, 1/0 into ``yes`` or ``no``."""
    if text.casefold() == UNKNOWN:
        return Read(None, "missing")
    answer = _YES_NO.get(text.casefold())
    if answer is None:
        return Read(rule="is neither yes nor no", remedy="write yes or no, or leave the cell empty")
    return Read(answer, None if text == answer or text in "10" else "yes or no")


def read_choice(text: str, choices: Iterable[str], words: Mapping[str, str], *, free: bool) -> Read:
    """Read one of the choices, in any case or a known other spelling; other texts only where `free`."""
    from reinfuse.exceptions import nearest

    options = tuple(choices)
    if text in options:
        return Read(text)
    low = text.casefold()
    choice = {c.casefold(): c for c in options}.get(low) or words.get(low)
    if choice is not None:
        return Read(choice, "spelling")
    if low == UNKNOWN:
        return Read(None, "missing")
    if free:
        return Read(text)
    near = nearest(text, options)
    hint = f"did you mean {near}? " if near else ""
    return Read(rule="is not an accepted value", remedy=f"{hint}use one of: {', '.join(options)}")

"""What a text of a file or plan may hold, so that every page, figure and document can show it.

Whatever passes `fault` can be written as HTML, XML (Word, SVG), PDF, JSON and CSV, and stands there as it was typed.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

LONGEST_NAME = 100
"""Characters of a name that is shown in tables and figures: an id, a category, a label, a column that a plan names."""
LONGEST_TITLE = 200
"""Characters of a title: a file's properties hold at most 255."""
MOST_MARKS = 30
"""Accents and the like upon one letter (Unicode's stream-safe format); to order more takes time by their square."""
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REMEDY = "write the text anew without it"


def _unwritable(character: str) -> str | None:
    """Return what a character is if it cannot stand in a document, or None."""
    code = ord(character)
    if character in _DIRECTION:
        return "an invisible bidirectional control character"
    if unicodedata.category(character) in ("Cc", "Cs") or 0xE0000 <= code <= 0xE007F:
        return "a control character"
    return "a Unicode noncharacter" if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF else None


@cache
def _piles() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Return what finds too many marks in a row: those of the first plane, characters beyond it, marks beyond it."""
    marks = "".join(c for c in map(chr, range(0x300, 0x1F000)) if unicodedata.combining(c))
    near, far = (re.sub(without, "", marks) for without in ("[^\0-\uffff]", "[\0-\uffff]"))
    first, beyond, second = (f"[{c}]{{{MOST_MARKS + 1}}}" for c in (near, "\U00010000-\U0001efff", far))
    return re.compile(first), re.compile(beyond), re.compile(second)


def is_piled(text: str) -> bool:
    """Tell whether a letter of a text carries more marks than any script has."""
    first, beyond, second = _piles()
    return bool(first.search(text) or (beyond.search(text) and second.search(text)))


def fault(text: str, longest: int | None = None) -> tuple[str, str] | None:
    """Return why a text cannot be shown, and what would mend it; None if it can.

    Parameters
    ----------
    text
        With spaces for line ends, tabs and the like, which are control characters.
    longest
        Most characters.
    """
    if not (text.isascii() and text.isprintable()):
        for character in text:
            what = _unwritable(character)
            if what:
                return f"holds {what} (U+{ord(character):04X})", _REMEDY
        if is_piled(text):
            return f"holds more than {MOST_MARKS} accents or other marks upon one letter", _REMEDY
    if longest is not None and len(text) > longest:
        return f"is {len(text):,} characters long, more than {longest}", "shorten it"
    return None


def visible(text: str, longest: int = 120) -> str:
    """Return a text that a screen or log can show, however hostile it is: marks spelt out, the end cut off."""
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(f"\\u{ord(c):04x}" if _unwritable(c) or c in "\u2028\u2029" else c for c in cut)

"""What a text of a file or plan may hold, so that every page, figure and document can show it.

Whatever passes `fault` can be written as HTML, XML (Word, SVG), PDF, JSON and CSV, and stands there as it was typed.
"""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 100
"""Characters of a name that is shown in tables and figures: an id, a category, a label, a column that a plan names."""
LONGEST_TITLE = 200
"""Characters of a title: a file's properties hold at most 255."""
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REMEDY = "write the text anew without it"


def _unwritable(character: str) -> str | None:
    """Return what a character is if it cannot stand in a document, or None."""
    code = ord(character)
    if character in _DIRECTION:
        return "an invisible mark that reverses the order of letters"
    if unicodedata.category(character) in ("Cc", "Cs") or 0xE0000 <= code <= 0xE007F:
        return "a control character"
    return "no character of any script" if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF else None


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
    if longest is not None and len(text) > longest:
        return f"is {len(text):,} characters long, more than {longest}", "shorten it"
    return None


def visible(text: str, longest: int = 120) -> str:
    """Return a text that a screen or log can show, however hostile it is: marks spelt out, the end cut off."""
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(f"\\u{ord(c):04x}" if _unwritable(c) or c in "\u2028\u2029" else c for c in cut)

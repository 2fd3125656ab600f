"""What would name a patient or a day in a text: identifiers, however they are written, and dates, in words too."""

from __future__ import annotations

import re
from collections.abc import Iterable

RECONSTRUCTED_ID = "reconstructed-"
"""What the ids of patients behind published curves begin with."""
LONGEST_COUNT = 4
"""An identifier of so many digits or fewer cannot be told from a number of the report."""
_SHORTEST_WORD = 4
"""An identifier of fewer letters, and no digit, is searched as it is written: `it` is a word, `IT` may be initials."""
_RUN = re.compile(r"[^\W\d_]+|\d+|[\W_]+")
_MONTHS = (
    # English, German, Spanish, French, Italian, Portuguese, Dutch; abbreviations that are no words of a report
    "january|february|march|april|june|july|august|september|october|november|december|"
    "januar|jänner|februar|feber|märz|maerz|juni|juli|oktober|dezember|"
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre|"
    "janvier|février|fevrier|avril|juin|juillet|août|aout|septembre|octobre|novembre|décembre|decembre|"
    "gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|"
    "janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro|"
    "januari|februari|maart|augustus|"
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|mär|mrz|okt|dez|ene|abr|dic|févr?|déc"
)
_MONTH = rf"(?:(?i:{_MONTHS})|May|MAY|Mai|MAI|Mei)(?![^\W\d_])\.?"
_DAY, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:19|20)\d\d"
_NUMBER = r"(?:0?[1-9]|1[0-2])"
_IN_NUMBERS = (
    rf"(?<![\d.]){_YEAR}([-/.])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)",  # 2021-03-04
    rf"(?<![\d.,]){_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?![\d.])",  # 20210304
    rf"(?<![\d./-])(?:{_DAY}([-/.]){_NUMBER}\2|{_NUMBER}([-/]){_DAY}\3){_YEAR}(?!\d)",  # 4.3.2021, 03/04/2021
    rf"(?<![\d./-])(?:{_DAY}/{_NUMBER}|{_NUMBER}/{_DAY})/\d\d(?![\d/])",  # 4/3/21
    r"(?<![\d.-])(?:0[1-9]|[12]\d|3[01])([-.])(?:0[1-9]|1[0-2])\4\d\d(?![\d.-])",  # 04.03.21
    rf"(?<![\d/.]){_NUMBER}/{_YEAR}(?!\d)",  # 03/2021
    rf"(?<![\w.,]){_DAY}(?:st|nd|rd|th|er|\.|º|ª)?[\s\-/]*(?:of\s+|de\s+)?{_MONTH}",  # 3 March, 03MAR2021
)
_IN_WORDS = (
    rf"{_MONTH}[\s\-/]*(?:the\s+)?{_DAY}(?:st|nd|rd|th)?(?![\d%])(?!\.\d)",  # March 3
    rf"{_MONTH}(?:[\s,\-/']+|\s+(?:of|de)\s+){_YEAR}(?!\d)",  # March 2021
    rf"{_MONTH}(?:[-/]|\s?['’])\d\d(?!\d)",  # Mar-21
)
# A digit, or the first letter of a word: most places of a text are neither, and are passed over at once.
_DATE = re.compile(rf"(?=\d)(?:{'|'.join(_IN_NUMBERS)})|(?<!\w)(?=[^\W\d_])(?:{'|'.join(_IN_WORDS)})")
_CODES = re.compile(r"\b10\.\d{4,}/\S+|\b[0-9a-f]{32,}\b")
"""The number of a paper, in which older ones have the day of print, and a SHA-256 are no dates."""


def holds_date(text: str, seed: int | None = None) -> bool:
    """Tell whether a date, or a month of a year, stands in a text; the seed of random numbers is none."""
    plain = _CODES.sub(" ", text)
    return _DATE.search(plain if seed is None else re.sub(rf"\b{seed}\b", " ", plain)) is not None


def is_telling(identifier: str) -> bool:
    """Tell whether an identifier can be told from a number or a letter of a report: `P07` can, `7` cannot."""
    plain = identifier.strip()
    return len(plain) > 1 and not (plain.isdigit() and len(plain) <= LONGEST_COUNT)


def pattern(identifiers: Iterable[str], words: Iterable[str] = ()) -> re.Pattern[str] | None:
    """Return what finds identifiers in a text: in any case, with other separators or zeros before their numbers.

    Of `UPN-007`: `upn 7`, `UPN_07`, `Upn007`. None where no identifier can be told from a number or a letter.

    Parameters
    ----------
    words
        The report's own, such as `CLL`: `CLL 9` is then a number of patients, and not the patient `CLL-9`.
    """
    own = {w.casefold() for w in words}
    written = {_written(i.strip(), own) for i in identifiers if is_telling(i)}
    return re.compile("|".join(sorted(written))) if written else None


def _written(identifier: str, words: set[str]) -> str:
    """Return the ways to write an identifier, as a regular expression."""
    runs = _RUN.findall(identifier)
    kinds = ["digits" if r.isdigit() else "letters" if r[0].isalpha() else "between" for r in runs]
    if "digits" not in kinds and len(identifier) < _SHORTEST_WORD:
        return rf"(?<!\w){re.escape(identifier)}(?!\w)"
    if kinds == ["digits"] and len(identifier.lstrip("0")) <= LONGEST_COUNT:
        return rf"(?<!\d){re.escape(identifier)}(?!\d)"
    parts = []
    for i, (run, kind) in enumerate(zip(runs, kinds, strict=True)):
        if kind == "between":
            inside = 0 < i < len(runs) - 1 and len(run) == 1
            space = "" if inside and runs[i - 1].casefold() in words else " \u00a0"
            parts.append(rf"(?:{re.escape(run)}|[{space}\-_./:#]{{0,2}})" if inside else re.escape(run))
            continue
        if i and kinds[i - 1] != "between":
            parts.append(r"[\-_]?")
        parts.append(rf"0*{run.lstrip('0') or '0'}" if kind == "digits" else re.escape(run))
    number = kinds == ["digits"]
    before = r"(?<!\d)(?<!\d[.,])" if number else r"(?<![^\W_])" if kinds[0] != "between" else ""
    after = r"(?!\d)(?![.,]\d)" if number else r"(?![^\W_])" if kinds[-1] != "between" else ""
    return f"{before}(?i:{''.join(parts)}){after}"

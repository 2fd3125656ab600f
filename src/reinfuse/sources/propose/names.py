"""What a header says once the words of its infusion are taken out: `CART #2 | Best resp (D28)` is `best resp`, 2,
day 28."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from reinfuse.cohort.endpoints import UNIT_DAYS
from reinfuse.sources.propose.spelling import GENERIC, Words, normal, words_of
from reinfuse.sources.source_table import HEADER_JOINT

_CELLS = (
    r"(?:anti[ -]?)?(?:cd19[ -]?)?(?:hu)?car\+?[ -]?t(?:[ -]?19)?(?:[ -]?(?:cells?|zellen?|celler|cellen|"
    r"cellules|celulas|cellule))?(?:[ -]?(?:infusions?|therapy|treatment))?"
)
_INFUSION = (
    rf"(?:{_CELLS}|(?:re-?)?infusi(?:o?ns?|onen|ones|one|oni|e|ao|onem)|(?:re-?)?infuz(?:ja|ji|e|yon)|perfusions?|"
    r"(?:re-?)?injections?|inj|inf|cars?(?=\s?#?[1-5]\b|\s*$)|ct(?=[1-5]\b))"
)
_ORDINALS = {
    1: r"1st|first|1\.|1[ao°]|erste[rsn]?|1e?re?|premiere?|primer[ao]?|prim[ao]|eerste|foersta|forsta|foerste|"
       r"initial|index",
    2: r"2nd|second|2\.|2[ao°]|zweite[rsn]?|2n?de?|2eme|2e|deuxieme|seconde|segund[ao]?|second[ao]|tweede|andra|"
       r"anden|andre",
    3: r"3rd|third|3\.|3[ao°]|dritte[rsn]?|3eme|3e|troisieme|tercer[ao]?|terz[ao]|derde|tredje",
    4: r"4th|fourth|4\.|4[ao°]|vierte[rsn]?|4eme|4e|quatrieme|cuart[ao]|quart[ao]|vierde|fjaerde|fjerde",
}  # fmt: skip
_GIVEN = r"(?:cell )?(?:treatment|therapy|therapie|course|dose|administration|application|gabe|product)"
_NUMBERED = re.compile(
    rf"\b{_INFUSION}\s*[-_:]?\s*(?:no\.?|nr\.?|number|num|#|course|dose)?\s*[-_#]?\s*"
    r"(?P<bracket>\(\s*)?([1-5](?![\d.,^/%°]|\s*(?:days?|mo|x|x10)\b)|i{1,3}(?!\w)|iv(?!\w))(?(bracket)\s*\))"
)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_ORDERED = {
    k: re.compile(rf"(?<![\w.])(?:{words})(?!\w)\s*(?:{_INFUSION}|cars?\b(?!\+))(?!\w)")
    for k, words in _ORDINALS.items()
}
_ALONE = {k: re.compile(rf"(?:#\s*{k}|no\.?\s*{k}|(?:{words})\s*(?:{_GIVEN})?|{k})") for k, words in _ORDINALS.items()}
_WITH_OTHERS = {k: re.compile(rf"(?<![\w.])(?:{words}|#\s*{k})(?!\w)") for k, words in _ORDINALS.items()}
_LAST_NUMBER = re.compile(r"#\s*[1-5]\b|[a-z)]\s*[1-5]\s*(?:\([^)]*\))?$")
_AGAIN = re.compile(r"\bre-?(?:infusion|treatment|infused)\b")
_BARE = re.compile(rf"\b{_INFUSION}(?!\w)")
_BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")
_DUPLICATE = re.compile(r"\s*\(column ([A-Z]{1,3})\)$")
_DAY = re.compile(
    r"\b(?:days?|tag|jour|dia|dag|giorno|d|j|g)\s*\+?\s*([1-9]\d{0,2})\b(?!\s*/)|"
    r"(?<!\d)\+?\b([1-9]\d{0,2})\s*(?:days?|tage|jours|dias|giorni|dagen|dagar)\b|\+\s*([1-9]\d{1,2})\b"
)
_MONTH = re.compile(
    r"\b(?:months?|monat|mois|mese?|maand|man|maned|mo|m)\s*\+?\s*([1-9]\d?)\b(?!\s*/)|"
    r"\b([1-9]\d?)\s*(?:months?|monate?|mois|mes|mese|mesi|meses|maand(?:en)?|man|maned(?:er)?|mos?|m)\b"
)
_YEAR = re.compile(r"\b(?:year|jahr)\s*([1-5])\b|\b([1-5])[ -]?(?:years?|y)\b")
_BEFORE = re.compile(r"\b(?:pre|before|vor|avant|antes|baseline|praetherapeutisch|prior to|at ld|vor ld|screening)\b")


@dataclass(frozen=True, slots=True)
class Name:
    """A header, taken apart.

    Attributes
    ----------
    header
        As the user sees it.
    words
        All of it; `leaf`: the lowest row of a composed header alone, where those above say nothing of the column.
    infusion
        The infusion that it names.
    certain
        The infusion is named with the word for it, and not only by a number that other headers bear too.
    of_infusion
        It speaks of an infusion, of whichever.
    day
        The day after an infusion that it names.
    before
        It speaks of the time before an infusion.
    bracketed
        What stands in brackets.
    number
        A number that may be that of an infusion, and the header without it.
    """

    header: str
    words: Words
    leaf: Words
    infusion: int | None = None
    certain: bool = True
    of_infusion: bool = False
    day: int | None = None
    before: bool = False
    bracketed: str = ""
    number: tuple[int, str] | None = None


@cache
def phrase(text: str) -> tuple[Words, bool]:
    """Return the words of a name of a concept, and whether it speaks of an infusion."""
    low = normal(text)
    bare = _BARE.sub(" ", _AGAIN.sub(" ", low))
    return words_of(bare), bare != low


def parse(header: str) -> Name:
    """Take a header apart."""
    parts = [_DUPLICATE.sub("", part) for part in header.split(HEADER_JOINT)]
    number: int | None = None
    of_infusion, lows, brackets = False, [], []
    for part in parts:
        low = normal(part)
        one, rest = _infusion_of(low)
        number = number or one
        brackets += _BRACKETS.findall(rest)
        bare = _BARE.sub(" ", rest)
        of_infusion = of_infusion or one is not None or bare != rest
        lows.append(bare)
    whole = " ".join(lows)
    day, whole_bare = _time(whole)
    leaf = _time(lows[-1])[1]
    rest = _outside(whole_bare)
    name = Name(header, words_of(rest), _leaf(lows, leaf), number, True, of_infusion, day,
                bool(_BEFORE.search(whole)), " ".join(brackets))  # fmt: skip
    return name if number is not None else replace(name, number=_number(rest) or _bracketed(rest, brackets))


def parse_described(header: str, label: str) -> Name:
    """Take a header apart, with what the label in its data dictionary says of infusion and day."""
    name = parse(header)
    if not label:
        return name
    by_label = parse(label)
    infusion = name.infusion if name.infusion is not None else by_label.infusion
    agreed = by_label.infusion in (None, infusion)
    return replace(
        name, infusion=infusion, certain=agreed, of_infusion=name.of_infusion or by_label.of_infusion,
        day=by_label.day if name.day is None else name.day, before=name.before or by_label.before,
        number=name.number if infusion is None else None,
    )  # fmt: skip


def with_siblings(names: Sequence[Name]) -> list[Name]:
    """Take a number for that of an infusion where other headers are the same but for theirs: `date_1`, `date_2`.

    Where several headers are, any other that ends in such a number is of that infusion too; columns that are named
    alike, as a sheet has them without a row of groups, are of the first and second infusion in their order.
    """
    alike = _alike(names)
    shapes: dict[str, set[int]] = {}
    for name in names:
        if name.number:
            shapes.setdefault(name.number[1], set()).add(name.number[0])
    plain_ones = {" ".join(name.words) for name in names if name.infusion is None}
    several = [s for s, numbers in shapes.items() if {1, 2} <= numbers]
    out = []
    for name in names:
        number, shape = name.number or (0, "")
        others = shapes.get(shape, set()) | ({1} if " ".join(words_of(shape)) in plain_ones else set())
        sibling = len(others) > 1 and 1 in others
        same = len(several) > 1 and number in (1, 2) and bool(_LAST_NUMBER.search(normal(name.header)))
        if name.infusion is None and name.header in alike:
            name = replace(name, infusion=alike[name.header], of_infusion=True, certain=False)
        elif name.infusion is None and number and (sibling or same):
            words = words_of(shape)
            leaf = words if name.leaf == name.words else tuple(w for w in name.leaf if w in words)
            name = replace(name, infusion=number, words=words, leaf=leaf, of_infusion=True, certain=False)
        out.append(name)
    return out


def _alike(names: Sequence[Name]) -> dict[str, int]:
    """Return the place of each column among those that are named alike, where several names occur equally often."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if _DUPLICATE.search(name.header):
            groups.setdefault(_DUPLICATE.sub("", name.header), []).append(name.header)
    often = [len(headers) for headers in groups.values() if len(headers) > 1]
    times = max(often, key=often.count, default=0)
    if often.count(times) < 2:
        return {}
    return {h: k for headers in groups.values() if len(headers) == times for k, h in enumerate(headers, 1)}


def _infusion_of(low: str) -> tuple[int | None, str]:
    """Return the infusion that a row of a header names, and the row without it."""
    if match := _NUMBERED.search(low):
        return _ROMAN.get(match[2]) or int(match[2]), _cut(low, match)
    for k, pattern in _ORDERED.items():
        if match := pattern.search(low):
            return k, _cut(low, match)
    for k, pattern in _ALONE.items():
        if pattern.fullmatch(low.strip(" ()")):
            return k, ""
    if match := _AGAIN.search(low):
        return 2, _cut(low, match)
    return None, low


def _cut(low: str, match: re.Match[str]) -> str:
    return f"{low[: match.start()]} {low[match.end() :].lstrip(')')}"


def _time(low: str) -> tuple[int | None, str]:
    """Return the day that a header names, and the header without it."""
    for pattern, days in ((_DAY, 1.0), (_MONTH, UNIT_DAYS["months"]), (_YEAR, UNIT_DAYS["years"])):
        if match := pattern.search(low):
            count = int(next(g for g in match.groups() if g))
            return round(count * days), f"{low[: match.start()]} {low[match.end() :]}"
    return None, low


def _outside(low: str) -> str:
    """Return a header without what stands in brackets, but for words that say what the column is."""
    inner_words = " ".join(
        w for inner in _BRACKETS.findall(low) for w in re.findall(r"date|datum|grade|grad\b|status", inner)
    )
    return f"{_BRACKETS.sub(' ', low)} {inner_words if not re.search(r'dd|mm|yyyy|tt|jjjj', low) else ''}"


def _leaf(lows: Sequence[str], leaf: str) -> Words:
    """Return the words of the lowest row, if the rows above say nothing; else of the whole header."""
    above = words_of(_outside(" ".join(lows[:-1])))
    alone = words_of(_outside(leaf))
    return alone if alone and set(above) <= GENERIC else words_of(_outside(_time(" ".join(lows))[1]))


def _number(rest: str) -> tuple[int, str] | None:
    for k, pattern in _WITH_OTHERS.items():
        if match := pattern.search(rest):
            return k, " ".join(_cut(rest, match).split())
    digits = list(re.finditer(r"(?<![\d.^/-])([1-5])(?![\d.^/%])", rest))
    if len(digits) != 1:
        return None
    return int(digits[0][1]), " ".join(_cut(rest, digits[0]).split())


def _bracketed(rest: str, brackets: Iterable[str]) -> tuple[int, str] | None:
    """Return a number that stands alone in brackets, and the header: ``Response (2)``."""
    digits = {b.strip() for b in brackets if re.fullmatch(r"\s*[#n]?[1-5]\s*", b)}
    return (int(digits.pop().strip("#n ")), " ".join(_BRACKETS.sub(" ", rest).split())) if len(digits) == 1 else None


def infusions_named(names: Iterable[Name]) -> tuple[int, ...]:
    """Return the numbers of the infusions that headers name, in order."""
    return tuple(sorted({name.infusion for name in names if name.infusion is not None}))

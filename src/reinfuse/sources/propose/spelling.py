"""Words of headers brought to one spelling: case, accents, abbreviations and the languages that `words.toml` holds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from reinfuse.sources.values.understood import plain, unaccented

Words = tuple[str, ...]
"""Words of a name in alphabetical order, each once."""

_UNSPACED = "[\u3040-\u30ff\u3400-\u9fff]+"
"""Characters of scripts without spaces: what of them is not known stays a word, so that no two headers look alike."""
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_MAGNITUDE = re.compile(
    r"(?:[x×*·]\s*|\b)10\s*(?:\^|\*\*|e)\s*\d{1,2}(?:\s*(?:car[ -]?t? ?)?cells)?|\be\d{1,2}(?=\s*/?\s*kg\b)"
)
_THRESHOLD = re.compile(r"[<>≥≤]=?\s*\d+(?:[.,]\d+)?\s*(?:cm|mm|%)?")
_FOLLOW_UP = re.compile(r"\bfollow[ -]?ups?\b|\bf\s?/\s?u\b|\bfup?\b|\bnachsorge\b")
_SHORTEST_COMPOUND = 5
_MORE = frozenset({"crs", "icans", "mrd", "max", "infusion"})
_STOP = frozenset(
    "of the for in at to on de di la le les der die das du del des am im bei zum zur a an after post following "
    "nach apres tras dopo do da dos das max maximum maximal maximaler highest worst most y und and or by with from "
    "since per yes ja si oui hoechster recorded this that again".split()
)  # fmt: skip


def words_of(text: str) -> Words:
    """Return the words of a text, without those that say nothing, abbreviations spelt out."""
    tokens = re.findall(rf"[a-z]+|\d+|#(?!\s*\d)|{_UNSPACED}", _FOLLOW_UP.sub("followup", text))
    whole = (piece for t in tokens for piece in _pieces(t))
    spelt = (word for t in whole if t not in _STOP for word in _spellings().get(t, (t,)))
    return tuple(sorted(set(spelt)))


@cache
def _pieces(token: str) -> Words:
    """Return the words of which a name without spaces is made: `respdt` of `resp` and `dt`; else itself."""
    if token in _spellings() or token in _STOP or len(token) < _SHORTEST_COMPOUND:
        return (token,)
    return _split(token) or (token,)


def _split(token: str) -> Words:
    if token in _vocabulary():
        return (token,)
    for end in range(len(token) - 2, 1, -1):
        if token[:end] in _vocabulary() and (rest := _split(token[end:])):
            return (token[:end], *rest)
    return ()


@cache
def _vocabulary() -> frozenset[str]:
    """Return words of which names without spaces are made; of two letters, those alone that mean nothing else."""
    english = {w for key in _words_file()["spellings"] for w in key.split()}
    return frozenset({w for w in (*english, *_spellings()) if len(w) > 2} | {"dt", "id", "dx", "ld", *_MORE})


def normal(text: str) -> str:
    """Return a header in lower case, without accents and underscores; `infusionDate` in two words."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", text) if " " not in text.strip() else text
    if not apart.isascii():
        apart = re.sub(r"(?i)\bn[°º]", " no ", apart)
        for word, english in _characters():
            apart = apart.replace(word, f" {english} ")
    apart = _THRESHOLD.sub(" ", apart)
    spaced = re.sub(r"_|(?<!\d)\.", " ", apart)
    return _MAGNITUDE.sub(" ", unaccented(plain(_RAISED.sub(r"^\g<0>", spaced))))


@cache
def _spellings() -> Mapping[str, Words]:
    """Return the English words for each word of another language, and for each abbreviation."""
    spelt: Mapping[str, str] = _words_file()["spellings"]
    return {word: tuple(english.split()) for english, words in spelt.items() for word in words.split()}


@cache
def _characters() -> tuple[tuple[str, str], ...]:
    """Return words of scripts that leave no space between them, the longest first, with the English ones."""
    spelt: Mapping[str, str] = _words_file()["characters"]
    pairs = [(word, english) for english, words in spelt.items() for word in words.split()]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


@cache
def _words_file() -> Mapping[str, Any]:
    return tomllib.loads((files("reinfuse.sources.propose") / "words.toml").read_text(encoding="utf-8"))


GENERIC = frozenset(words_of(
    "patient patients demographics demographic outcome outcomes baseline clinical toxicity toxicities response "
    "characteristics data followup survival disease general details information efficacy safety labs lab "
    "laboratory therapy product stammdaten verlauf toxizitaet patientendaten pretreatment history results course "
    "dates status events treatment paciente datos seguimiento resultado donnees demographie suivi medical "
    "background admin administrative date last control contact visit pharmacy apotheke pharmacie farmacia "
    "dispensing nursing clinic"
))  # fmt: skip
"""Words over a group of columns that say nothing of the column below."""

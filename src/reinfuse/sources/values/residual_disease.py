"""Residual disease as centres write it: alone (``uMRD4``, ``neg``, ``<10^-4``, ``0.02 %``) or within a response."""

from __future__ import annotations

import re
from types import MappingProxyType

from reinfuse.cohort.schema import MRD_WORDS
from reinfuse.sources.values.understood import Understood, number_text, plain, unaccented
from reinfuse.tabular.cell_parsing import read_number

UNDETECTABLE, DETECTABLE = "undetectable", "detectable"
WORDS = MappingProxyType({
    UNDETECTABLE: UNDETECTABLE, DETECTABLE: DETECTABLE, **MRD_WORDS, "negativ": UNDETECTABLE, "negatif": UNDETECTABLE,
    "negative": UNDETECTABLE, "negatief": UNDETECTABLE, "negativa": UNDETECTABLE, "negativt": UNDETECTABLE,
    "not detected": UNDETECTABLE, "nao detectada": UNDETECTABLE, "no detectada": UNDETECTABLE,
    "indetectable": UNDETECTABLE,
     "negativo": UNDETECTABLE, "not detectable": UNDETECTABLE, "none detected": UNDETECTABLE,
    "nicht nachweisbar": UNDETECTABLE, "undetected": UNDETECTABLE, "undet": UNDETECTABLE, "mrd neg": UNDETECTABLE,
    "mrd negative": UNDETECTABLE, "mrd negativ": UNDETECTABLE, "u-mrd": UNDETECTABLE, "umrd4": UNDETECTABLE,
    "umrd5": UNDETECTABLE, "umrd6": UNDETECTABLE, "mrd4 neg": UNDETECTABLE,
    "positiv": DETECTABLE, "positief": DETECTABLE, "positiva": DETECTABLE, "positivt": DETECTABLE,
    "detected": DETECTABLE,
     "positif": DETECTABLE, "positivo": DETECTABLE, "nachweisbar": DETECTABLE, "+": DETECTABLE,
    "mrd pos": DETECTABLE, "mrd positive": DETECTABLE, "mrd positiv": DETECTABLE, "阳性": DETECTABLE,
    "陽性": DETECTABLE, "阴性": UNDETECTABLE, "陰性": UNDETECTABLE,
    "dmrd": DETECTABLE,
})  # fmt: skip
LIMIT = 1e-4
"""A result below a limit of detection is undetectable where the limit is this or lower (iwCLL: 1 in 10,000)."""

_OTHER_NAMES = re.compile(r"\b(?:emr|drm|mmr)\b")
"""MRD in Spanish, Portuguese and Italian."""
_NEGATIVE = re.compile(
    r"\bu-?mrd\d?\b|\bmrd\d?[\s:=(-]*(?:undetectable|not detected|neg(?:ati[vf]e?|ativo)?\b\.?)\)?|"
    r"\bneg(?:ati[vf]e?|ativo)?\.?[ -]mrd\d?\b|\bmrd\d?\s*[:(]?\s*-(?=$|[\s),;/])\)?|\bmrd0\b"
)
_POSITIVE = re.compile(
    r"\bmrd\d?[\s:=(-]*(?:detectable|detected|pos(?:iti[vf]e?|itivo)?\b\.?)\)?|"
    r"\bpos(?:iti[vf]e?|itivo)?\.?[ -]mrd\d?\b|"
    r"\bmrd\d?\s*[:(]?\s*\+\)?"
)
_UNTESTED = re.compile(r"\bmrd[\s:=(-]*(?:nd|n\.d\.|na|n/a|unknown|not done|pending|n\.a\.|unk)\b\)?")
_METHODS = {"flow": "flow", "fcm": "flow", "mfc": "flow", "flow cytometry": "flow", "ngs": "NGS", "clonoseq": "NGS",
            "pcr": "PCR", "aso-pcr": "PCR", "rt-pcr": "PCR", "durchflusszytometrie": "flow"}  # fmt: skip
_COMPARTMENTS = {"bm": "marrow", "bone marrow": "marrow", "marrow": "marrow", "km": "marrow", "knochenmark": "marrow",
                 "pb": "blood", "blood": "blood", "peripheral blood": "blood", "blut": "blood"}  # fmt: skip
_BELOW = re.compile(r"(<|<=|≤|>|>=|≥)\s*(.+)")
_POWER = re.compile(r"(?:1\s*[x×*·]\s*)?10\s*\^?\s*\(?-\s*(\d{1,2})\)?")


def mrd_within(text: str) -> tuple[str | None, str] | None:
    """Take a statement on MRD out of a text in lower case.

    Returns
    -------
    tuple or None
        Result (None where it says none) and the rest of the text; None where it says two things.

    Examples
    --------
    >>> mrd_within("cri/mrd-"), mrd_within("cr mrd-positive"), mrd_within("pr")
    (('undetectable', 'cri/'), ('detectable', 'cr '), (None, 'pr'))
    """
    text = _signed(_OTHER_NAMES.sub("mrd", text))
    negative, positive = bool(_NEGATIVE.search(text)), bool(_POSITIVE.search(text))
    if negative and positive:
        return None
    rest = _UNTESTED.sub("", _POSITIVE.sub("", _NEGATIVE.sub("", text)))
    return (UNDETECTABLE if negative else DETECTABLE if positive else None), rest


def read_mrd(text: str, *, unit: str = "", mark: str | None = None) -> Understood | None:
    """Read the result of a test for residual disease.

    Returns
    -------
    Understood or None
        Of `result`, `value` (fraction of leukocytes), `method` and `compartment` what the cell tells; None where it is
        not understood: ``-`` is a missing value in one sheet and a negative result in the next.

    Examples
    --------
    >>> read_mrd("uMRD4").parts, read_mrd("<10^-4").parts, read_mrd("pos (0.02 %)").parts, read_mrd("-")
    ({'result': 'undetectable'}, {'result': 'undetectable'}, {'result': 'detectable', 'value': '0.0002'}, None)
    """
    low = _signed(unaccented(plain(text)))
    if low in WORDS:
        return Understood({"result": WORDS[low]}, "" if WORDS[low] == text else "word for a result of MRD")
    parts: dict[str, str] = {}
    within = mrd_within(low)
    if within is None:
        return None
    if within[0]:
        parts["result"] = within[0]
    for piece in _pieces(within[1]):
        piece_meaning = _piece(piece, unit=unit, mark=mark)
        if piece_meaning is None or any(parts.get(name, value) != value for name, value in piece_meaning.items()):
            return None
        parts |= piece_meaning
    return Understood(parts, "result of MRD") if parts.keys() & {"result", "value"} else None


def _signed(low: str) -> str:
    """Spell out the signs of British notes: ``MRD -ve`` and ``+ve``."""
    return re.sub(r"(?<!\w)-\s?ve\b", "neg", re.sub(r"(?<!\w)\+\s?ve\b", "pos", low))


def _pieces(rest: str) -> list[str]:
    """Split at brackets, commas and known words, not within numbers."""
    words = [piece.strip(" .:=/") for piece in re.split(r"[();]|:\s|,\s|\bby\b|\bin\b|\bim\b|\bper\b", rest)]
    out: list[str] = []
    for piece in words:
        first, _, others = piece.partition(" ")
        singled = first in {**_METHODS, **_COMPARTMENTS, **WORDS} and piece not in {
            **WORDS,
            **_METHODS,
            **_COMPARTMENTS,
        }
        out += [first, *_pieces(others)] if singled and others else [piece]
    return [piece for piece in out if piece not in ("", "mrd")]


def _piece(piece: str, *, unit: str, mark: str | None) -> dict[str, str] | None:
    if piece in WORDS:
        return {"result": WORDS[piece]}
    if piece in _METHODS:
        return {"method": _METHODS[piece]}
    if piece in _COMPARTMENTS:
        return {"compartment": _COMPARTMENTS[piece]}
    if limit := _BELOW.fullmatch(piece):
        level = _fraction(limit[2], unit=unit, mark=mark)
        if level is None or (limit[1].startswith(("<", "≤")) and level > LIMIT):
            return None
        return {"result": UNDETECTABLE if limit[1].startswith(("<", "≤")) else DETECTABLE}
    level = _fraction(piece, unit=unit, mark=mark)
    return None if level is None or not 0 <= level <= 1 else {"value": number_text(level)}


def _fraction(text: str, *, unit: str, mark: str | None) -> float | None:
    """Read a fraction of leukocytes; a percentage only where a sign or the unit says so."""
    if power := _POWER.fullmatch(text):
        return float(f"1e-{power[1]}")
    percent = text.endswith("%") or unit in ("percent", "%")
    number = read_number(text.rstrip("% "), mark).value
    if not isinstance(number, float):
        return None
    return number / 100 if percent else number

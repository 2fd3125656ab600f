"""Grades of toxicities as centres write them: ``G2``, ``grade 3``, ``2 (ASTCT)``, ``III``, ``0/none``."""

from __future__ import annotations

import re

from reinfuse.cohort.schema import GRADES
from reinfuse.sources.values.understood import Understood, plain, unaccented

KINDS = {"crs": "CRS", "icans": "ICANS", "nt": "NT", "crès": "ICANS"}
_NONE = frozenset(
    "none no nein keine kein keines aucun aucune non ninguno ninguna absent nil 0/none no-crs no-icans none(0) never "
    "grade-0/none ingen nessuno nessuna nenhum nenhuma geen brak nil 无 無".split()
)  # fmt: skip
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}
_GRADE = re.compile(
    r"(?:(?:max(?:imum|\.)?|worst|peak|highest)\s*)?(?:crs|icans|nt|cres)?\s*[:=]?\s*(?:(?:grade|grad|gr|g|°)\.?\s*)?"
    r"([0-5]|i{1,3}|iv|v)(?:\.0)?\s*[°级級]?"
    r"(?:\s*\(?\s*(?:astct(?:\s*20\d\d)?|ctcae(?:\s*v?\.?\s*[345](?:\.\d)?)?|lee(?:\s*20\d\d)?|penn|cartox|none|keine)\s*\)?)?"
    r"(?:\s*\(?\s*(?:toci(?:lizumab)?|steroids?|dexa(?:methasone)?)(?:\s*x\s*\d)?\s*\)?)?"
)


def read_grade(text: str) -> Understood | None:
    """Read a grade from 0 to 5; that there was no such toxicity is grade 0.

    Returns
    -------
    Understood or None
        `grade`; where several kinds stand in one cell, a part for each (``CRS``, ``ICANS``). None where it is not
        understood: ``1-2``, ``>=3``, ``yes``.

    Examples
    --------
    >>> read_grade("G2").parts, read_grade("none").parts, read_grade("CRS 2, ICANS 0").parts, read_grade("yes")
    ({'grade': '2'}, {'grade': '0'}, {'CRS': '2', 'ICANS': '0'}, None)
    """
    low = unaccented(plain(text))
    if (one := _one(low)) is not None:
        return Understood({"grade": one}, "" if one == text else "grade")
    pieces = [p.strip() for p in re.split(r"[,;/+|]|\band\b|\bund\b", low) if p.strip()]
    parts: dict[str, str] = {}
    for piece in pieces:
        kind, grade = _kind(piece), _one(piece)
        if kind is None or grade is None or kind in parts:
            return None
        parts[kind] = grade
    return Understood(parts, "a grade for each kind") if parts else None


def _kind(piece: str) -> str | None:
    return next((name for word, name in KINDS.items() if re.search(rf"\b{word}\b", piece)), None)


def _one(low: str) -> str | None:
    bare = re.sub(r"^(?:crs|icans|nt)\s*[:=]?\s*|\s*(?:crs|icans)$", "", low).strip()
    if bare.replace(" ", "-") in _NONE or bare in _NONE:
        return str(GRADES[0])
    match = _GRADE.fullmatch(low)
    return _ROMAN.get(match[1], match[1]) if match else None

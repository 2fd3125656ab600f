"""Cell doses as centres write them: the number, and whether it is per kg of body weight, in all, or unsaid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from reinfuse.sources.values.understood import number_text, plain, unaccented
from reinfuse.tabular.cell_parsing import Read, read_number

Per = Literal["kg", "total", ""]
"""``kg``: cells per kg of body weight; ``total``: all cells; empty: not said."""

_FACTORS = {
    "k": 1e3, "tsd": 1e3, "thousand": 1e3, "thou": 1e3, "tausend": 1e3,
    "m": 1e6, "mio": 1e6, "mill": 1e6, "million": 1e6, "millions": 1e6, "millionen": 1e6, "millones": 1e6, "mln": 1e6,
    "mm": 1e6, "bn": 1e9, "mrd": 1e9, "milliarden": 1e9, "milliarde": 1e9, "milliards": 1e9,
}  # fmt: skip
_PER_KG = re.compile(r"(?:/|\bper\b|\bpro\b|\bpar\b|\bpor\b)\s*kg(?:\s*(?:kg|bw|kgkg|b\.?w\.?))?\b|\bkg\s*(?:\^?-1|⁻¹)")
_TOTAL = re.compile(r"\b(?:total|tot|flat(?: dose)?|absolute?|gesamt(?:dosis|zahl)?|fixed(?: dose)?|totale?s?)\b")
_CELLS = re.compile(
    r"\b(?:car[ -]?t?[ +-]*(?:positive)?|viable|vitale?|transduced|live|t|cd3\+?|cd19|anti-cd19)\b\s*\+?\s*"
    r"(?=.*\b(?:cells?|zellen|cellules|celulas)\b)"
    r"|\b(?:cells?|zellen|cellules|celulas|car-?t|car\+)\b\.?"
)
_LITERAL_POWER = re.compile(r"(?:^|[x×*·\s])10\s*e\s*\+?\d", re.IGNORECASE)
"""``10e6`` is 1e7 by the letter, and mostly meant as 1e6."""
_HEADER_POWER = re.compile(r"(?<![\d.])10\s*e\s*\+?(?=\d)|(?<=x)10(?=[6-9]\b)|(?<=x )10(?=[6-9]\b)")
"""No number stands before it in a header, so that ``10e6`` and ``x 106`` there are the unit."""
_E_PER_KG = re.compile(r"\be(\d{1,2})\s*/?\s*kg\b")
_POWER_FIRST = re.compile(r"[x×*·]?\s*10\s*(?:\^|\*\*)\s*\(?(\d{1,2})\)?")
_E = re.compile(r"1e\+?(\d{1,2})")
_DECIMAL_COMMA = re.compile(r"^(\d+),(\d{1,2}|\d{4,})(?=\s*[x×*·]\s*10)")
_IN_PARTS = re.compile(
    r"\b(?:split|fractionated|in [2-4] (?:doses|fractions|parts))\b.*$|\b(?:d(?:ay)?\s?\d+\s*[/,&+]?\s*)+$"
)
"""That a dose was given in parts, and on which days: ``410x10^6 split d1/d10``."""
_UPPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_NEVER_PER_KG = 3.1e7
"""Cells per kg that nobody was given: 3e7 was the highest dose (Brentjens 2011)."""
POSSIBLE_PER_KG = (1e4, 1e9)
"""Cells per kg between which every dose lies; others come of a wrong unit, or of all cells taken for those per kg."""
_OWN = 1e5
"""A number from here on is no count of millions: it carries its own magnitude."""


@dataclass(frozen=True, slots=True)
class WrittenDose:
    """A dose in cells; `per` says of what."""

    cells: float
    per: Per
    how: str = ""


@dataclass(frozen=True, slots=True)
class DoseUnit:
    """Cells that a plain number stands for, and of what."""

    factor: float
    per: Per

    def __str__(self) -> str:
        """Return it as a map spells it: ``1e6 cells/kg``."""
        factor = "" if self.factor == 1 else f"1e{len(str(int(self.factor))) - 1} "
        return f"{factor}cells{'/kg' if self.per == 'kg' else ''}"


def dose_unit(text: str) -> DoseUnit | None:
    """Read the unit of doses, alone (``1e6 cells/kg``) or in a header (``Dose (x10^6/kg)``); None if it names none.

    Examples
    --------
    >>> str(dose_unit("CAR-T dose (x10^6/kg)")), str(dose_unit("Zelldosis [Mio]")), dose_unit("dose")
    ('1e6 cells/kg', '1e6 cells', None)
    """
    low = _HEADER_POWER.sub("10^", _E_PER_KG.sub(r"10^\1/kg", _plain(text.replace("_", " "))))
    per: Per = "kg" if _PER_KG.search(low) else "total" if _TOTAL.search(low) else ""
    factor = 1.0
    if power := _POWER_FIRST.search(low) or _E.search(low):
        factor = 10.0 ** int(power[1])
    else:
        words = re.findall(r"[a-z]+", _PER_KG.sub(" ", low))
        factors = {_FACTORS[w] for w in words if w in _FACTORS and len(w) > 1}
        factor = factors.pop() if len(factors) == 1 else 1.0
    named = factor != 1.0 or per or re.search(r"\bcells?\b|zellen", low)
    return DoseUnit(factor, per) if named else None


def is_possible_per_kg(cells: float) -> bool:
    """Tell whether a number of cells per kg can be a dose, from 1e4 to 1e9."""
    return POSSIBLE_PER_KG[0] <= cells <= POSSIBLE_PER_KG[1]


def names_unit_alone(text: str) -> bool:
    """Tell whether a text is the unit of a dose, of what it is said, and nothing else: ``10^6/kg``, ``10^6 total``.

    Examples
    --------
    >>> names_unit_alone("10^6 total"), names_unit_alone("x10⁶ cells/kg"), names_unit_alone("2 x 10^6/kg")
    (True, True, False)
    """
    unit = dose_unit(text)
    if unit is None or not unit.per:
        return False
    low = _HEADER_POWER.sub("10^", _E_PER_KG.sub(r"10^\1/kg", _plain(text.replace("_", " "))))
    for pattern in (_PER_KG, _TOTAL, _CELLS):
        low = pattern.sub(" ", low)
    low = re.sub(r"^\s*(?:[x×*·]?\s*10\s*(?:\^|\*\*)\s*\(?\d{1,2}\)?|1e\+?\d{1,2})", " ", low)
    return all(word in _FACTORS for word in re.findall(r"[^\W_]+", low))


def read_dose(text: str, *, unit: str = "", mark: str | None = None) -> WrittenDose | None:
    """Read a dose.

    Parameters
    ----------
    text
        One cell: ``2e6``, ``2 x 10^6``, ``200k/kg``, ``120 Mio``, ``1,2 Mio/kg``, ``150 million CAR+ cells``.
    unit
        That of the map, for plain numbers. A number with a magnitude of its own is not multiplied again, and among
        plain numbers per kg it may be of all cells: ``120 Mio`` below ``x10^6/kg``. A cell's own ``/kg`` or ``total``
        prevails.
    mark
        Decimal mark of the column (`tabular.cell_parsing.decimal_mark`).

    Returns
    -------
    Dose or None
        None where the text is not understood; ``2 x 10e6`` has two readings.

    Examples
    --------
    >>> read_dose("1.2 Mio/kg"), read_dose("120 Mio").per, read_dose("2", unit="1e6 cells/kg").cells
    (WrittenDose(cells=1200000.0, per='kg', how='dose with its unit'), '', 2000000.0)
    """
    low = _plain(text)
    if _LITERAL_POWER.search(low):
        return None
    per: Per = "kg" if _PER_KG.search(low) else "total" if _TOTAL.search(low) else ""
    bare = _TOTAL.sub(" ", _PER_KG.sub(" ", _IN_PARTS.sub(" ", low)))
    bare = " ".join(_CELLS.sub(" ", bare).replace("(", " ").replace(")", " ").split()).strip(" .,;:=")
    bare = _DECIMAL_COMMA.sub(r"\1.\2", bare)
    factor, own = 1.0, False
    if match := re.fullmatch(r"(.*?\d)\s*([a-z]+)\.?", bare):
        if match[2] not in _FACTORS:
            return None
        bare, factor, own = match[1].strip(), _FACTORS[match[2]], True
    number = read_number(bare, mark)
    if not isinstance(number.value, float) or number.value < 0:
        return None
    declared = dose_unit(unit) if unit else None
    strange = (own or _has_magnitude(number)) and number.value * factor >= _NEVER_PER_KG
    own = own or _has_magnitude(number)
    if declared and not own:
        factor = declared.factor
    if declared and not per and not (strange and declared.per == "kg"):
        per = declared.per or "total"
    cells = float(number_text(number.value * factor))
    plain_number = bare == text.strip() and factor == 1
    return WrittenDose(
        cells, per, "" if plain_number else f"{unit} to cells" if declared and not own else "dose with its unit"
    )


def _has_magnitude(number: Read) -> bool:
    return number.how == "power of ten" or (isinstance(number.value, float) and number.value >= _OWN)


def _plain(text: str) -> str:
    return re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: "^" + m[0].translate(_UPPER), _without_accents(text))


def _without_accents(text: str) -> str:
    """Return a text in lower case without accents; raised digits stay raised, so that 10⁶ is not read as 106."""
    raised = plain(text)
    return "".join(c if c in "⁰¹²³⁴⁵⁶⁷⁸⁹" else unaccented(c) for c in raised)

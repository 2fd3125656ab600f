"""What was understood of one cell, and the small cleaning that all readers of cells share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from reinfuse.tabular.cell_parsing import clean


@dataclass(frozen=True, slots=True)
class Understood:
    """What one cell says.

    Attributes
    ----------
    parts
        Column of the cohort -> text in the contract's spelling: a date in ISO form, a dose as a plain number. A date
        without day or month is cut short: ``2019-03``, ``2019``. Empty where the cell stands for a missing value. A
        compound cell has several: ``CR MRD-`` has `response` and `mrd`; `day` counts from the infusion.
    how
        How it was read, in words, for `provenance.csv`; empty where the text stands as it was.
    """

    parts: Mapping[str, str]
    how: str = ""


MISSING_CELL = Understood({}, "missing")

_SPELT_OUT = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "æ": "ae", "å": "a", "ł": "l", "đ": "d", "ı": "i",
})  # fmt: skip
_DASHES = re.compile("[‐‑‒–—−﹣－]")
_CHARACTER_DATE = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月(?:\s*(\d{1,2})\s*[日号])?")
_NO_WORDS = frozenset(
    "nicht-dokumentiert nicht-bekannt k.a. ka keine-angabe unbekannt nicht-erhoben nicht-durchgefuehrt inconnu "
    "non-fait desconocido no-disponible n/d s/d n.b. nd n.v.t. onbekend sconosciuto desconhecido desconhecida "
    "desconocida okaend ukendt "
    "ukjent nieznany niet-gedaan no-hecha no-hecho non-fatto nao-feito nao-realizado ej-utfoerd ikke-utfoert "
    "not-recorded "
    "not-reported not-documented not-available not-sent not-tested "
    "b.d. brak-danych 不详 未查 未知 不明 缺失 未評価 pdte pdte. pendiente".split()
)  # fmt: skip


def plain(text: str) -> str:
    """Return a text in lower case with plain dashes and single spaces.

    Examples
    --------
    >>> plain("  CR – MRD−  ")
    'cr - mrd-'
    """
    if "年" in text:
        text = _CHARACTER_DATE.sub(_dashed, text)
    return clean(_DASHES.sub("-", text)).casefold()


def _dashed(match: re.Match[str]) -> str:
    return "-".join(part.zfill(2) for part in match.groups() if part)


def unaccented(text: str) -> str:
    """Return a text without accents; ä, ö, ü become ae, oe, ue as they are written without.

    Examples
    --------
    >>> unaccented("männlich"), unaccented("décédé")
    ('maennlich', 'decede')
    """
    if text.isascii():
        return text
    text = text.translate(_SPELT_OUT)
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def is_foreign_missing(text: str) -> bool:
    """Tell whether a text says in another language that nothing is known."""
    return unaccented(plain(text)).replace(" ", "-") in _NO_WORDS


def number_text(number: float) -> str:
    """Return a number as a plain text, without the dust of its last bits.

    Examples
    --------
    >>> number_text(2e6), number_text(0.07 * 1e6), number_text(0.00001)
    ('2000000', '70000', '1e-05')
    """
    rounded = float(f"{number:.12g}")
    return str(int(rounded)) if rounded.is_integer() else repr(rounded)

"""A sheet that explains the columns of the others: what each is called, and what its codes mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from reinfuse.sources.source_table import UNDESCRIBED, SourceTable
from reinfuse.sources.values.understood import plain
from reinfuse.tabular.cell_parsing import is_missing

_FEWEST, _MOST = 3, 0.5
"""Headers that a codebook explains: so many, and this share of the names in it."""
_CODE = r"-?[\w.+<>-]{1,12}?"
_PAIR = re.compile(rf"\s*({_CODE})\s*[=:]\s*((?:(?!,\s*{_CODE}\s*=)[^;|\n])+),?")
_CHOICE = re.compile(rf"\s*({_CODE})\s*,\s*(.*\S)\s*")
"""A choice as REDCap lists them: ``1, ALL | 2, CLL``."""
_OF_INFUSION = re.compile(r"[_ .-]?(?:cart|car|ct|inf|infusion)?[_ .-]?[1-5]$", re.IGNORECASE)
"""Ends the header of a column of one infusion, which a codebook may explain for all of them: ``LD_cart1`` by ``LD``."""
_CODES = frozenset({"code", "codes", "value", "values", "wert", "kode", "codigo", "valeur"})
_EVERY = frozenset({"all", "any", "every", "alle", "todas", "toutes"})
Rows = Sequence[Sequence[str]]
_Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Codebook:
    """What a sheet says of columns: their labels and codes, each under a name that may hold a placeholder.

    Attributes
    ----------
    missing
        Codes that stand for missing data in any column.
    """

    labels: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]]
    missing: tuple[str, ...] = ()

    def name_for(self, header: str) -> str:
        """Return the name under which the codebook has a header; nothing where it has none."""
        names = dict.fromkeys((*self.labels, *self.codes))
        spellings = (header, _OF_INFUSION.sub("", header))
        return next((n for spelt in spellings for n in names if any(p.fullmatch(spelt) for p in _patterns(n))), "")


def codebook_of(rows: Rows, tables: Iterable[SourceTable]) -> Codebook | None:
    """Return what the rows of a sheet say of the columns of the tables, or None where it is no codebook."""
    headers = [c.header for t in tables for c in t.columns]
    if len(rows) <= _FEWEST or len(rows[0]) < 2:
        return None
    named = [_explained([row[j] for row in rows[1:]], headers) for j in range(len(rows[0]))]
    place = max(range(len(named)), key=lambda j: named[j])
    names = _filled_down([row[place] for row in rows[1:]])
    if named[place] < max(_FEWEST, _MOST * len(set(names))):
        return None
    others = {j: [row[j] for row in rows[1:]] for j in range(len(rows[0])) if j != place}
    return _read(rows[0], names, others=others)


def with_codebook(table: SourceTable, book: Codebook) -> SourceTable:
    """Return a table whose columns bear what a codebook says of them."""
    columns = []
    for column in table.columns:
        name = book.name_for(column.header)
        codes = dict(book.codes.get(name, {}))
        declared = "" if codes and column.declared == UNDESCRIBED else column.declared
        columns.append(replace(column, label=book.labels.get(name, ""), choices=codes, declared=declared))
    return replace(table, columns=tuple(columns))


def _explained(names: Sequence[str], headers: Sequence[str]) -> int:
    """Return how many different names stand for a header."""
    spelt = {*headers, *(_OF_INFUSION.sub("", h) for h in headers)}
    return sum(any(p.fullmatch(h) for p in _patterns(n) for h in spelt) for n in set(names) if n.strip())


@cache
def _patterns(name: str) -> tuple[re.Pattern[str], ...]:
    """Return what a name of a codebook stands for: ``ct*_dt``, ``INFnDT`` and ``crs_max / icans_max`` for several."""
    pieces = [p.strip() for p in re.split(r"\s+/\s+|,\s*", name) if p.strip()]
    wild = (re.sub(r"(?<=[A-Z\d_])[nx](?=[A-Z_]|$)|[*#]|[\[<(][nx#][\])>]", "\0", p) for p in pieces)
    return tuple(re.compile(r"\d{1,2}".join(map(re.escape, p.split("\0"))), re.IGNORECASE) for p in wild)


def _filled_down(names: Sequence[str]) -> list[str]:
    out: list[str] = []
    for name in names:
        out.append(name.strip() or (out[-1] if out else ""))
    return out


def _read(header: Sequence[str], names: Sequence[str], *, others: Mapping[int, Sequence[str]]) -> Codebook:
    rest, per_row = _pairs_of(header, others)
    labels: dict[str, str] = {}
    codes: dict[str, dict[str, str]] = {}
    missing: list[str] = []
    for i, name in enumerate(names):
        label = next((others[j][i].strip() for j in rest if len(others[j][i].strip()) > 1), "")
        if label and name:
            labels.setdefault(name, label)
        for one, means in _spelt_out(per_row[i]):
            if plain(name) in _EVERY:
                missing += [one] if is_missing(means) or "missing" in plain(means) else []
            elif name:
                codes.setdefault(name, {})[one] = "" if "missing" in plain(means) else means
    return Codebook(labels, codes, tuple(missing))


def _pairs_of(header: Sequence[str], others: Mapping[int, Sequence[str]]) -> tuple[list[int], list[_Pairs]]:
    """Return the columns that may hold labels, and the codes of each row with their meanings."""
    together = next((j for j, texts in others.items() if _mostly_pairs(texts)), None)
    if together is not None:
        pairs = [_choices(t) or [(m[1], m[2].strip()) for m in _PAIR.finditer(t)] for t in others[together]]
        return [j for j in others if j != together], pairs
    code = next((j for j in others if set(re.findall(r"[a-z]+", plain(header[j]))) & _CODES), None)
    if code is None:
        return list(others), [[] for _ in next(iter(others.values()))]
    coded = [i for i, text in enumerate(others[code]) if text.strip()]
    filled = (j for j in sorted(others, reverse=True) if j != code and coded and others[j][coded[0]].strip())
    meaning = next(filled, code)
    means = [(others[code][i].strip(), others[meaning][i].strip()) for i in range(len(others[code]))]
    return [j for j in others if j not in (code, meaning)], [[one] if all(one) else [] for one in means]


def _spelt_out(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield codes with their meanings; a range such as ``0-4`` means itself, but for what stands beside it."""
    for one, means in pairs:
        if re.fullmatch(r"\d+\s*[-–]\s*\d+", one):
            yield from ((m[1], m[2].strip()) for m in _PAIR.finditer(means.replace(";", "\n")) if "=" in m[0])
        else:
            yield one, means


def _mostly_pairs(texts: Sequence[str]) -> bool:
    filled = [t for t in texts if t.strip()]
    pairs = sum(bool(_choices(t)) or (bool(_PAIR.match(t)) and "=" in t) for t in filled)
    return bool(filled) and pairs >= _MOST * len(filled)


def _choices(text: str) -> _Pairs:
    """Return codes and meanings of choices with a stroke between them; none where the text is no such list."""
    matches = [_CHOICE.fullmatch(piece) for piece in text.split("|")]
    return [(m[1], m[2]) for m in matches if m] if len(matches) > 1 and all(matches) else []


def remark(sheet: str, tables: Iterable[SourceTable]) -> Iterator[str]:
    """Yield how many columns a codebook explains."""
    count = sum(bool(c.label or c.choices) for t in tables for c in t.columns)
    yield f"sheet {sheet!r} explains {count} columns: their codes are read as it says"

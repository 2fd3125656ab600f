"""What the cells of a column speak for: the share of them that is understood as a column of the cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from reinfuse.sources.propose.concepts import DOSE_UNIT, Concept
from reinfuse.sources.source_table import SourceColumn, SourceTable
from reinfuse.sources.values import understand
from reinfuse.sources.values.dates import read_source_date, readings
from reinfuse.sources.values.doses import dose_unit
from reinfuse.sources.values.understood import plain, unaccented
from reinfuse.sources.values.units import time_unit
from reinfuse.sources.values.vital_status import DEAD, WORDS, read_vital_status
from reinfuse.sources.values.words import YES_NO
from reinfuse.tabular.cell_parsing import Dialect, clean, decimal_mark, is_missing

_MOST = 300
"""Distinct texts that are looked at."""
_SAID_IN_WORDS = ("response", "result", "grade", "reason", "diagnosis", "sex")
_AS_DATES = ("PD", "allo-HCT")
"""Events of which a column holds the date, or says that there was none."""
_CODES = 9
"""A whole number up to it may be a code."""


@dataclass(frozen=True)
class ColumnCells:
    """The filled cells of one column: the most frequent texts, how often each stands there; and how many are filled."""

    column: SourceColumn
    counts: Mapping[str, int]
    rows: int
    filled: int
    dialect: Dialect = "point"
    missing: tuple[str, ...] = ()
    """Texts that stand for missing values, each once."""

    @cached_property
    def mark(self) -> str | None:
        """Decimal mark that the texts show."""
        return self.column.decimal_mark or decimal_mark(self.counts, self.dialect)

    @cached_property
    def seen(self) -> int:
        """Number of filled cells whose texts are looked at."""
        return sum(self.counts.values())

    @property
    def is_unique(self) -> bool:
        """Whether no text occurs twice."""
        return all(n == 1 for n in self.counts.values())

    def said(self, text: str) -> str:
        """Return the label of a code, where the dictionary has one."""
        return self.column.choices.get(text, text)

    def share(self, concept: Concept) -> float | None:
        """Return the share of filled cells that are understood as that concept; None where no cell is filled."""
        if not self.counts:
            return None
        if concept.key not in self._shares:
            self._shares[concept.key] = self._share(concept)
        return self._shares[concept.key]

    @cached_property
    def _shares(self) -> dict[str, float | None]:
        return {}

    def _share(self, concept: Concept) -> float | None:
        if concept.column == "patient_id":
            return self._identifies()
        if concept.role == "status" and are_initials(self.counts):
            return 1.0
        if concept.role in _AS_DATES:
            idle: tuple[str, ...] = tuple(t for t in self.counts if YES_NO.get(plain(t)) == "no" or t in "+-")
        else:
            idle = (
                () if concept.table == "mrd" or concept.role == "status" else ("-", "+")
            )  # signs of a result, or no value
        meant = {t: n for t, n in self.counts.items() if t not in idle and not self._says_nothing(concept, t)}
        fits = sum(n for text, n in meant.items() if self.fits(concept, self.said(text)))
        return fits / sum(meant.values()) if meant else None

    def _says_nothing(self, concept: Concept, text: str) -> bool:
        """Tell whether a text says in words that nothing is known, which speaks neither for a concept nor against."""
        if concept.role or concept.is_date or concept.column not in _SAID_IN_WORDS:
            return False
        said = understand(_name(concept), self.said(text), mark=self.mark)
        return said is not None and not said.parts

    def fits(self, concept: Concept, text: str) -> bool:
        """Tell whether a text is understood as that concept."""
        if concept.role == "status":
            return is_status(text) or _tells_death(text)
        if concept.role == "censored":
            return text in ("0", "1") or unaccented(plain(text)) in YES_NO
        if concept.is_date:
            onset = concept.kind and concept.column == "date" and text.isdigit() and int(text) <= 60
            return is_date(text) or bool(onset) or (concept.table == "patients" and _dated_status(text))
        if concept.target == DOSE_UNIT:
            return bool((unit := dose_unit(text)) and unit.per)
        if concept.target == "weight":
            meaning = understand("age_years", text, mark=self.mark)
            return bool(meaning and meaning.parts and 2 <= float(meaning.parts["age_years"]) <= 250)
        if concept.column in ("product", "histology", "therapy"):
            return not is_date(text) and not _is_number(text, self.mark) and plain(text) not in YES_NO
        if concept.kind == "NT" and self._says_icans:
            return False
        if concept.target == "counts.unit":
            return bool(understand("counts.unit", text))
        orders = ("dmy", "mdy") if concept.target in ("responses.response", "mrd.result") else ("",)
        read = (understand(_name(concept), text, mark=self.mark, order=order) for order in orders)
        meaning = next((m for m in read if m), None)
        return bool(meaning and meaning.parts and _in_range(concept, text, parts=meaning.parts))

    @cached_property
    def _says_icans(self) -> bool:
        """Whether a text calls what it grades ICANS, whatever the column is called."""
        return any("icans" in plain(t) for t in self.counts)

    @property
    def are_codes(self) -> bool:
        """Whether all of them are small whole numbers."""
        return bool(self.counts) and all(t.isdigit() and int(t) <= _CODES for t in self.counts)

    @cached_property
    def worded(self) -> float:
        """Share of the filled cells that are words: neither dates nor numbers."""
        words = sum(n for t, n in self.counts.items() if not is_date(t) and not _is_number(t, self.mark))
        return words / self.seen if self.counts else 0.0

    @cached_property
    def dates(self) -> float:
        """Share of the filled cells that are dates, in whatever order."""
        return sum(n for t, n in self.counts.items() if is_date(t)) / self.seen if self.counts else 0.0

    @cached_property
    def dates_or_none(self) -> float:
        """Share of the filled cells that are dates, without those that say that there was none."""
        told = {t: n for t, n in self.counts.items() if YES_NO.get(plain(t)) != "no"}
        return sum(n for t, n in told.items() if is_date(t)) / sum(told.values()) if told else 0.0

    def _identifies(self) -> float:
        dated = self.dates > 0.2
        decimal = sum(n for t, n in self.counts.items() if "." in t and _is_number(t, ".")) / self.seen > 0.2
        return 0.0 if dated or decimal else self.filled / max(self.rows, 1)


def cells_of(
    table: SourceTable, column: SourceColumn, *, dialect: Dialect = "point", missing: Container[str] = ()
) -> ColumnCells:
    """Gather the filled cells of a column; `missing`: texts that stand for missing data there."""
    counts: Counter[str] = Counter()
    unsaid = []
    for text, times in Counter(table.texts(column.header)).items():
        cell = clean(text)
        if cell and cell not in missing and (not is_missing(cell) or cell in "+-"):
            counts[cell] += times
        elif cell and cell not in missing:
            unsaid.append(cell)
    return ColumnCells(
        column, dict(counts.most_common(_MOST)), len(table.rows), counts.total(), dialect, tuple(dict.fromkeys(unsaid))
    )


def is_date(text: str) -> bool:
    """Tell whether a text is a date, in whatever order, or a month or a year; a number that Excel may mean is none."""
    if text.isdigit() and len(text) != 8:
        return len(text) == 4 and text[:2] in ("19", "20")
    return bool(readings(text)) or read_source_date(text) is not None


def are_initials(texts: Iterable[str]) -> bool:
    """Tell whether texts are ``A`` and ``D`` alone: alive and dead."""
    return {t.casefold() for t in texts} == {"a", "d"}


def is_status(text: str) -> bool:
    """Tell whether a text says dead or alive, yes or no."""
    low = unaccented(plain(text))
    if low in WORDS or low in YES_NO:
        return True
    status = None if is_date(text) else read_vital_status(text)
    return status is not None and "date" not in status.parts


def _dated_status(text: str) -> bool:
    """Tell whether a text says dead or alive with a date: ``died 12 May 2021``."""
    return any((s := read_vital_status(text, order=o)) and "date" in s.parts for o in ("dmy", "mdy"))


def _tells_death(text: str) -> bool:
    """Tell whether a text says dead, with the day or the cause: ``dead 8/5/2023 - PD``."""
    return any((s := read_vital_status(text, order=o)) and s.parts.get("status") == DEAD for o in ("dmy", "mdy"))


def _name(concept: Concept) -> str:
    if concept.table == "toxicities" and concept.column == "grade":
        return "grade"
    return f"{concept.table}.{concept.column}"


def _in_range(concept: Concept, text: str, *, parts: Mapping[str, str]) -> bool:
    """Tell whether numbers are possible ones; a plain small number is no diagnosis and no dose in cells."""
    if concept.column == "prior_lines":
        return float(parts["prior_lines"]) <= 30
    if concept.column == "age_years":
        return 0 < float(parts["age_years"]) <= 110
    if concept.column == "infusion":
        return 1 <= int(parts["infusion"]) <= 9
    if concept.column == "diagnosis":
        return not is_date(text) and len(text) <= 60
    if concept.column == "dose_cells_per_kg":
        return not is_date(text)
    if concept.target == "mrd.result":
        return "result" in parts or "value" in parts
    if concept.column.endswith("_days"):
        return float(parts[concept.column]) >= 0
    return True


def _is_number(text: str, mark: str | None) -> bool:
    meaning = understand("age_years", text, mark=mark)
    return bool(meaning and meaning.parts)


def header_unit(column: SourceColumn) -> str:
    """Return the unit of time that a header or its label names, or nothing."""
    return time_unit(column.header) or time_unit(column.label) or ""

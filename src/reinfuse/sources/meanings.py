"""What the texts of one column mean to one line of a map: each different text is understood once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from reinfuse.cohort.schema import TABLES, WIDE, Column
from reinfuse.sources.ages import UNTOLD_DAY
from reinfuse.sources.dose_answers import DOSE, is_unlikely, read_answer, says_total
from reinfuse.sources.gaps import Kind
from reinfuse.sources.source_map import MISSING_CODES, OPEN, Answer, Block, Field, SourceMap
from reinfuse.sources.values import understand
from reinfuse.sources.values.dates import DATES, completed, dates_within, depends_on_order
from reinfuse.sources.values.responses import told_beside
from reinfuse.sources.values.understood import number_text
from reinfuse.sources.values.vital_status import is_alive
from reinfuse.tabular.cell_parsing import clean, is_fault, is_missing

_NOT_KNOWN = frozenset({"?", "unknown", "missing", "not available"})
_PARTIAL_DATE = re.compile(r"\d{4}(?:-\d{2})?")
_GROUPS = ("ALL", "CLL", "NHL")
"""Diagnoses that are groups of diseases: a word for one of them is kept as the histology."""
_DATED = ("date", "when")
_LARGEST_PER_KG, _LARGEST_IN_WORDS = 5e7, 1e7
_PLAIN_NUMBER = re.compile(r"[\d.,' ]+(?:[eE]\+?\d+)?")
_DAY = "responses.day"
"""As which a number of days after an infusion is understood."""
_BIRTH = "birth"
"""As which a date of birth is understood."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one text means.

    Attributes
    ----------
    parts
        Column of the cohort -> text in the contract's spelling.
    rule
        How it was read, in words.
    gap
        Why it was not, as `Gaps` calls it.
    """

    parts: Mapping[str, str] = field(default_factory=dict)
    rule: str = ""
    gap: Kind = ""


class Meanings:
    """The meanings of texts to one line of a map.

    Parameters
    ----------
    filled
        The line.
    column
        The cohort's column, and its table before it: ``responses.date``.
    dictionary
        Name of the dictionary of values.
    source_map
        Dictionaries, and the order of dates.
    mark
        Decimal mark of the source's column.
    """

    def __init__(self, filled: Field, column: str, *, dictionary: str, source_map: SourceMap, mark: str | None) -> None:
        self.filled, self.column, self.dictionary, self.mark = filled, column, dictionary, mark
        self.name = column.rpartition(".")[2]
        self.declared = declared(column)
        self._subject = self._subject_of(column.partition(".")[0])
        words = source_map.values.get(dictionary, {})
        self._words = {**{clean(w).casefold(): a for w, a in words.items()}, **{clean(w): a for w, a in words.items()}}
        self._missing = source_map.values.get(MISSING_CODES, {})
        self._order = next((o for o in (filled.order, source_map.date_order) if o and o != OPEN), "")
        self._pattern = _pattern(filled.pattern) if filled.pattern else None
        self._cache: dict[str, Meaning] = {}
        self._cells: dict[str, Meaning] = {}

    def _subject_of(self, table: str) -> str:
        """Return the cohort's column as which a cell is understood: of a part, that of the dictionary."""
        if self.filled.until:
            return _BIRTH
        if not self.filled.part and not self.filled.after:
            return self.column
        owner = next((t.name for t in TABLES.values() if t.column(self.dictionary)), "")
        here = table in TABLES and TABLES[table].column(self.dictionary) is not None
        if self.dictionary == self.name and self.filled.after:
            return _DAY
        return f"{table if here else owner}.{self.dictionary}" if here or owner else self.column

    def of(self, text: str) -> Meaning:
        """Return what a cell's text means."""
        meaning = self._cache.get(text)
        if meaning is None:
            meaning = self._cache[text] = self._read(clean(text))
        return meaning

    def _read(self, text: str) -> Meaning:
        if not text:
            return Meaning()
        answer = self._words.get(text, self._words.get(text.casefold()))
        if answer is not None:
            return self._answered(answer, text)
        if (code := self._missing.get(text)) is not None:
            return self._missing_code(code)
        if self.filled.const is not None:
            return Meaning({self.name: self.filled.const}, "constant of the map where the cell is filled")
        inner, rule = text, ""
        if self._pattern is not None:
            match = self._pattern.fullmatch(text)
            if match is None:
                return Meaning(rule="missing") if is_missing(text) else Meaning(gap="unmatched")
            inner, rule = match[1], f"matches {self.filled.pattern!r}"
        return self._understood(inner, rule)

    def _understood(self, inner: str, rule: str) -> Meaning:
        """Return what a text means that no dictionary and no constant of the map speaks of."""
        if is_fault(inner):
            return Meaning(gap="fault")
        if self.declared is not None and _says_otherwise(inner, self.declared):
            return Meaning(gap="unread")
        if self.declared is None and not self.filled.part and not self.filled.after:
            return Meaning({self.name: inner}, rule)
        meaning = understand(self._subject, inner, unit=self.filled.unit, order=self._order, mark=self.mark)
        if meaning is None and self._subject == _DAY:
            meaning = understand("responses.date", inner, order=self._order)
        if meaning is None:
            ambiguous = not self._order and any(map(depends_on_order, dates_within(inner)))
            ambiguous = ambiguous and (
                depends_on_order(inner) or understand(self._subject, inner, order="dmy") is not None
            )
            return Meaning(gap="order" if ambiguous else "unread")
        parts = meaning.parts
        if self.name.endswith(DOSE) and _is_perhaps_total(inner, parts.get(self.name)):
            if self.filled.unit and _PLAIN_NUMBER.fullmatch(inner):
                return Meaning(gap="unsaid")  # its size alone does not say that it is of all cells
            parts = {"dose": parts[self.name]}
        return Meaning(parts, "; ".join(r for r in (rule, meaning.how) if r))

    def _answered(self, answer: Answer, text: str) -> Meaning:
        rule = f"value of the map ({self.dictionary})"
        parts = {self._main: answer} if isinstance(answer, str) else dict(answer)
        if self.name.endswith(DOSE) and isinstance(answer, str) and answer not in ("", OPEN):
            return self._answered_dose(answer, rule)
        if self.dictionary == "death" and isinstance(answer, str) and is_alive(answer):
            parts = {}
        if self.dictionary == "diagnosis" and isinstance(answer, str) and answer in _GROUPS:
            parts |= {"histology": text} if text.casefold() != answer.casefold() else {}
        if self.dictionary == "response" and isinstance(answer, str) and answer not in ("", OPEN):
            parts = {**told_beside(text, order=self._order), **parts}
        if OPEN in parts.values():
            return Meaning(gap="open")
        return Meaning({part: text for part, text in parts.items() if text}, rule)

    def _answered_dose(self, answer: str, rule: str) -> Meaning:
        """Return the dose that a person answered: of all cells or per kg, as the answer says, else as the column is."""
        dose = read_answer(answer)
        if dose is None:
            return Meaning(gap="unread")
        total = says_total(self.filled)
        if is_unlikely(answer, total=total):
            return Meaning(gap="high")
        if not dose.per:
            return Meaning(gap="answer") if total else Meaning({self.name: answer}, rule)
        return Meaning({"dose_cells" if dose.per == "total" else self.name: number_text(dose.cells)}, rule)

    def _missing_code(self, answer: Answer) -> Meaning:
        """Return what a code of missing data means; one that is open is told once, and not with each cell."""
        rule = f"value of the map ({MISSING_CODES})"
        return Meaning({self.name: answer} if isinstance(answer, str) and answer not in ("", OPEN) else {}, rule)

    @property
    def _main(self) -> str:
        """The part that a dictionary's plain text stands for."""
        inherited = not self.filled.values and self.dictionary != self.name
        own = not self.filled.part or (self.filled.part == self.name and not inherited)
        plain_line = own and not self.filled.after
        return self.name if plain_line else self.dictionary

    def cell(self, text: str) -> Meaning:
        """Return the text of a cell's own part, as a meaning with one part: the column."""
        meaning = self._cells.get(text)
        if meaning is None:
            meaning = self._cells[text] = self._own(text)
        return meaning

    def _own(self, text: str) -> Meaning:
        meaning = self.of(text)
        if meaning.gap or not meaning.parts:
            return meaning if meaning.gap or not clean(text) or meaning.rule else Meaning(rule="missing")
        parts = meaning.parts
        if self.name == "death" and parts.get("status") == "dead" and "death" not in parts:
            return Meaning(gap="undated")
        wanted = (self.filled.part,) if self.filled.part else self._own_parts()
        value = next((parts[p] for p in wanted if p in parts), "")
        if not value:
            return self._other_dose(meaning)
        return self.completed(value, meaning)

    def _own_parts(self) -> tuple[str, ...]:
        if self.filled.until:
            return ("date",)
        kind = self.declared.kind if self.declared else "text"
        return (self.name, *(("date",) if kind == "date" else ("value",) if kind == "number" else ()))

    def _other_dose(self, meaning: Meaning) -> Meaning:
        """Refuse a dose that is no dose per kg; other cells that tell nothing of this column are empty."""
        if self.name.endswith(DOSE) and "dose_cells" in meaning.parts:
            return Meaning(gap="total")
        if self.name.endswith(DOSE) and "dose" in meaning.parts:
            return Meaning(gap="unsaid")
        return Meaning(rule="the cell tells nothing of it")

    def completed(self, value: str, meaning: Meaning) -> Meaning:
        """Return a date with its day; of other columns, the value as it is."""
        dated = self.filled.part == "date" or bool(self.filled.until)
        is_date = dated or (self.declared is not None and self.declared.kind in _DATED)
        if not is_date or not _PARTIAL_DATE.fullmatch(value):
            return Meaning({self.name: value}, meaning.rule)
        try:
            day = completed(value, self.filled.partial or "refuse")
        except ValueError:  # a month that the map's dictionary made up
            return Meaning(gap="unread")
        if day is None and self.filled.until:
            return Meaning(rule=UNTOLD_DAY)
        if day is None:
            return Meaning(gap="partial")
        rule = f"{value}: {self.filled.partial} day taken" if day != value else ""
        return Meaning({self.name: day}, "; ".join(r for r in (meaning.rule, rule) if r))


def _says_otherwise(text: str, column: Column) -> bool:
    """Tell whether a text says more than that nothing is known, or can be no word.

    An unknown date of progression is a progression all the same; a diagnosis without a letter is a shifted column.
    """
    if column.kind == "date":
        return text.casefold() in _NOT_KNOWN
    return column.free and not is_missing(text) and not re.search(r"[^\W\d_]", text)


def _is_perhaps_total(text: str, cells: str | None) -> bool:
    """Tell whether a dose per kg may be one of all cells: too many, or written otherwise than its column says.

    Doses per kg were at most 3e7 (Brentjens 2011); ``120 Mio`` in a column of ``x10^6/kg`` is 120e6 cells in all.
    """
    if cells is None or "kg" in text.casefold():
        return False
    return float(cells) > (_LARGEST_PER_KG if _PLAIN_NUMBER.fullmatch(text) else _LARGEST_IN_WORDS)


def declared(column: str) -> Column | None:
    """Return the declaration of ``TABLE.COLUMN``."""
    table, _, name = column.partition(".")
    schema = TABLES.get(table, WIDE)
    return schema.column(name)


def dictionary_of(filled: Field, column: str, *, block: Block, source_map: SourceMap) -> str:
    """Return the dictionary of a line: its own, that of the line that reads the whole cell, or the column's name."""
    if filled.values or not (filled.part or filled.after):
        return filled.values or column
    lines = [(name, line) for other in (block, *source_map.blocks) if other.sheet == block.sheet
             for name, line in other.fields.items()
             if line.column == filled.column and line.part in ("", name) and not line.after
             and line is not filled]  # fmt: skip
    whole = next((pair for pair in lines if not pair[1].part), next(iter(lines), None))
    return column if whole is None else whole[1].values or whole[0]


def _pattern(text: str) -> re.Pattern[str]:
    """Return what a cell must match: spaces and case do not matter; beside ``*``, a date begins where one stands."""
    before, placeholder, after = re.split(r"(\{date\}|\{value\})", text, maxsplit=1)
    within = placeholder == "{date}" and (before.endswith("*") or after.startswith("*"))
    around = (_loose(part).replace(re.escape("*"), ".*?") for part in (before, after))
    return re.compile((rf"({DATES})" if within else "(.+?)").join(around), re.IGNORECASE)


def _loose(text: str) -> str:
    return r"\s*".join(map(re.escape, text.split())) + r"\s*" if text.strip() else r"\s*"

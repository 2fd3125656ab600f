"""The cells of one line of a map: read, joined from check boxes, weighed, or placed after an infusion."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reinfuse.sources import clocks
from reinfuse.sources.dose_answers import DOSE
from reinfuse.sources.gaps import Gaps, Kind
from reinfuse.sources.imported import ImportedCell, Origin
from reinfuse.sources.infusion_days import Infusions, number_of
from reinfuse.sources.meanings import Meaning, Meanings, dictionary_of
from reinfuse.sources.source_map import FIRST_DAY, Block, Field, SourceMap
from reinfuse.sources.source_table import SourceKind, SourceTable
from reinfuse.sources.values.doses import is_possible_per_kg
from reinfuse.sources.values.understood import number_text
from reinfuse.sources.values.weights import in_pounds, kilograms, says_nothing
from reinfuse.tabular.cell_parsing import clean, decimal_mark, is_missing

TICKED = frozenset({"1", "x", "yes", "y", "true", "checked", "ticked", "ja", "oui", "si", "sí", "✓", "☒", "☑"})
UNTICKED = frozenset(
    {"", "0", "0.0", "no", "n", "false", "unchecked", "nein", "non", "☐", "none", "held", "-", "not given"}
)
GIVEN = re.compile(r"[<>~≈]?\s*(?:0?[.,]0*[1-9]|[1-9])\d*")
"""Begins a dose: in the column of a drug, it was given."""
_NOT_GIVEN = frozenset({"none", "no", "held", "not given", "nein", "non"})
_TOTAL = "total cells"
MAIN: Mapping[str, tuple[str, ...]] = {
    "responses": ("response",), "mrd": ("result", "value"), "counts": ("value",), "toxicities": ("grade",),
    "therapies": ("therapy", "kind"),
}  # fmt: skip
"""What a row of a table is about: where all of it is empty, nothing was assessed."""
_MEANT = ("column", "const", "unit", "order", "partial", "part", "pattern", "values", "after", "until")
"""Of a line, what the meaning of a text depends on."""


@dataclass(frozen=True)
class FilledLine:
    """One line of a map, where it stands, and the rows of the source that it reads."""

    place: str
    column: str
    filled: Field
    block: Block
    table: SourceTable
    rows: Sequence[int]

    @property
    def name(self) -> str:
        """As the map's reader finds it: ``infusions[2].date``."""
        return f"{self.place}.{self.column}"


class Filling:
    """Fills lines of a map, and gathers what it leaves unsaid.

    Attributes
    ----------
    gaps
        Cells without an answer.
    taken
        Name of a source's table, and header -> rows whose cell some line took.
    """

    def __init__(self, source_map: SourceMap, kind: SourceKind) -> None:
        self.source_map, self.kind = source_map, kind
        self.gaps = Gaps()
        self.infusions = Infusions()
        self.taken: dict[tuple[str, str], set[int]] = {}
        self.lines: dict[tuple[str, str], list[tuple[FilledLine, str]]] = {}
        self._texts: dict[tuple[str, str], list[str]] = {}
        self._marks: dict[tuple[str, str], str | None] = {}
        self.dictionaries: set[str] = set()
        self.missing: dict[str, Counter[str]] = {}
        """Name of a source's table -> words that were read as missing values, and their cells."""
        self.unweighed: dict[str, int] = {}
        """Line of the map -> doses of all cells that are left empty, as the row holds no body weight."""
        self._by_line: dict[tuple[object, ...], Meanings] = {}

    def cells(self, line: FilledLine, patients: Sequence[str]) -> list[ImportedCell]:
        """Return the cells of a line, one a row of it; `patients`: whose the rows are."""
        filled = line.filled
        rows = self._where(line)
        if filled.after:
            return self._placed(line, rows, patients=patients)
        if filled.ticked:
            return self._ticked(line, rows)
        if not filled.column:
            origin, text = Origin(line.table), filled.const or ""
            rule = "constant of the map"
            return [ImportedCell(text, "", rule, origin, r) if r in rows else ImportedCell("", "", "", origin, r)
                    for r in line.rows]  # fmt: skip
        if clocks.is_time(line.column, filled):
            return self._timed(line, rows)
        cells = self._read(line, rows)
        if filled.since:
            origins = self.texts(line.table, filled.since)
            empty = f"{filled.since} is empty"
            cells = [c._replace(text="", rule=empty) if is_missing(clean(origins[c.row])) else c for c in cells]
        cells = self._weighed(line, cells) if filled.weight else cells
        return self._bounded(line, cells) if line.column.endswith(DOSE) else cells

    def texts(self, table: SourceTable, header: str) -> list[str]:
        """Return the texts of a source's column."""
        key = (table.name, header)
        if key not in self._texts:
            self._texts[key] = table.texts(header)
        return self._texts[key]

    def selected(self, table: SourceTable, where: Mapping[str, Iterable[str]], rows: Iterable[int]) -> list[int]:
        """Return those of some rows that hold, in each column, one of the texts."""
        chosen = list(rows)
        for header, wanted in where.items():
            plain = {clean(t).casefold() for t in wanted}
            texts = self.texts(table, header)
            fits = {t: clean(t).casefold() in plain for t in set(texts)}
            chosen = [r for r in chosen if fits[texts[r]]]
        return chosen

    def _where(self, line: FilledLine) -> Container[int]:
        return set(self.selected(line.table, line.filled.where, line.rows)) if line.filled.where else _All()

    def _meanings(self, line: FilledLine) -> Meanings:
        filled = line.filled
        dictionary = dictionary_of(filled, line.column, block=line.block, source_map=self.source_map)
        self.dictionaries.add(dictionary)
        mark = self._mark(line.table, filled.column) if filled.column else "."
        table = "patients" if line.column == "patient_id" else line.block.table
        key = (table, line.column, line.table.name, dictionary, *(getattr(filled, name) for name in _MEANT))
        if key not in self._by_line:
            column = f"{table}.{line.column}"
            self._by_line[key] = Meanings(filled, column, dictionary=dictionary, source_map=self.source_map, mark=mark)
        return self._by_line[key]

    def _mark(self, table: SourceTable, header: str) -> str | None:
        key = (table.name, header)
        if key not in self._marks:
            texts = (clean(t) for t in set(self.texts(table, header)))
            declared = table.columns[table.positions[header]].decimal_mark
            self._marks[key] = declared or decimal_mark(texts, "either" if self.kind == "csv" else "point")
        return self._marks[key]

    def _read(self, line: FilledLine, rows: Container[int]) -> list[ImportedCell]:
        meanings = self._meanings(line)
        texts = self.texts(line.table, line.filled.column)
        origin = Origin(line.table, line.filled.column)
        taken = self._take(line, meanings.dictionary)
        self._note_missing(line, meanings, texts=texts)
        column, weighed, read = meanings.name, bool(line.filled.weight), meanings.cell
        by_text = {t: _weighable(meanings, t) if weighed else read(t) for t in {texts[r] for r in line.rows}}
        if not line.filled.where and not any(m.gap for m in by_text.values()):
            taken.update(line.rows)
            plain = {t: (m.parts.get(column, ""), t, m.rule, origin) for t, m in by_text.items()}
            return [ImportedCell(*plain[texts[row]], row) for row in line.rows]
        cells = []
        for row in line.rows:
            raw = texts[row]
            if row not in rows:
                cells.append(ImportedCell("", "", "", origin, row))
                continue
            meaning = by_text[raw]
            if meaning.gap != "unmatched":
                taken.add(row)
                if meaning.gap:
                    self._gap(meaning.gap, line, meanings=meanings, row=row)
            cells.append(ImportedCell(meaning.parts.get(column, ""), raw, meaning.rule, origin, row))
        return cells

    def _note_missing(self, line: FilledLine, meanings: Meanings, *, texts: Sequence[str]) -> None:
        """Count the words that are read as missing values, a column of the source once."""
        if (line.table.name, line.filled.column) in self.lines and len(
            self.lines[line.table.name, line.filled.column]
        ) > 1:
            return
        words = {t for t in {texts[r] for r in line.rows} if t.strip() and meanings.of(t).rule == "missing"}
        if words:
            counts = Counter(clean(texts[r]) for r in line.rows if texts[r] in words)
            self.missing.setdefault(line.table.name, Counter()).update(counts)

    def _timed(self, line: FilledLine, rows: Container[int]) -> list[ImportedCell]:
        """Return the days of a clock."""
        filled, table = line.filled, line.table
        wanted = self.source_map.questions.get(FIRST_DAY, filled.first or "0")
        texts = self.texts(table, filled.column)
        origins = self.texts(table, filled.since) if filled.since else [""] * len(texts)
        mark, meanings = self._mark(table, filled.column), self._meanings(line)
        taken, origin = self._take(line, meanings.dictionary), Origin(table, filled.column)
        cells = []
        for row in line.rows:
            if row not in rows:
                cells.append(ImportedCell("", "", "", origin, row))
                continue
            taken.add(row)
            meaning = clocks.days_of(filled, texts[row], since=origins[row], wanted=wanted, mark=mark,
                                     column=line.column)  # fmt: skip
            if meaning.gap and meaning.gap != "open":
                self._gap(meaning.gap, line, meanings=meanings, row=row)
            cells.append(ImportedCell(meaning.parts.get(line.column, ""), texts[row], meaning.rule, origin, row))
        return cells

    def _take(self, line: FilledLine, dictionary: str) -> set[int]:
        key = (line.table.name, line.filled.column)
        self.lines.setdefault(key, []).append((line, dictionary))
        return self.taken.setdefault(key, set())

    def _weighed(self, line: FilledLine, cells: list[ImportedCell]) -> list[ImportedCell]:
        """Divide total cells by the body weight in the row; what the cell itself says to be per kg stays."""
        weights = self.texts(line.table, line.filled.weight)
        mark = self._mark(line.table, line.filled.weight)
        weighed = []
        for cell in cells:
            if not cell.text or cell.rule != _TOTAL:
                weighed.append(cell)
                continue
            if says_nothing(weights[cell.row]):
                self.unweighed[line.name] = self.unweighed.get(line.name, 0) + 1
                weighed.append(cell._replace(text="", rule="total cells, and no body weight in the row: left empty"))
                continue
            pounds = in_pounds(line.filled.weight, weights[cell.row])
            weight, total = kilograms(weights[cell.row], mark, pounds=pounds), number_of(cell.text)
            if weight is None or total is None:
                self._gap("weight", line, meanings=self._meanings(line), row=cell.row)
                weighed.append(cell._replace(text=""))
                continue
            unit = f"{number_text(weight)} kg{f', of {clean(weights[cell.row])} pounds' if pounds else ''}"
            rule = f"total cells / {unit} ({line.filled.weight})"
            weighed.append(cell._replace(text=number_text(round(total / weight)), rule=rule))
        return weighed

    def _bounded(self, line: FilledLine, cells: list[ImportedCell]) -> list[ImportedCell]:
        """Refuse doses per kg that nobody is given."""
        odd = {c.row for c in cells if (dose := number_of(c.text)) and not is_possible_per_kg(dose)}
        for row in odd:
            self._gap("range", line, meanings=self._meanings(line), row=row)
        return [c._replace(text="") if c.row in odd else c for c in cells] if odd else cells

    def _ticked(self, line: FilledLine, rows: Container[int]) -> list[ImportedCell]:
        boxes = [(text, h, self.texts(line.table, h)) for h, text in line.filled.ticked.items()]
        cells = []
        first = Origin(line.table, next(iter(line.filled.ticked)))
        for _, header, _ in boxes:
            self.taken.setdefault((line.table.name, header), set()).update(line.rows)
        for row in line.rows:
            states = [(text, header, clean(texts[row]).casefold()) for text, header, texts in boxes]
            for _, header, state in states:
                if not (_is_ticked(state) or state in UNTICKED or is_missing(state)):
                    self.gaps.add("tick", sheet=line.table.name, header=header, place=line.name,
                                  text=clean(self.texts(line.table, header)[row]),
                                  row=line.table.rows[row].place)  # fmt: skip
            chosen = [(text, header) for text, header, state in states if _is_ticked(state)] if row in rows else []
            raw = ", ".join(header for _, header in chosen)
            rule, text = ("ticked" if chosen else ""), line.filled.joint.join(text for text, _ in chosen)
            if row in rows and line.column == "lymphodepletion" and all(state in _NOT_GIVEN for *_, state in states):
                rule, text = "each drug was not given", "none"
            cells.append(ImportedCell(text, raw, rule, first, row))
        return cells

    def _placed(self, line: FilledLine, rows: Container[int], *, patients: Sequence[str]) -> list[ImportedCell]:
        """Place a day after an infusion: the cell's own date or day, else the day that the map gives."""
        own = bool(line.filled.column)
        reading = line if own else self._beside(line)  # "PD (D28)" tells its day beside the response
        meanings, header = self._meanings(reading), reading.filled.column
        texts = self.texts(line.table, header) if header else [""] * len(line.table.rows)
        taken = self._take(line, meanings.dictionary) if own else set()
        origin = Origin(line.table, header)
        cells = []
        for row, patient in zip(line.rows, patients, strict=True):
            raw = texts[row]
            if row not in rows:
                cells.append(ImportedCell("", "", "", origin, row))
                continue
            meaning = meanings.of(raw)
            if meaning.gap != "unmatched":
                taken.add(row)
            if meaning.gap:
                if own and meaning.gap != "unmatched":
                    self._gap(meaning.gap, line, meanings=meanings, row=row)
                cells.append(ImportedCell("", raw, "", origin, row))
                continue
            text, rule = self._after(line, reading, meaning=meaning, row=row, patient=patient)
            cells.append(ImportedCell(text, raw, rule, origin, row))
        return cells

    def _beside(self, line: FilledLine) -> FilledLine:
        """Return the line of the block that says what was assessed; the line itself where there is none."""
        for name in MAIN.get(line.block.table, ()):
            other = line.block.fields.get(name)
            if other is not None and not other.is_open and other.column in line.table.positions:
                return replace(line, column=name, filled=other)
        return line

    def _after(self, line: FilledLine, reading: FilledLine, *, meaning: Meaning, row: int,
               patient: str) -> tuple[str, str]:  # fmt: skip
        """Return a date or day and its rule; one of `UNPLACED` is a problem if its row is written."""
        if "date" in meaning.parts:
            meanings = self._meanings(reading)
            own = meanings.completed(meaning.parts["date"], meaning)
            if own.gap:
                self._gap(own.gap, reading, meanings=meanings, row=row)
            return own.parts.get(meanings.name, ""), own.rule
        return self.infusions.placed(line.filled, meaning, patient, table=line.table.name, row=row)

    def _gap(self, kind: Kind, line: FilledLine, *, meanings: Meanings, row: int) -> None:
        raw = clean(self.texts(line.table, line.filled.column)[row]) if line.filled.column else ""
        if line.filled.until:  # no message shows a date of birth
            kind, raw = "birth" if kind in ("unread", "fault") else kind, "not shown"
        self.gaps.add(kind, sheet=line.table.name, header=line.filled.column, place=line.name, text=raw,
                      dictionary=meanings.dictionary, row=line.table.rows[row].place)  # fmt: skip


def _is_ticked(state: str) -> bool:
    return state in TICKED or bool(GIVEN.match(state))


class _All:
    """Holds every row of a line, in which there is no condition."""

    def __contains__(self, row: object) -> bool:
        return True


def _weighable(meanings: Meanings, text: str) -> Meaning:
    """Return the meaning of a dose, with total cells where the cell holds those: they are still to be weighed."""
    parts = meanings.of(text).parts
    total = parts.get("dose_cells") or parts.get("dose")
    return Meaning({meanings.name: total}, _TOTAL) if total else meanings.cell(text)

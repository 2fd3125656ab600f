"""`propose`: from a source to a map that a person confirms, every line with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property

from reinfuse.sources.cdisc.analysis_data import propose_adam
from reinfuse.sources.cdisc.tabulations import propose_sdtm
from reinfuse.sources.proposal import IGNORE, Proposal, Proposed, with_doubts
from reinfuse.sources.propose.blocks import blocks_of, is_used
from reinfuse.sources.propose.compound import compound_lines
from reinfuse.sources.propose.concepts import DOSE_UNIT, concepts
from reinfuse.sources.propose.date_order import Order, order_of
from reinfuse.sources.propose.derived import derived_matches
from reinfuse.sources.propose.evidence import cells_of
from reinfuse.sources.propose.filled import ProposedLine, in_units, line_of, unread
from reinfuse.sources.propose.flags import flag_of_death, undated_progression
from reinfuse.sources.propose.infusion_defaults import with_infusions
from reinfuse.sources.propose.left_over import left_over
from reinfuse.sources.propose.matching import Key, Match, bare_dates, matches
from reinfuse.sources.propose.names import parse_described, with_siblings
from reinfuse.sources.propose.redcap_rows import (
    NUMBER,
    ROW_HEADERS,
    RowNumber,
    holds_infusions,
    needs_number,
    row_numbers,
    without_idle,
)
from reinfuse.sources.propose.table_shape import headers_in_rows, shape_of
from reinfuse.sources.propose.vital_status import dead_without_date, status_line
from reinfuse.sources.source_map import LEFT_OUT, MISSING_CODES, OPEN, Answer, Block, SourceMap
from reinfuse.sources.source_table import Source, SourceTable
from reinfuse.tabular.cell_parsing import Dialect, clean


class _Table:
    """One sheet on its way to a map."""

    def __init__(self, table: SourceTable, dialect: Dialect, source: Source) -> None:
        self.table = table
        described, redcap = any(c.label for c in table.columns), source.kind == "redcap"
        self.cells = {
            c.header: cells_of(table, c, dialect=dialect, missing=source.missing_codes) for c in table.columns
        }
        self.names = with_siblings([parse_described(c.header, c.label if described else "") for c in table.columns])
        self.own_names = [n for n in self.names if not redcap or n.header not in ROW_HEADERS]
        self.shape = shape_of(table, self.own_names, self.cells)
        self.number: RowNumber | None = None
        self.matches = self._matches()
        self.lines: dict[Key, ProposedLine] = {}
        self.notes: dict[str, tuple[str, bool]] = {}

    def _matches(self) -> dict[Key, tuple[Match, str]]:
        if self.shape.row_of == "derived":
            return {m.key: (m, doubt) for m, doubt in derived_matches(self.own_names, self.cells)}
        sheet = self.shape.sheet if self.shape.row_of == "event" else ()
        among = [c for c in concepts().values() if self.shape.holds(c)]
        matched = matches(self.own_names, self.cells, among, context=self.shape.in_context, sheet=sheet)
        if self.shape.row_of == "event":
            matched = [*matched, *bare_dates(self.own_names, self.cells, matched=matched)]
        return with_infusions(matched, self.shape, positions=self.table.positions)

    def date_of_infusions(self) -> str:
        """Return the header of the date of infusions, where a row is one by the names of its columns."""
        matched = matches(self.own_names, self.cells, concepts().values(), context=True)
        dates = (m.name.header for m in matched if m.concept.target == "infusions.date")
        return next(dates, "") if holds_infusions(matched) else ""

    def number_rows(self, number: RowNumber | None) -> None:
        """Take the number of the infusion from event or instance, where something hangs on it."""
        if number is None:
            return
        self.shape = replace(self.shape, row_of="infusion" if number.of_infusions else "event", infusions=())
        self.matches = self._matches()
        own = self.matches.get(NUMBER)
        if not needs_number(list(self.matches)):
            self.shape = replace(self.shape, row_of="event")
            self.matches = self._matches()
        elif own is None or own[0].name_score < 100 or own[0].cells.filled < len(self.table.rows):
            self.number = number
            self.matches[NUMBER] = (number.match(self.cells[number.header]), "")

    @cached_property
    def patients(self) -> frozenset[str]:
        """Return whose rows they are."""
        who = next((m.name.header for m, _ in self.matches.values() if _identifies(m)), "")
        return frozenset(filter(None, map(clean, self.table.texts(who)))) if who else frozenset()

    def read_elsewhere(self, match: Match, others: Sequence[_Table]) -> str:
        """Return the sheet from which a column of patients is read, where one holds the same patients' more surely."""
        if match.concept.table != "patients" or _identifies(match):
            return ""
        for place, other in enumerate(others):
            same = [m for m, _ in other.matches.values() if m.concept.target == match.concept.target]
            if other is self or not same or not (self.patients & other.patients):
                continue
            surest = max(m.confidence for m in same)
            if (surest, -place) > (match.confidence, -others.index(self)):
                return other.table.name
        return ""

    def write(self, order: Order, others: Sequence[_Table]) -> None:
        """Write the lines of the map; `others`: all tables, in order."""
        weights = {k: m.name.header for (key, k, _), (m, _) in self.matches.items() if key == "weight"}
        units = {k: m.cells for (key, k, _), (m, _) in self.matches.items() if key == DOSE_UNIT}
        for key, (match, doubt) in self.matches.items():
            header, target = match.name.header, match.concept.target
            if elsewhere := self.read_elsewhere(match, others):
                self.notes[header] = f"read from the sheet {elsewhere} already", False
            elif target == "weight":
                self.notes[header] = "body weight: read where a dose is of all cells (weight = ...)", False
            elif target == DOSE_UNIT:
                self.notes[header] = "unit of the dose: the dose is read in each row as it says", False
            elif key[0] == "patients.death:status":
                continue
            elif self.number is not None and match.key == NUMBER:
                self.lines[NUMBER] = self.number.line(match)
            else:
                doubts = [doubt] if doubt else []
                weight = weights.get(match.infusion) or weights.get(None, "")
                line = self._line(match, doubts, weights, own=weight, order=order.of(self.table.name, header))
                unit = units.get(match.infusion) if target.endswith("dose_cells_per_kg") else None
                self.lines[key] = line if unit is None else in_units(line, unit, weight=weight)
        used = {line.match.name.header for line in self.lines.values()} | set(self.notes)
        self.lines |= dict(compound_lines([n for n in self.names if n.header not in used], self.cells, self.lines))
        self._write_status()
        if self.shape.row_of == "patient":
            self.notes |= {h: (why, True) for h, why in undated_progression(self.own_names, self.cells, self.lines)}

    def _line(self, match: Match, doubts: list[str], weights: Mapping[int | None, str], *, own: str,
              order: str) -> ProposedLine:  # fmt: skip
        """Return the line of a column; a dose of all cells is divided by `own`, the body weight at its infusion."""
        line = line_of(match, order=order, weight=own, doubts=doubts)
        if own or set(weights) != {1} or not (line.filled.weight or line.filled.unit == OPEN):
            return line
        doubt = f"the only body weight is {weights[1]!r}, of CART1"
        return line_of(match, order=order, weight=weights[1], doubts=[*doubts, doubt])

    def _write_status(self) -> None:
        matched = (m for (key, _, _), (m, _) in self.matches.items() if key == "patients.death:status")
        status = next(matched, None) or flag_of_death(self.own_names, self.cells)
        if status is None:
            return
        contact = self.lines.get(("patients.last_contact", None, None))
        if any(key == "patients.death" for key, _, _ in self.lines):
            died = next(m for (key, _, _), (m, _) in self.matches.items() if key == "patients.death")
            undated = dead_without_date(self.table, status, death=died)
            says = f"it says dead in {undated}, where no date of death stands: is it rightly left out?"
            self.notes[status.name.header] = (says, True) if undated else ("the date of death says who died", False)
        elif contact is None:
            self.notes[status.name.header] = "no column holds the date of last contact or death beside it", True
        else:
            self.lines["patients.death:status", None, None] = status_line(status, contact)

    def proposals(
        self, questions: dict[str, str], ignored: dict[str, str], blocks: Sequence[Block]
    ) -> Iterator[Proposal]:
        """Yield a proposal for each column, and note what is left out."""
        aged = any(column == "age_years" for b in blocks for column in b.fields)
        by_header: dict[str, list[ProposedLine]] = {}
        for line in self.lines.values():
            for header in line.filled.ticked or (line.match.name.header,):
                by_header.setdefault(header, []).append(line)
        for name in self.names:
            used = [
                line for line in by_header.get(name.header, ()) if is_used(name.header, self.table.name, blocks=blocks)
            ]
            for line in used[:1]:
                yield Proposal(source=name.header, target=self._target(line, blocks), confidence=line.match.confidence,
                               reason=line.reason, open=line.is_open or _needs_a_look(line, self.table.name,
                               blocks=blocks))  # fmt: skip
            if not used:
                passed = None if name in self.own_names else (ROW_HEADERS[name.header], False)
                noted = passed or self.notes.get(name.header)
                why, ask = noted or left_over(name, self.cells[name.header], aged=aged)
                idle = passed is not None or is_used(name.header, self.table.name, blocks=blocks)
                holds = bool(self.cells[name.header].counts) and not idle
                if ask:
                    questions[f"{name.header}: {why}"] = OPEN
                elif holds:
                    questions[LEFT_OUT] = OPEN
                ignored[name.header] = why
                yield Proposal(source=name.header, target=IGNORE, confidence=0.5 if ask else 0.9, reason=why,
                               open=ask or holds)  # fmt: skip

    def _target(self, line: ProposedLine, blocks: Sequence[Block]) -> str:
        """Return the target under the names of the contract; identifiers are of the table that the sheet fills."""
        concept, k = line.match.concept, line.match.infusion
        if _identifies(line.match):
            own = [b.table for b in blocks if b.sheet == self.table.name]
            return f"{own[0] if own else concept.table}.patient_id"
        if concept.target == "infusions.infusion":
            own = [b.table for b in blocks if b.sheet == self.table.name and "infusion" in b.fields]
            return f"{own[0] if own else concept.table}.infusion"
        if self.shape.row_of != "patient" or k is None or concept.infusion in ("", "first"):
            return concept.target
        return f"{concept.table}[{k}].{concept.target.partition('.')[2]}"


def propose(source: Source, *, today: date | None = None) -> Proposed:
    """Propose how a source becomes a cohort.

    Parameters
    ----------
    source
        As it was read; nothing of it is changed.
    today
        A day after which no date of the source can lie.

    Returns
    -------
    Proposed
        The map, in which everything that could be otherwise is open, and a proposal for each column of each table.
    """
    if proposer := _BY_STANDARD.get(source.kind):
        return with_doubts(proposer(source))
    dialect: Dialect = "either" if source.kind == "csv" else "point"
    tables = [_Table(t, dialect, source) for t in source.tables if t.columns and t.rows]
    if source.kind == "redcap":
        numbers = row_numbers([(t.table, t.date_of_infusions()) for t in tables])
        for one, number in zip(tables, numbers, strict=True):
            one.number_rows(number)
    dated = [(t.table.name, m.cells) for t in tables for m, _ in t.matches.values() if m.concept.is_date]
    order = order_of(dated, latest=today or date.today())
    blocks: list[Block] = []
    for one in tables:
        one.write(order, tables)
        one.lines = {k: _ordered(line, order, sheet=one.table.name) for k, line in one.lines.items()}
        blocks += blocks_of(one.table.name, one.shape, one.lines, one_table=len(tables) == 1)
    blocks = without_idle(blocks) if source.kind == "redcap" else blocks
    proposals: list[Proposal] = []
    questions: dict[str, str] = {}
    ignored: dict[str, dict[str, str]] = {}
    for one in tables:
        if turned := headers_in_rows(one.table):
            named = ", ".join(turned[:3])
            why = f"its first column names columns ({named}, ...): exchange rows and columns in the source"
            questions[f"{one.table.name}: {why}; or is it rightly read?"] = OPEN
        proposals += one.proposals(questions, ignored.setdefault(one.table.name, {}), blocks)
    if joint := questions.pop(LEFT_OUT, ""):
        questions[LEFT_OUT] = joint  # behind those about single columns
    source_map = SourceMap(
        source.kind, source.fingerprint, tuple(blocks), order.whole, _ids(tables),
        {t.layout.sheet: t.layout for t in source.tables if t.layout},
        _dictionaries(tables, blocks, missing_codes=source.missing_codes),
        {sheet: headers for sheet, headers in ignored.items() if headers}, questions,
    )  # fmt: skip
    return with_doubts(Proposed(source_map, tuple(proposals)))


def _ordered(line: ProposedLine, order: Order, *, sheet: str) -> ProposedLine:
    """Give a line the order of its own column where columns are written in different orders."""
    own = order.columns.get((sheet, line.match.name.header), "")
    return replace(line, filled=replace(line.filled, order=own)) if own else line


def _identifies(match: Match) -> bool:
    return match.concept.column == "patient_id"


def _ids(tables: Sequence[_Table]) -> str:
    lines = [line for t in tables for line in t.lines.values() if _identifies(line.match)]
    return OPEN if any(line.match.names_a_person for line in lines) else "keep"


def _needs_a_look(line: ProposedLine, sheet: str, *, blocks: Sequence[Block]) -> bool:
    """Tell whether a block that a column fills holds something open besides: a response without a date of its own."""
    header, column = line.match.name.header, line.match.concept.column
    return any(field.is_open for b in blocks if b.sheet == sheet for name, filled in b.fields.items()
               if filled.column == header and name == column and b.table not in ("patients", "infusions")
               for field in b.fields.values() if field.column in ("", OPEN))  # fmt: skip


def _dictionaries(
    tables: Sequence[_Table], blocks: Sequence[Block], *, missing_codes: Sequence[str]
) -> dict[str, dict[str, Answer]]:
    """Return the words that are not understood, once each; codes of a data dictionary with what their labels mean."""
    values: dict[str, dict[str, Answer]] = {MISSING_CODES: dict.fromkeys(missing_codes, OPEN)}
    patients = [b for b in blocks if b.table == "patients"]
    for one, column, filled in ((t, c, f) for t in tables for b in patients if b.sheet == t.table.name
                                for c in _BESIDE_OTHERS if (f := b.fields.get(c))):  # fmt: skip
        if filled.column in one.cells and not filled.values:
            texts = unread(f"patients.{column}", one.cells[filled.column], filled=filled, order=filled.order)
            values.setdefault(column, {}).update(dict.fromkeys(texts, OPEN))
    for line in (line for t in tables for line in t.lines.values()):
        words = values.setdefault(line.filled.values or line.match.concept.column, {})
        for text in line.words:
            words.setdefault(text, OPEN)
        words.update(line.answers)
    return {name: words for name, words in values.items() if words}


_BESIDE_OTHERS = ("diagnosis", "death_cause")
"""Columns of patients that may be read from the column of another: from the histology, from what tells of the death."""
_BY_STANDARD: Mapping[str, Callable[[Source], Proposed]] = {"adam": propose_adam, "sdtm": propose_sdtm}
"""Kind of source whose names of variables are a standard's."""

"""One sheet on its way to a map: what its columns are taken for, and a proposal for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from reinfuse.sources.proposal import IGNORE, Proposal
from reinfuse.sources.propose.births import AGE, birth_line
from reinfuse.sources.propose.blocks import is_used
from reinfuse.sources.propose.compound import compound_lines
from reinfuse.sources.propose.concepts import DOSE_UNIT, concepts
from reinfuse.sources.propose.date_order import Order
from reinfuse.sources.propose.derived import derived_matches
from reinfuse.sources.propose.dose_units import UNIT_NOTE, in_units, unit_beside
from reinfuse.sources.propose.empty_cells import with_empty_grades
from reinfuse.sources.propose.event_days import dates_beside_events, numbered_days
from reinfuse.sources.propose.evidence import cells_of
from reinfuse.sources.propose.filled import ProposedLine, line_of
from reinfuse.sources.propose.flags import flag_of_death, undated_progression
from reinfuse.sources.propose.infusion_dates import dates_behind_events, with_doubted_dates
from reinfuse.sources.propose.infusion_defaults import with_infusions
from reinfuse.sources.propose.left_over import left_over
from reinfuse.sources.propose.matching import Key, Match, bare_dates, matches
from reinfuse.sources.propose.names import Name, parse_described, with_siblings
from reinfuse.sources.propose.neighbours import with_neighbours
from reinfuse.sources.propose.redcap_rows import (
    NUMBER,
    ROW_HEADERS,
    RowNumber,
    holds_infusions,
    needs_number,
)
from reinfuse.sources.propose.table_shape import shape_of
from reinfuse.sources.propose.unread_events import UnreadColumns
from reinfuse.sources.propose.vital_status import dead_without_date, of_status, status_line, tells_causes, tells_dates
from reinfuse.sources.source_map import LEFT_OUT, OPEN, Block
from reinfuse.sources.source_table import Source, SourceTable
from reinfuse.tabular.cell_parsing import Dialect, clean

_RIGHTLY_LEFT_OUT = "is it rightly left out? If not, enter it in columns (or rows) of its own, and map again"


class ProposedTable:
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
        self.guessed: set[str] = set()
        """Headers of remarks from which a block reads events, if a person agrees."""
        self.birth: Name | None = None
        self.has_empty_grades = False

    def _matches(self) -> dict[Key, tuple[Match, str]]:
        if self.shape.row_of == "derived":
            return {m.key: (m, doubt) for m, doubt in derived_matches(self.own_names, self.cells)}
        sheet = self.shape.sheet if self.shape.row_of == "event" else ()
        among = [c for c in concepts().values() if self.shape.holds(c)]
        context, behind = self.shape.in_context, dates_behind_events(self.own_names, self.cells)
        matched = matches(self.own_names, self.cells, among, context=context, sheet=sheet, doubted=behind)
        if self.shape.row_of == "event":
            matched = [*matched, *bare_dates(self.own_names, self.cells, matched=matched)]
        keyed = with_infusions(matched, self.shape, positions=self.table.positions)
        keyed = with_neighbours(keyed, self.own_names, self.cells)
        return with_doubted_dates(keyed, self.own_names, self.cells, behind=behind, context=context)

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
        who = next((m.name.header for m, _ in self.matches.values() if identifies(m)), "")
        return frozenset(filter(None, map(clean, self.table.texts(who)))) if who else frozenset()

    def read_elsewhere(self, match: Match, others: Sequence[ProposedTable]) -> str:
        """Return the sheet from which a column of patients is read, where one holds the same patients' more surely."""
        if match.concept.table != "patients" or identifies(match):
            return ""
        for place, other in enumerate(others):
            same = [m for m, _ in other.matches.values() if m.concept.target == match.concept.target]
            if other is self or not same or not (self.patients & other.patients):
                continue
            surest = max(m.confidence for m in same)
            if (surest, -place) > (match.confidence, -others.index(self)):
                return other.table.name
        return ""

    def write(self, order: Order, others: Sequence[ProposedTable]) -> None:
        """Write the lines of the map; `others`: all tables, in order."""
        weights = {k: m.name.header for (key, k, _), (m, _) in self.matches.items() if key == "weight"}
        units = {k: m.cells for (key, k, _), (m, _) in self.matches.items() if key == DOSE_UNIT}
        if not units and (beside := unit_beside(self.matches, self.own_names, cells=self.cells)):
            units[None] = beside
            self.notes[beside.column.header] = UNIT_NOTE, False
        for key, (match, doubt) in self.matches.items():
            header, target = match.name.header, match.concept.target
            if elsewhere := self.read_elsewhere(match, others):
                self.notes[header] = f"read from the sheet {elsewhere} already", False
            elif target == "weight":
                self.notes[header] = "body weight: read where a dose is of all cells (weight = ...)", False
            elif target == DOSE_UNIT:
                self.notes[header] = UNIT_NOTE, False
            elif key[0] == "patients.death:status":
                continue
            elif self.number is not None and match.key == NUMBER:
                self.lines[NUMBER] = self.number.line(match)
            else:
                doubts = [doubt] if doubt else []
                weight = weights.get(match.infusion) or weights.get(None, "")
                line = self._line(match, doubts, weights, own=weight, order=order.of(self.table.name, header))
                unit = units.get(match.infusion) or units.get(None) if target.endswith("dose_cells_per_kg") else None
                self.lines[key] = line if unit is None else in_units(line, unit, weight=weight)
        if self.birth is not None:
            header = self.birth.header
            self.lines[AGE] = birth_line(self.birth, self.cells[header], order=order.of(self.table.name, header))
        self._write_days(order)
        used = {line.match.name.header for line in self.lines.values()} | set(self.notes)
        self.lines |= dict(compound_lines([n for n in self.names if n.header not in used], self.cells, self.lines))
        self._write_status(order)
        empty = dict(with_empty_grades(self.table, self.lines))
        self.lines |= empty
        self.lines = dict(sorted(self.lines.items(), key=lambda item: self._place(*item)))
        self.has_empty_grades = bool(empty)
        if self.shape.row_of == "patient":
            self.notes |= {h: (why, True) for h, why in undated_progression(self.own_names, self.cells, self.lines)}

    def _place(self, key: Key, line: ProposedLine) -> tuple[int, int]:
        """Order lines by infusion, then as their columns stand in the sheet: so blocks are numbered."""
        return key[1] or 0, self.table.positions.get(line.match.name.header, 0)

    def _line(self, match: Match, doubts: list[str], weights: Mapping[int | None, str], *, own: str,
              order: str) -> ProposedLine:  # fmt: skip
        """Return the line of a column; a dose of all cells is divided by `own`, the body weight at its infusion."""
        line = line_of(match, order=order, weight=own, doubts=doubts)
        if own or set(weights) != {1} or not (line.filled.weight or line.filled.unit == OPEN):
            return line
        doubt = f"the only body weight is {weights[1]!r}, of CART1"
        return line_of(match, order=order, weight=weights[1], doubts=[*doubts, doubt])

    def _write_days(self, order: Order) -> None:
        """Write lines of days in columns of unknown names; a person is asked about each."""
        if self.shape.row_of == "derived":
            return
        used = {line.match.name.header for line in self.lines.values()} | set(self.notes)
        free = [n for n in self.own_names if n.header not in used | {m.name.header for m, _ in self.matches.values()}]
        self.lines |= dict(numbered_days(free, self.cells, self.shape, taken=self.lines))
        left = {n.header for n in free} - {line.match.name.header for line in self.lines.values()}
        by_patient = self.shape.row_of == "patient"
        for key, match, why in list(dates_beside_events(self.own_names, self.cells, self.lines, free=left,
                                                        by_patient=by_patient)):  # fmt: skip
            self.lines[key] = line_of(match, order=order.of(self.table.name, match.name.header), doubts=[why])

    def _write_status(self, order: Order) -> None:
        matched = (m for (key, _, _), (m, _) in self.matches.items() if key == "patients.death:status")
        status = next(matched, None) or flag_of_death(self.own_names, self.cells)
        if status is None:
            return
        contact = self.lines.get(("patients.last_contact", None, None))
        dated, cause = tells_dates(status), ("patients.death_cause", None, None)
        if any(key == "patients.death" for key, _, _ in self.lines):
            if cause not in self.lines and tells_causes(status):
                self.lines[cause] = of_status(status, "patients.death_cause", order=order.whole)
                return
            died = next(line.match for (key, _, _), line in self.lines.items() if key == "patients.death")
            undated = dead_without_date(self.table, status, death=died)
            says = f"it says dead in {undated}, where no date of death stands: is it rightly left out?"
            self.notes[status.name.header] = (says, True) if undated else ("the date of death says who died", False)
        elif dated:
            header = status.name.header
            own = order.of(self.table.name, header)
            self.lines["patients.death", None, None] = of_status(status, "patients.death", order=own)
        elif contact is None:
            self.notes[status.name.header] = "no column holds the date of last contact or death beside it", True
        else:
            self.lines["patients.death:status", None, None] = status_line(status, contact)

    def read_remarks(self, unread: UnreadColumns) -> Iterator[Block]:
        """Yield blocks that read infusions told in remarks; what else such columns tell is asked about."""
        for header, why, left, blocks in unread.notes(self.table.name, [n.header for n in self.own_names]):
            yield from blocks
            earlier, _ = self.notes.get(header, ("", False))
            whole = "; ".join(filter(None, (earlier, left or why)))
            self.notes[header] = (f"{whole}: {_RIGHTLY_LEFT_OUT}", True) if left else (whole, False)
            self.guessed |= {header} if blocks else set()

    def proposals(
        self, questions: dict[str, str], ignored: dict[str, str], *, blocks: Sequence[Block],
        others: Sequence[ProposedTable],
    ) -> Iterator[Proposal]:  # fmt: skip
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
                    several = any(o is not self and name.header in o.cells for o in others)
                    where = f"{self.table.name}, {name.header}" if several else name.header
                    questions[f"{where}: {why}"] = OPEN
                elif holds:
                    questions[LEFT_OUT] = OPEN
                ignored[name.header] = why
                yield Proposal(source=name.header, target=IGNORE, confidence=0.5 if ask else 0.9, reason=why,
                               open=ask or holds or name.header in self.guessed)  # fmt: skip

    def _target(self, line: ProposedLine, blocks: Sequence[Block]) -> str:
        """Return the target under the names of the contract; identifiers are of the table that the sheet fills."""
        concept, k = line.match.concept, line.match.infusion
        if identifies(line.match):
            own = [b.table for b in blocks if b.sheet == self.table.name]
            return f"{own[0] if own else concept.table}.patient_id"
        if concept.target == "infusions.infusion":
            own = [b.table for b in blocks if b.sheet == self.table.name and "infusion" in b.fields]
            return f"{own[0] if own else concept.table}.infusion"
        if self.shape.row_of != "patient" or k is None or concept.infusion in ("", "first"):
            return concept.target
        return f"{concept.table}[{k}].{concept.target.partition('.')[2]}"


def identifies(match: Match) -> bool:
    """Tell whether a column says whose a row is."""
    return match.concept.column == "patient_id"


def _needs_a_look(line: ProposedLine, sheet: str, *, blocks: Sequence[Block]) -> bool:
    """Tell whether a block that a column fills holds something open besides: a response without a date of its own."""
    header, column = line.match.name.header, line.match.concept.column
    return any(field.is_open for b in blocks if b.sheet == sheet for name, filled in b.fields.items()
               if filled.column == header and name == column and b.table not in ("patients", "infusions")
               for field in b.fields.values() if field.column in ("", OPEN))  # fmt: skip

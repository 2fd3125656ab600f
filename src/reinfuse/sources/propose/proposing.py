"""`propose`: from a source to a map that a person confirms, every line with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from reinfuse.sources.cdisc.analysis_data import propose_adam
from reinfuse.sources.cdisc.tabulations import propose_sdtm
from reinfuse.sources.left_columns import hidden_key
from reinfuse.sources.proposal import Proposal, Proposed, with_doubts
from reinfuse.sources.propose.age_rows import with_rows_of_ages
from reinfuse.sources.propose.births import birth_name
from reinfuse.sources.propose.blocks import blocks_of
from reinfuse.sources.propose.date_order import Order, order_of
from reinfuse.sources.propose.empty_cells import lacks_rows
from reinfuse.sources.propose.event_days import with_days
from reinfuse.sources.propose.filled import ProposedLine, unread
from reinfuse.sources.propose.lacking import questions_of_what_lacks, with_open_death
from reinfuse.sources.propose.proposed_table import ProposedTable, identifies
from reinfuse.sources.propose.redcap_rows import row_numbers, without_idle
from reinfuse.sources.propose.sheets_lacking import with_what_lacks
from reinfuse.sources.propose.table_shape import headers_in_rows
from reinfuse.sources.propose.therapy_kinds import with_kinds
from reinfuse.sources.propose.unread_events import UnreadColumns
from reinfuse.sources.propose.visits import with_visits
from reinfuse.sources.records.proposing import propose_records
from reinfuse.sources.source_map import EMPTY_GRADES, LEFT_OUT, MISSING_CODES, OPEN, Answer, Block, SourceMap
from reinfuse.sources.source_table import Source
from reinfuse.tabular.cell_parsing import Dialect


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
    tables = [ProposedTable(t, dialect, source) for t in source.tables if t.columns and t.rows]
    if source.kind == "redcap":
        numbers = row_numbers([(t.table, t.date_of_infusions()) for t in tables])
        for one, number in zip(tables, numbers, strict=True):
            one.number_rows(number)
    dated = [(t.table.name, m.cells) for t in tables for m, _ in t.matches.values()
             if m.concept.is_date or m.concept.column in _WITH_DATES]  # fmt: skip
    born = _table_of_births(tables)
    dated += [(born.table.name, born.cells[born.birth.header])] if born and born.birth else []
    order = order_of(dated, latest=today or date.today())
    blocks: list[Block] = []
    for one in tables:
        one.write(order, tables)
        one.lines = {k: _ordered(line, order, sheet=one.table.name) for k, line in one.lines.items()}
        blocks += blocks_of(one.table.name, one.shape, one.lines, one_table=len(tables) == 1)
    sheets = source.kind != "redcap"
    blocks = with_visits(blocks, [t.table for t in tables]) if sheets else without_idle(blocks)
    if sheets and len(tables) > 1:
        blocks = with_what_lacks(blocks, {t.table.name: t.patients for t in tables})
    blocks = with_open_death(list(with_kinds(blocks, [t.table for t in tables])))
    blocks = with_rows_of_ages(with_days(blocks), [t.table for t in tables])
    unread = UnreadColumns([t.table for t in tables], blocks)
    for one in tables:
        blocks += one.read_remarks(unread)
    proposals, ignored, questions = _proposals(tables, blocks)
    source_map = SourceMap(
        source.kind, source.fingerprint, tuple(blocks), order.whole, _ids(tables),
        {t.layout.sheet: t.layout for t in source.tables if t.layout},
        _dictionaries(tables, blocks, missing_codes=source.missing_codes),
        {sheet: headers for sheet, headers in ignored.items() if headers}, questions,
    )  # fmt: skip
    return with_doubts(Proposed(source_map, tuple(proposals)))


def _proposals(
    tables: Sequence[ProposedTable], blocks: Sequence[Block]
) -> tuple[list[Proposal], dict[str, dict[str, str]], dict[str, str]]:
    """Return a proposal for each column, the columns that are left out, and the questions about the whole."""
    proposals: list[Proposal] = []
    questions: dict[str, str] = {}
    ignored: dict[str, dict[str, str]] = {}
    for one in tables:
        if one.table.hidden:
            questions[hidden_key(one.table.name)] = OPEN
        if turned := headers_in_rows(one.table):
            named = ", ".join(turned[:3])
            why = f"its first column names columns ({named}, ...): exchange rows and columns in the source"
            questions[f"{one.table.name}: {why}; or is it rightly read?"] = OPEN
        proposals += one.proposals(questions, ignored.setdefault(one.table.name, {}), blocks=blocks,
                                   others=tables)  # fmt: skip
    if any(t.has_empty_grades for t in tables) or lacks_rows(blocks, [t.table for t in tables]):
        questions[EMPTY_GRADES] = OPEN
    questions |= dict.fromkeys(questions_of_what_lacks(blocks), OPEN)
    if joint := questions.pop(LEFT_OUT, ""):
        questions[LEFT_OUT] = joint  # behind those about single columns
    return proposals, ignored, questions


def _table_of_births(tables: Sequence[ProposedTable]) -> ProposedTable | None:
    """Return the table whose dates of birth tell the age, where no column holds it."""
    if any(m.concept.column == "age_years" for t in tables for m, _ in t.matches.values()):
        return None
    for one in tables:
        free = [n for n in one.own_names if n.header not in {m.name.header for m, _ in one.matches.values()}]
        one.birth = birth_name(free, one.cells) if one.shape.row_of != "derived" else None
        if one.birth is not None:
            return one
    return None


def _ordered(line: ProposedLine, order: Order, *, sheet: str) -> ProposedLine:
    """Give a line the order of its own column where columns are written in different orders."""
    own = order.columns.get((sheet, line.match.name.header), "")
    return replace(line, filled=replace(line.filled, order=own)) if own else line


def _ids(tables: Sequence[ProposedTable]) -> str:
    lines = [line for t in tables for line in t.lines.values() if identifies(line.match)]
    return OPEN if any(line.match.names_a_person for line in lines) else "keep"


def _dictionaries(
    tables: Sequence[ProposedTable], blocks: Sequence[Block], *, missing_codes: Sequence[str]
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


_WITH_DATES = ("response", "result", "grade", "therapy", "death_cause")
"""Columns whose words may hold a date: ``RC (12/04/21)``."""
_BESIDE_OTHERS = ("diagnosis", "death_cause")
"""Columns of patients that may be read from the column of another: from the histology, from what tells of the death."""
_BY_STANDARD: Mapping[str, Callable[[Source], Proposed]] = {
    "adam": propose_adam, "sdtm": propose_sdtm, "omop": propose_records, "fhir": propose_records,
}  # fmt: skip
"""Kind of source whose names of variables are a standard's."""

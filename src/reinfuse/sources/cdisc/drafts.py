"""A map of CDISC data sets while it is drafted: blocks, and a proposal for each variable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reinfuse.sources.cdisc.variables import Variables
from reinfuse.sources.meanings import declared
from reinfuse.sources.proposal import IGNORE, Proposal, Proposed
from reinfuse.sources.source_map import OPEN, Answer, Block, Field, SourceMap
from reinfuse.sources.source_table import Source
from reinfuse.sources.values import understand

EXACT = 0.99
_NOT_KEPT = "not a column of the contract; to keep it as a factor, add a line with a name of your own"
_KEYS: Mapping[str, str] = {
    "STUDYID": "name of the study", "DOMAIN": "name of the domain", "SUBJID": "identifies within a site alone",
    "PARAM": "says PARAMCD in words", "AVALU": "unit of AVAL",
}  # fmt: skip


@dataclass
class Draft:
    """What is proposed so far.

    Attributes
    ----------
    targets
        Name of a data set, and variable -> target, confidence, reason and whether it is open; the first one stays.
    notes
        The same -> why a variable is not carried over, and whether somebody should look.
    """

    source: Source
    blocks: list[Block] = field(default_factory=list)
    questions: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, Answer]] = field(default_factory=dict)
    targets: dict[tuple[str, str], Proposal] = field(default_factory=dict)
    notes: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)

    def add(self, table: str, variables: Variables, fields: Mapping[str, Field], *,
            where: Mapping[str, tuple[str, ...]] | None = None, reason: str = "",
            number: str = "") -> None:  # fmt: skip
        """Add a block, whose lines are proposals too.

        Parameters
        ----------
        table
            What it fills.
        number
            Number of the infusion that its rows belong to, where the source has it as a column.
        """
        who = Field(column=variables.header("USUBJID"))
        block = Block(table, variables.table.name, {"patient_id": who, **fields}, where or {}, reason)
        self.blocks.append(block)
        place = f"{table}[{number}]" if number else table
        rows_open = bool(block.open_headers)
        for column, filled in block.fields.items():
            if not filled.column or filled.column == OPEN:
                continue
            self.words(table, column, filled, variables)
            key = (variables.table.name, filled.column)
            sure = EXACT if filled.confidence is None else filled.confidence
            why = filled.reason or f"{filled.column} is {table}.{column} by its name"
            asks = filled.is_open or (rows_open and column != "patient_id") or self._asks_first_day(column, filled)
            name = column if column != "patient_id" else "patient_id"
            target = f"{place if column != 'patient_id' else table}.{name}"
            self.targets.setdefault(key, Proposal(source=filled.column, target=target, confidence=sure, reason=why,
                                                  open=asks))  # fmt: skip

    def _asks_first_day(self, column: str, filled: Field) -> bool:
        return column.endswith("_days") and bool(filled.since or filled.first) and OPEN in self.questions.values()

    def words(self, table: str, column: str, filled: Field, variables: Variables) -> None:
        """Put the texts that are not understood into the dictionary of a column, once each."""
        if filled.values or filled.since or filled.first or (filled.part and filled.part != column):
            return
        schema = declared(f"{table}.{column}")
        if schema is None or schema.kind in ("date", "when", "text", "id", "number", "integer", "day"):
            return
        for text in variables.distinct(filled.column):
            if understand(f"{table}.{column}", text) is None:
                self.values.setdefault(column, {}).setdefault(text, OPEN)

    def note(self, variables: Variables, names: Iterable[str], why: str, *, ask: bool = False) -> None:
        """Say why variables are not carried over."""
        for name in names:
            if variables.has(name):
                self.notes.setdefault((variables.table.name, variables.header(name)), (why, ask))

    def proposed(self, *, whole: Sequence[tuple[str, str]] = ()) -> Proposed:
        """Return the map and the proposals.

        Parameters
        ----------
        whole
            Data sets that are not read, with the reason.
        """
        left = dict(whole)
        proposals: list[Proposal] = []
        ignored: dict[str, dict[str, str]] = {}
        for table in self.source.tables:
            for column in table.columns:
                key = (table.name, column.header)
                if key in self.targets:
                    proposals.append(self.targets[key])
                    continue
                known = _KEYS.get(column.header.upper())
                why, ask = self.notes.get(key, (left.get(table.name) or known or _NOT_KEPT, False))
                ignored.setdefault(table.name, {})[column.header] = why
                proposals.append(Proposal(source=column.header, target=IGNORE, confidence=0.5 if ask else 0.9,
                                          reason=why, open=ask))  # fmt: skip
        source_map = SourceMap(self.source.kind, self.source.fingerprint, tuple(self.blocks), values=self.values,
                               ignored=ignored, questions=self.questions)  # fmt: skip
        return Proposed(source_map, tuple(proposals))

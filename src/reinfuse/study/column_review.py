"""What is shown of a source and its map: each column with its meaning, the reason, its texts as read, and questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reinfuse.cohort.schema import TABLES
from reinfuse.sources.block_names import MAIN_COLUMNS
from reinfuse.sources.imported import Imported
from reinfuse.sources.proposal import Proposed
from reinfuse.sources.propose.changed_meaning import block_of, free_meanings, meanings_of
from reinfuse.sources.questions import MapQuestion, questions
from reinfuse.sources.reopened import settled
from reinfuse.sources.source_map import OPEN, WIDE_SHEET, Block, Field, SourceMap
from reinfuse.sources.source_table import Source

_FIRST = 3
_NOUNS: Mapping[str, str] = {"patients": "patient", "infusions": "infusion", "responses": "response", "mrd": "MRD",
                             "counts": "CAR-T count", "toxicities": "toxicity", "therapies": "therapy",
                             WIDE_SHEET: "patient"}  # fmt: skip
Place = tuple[str, str]
"""Sheet and header."""
Texts = Mapping[Place, frozenset[str]]
"""The texts of each column, in lower case."""


@dataclass(frozen=True, slots=True)
class TextReading:
    """How one text of a column is read.

    Attributes
    ----------
    raw, text
        As it stands in the source, and in the cohort; empty: missing.
    target
        ``responses.response``.
    rule
        How the one follows from the other, in words.
    count
        Rows.
    """

    raw: str
    text: str
    target: str
    rule: str
    count: int


@dataclass(frozen=True, slots=True)
class MeaningChoice:
    """What a column may mean: the map's name for it, in words, and what that is."""

    name: str
    label: str
    about: str


@dataclass(frozen=True, slots=True)
class ColumnReview:
    """One column of the source.

    Attributes
    ----------
    sheet, header, place
        Where; `place`: the letters over it.
    first
        Its first different texts.
    filled
        Rows that hold something.
    meanings
        What it is read as; none: it is not read.
    reason, confidence
        Why; confidence from 0 to 1, None where nothing was proposed.
    questions
        What is open of it.
    readings
        Of each different text, the most frequent first.
    """

    sheet: str
    header: str
    place: str
    first: tuple[str, ...]
    filled: int
    meanings: tuple[MeaningChoice, ...]
    reason: str
    confidence: float | None
    questions: tuple[MapQuestion, ...]
    readings: tuple[TextReading, ...]

    def telling(self, most: int) -> list[tuple[str, str]]:
        """Return some texts, each with all that it is read as: those first that are not taken as they stand."""
        own = {_target(m.name) for m in self.meanings}
        read_as: dict[str, dict[str, None]] = {}
        for reading in self.readings:
            if reading.target in own or not own:
                read_as.setdefault(reading.raw, {})[reading.text] = None
        texts = [(raw, "; ".join(text for text in read if text)) for raw, read in read_as.items()]
        return sorted(texts, key=lambda both: both[0] == both[1])[:most]


@dataclass(frozen=True)
class MapReview:
    """A source and its map.

    Attributes
    ----------
    columns
        In the order of the source.
    general
        Questions about the source as a whole, or about what no column holds.
    remarks
        What was seen and is not carried over.
    first_map
        The map as it was proposed, with all its questions.
    """

    source: Source
    proposed: Proposed
    columns: tuple[ColumnReview, ...]
    general: tuple[MapQuestion, ...]
    remarks: tuple[str, ...]
    first_map: SourceMap

    @property
    def settled(self) -> list[tuple[MapQuestion, str]]:
        """Questions that were answered, with their answers."""
        return list(settled(self.first_map, self.map))

    @property
    def map(self) -> SourceMap:
        """The map as it stands."""
        return self.proposed.map

    @property
    def open(self) -> int:
        """How many questions are open."""
        return len(self.general) + sum(len(c.questions) for c in self.columns)

    def subject_of(self, question: MapQuestion) -> str:
        """Return in words what a question is about; empty for one about the source as a whole."""
        blocks = dict(self.map.places())
        if question.place not in blocks or question.subject not in blocks[question.place].fields:
            return ""
        block = blocks[question.place]
        label = _meaning(block, f"{question.place}.{question.subject}").label
        beside = "" if block.fields[question.subject].column not in ("", OPEN) else _main_column(block)
        return f'{label}, for "{beside}"' if beside else label

    def meanings_for(self, column: ColumnReview) -> list[MeaningChoice]:
        """Return what a column could mean."""
        names = free_meanings(self.map, column.sheet, column.header)
        return [_meaning(block_of(self.map, column.sheet, name), name) for name in names]


def map_review(source: Source, proposed: Proposed, imported: Imported, *, first_map: SourceMap) -> MapReview:
    """Return what is shown of a source, its map, and what follows from both."""
    readings = _readings(imported)
    texts_of = {(t.name, c.header): frozenset(x.strip().casefold() for x in t.texts(c.header))
                for t in source.tables for c in t.columns}  # fmt: skip
    by_column, general = _assigned(proposed.map, texts_of)
    proposals = {p.source: p for p in reversed(proposed.proposals)}
    columns = []
    for table in source.tables:
        for column in table.columns:
            header = column.header
            texts = [t for t in table.texts(header) if t.strip()]
            lines = list(meanings_of(proposed.map, table.name, header))
            left = proposed.map.ignored.get(table.name, {}).get(header, "")
            proposal = proposals.get(header)
            reason = left or _reason([f for _, f in lines]) or (proposal.reason if proposal else "")
            columns.append(ColumnReview(
                table.name, header, column.place, tuple(dict.fromkeys(texts))[:_FIRST], len(texts),
                tuple(_meaning(block_of(proposed.map, table.name, name), name) for name, _ in lines
                      if not name.endswith(".patient_id") or name.startswith(("patients", "sheet"))),
                reason, proposal.confidence if proposal else None,
                tuple(by_column.get((table.name, header), ())), tuple(readings.get((table.name, header), ())),
            ))  # fmt: skip
    return MapReview(source, proposed, tuple(columns), tuple(general), imported.remarks, first_map)


def _reason(lines: Sequence[Field]) -> str:
    """Return why a column is read so; a line that nobody proposed is a person's."""
    return next((f.reason for f in lines if f.reason), "chosen by a person" if lines else "")


def _readings(imported: Imported) -> dict[tuple[str, str], list[TextReading]]:
    """Return, by sheet and header, how each different text is read."""
    counts: dict[tuple[str, str], Counter[tuple[str, str, str, str]]] = {}
    for name, table in imported.tables.items():
        for row in table.rows:
            for column, cell in zip(table.columns, row, strict=True):
                if cell.origin.header and cell.raw:
                    key = (cell.origin.table.name, cell.origin.header)
                    counts.setdefault(key, Counter())[cell.raw, cell.text, f"{name}.{column}", cell.rule] += 1
    return {key: [TextReading(*parts, count) for parts, count in counted.most_common()]
            for key, counted in counts.items()}  # fmt: skip


def _assigned(
    source_map: SourceMap, texts: Texts
) -> tuple[dict[tuple[str, str], list[MapQuestion]], list[MapQuestion]]:
    """Return the open questions of each column, and those of none."""
    blocks = dict(source_map.places())
    by_column: dict[tuple[str, str], list[MapQuestion]] = {}
    general = []
    for question in questions(source_map):
        places = _columns_of(question, source_map, texts=texts)
        if question.place in blocks and not places:
            block = blocks[question.place]
            filled = block.fields.get(question.subject)
            column = filled.column if filled is not None and filled.column not in ("", OPEN) else _main_column(block)
            if filled is not None and column:
                places = [(block.sheet, column)]
            elif question.setting == "where":
                places = [(block.sheet, question.subject)]
        if places:
            by_column.setdefault(places[0], []).append(question)
        else:
            general.append(question)
    return by_column, general


def _columns_of(question: MapQuestion, source_map: SourceMap, *, texts: Texts) -> list[tuple[str, str]]:
    """Return the columns that a question about a word, or about a column that is left out, is of."""
    if question.place.startswith("values."):
        name, word = question.place.removeprefix("values."), question.subject.casefold()
        read = [(b.sheet, f.column) for _, b in source_map.places() for c, f in b.fields.items()
                if (f.values or c) == name and f.column not in ("", OPEN)]  # fmt: skip
        return sorted(read, key=lambda place: word not in texts.get(place, ()))  # one that holds it first
    if question.place == "questions":
        return [(sheet, header) for sheet, left in source_map.ignored.items() for header in left
                if question.subject.startswith((f"{header}: ", f"{sheet}, {header}: "))]  # fmt: skip
    return []


def _main_column(block: Block) -> str:
    """Return the header of the column for which a block of events is there; empty where none is read."""
    return next((f.column for c in MAIN_COLUMNS.get(block.table, ()) if (f := block.fields.get(c))
                 and f.column not in ("", OPEN)), "")  # fmt: skip


def _target(name: str) -> str:
    """Return table and column of a meaning: ``responses.response`` of ``responses[2].response``."""
    place, _, column = name.rpartition(".")
    return f"{place.partition('[')[0]}.{column}"


def _meaning(block: Block, name: str) -> MeaningChoice:
    """Return a meaning with its words: of which infusion, what of it, and how the contract describes that."""
    column = name.rpartition(".")[2]
    number = block.fields["infusion"].const if "infusion" in block.fields else None
    after = next((f.after for f in block.fields.values() if f.after.startswith("infusion ")), "")
    number = number if number and number.isdecimal() else after.removeprefix("infusion ") or None
    constants = {c: f.const for c, f in block.fields.items()}
    noun = constants.get("kind") or ("progression" if constants.get("response") == "PD" else _NOUNS[block.table])
    declared = TABLES[block.table].column(column) if block.table in TABLES else None
    words = " ".join(w for w in (f"CART{number}" if number else "", noun) if w)
    about = declared.meaning if declared else "" if block.table == WIDE_SHEET else "a column of your own, as a factor"
    label = f"{words[0].upper()}{words[1:]}: {column.replace('_', ' ')}"
    return MeaningChoice(name, label, "" if column in ("date", "day") else about.replace("`", ""))

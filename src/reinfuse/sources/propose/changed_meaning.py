"""A person says what a column means, or that it is not read: the map that follows, with its open questions.

The line is the one that would have been proposed had the column borne that name: unit, order of dates and words are
asked about as ever. A meaning that another column has already is no choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from reinfuse.cohort.schema import TABLES
from reinfuse.sources.proposal import IGNORE
from reinfuse.sources.propose.concepts import Concept, concepts
from reinfuse.sources.propose.evidence import cells_of
from reinfuse.sources.propose.filled import ProposedLine, line_of
from reinfuse.sources.propose.matching import Match
from reinfuse.sources.propose.names import parse
from reinfuse.sources.questions import REJECTED
from reinfuse.sources.source_map import OPEN, WIDE_SHEET, Answer, Block, Field, SourceMap
from reinfuse.sources.source_table import HEADER_JOINT, Source, SourceTable
from reinfuse.sources.values.understood import plain, unaccented

_CHOSEN = "a person said so"
_OWN_COLUMNS = ("patients", "infusions", WIDE_SHEET)
"""Tables that keep columns of the centre's own, as factors."""
_NEW = {"responses": "response", "mrd": "result"}
"""Tables of which a map gets a further block when a person says that a column is of them, and what it then holds."""
_ASSESSED = 28
"""Day after an infusion that is proposed where no column holds the day of an assessment."""
_NEVER = ("patient_id", "infusion")


def free_meanings(source_map: SourceMap, sheet: str, header: str) -> list[str]:
    """Return what a column could mean beside what it does: ``infusions[2].date``; those of no other column.

    With ``responses[new after 2].response`` the map gets a further block.
    """
    out = []
    for place, block in source_map.places():
        if block.sheet != sheet:
            continue
        names = TABLES[block.table].names if block.table in TABLES else tuple(block.fields)
        dated = "day" if "day" in block.fields else "date"
        for name in names:
            taken = block.fields.get(name)
            other_clock = name in ("date", "day") and name != dated
            held = taken is not None and (taken.column not in ("", OPEN, header) or taken.const not in (None, OPEN))
            if name in _NEVER or other_clock or held:
                continue
            out.append(f"{place}.{name}")
    own = (p for p, b in source_map.places() if b.sheet == sheet and b.table in _OWN_COLUMNS)
    out += [f"{place}.{own_name(header)}" for place in own]
    out += [f"{place}.{column}" for place, column in _new_places(source_map, sheet)]
    return list(dict.fromkeys(out))


def block_of(source_map: SourceMap, sheet: str, meaning: str) -> Block:
    """Return the block of a meaning: one of the map, or that which the map would get with it."""
    place = meaning.rpartition(".")[0]
    return dict(source_map.places()).get(place) or _new_block(source_map, sheet, place)


def _new_places(source_map: SourceMap, sheet: str) -> Iterator[tuple[str, str]]:
    """Yield places of blocks that a map could get for a sheet, each with the column for which it would be there.

    ``responses[new after 2]``: after infusion 2 of a sheet with infusions side by side; ``responses[new]`` of another.
    """
    blocks = [b for b in source_map.blocks if b.sheet == sheet]
    if not any("patient_id" in b.fields for b in blocks) or any(b.table == WIDE_SHEET for b in blocks):
        return
    constants = [b.fields["infusion"].const for b in blocks if b.table == "infusions" and "infusion" in b.fields]
    numbers = sorted({c for c in constants if c and c.isdecimal()}, key=int)
    for table, column in _NEW.items():
        yield from ((f"{table}[new after {n}]", column) for n in numbers)
        if not numbers:
            yield f"{table}[new]", column


def _new_block(source_map: SourceMap, sheet: str, place: str) -> Block:
    """Return a block with patient and day: the day on which an outcome is first assessed, or a column, is asked for."""
    table, _, number = place.removesuffix("]").partition("[new")
    number = number.removeprefix(" after ")
    patients = (b.fields["patient_id"] for b in source_map.blocks if b.sheet == sheet and "patient_id" in b.fields)
    patient = replace(next(patients), confirm=False)  # asked about once
    day = Field(column=OPEN, reason=_CHOSEN)
    if number:
        day = Field(after=f"infusion {number}", day=_ASSESSED, said="not recorded", confirm=True, reason=_CHOSEN)
    clock = "day" if any("day" in b.fields for b in source_map.blocks) else "date"
    return Block(table, sheet, {"patient_id": patient, clock: day})


def meanings_of(source_map: SourceMap, sheet: str, header: str) -> Iterator[tuple[str, Field]]:
    """Yield each line that reads a column itself: ``infusions[2].date`` and how."""
    for place, block in source_map.places():
        if block.sheet == sheet:
            yield from ((f"{place}.{c}", f) for c, f in block.fields.items() if f.column == header)


def own_name(header: str) -> str:
    """Return the name under which a centre's own column is kept."""
    leaf = header.rpartition(HEADER_JOINT)[2]
    return "_".join(re.findall(r"[a-z0-9]+", unaccented(plain(leaf)))) or "column"


def with_meaning(source: Source, source_map: SourceMap, *, sheet: str, header: str, meaning: str) -> SourceMap:
    """Return a map in which a column means what a person says, and nothing else.

    Parameters
    ----------
    meaning
        One of `free_meanings`, or `IGNORE`.

    Raises
    ------
    ValueError
        If it can mean no such thing.
    """
    table = source.table(sheet) or source.tables[0]
    if header not in table.positions or meaning not in (IGNORE, *free_meanings(source_map, sheet, header)):
        raise ValueError(meaning)
    blocks = [_without(b, header) if b.sheet == sheet else b for b in source_map.blocks]
    ignored = {s: {h: why for h, why in left.items() if (s, h) != (sheet, header)}
               for s, left in source_map.ignored.items()}  # fmt: skip
    asked_of = {
        k: a for k, a in source_map.questions.items() if not k.startswith((f"{header}: ", f"{sheet}, {header}: "))
    }
    if meaning == IGNORE:
        ignored.setdefault(sheet, {})[header] = REJECTED
        return replace(source_map, blocks=tuple(blocks), ignored=ignored, questions=asked_of)
    place, _, column = meaning.rpartition(".")
    values = {name: dict(words) for name, words in source_map.values.items()}
    places = [at for at, _ in source_map.places()]
    if place not in places:
        blocks.append(_new_block(source_map, sheet, place))
        places.append(place)
    for number, at in enumerate(places):
        if at == place:
            line = _line(source, table, header, block=blocks[number], column=column, source_map=source_map)
            blocks[number] = replace(blocks[number], fields={**blocks[number].fields, column: line.filled})
            _add_words(values, line, column)
    return replace(source_map, blocks=tuple(blocks), ignored=ignored, questions=asked_of,
                   values={n: w for n, w in values.items() if w})  # fmt: skip


def _without(block: Block, header: str) -> Block:
    """Return a block that reads a column nowhere but as identifier."""
    fields = {c: f for c, f in block.fields.items() if f.column != header or c == "patient_id"}
    return replace(block, fields=fields)


def _line(source: Source, table: SourceTable, header: str, *, block: Block, column: str,
          source_map: SourceMap) -> ProposedLine:  # fmt: skip
    """Return the line that is proposed for a column that bears the name of its meaning."""
    source_column = table.columns[table.positions[header]]
    cells = cells_of(table, source_column, dialect="either" if source.kind == "csv" else "point",
                     missing=source.missing_codes)  # fmt: skip
    concept = _concept(block, column)
    match = Match(parse(header), cells, concept, 100.0, cells.share(concept), None)
    weight = next((f.weight for b in source_map.blocks for f in b.fields.values() if f.weight not in ("", OPEN)), "")
    line = line_of(match, order=source_map.date_order, weight=weight)
    asks = replace(line.filled, confirm=False).is_open
    filled = replace(line.filled, confirm=False if asks or not line.filled.weight else line.filled.confirm,
                     reason=_CHOSEN, confidence=None)  # fmt: skip
    return replace(line, filled=filled)


def _concept(block: Block, column: str) -> Concept:
    """Return the concept of a cohort's column; of a centre's own, one that takes every text."""
    kind = block.fields["kind"].const if block.table == "toxicities" and "kind" in block.fields else None
    declared = concepts()
    for target in (f"{block.table}.{kind}.{column}", f"{block.table}.{column}"):
        if target in declared:
            return declared[target]
    return Concept(f"{block.table}.{column}", "", "", ())


def _add_words(values: dict[str, dict[str, Answer]], line: ProposedLine, column: str) -> None:
    """Ask for the meaning of words that are not understood, and take over what a data dictionary says."""
    words = values.setdefault(line.filled.values or column, {})
    for text in line.words:
        words.setdefault(text, OPEN)
    words.update({text: answer for text, answer in line.answers.items() if text not in words})

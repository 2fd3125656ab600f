"""Columns that no line of a map reads: a person agrees that they are left out, or says what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from reinfuse.cohort.schema import TABLES
from reinfuse.exceptions import Problem
from reinfuse.sources.block_names import headers_of_sheet, infusion_of, infusions_of, named
from reinfuse.sources.proposal import IGNORE
from reinfuse.sources.source_map import LEFT_OUT, OPEN, Block, Field, SourceMap
from reinfuse.sources.values.words import YES_NO

_SHOWN = 40
"""Headers that the question about all columns that are left out lists."""
EVENTS: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType({
    "PD": ("responses", {"response": "PD"}),
    "allo-HCT": ("therapies", {"therapy": "allogeneic transplant", "kind": "allo-HCT"}),
    "auto-HCT": ("therapies", {"therapy": "autologous transplant", "kind": "auto-HCT"}),
})  # fmt: skip
"""Answer about a column of dates -> table, and what every row of it holds: the events of those days."""
NEW_MRD = "mrd.result"
"""Answer about a column of results of MRD, whether a block of the map holds some already or not."""
_LINE = re.compile(r'\s*(\w+(?:\[\d+\])?)\.(\w+)\s*=\s*"(.+)"\s*')
_ONLY_YES_ENDS = ('answer "yes"', 'answer "yes" if each patient has died', "or is it rightly read?")
"""In questions that nothing but a yes answers."""
_HIDDEN = ": the sheet is hidden: is it rightly read?"
EMPTY = "it is empty"
"""Why a column is left out that nobody need be asked about."""


def listed(source_map: SourceMap) -> str:
    """Return the question about all columns that are left out and asked about together, in words."""
    own = {_about(source_map, key) for key in source_map.questions}
    own |= {(b.sheet, h) for b in source_map.blocks for filled in b.fields.values() for h in filled.headers}
    several = len(source_map.ignored) > 1
    headers = [f"{sheet}: {h}" if several else h for sheet, left in source_map.ignored.items()
               for h, why in left.items() if (sheet, h) not in own and why != EMPTY]  # fmt: skip
    more = f"; and {len(headers) - _SHOWN} more, under [sheets.ignored]" if len(headers) > _SHOWN else ""
    return f"These columns are not read: {'; '.join(headers[:_SHOWN])}{more}. Is that right?"


def headers_of(source_map: SourceMap, place: str) -> frozenset[str]:
    """Return the headers of the sheet that a block of the map reads."""
    sheet = next((b.sheet for p, b in source_map.places() if p == place), "")
    read = {h for b in source_map.blocks if b.sheet == sheet for f in b.fields.values() for h in f.headers}
    return frozenset(read | set(source_map.ignored.get(sheet, {})))


def hidden_key(sheet: str) -> str:
    """Return the question about a hidden sheet."""
    return f"{sheet}{_HIDDEN}"


def asks_of_a_sheet(key: str) -> bool:
    """Tell whether a question is about a whole hidden sheet."""
    return key.endswith(_HIDDEN)


def changes_blocks(key: str, answer: str) -> bool:
    """Tell whether an answer adds a block of events, or takes the blocks of a hidden sheet away."""
    return answer in (*EVENTS, NEW_MRD) or (asks_of_a_sheet(key) and YES_NO.get(answer.casefold()) == "no")


def _without_sheet(source_map: SourceMap, key: str, answer: str) -> SourceMap:
    """Return a map that reads nothing of a hidden sheet."""
    sheet = key.removesuffix(_HIDDEN)
    read = (h for b in source_map.blocks if b.sheet == sheet for f in b.fields.values() for h in f.headers)
    left = {**dict.fromkeys(read, "the sheet is hidden"), **source_map.ignored.get(sheet, {})}
    return replace(source_map, blocks=tuple(b for b in source_map.blocks if b.sheet != sheet),
                   ignored={**source_map.ignored, sheet: left},
                   questions={**source_map.questions, key: answer})  # fmt: skip


def asks_of_a_column(source_map: SourceMap, key: str) -> bool:
    """Tell whether a question of a map is about one column that is left out."""
    return _about(source_map, key) != ("", "")


def wants_a_yes(key: str) -> bool:
    """Tell whether a question of the source as a whole is answered by yes alone."""
    return not asks_of_a_sheet(key) and key.endswith(_ONLY_YES_ENDS)


def agreed(answer: str) -> bool:
    """Tell whether an answer says that a column is rightly left out."""
    return answer.casefold() == IGNORE or YES_NO.get(answer.casefold()) == "yes"


def event_blocks(source_map: SourceMap, sheet: str, header: str, answer: str) -> tuple[Block, ...]:
    """Return the block that reads the dates of an event from a column that was left out; none: the answer is none."""
    table, constants = EVENTS.get(answer, ("", {}))
    who = (b.fields["patient_id"] for b in source_map.blocks if b.sheet == sheet and "patient_id" in b.fields)
    own = next(who, None)
    if answer == NEW_MRD and own is not None and all(p != "mrd" for p, b in source_map.places() if b.sheet == sheet):
        when = _date_of_response(source_map, sheet, header)
        return (Block("mrd", sheet, {"patient_id": own, "date": when, "result": Field(column=header)}),)
    if not table or own is None:
        return ()
    fields = {"patient_id": own, "date": Field(column=header), **{c: Field(const=t) for c, t in constants.items()}}
    return (Block(table, sheet, fields),)


def _date_of_response(source_map: SourceMap, sheet: str, header: str) -> Field:
    """Return the date of the response of the same infusion as a column, for a person to confirm; else an open one."""
    by_header = infusions_of(headers_of_sheet(source_map, sheet))
    number = by_header.get(header)
    dates = [b.fields["date"] for b in source_map.blocks if b.table == "responses" and b.sheet == sheet
             and b.fields.get("response", Field()).column and "date" in b.fields
             and (number is None or infusion_of(b, by_header) in (None, number))]  # fmt: skip
    if len(dates) != 1:
        return Field(column=OPEN, reason="the date of these results of MRD")
    return replace(dates[0], confirm=True, reason="as the response")


def fault_of(source_map: SourceMap, key: str, answer: str) -> str | None:
    """Return why an answer about a column that is left out can not be followed; None if it can."""
    if agreed(answer):
        return None
    place, _, column = answer.rpartition(".")
    sheet, header = _about(source_map, key)
    if event_blocks(source_map, sheet, header, answer):
        return None
    places = {p: b for p, b in source_map.places() if b.sheet == sheet}
    if place not in places:
        listed = (f"{p} ({whose})" if (whose := named(source_map, b)) else p for p, b in places.items())
        return (
            f"answer yes; {', '.join(EVENTS)} if it holds the dates of that; or the column that it fills: "
            f"{', '.join(listed)}, each with .COLUMN behind it; or {NEW_MRD} if it holds results of MRD"
        )
    if wrong := _of_another_infusion(source_map, places, place, header):
        return wrong
    declared = TABLES.get(places[place].table)
    if declared is not None and declared.column(column) is None and declared.name not in ("patients", "infusions"):
        return f"{declared.name} has the columns {', '.join(declared.names)}"
    other = places[place].fields.get(column)
    return f"{answer} is filled by another column already" if other and not other.is_open else None


def _of_another_infusion(source_map: SourceMap, places: Mapping[str, Block], place: str, header: str) -> str:
    """Return why a column cannot fill a block: its header names another infusion than the block is of."""
    block = places[place]
    by_header = infusions_of(headers_of_sheet(source_map, block.sheet))
    number, own = by_header.get(header), infusion_of(block, by_header)
    if number is None or own in (None, number) or block.table == "patients":
        return ""
    right = [p for p, b in places.items() if b.table == block.table and infusion_of(b, by_header) == number]
    listed = f"; of infusion {number}: {', '.join(f'{p} ({named(source_map, places[p])})' for p in right)}"
    return f"{header!r} is of infusion {number}, and {place} ({named(source_map, block)}) is not{listed * bool(right)}"


def with_answer(source_map: SourceMap, key: str, answer: str) -> SourceMap:
    """Return a map in which a column that was left out is read as an answer says, or stays left out."""
    if asks_of_a_sheet(key) and YES_NO.get(answer.casefold()) == "no":
        return _without_sheet(source_map, key, answer)
    if key == LEFT_OUT and not agreed(answer):
        return with_line(source_map, answer)
    sheet, header = _about(source_map, key)
    if agreed(answer) or not header:
        return replace(source_map, questions={**source_map.questions, key: answer})
    wanted, _, column = answer.rpartition(".")
    events = event_blocks(source_map, sheet, header, answer)
    blocks = [replace(b, fields={**b.fields, column: Field(column=header)}) if place == wanted else b
              for place, b in source_map.places()]  # fmt: skip
    ignored = {s: {h: why for h, why in left.items() if (s, h) != (sheet, header)}
               for s, left in source_map.ignored.items()}  # fmt: skip
    rest = {k: a for k, a in source_map.questions.items() if k != key}
    return replace(source_map, blocks=(*blocks, *events), ignored=ignored, questions=rest)


def with_typed_answers(source_map: SourceMap) -> SourceMap:
    """Return the map in which answers that were written into its file are carried out, as if they had been asked."""
    for key, answer in source_map.questions.items():
        one = asks_of_a_column(source_map, key) and not _is_read(source_map, key)
        if one and answer != OPEN and not agreed(answer) and fault_of(source_map, key, answer) is None:
            source_map = with_answer(source_map, key, answer)
        elif key == LEFT_OUT and not agreed(answer) and fault_of_line(source_map, answer) is None:
            source_map = with_line(source_map, answer)
    return source_map


def fault_of_line(source_map: SourceMap, answer: str) -> str | None:
    """Return why an answer about all columns that are left out is none; None if it agrees, or is the line of one."""
    match = _LINE.fullmatch(answer)
    if agreed(answer):
        return None
    sheet = next((s for s, left in source_map.ignored.items() if match and match[3] in left), None)
    if match is None or sheet is None:
        return 'answer yes, or the line that reads one of them: patients.sex = "its header"'
    places = {p: b for p, b in source_map.places() if b.sheet == sheet}
    if match[1] not in places:
        return f"{match[1]} is no block of the map; of this sheet it has: {', '.join(places)}"
    if wrong := _of_another_infusion(source_map, places, match[1], match[3]):
        return wrong
    other = places[match[1]].fields.get(match[2])
    return f"{match[1]}.{match[2]} is filled by another column already" if other and not other.is_open else None


def with_line(source_map: SourceMap, answer: str) -> SourceMap:
    """Return the map with the line of a column that was left out; all others are still asked about."""
    match = _LINE.fullmatch(answer)
    if match is None:
        return source_map
    sheet = next(s for s, left in source_map.ignored.items() if match[3] in left)
    blocks = [replace(b, fields={**b.fields, match[2]: Field(column=match[3])}) if place == match[1] else b
              for place, b in source_map.places()]  # fmt: skip
    left = {h: why for h, why in source_map.ignored[sheet].items() if h != match[3]}
    return replace(source_map, blocks=tuple(blocks), ignored={**source_map.ignored, sheet: left},
                   questions={**source_map.questions, LEFT_OUT: OPEN})  # fmt: skip


def not_followed(source_map: SourceMap) -> Iterator[Problem]:
    """Yield a problem for each answer that names a column which no line of the map reads."""
    for key, answer in source_map.questions.items():
        one = asks_of_a_column(source_map, key)
        if asks_of_a_sheet(key) and any(b.sheet == key.removesuffix(_HIDDEN) for b in source_map.blocks):
            rule, remedy = "blocks of the map read this sheet all the same", "take its blocks out of the map"
            if YES_NO.get(answer.casefold()) == "no":
                yield Problem(table="map", column=f"questions.{key}", value=answer, rule=rule, remedy=remedy)
        if answer != OPEN and not agreed(answer) and wants_a_yes(key):
            rule, remedy = "is no answer to this question", "do as it says, then answer yes"
            yield Problem(table="map", column=f"questions.{key}", value=answer, rule=rule, remedy=remedy)
        if answer == OPEN or agreed(answer) or not (one or key == LEFT_OUT) or _is_read(source_map, key):
            continue
        where, _, column = answer.rpartition(".")
        table, header = where.partition("[")[0], _about(source_map, key)[1]
        where = next((f"{p} ({named(source_map, b)})" for p, b in source_map.places() if p == where), where)
        line = f'{column} = "{header}" to {where}' if one and table else "the line that reads it"
        rule = "no line of the map follows this answer"
        remedy = f'add {line}, take the column out of [sheets.ignored], and answer "yes"'
        yield Problem(table="map", column=f"questions.{key}", value=answer, rule=rule, remedy=remedy)


def _is_read(source_map: SourceMap, key: str) -> bool:
    """Tell whether some line of the map reads the column that a question is about."""
    sheet, header = _about(source_map, key)
    return any(header in f.headers for b in source_map.blocks if b.sheet == sheet for f in b.fields.values())


def _about(source_map: SourceMap, key: str) -> tuple[str, str]:
    """Return sheet and header of the column that a question is about; two empty texts where it is about none."""
    for sheet, left in source_map.ignored.items():
        for header in left:
            if key.startswith((f"{sheet}, {header}: ", f"{header}: ")):
                return sheet, header
    return "", ""

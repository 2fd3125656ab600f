"""A map as a text that a person can read, correct and confirm: TOML, with the reason of every proposal beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from reinfuse.sources.dose_answers import permitted_of
from reinfuse.sources.gaps import permitted
from reinfuse.sources.proposal import IGNORE, Proposal
from reinfuse.sources.source_map import BLOCK_TABLES, EMPTY_GRADES, Block, Field, SourceMap
from reinfuse.sources.source_table import SheetLayout
from reinfuse.tabular.toml import toml_text
from reinfuse.tabular.toml_document import toml_key, toml_value

WIDTH = 120
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_HEAD = """\
# A map from a centre's own file to the tables of a cohort, for `reinfuse import SOURCE --map THIS --out cohort/`.
# Open is what says "?" or confirm = true: write the answer for "?", take `confirm = true` away where the line is right.
# column = "header" reads a column; { const = "PD" } is the same in every row; a line that is taken away is not read.
"""
_HINTS = {
    "date_order": "day, month and year in texts such as 03/04/2024: dmy, mdy or ymd",
    "ids": "keep: patients keep the source's identifiers; number: P001, P002, ...",
    "left_out": "yes: the columns under [sheets.ignored] are rightly left out; else give the line that reads one",
    EMPTY_GRADES: "0: no grade (an empty cell, no row) after an infusion that was given is grade 0; missing: not known",
    "first_day": "number of a clock's first day: 0 (as reinfuse counts), or 1 (as AVAL of most trials)",
}
_READING = {
    "merge_days": "records at most so many days after the first are one infusion",
    "lymphodepletion_days": "days before an infusion in which lymphodepletion is looked for",
    "response": "concepts or codes of records that hold responses; then run `reinfuse map` again with --response",
}


def map_text(source_map: SourceMap, proposals: Iterable[Proposal] = ()) -> str:
    """Return a map as TOML.

    Parameters
    ----------
    source_map
        The map; reasons and confidences of its fields become comments.
    proposals
        Reasons and confidences of what is not a field of the map: columns that are ignored.
    """
    lines = _HEAD.splitlines()
    lines += _source(source_map)
    if source_map.reading:
        lines += ["", "[reading]", *(_beside(f"{toml_key(k)} = {toml_value(v)}", _READING.get(k, ""))
                                     for k, v in source_map.reading.items())]  # fmt: skip
    lines += _sheets(source_map, {p.source: p for p in proposals if p.target == IGNORE})
    for name, words in source_map.values.items():
        lines += ["", f"[values.{toml_key(name)}]  # {permitted_of(source_map, name) or permitted(name)}"]
        lines += [f"{toml_key(word)} = {toml_value(answer)}" for word, answer in words.items()]
    for table in BLOCK_TABLES:
        blocks = [b for b in source_map.blocks if b.table == table]
        for block in blocks:
            lines += ["", f"[{table}]" if len(blocks) == 1 else f"[[{table}]]", *_block(block)]
    return "\n".join(lines) + "\n"


def _source(source_map: SourceMap) -> Iterator[str]:
    yield from ("", "[source]", f'kind = "{source_map.kind}"')
    yield _beside(f"fingerprint = {toml_text(source_map.fingerprint)}", "of the headers: a changed sheet asks again")
    if source_map.date_order:
        yield _beside(f"date_order = {toml_text(source_map.date_order)}", _HINTS["date_order"])
    yield _beside(f"ids = {toml_text(source_map.ids)}", _HINTS["ids"])
    if source_map.confirmed:
        line = f"confirmed = [{', '.join(map(toml_text, source_map.confirmed))}]"
        yield _beside(line, "implausible values that are right all the same")
    if source_map.questions:
        yield from ("", "[questions]")
        yield from (
            _beside(f"{toml_key(k)} = {toml_text(v)}", _HINTS.get(k, "")) for k, v in source_map.questions.items()
        )


def _sheets(source_map: SourceMap, reasons: Mapping[str, Proposal]) -> Iterator[str]:
    for name in dict.fromkeys((*source_map.layouts, *source_map.ignored)):
        yield from ("", "[[sheets]]", f"sheet = {toml_text(name)}")
        if layout := source_map.layouts.get(name):
            yield from _layout(layout)
        if left := source_map.ignored.get(name):
            yield from ("", "[sheets.ignored]  # columns that are not carried over, and why")
            for header, why in left.items():
                proposal = reasons.get(header)
                sure = f"{proposal.confidence:.0%}" if proposal else ""
                yield _beside(f"{toml_key(header)} = {toml_text(why)}", sure)


def _layout(layout: SheetLayout) -> Iterator[str]:
    yield _beside(f"header_rows = {list(layout.header_rows)}", "rows as the spreadsheet program numbers them")
    yield f"data_from = {layout.data_from}"
    if layout.drop_rows:
        yield _beside(f"drop_rows = [{', '.join(map(toml_text, layout.drop_rows))}]", "rows that are no patients")
    if layout.keep_rows:
        yield _beside(f"keep_rows = [{', '.join(map(toml_text, layout.keep_rows))}]", "patients that look like totals")


def _block(block: Block) -> Iterator[str]:
    if block.sheet:
        yield f"sheet = {toml_text(block.sheet)}"
    if block.where:
        yield _beside(f"where = {toml_value(block.where)}", block.reason)
    for column, filled in block.fields.items():
        sure = "" if filled.confidence is None else f"{filled.confidence:.0%}"
        yield _beside(f"{toml_key(column)} = {_field(filled)}", ": ".join(t for t in (sure, filled.reason) if t))


def _field(filled: Field) -> str:
    """Return a field in the shortest form that says it all."""
    plain = Field()
    names = [f.name for f in fields(Field) if f.name not in ("reason", "confidence")]
    settings = {n: getattr(filled, n) for n in names if getattr(filled, n) != getattr(plain, n)}
    if set(settings) == {"column"}:
        return toml_text(filled.column)
    if set(settings) == {"const"} and _WHOLE.fullmatch(settings["const"]):
        return str(settings["const"])
    return toml_value(settings)


def _beside(line: str, comment: str) -> str:
    """Return a line with a comment beside it, or above it where both together are too long."""
    plain = "".join(c if c.isprintable() else " " for c in comment)
    plain = " ".join(plain.split())
    if not plain:
        return line
    whole = f"{line}  # {plain}"
    return whole if len(whole) <= WIDTH else f"# {plain}\n{line}"

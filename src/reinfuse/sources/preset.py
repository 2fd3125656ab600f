"""Maps of the package for exports that many centres have: registries, electronic records, cBioPortal."""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from reinfuse.exceptions import Problem, SourceRefused, nearest
from reinfuse.sources.map_file import read_map
from reinfuse.sources.proposal import IGNORE, Proposal, Proposed
from reinfuse.sources.source_map import OPEN, Block, Field, SourceMap
from reinfuse.sources.source_table import Source, SourceTable

_SURE = 0.9
_LEFT = "not part of the preset"


@dataclass(frozen=True)
class Preset:
    """A map for a kind of export.

    Attributes
    ----------
    fits
        Names of columns that a table must have.
    columns
        Name in the map -> other headers under which centres have it.
    map
        Its columns are the names above; its questions are the doubts that a person must settle.
    """

    name: str
    title: str
    fits: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    map: SourceMap

    def headers(self, table: SourceTable) -> dict[str, str]:
        """Return the table's header of each name that it has; a header that two names claim is of neither."""
        plain: dict[str, list[str]] = {}
        for column in table.columns:
            plain.setdefault(_plain(column.header), []).append(column.header)
        hits = {name: [h for text in (name, *others) for h in plain.get(_plain(text), ())]
                for name, others in self.columns.items()}  # fmt: skip
        single = {name: here[0] for name, here in hits.items() if len(set(here)) == 1}
        return {n: h for n, h in single.items() if list(single.values()).count(h) == 1}

    def fits_table(self, table: SourceTable) -> bool:
        """Tell whether a table holds the columns by which the export is known."""
        return set(self.fits) <= set(self.headers(table))


@cache
def presets() -> Mapping[str, Preset]:
    """Return the presets of the package by name."""
    folder = files("reinfuse.sources").joinpath("presets")
    names = sorted(e.name.removesuffix(".toml") for e in folder.iterdir() if e.name.endswith(".toml"))
    return {name: _read(name, folder.joinpath(f"{name}.toml").read_text(encoding="utf-8")) for name in names}


def _read(name: str, text: str) -> Preset:
    contents = tomllib.loads(text)
    head, columns = contents.pop("preset"), contents.pop("columns")
    others = {c: tuple(texts) for c, texts in columns.items()}
    return Preset(name, head["title"], tuple(head["fits"]), others, read_map(contents))


def fitting(source: Source) -> Iterator[str]:
    """Yield the names of the presets that fit a table of a source."""
    yield from (name for name, preset in presets().items() if any(preset.fits_table(t) for t in source.tables))


def with_preset(source: Source, proposed: Proposed, *, name: str) -> Proposed:
    """Return the map that a preset makes of a source, in place of the proposed one.

    Parameters
    ----------
    proposed
        Where header and data stand, and the order of dates that the cells decide.
    name
        A preset, or the beginning of several: ``cibmtr`` for the forms 4000, 4006 and 4100 of one source.

    Raises
    ------
    SourceRefused
        If there is no such preset, or no table of the source has its columns.
    """
    chosen = [p for n, p in presets().items() if n == name or n.startswith(f"{name}_")]
    if not chosen:
        near = nearest(name, tuple(presets()))
        hint = f"did you mean {near}? " if near else ""
        remedy = f"{hint}use one of: {', '.join(presets())}"
        raise SourceRefused([Problem(value=name, rule="is no preset", remedy=remedy)])
    pairs = [(preset, table) for preset in chosen for table in source.tables if preset.fits_table(table)]
    if not pairs:
        needed = "; ".join(f"{p.name}: {', '.join(p.fits)}" for p in chosen)
        rule = f"has no table with the columns of the preset ({needed})"
        remedy = "rename the headers so, or use `reinfuse map` without --preset"
        raise SourceRefused([Problem(table=source.name, rule=rule, remedy=remedy)])
    return _combined(source, proposed, pairs=pairs)


def _combined(source: Source, proposed: Proposed, *, pairs: Sequence[tuple[Preset, SourceTable]]) -> Proposed:
    """Put the blocks of presets in place of those proposed for the same tables; other tables keep theirs."""
    before, here = proposed.map, {table.name for _, table in pairs}
    blocks = [b for preset, table in pairs for b in _blocks(preset, table)]
    left = _left_out(proposed, [table for _, table in pairs], blocks=blocks)
    others = [t for t in source.tables if t.name not in here]
    own = tuple(f"{c.header}: " for t in others for c in t.columns)
    orders = [p.map.date_order for p, _ in pairs if p.map.date_order]
    source_map = replace(
        before, blocks=(*blocks, *(b for b in before.blocks if b.sheet not in here)),
        values={**(before.values if others else {}), **{n: ws for p, _ in pairs for n, ws in p.map.values.items()}},
        questions={**{q: a for p, _ in pairs for q, a in p.map.questions.items()},
                   **{q: a for q, a in before.questions.items() if q.startswith(own)}},
        ignored={**{n: headers for n, headers in before.ignored.items() if n not in here}, **left},
        ids=OPEN if OPEN in (before.ids, *(p.map.ids for p, _ in pairs)) else "keep",
        date_order=before.date_order or (orders[0] if orders else ""),
    )  # fmt: skip
    return Proposed(source_map, tuple(_proposals(source, source_map, proposed=proposed, here=here)))


def _left_out(
    proposed: Proposed, tables: Sequence[SourceTable], *, blocks: Sequence[Block]
) -> dict[str, dict[str, str]]:
    """Return the columns that a preset does not read, with what is proposed for them without it."""
    read = {(b.sheet, h) for b in blocks for f in b.fields.values() for h in f.headers}
    targets = {p.source: p.target for p in proposed.proposals if p.target != IGNORE}
    return {
        t.name: {c.header: f"{_LEFT} (without it: {targets[c.header]})" if c.header in targets else _LEFT
                 for c in t.columns if (t.name, c.header) not in read} for t in tables
    }  # fmt: skip


def _blocks(preset: Preset, table: SourceTable) -> Iterator[Block]:
    """Yield the blocks of a preset with the table's own headers; lines whose column it lacks are left out."""
    headers = preset.headers(table)
    reason = f"preset {preset.name}"
    for block in preset.map.blocks:
        fields = {c: _with_headers(f, headers, reason=reason) for c, f in block.fields.items()
                  if all(h in headers for h in (f.column, *f.where) if h)}  # fmt: skip
        if "patient_id" in fields and any(f.column for c, f in fields.items() if c != "patient_id"):
            yield Block(block.table, table.name, fields, block.where)


def _with_headers(filled: Field, headers: Mapping[str, str], *, reason: str) -> Field:
    weight = headers.get(filled.weight, OPEN) if filled.weight else ""
    where = {headers[h]: texts for h, texts in filled.where.items()}
    return replace(filled, column=headers.get(filled.column, ""), weight=weight, where=where, reason=reason,
                   confidence=_SURE)  # fmt: skip


def _proposals(
    source: Source, source_map: SourceMap, *, proposed: Proposed, here: Container[str]
) -> Iterator[Proposal]:
    lines: dict[tuple[str, str], Proposal] = {}
    for _, block in source_map.places():
        for column, filled in block.fields.items():
            if filled.column and block.sheet in here:
                doubt = filled.is_open or column in source_map.values
                proposal = Proposal(source=filled.column, target=f"{block.table}.{column}", confidence=_SURE,
                                    reason=filled.reason, open=doubt)  # fmt: skip
                lines.setdefault((block.sheet, filled.column), proposal)
    before = iter(proposed.proposals)
    for table in (t for t in source.tables if t.columns):
        for each in table.columns:
            old = next(before, None) if table.rows else None
            left = Proposal(source=each.header, target=IGNORE, confidence=_SURE, open=False,
                            reason=source_map.ignored.get(table.name, {}).get(each.header, _LEFT))  # fmt: skip
            yield lines.get((table.name, each.header), left if table.name in here or old is None else old)


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())

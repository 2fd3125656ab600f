"""The words of a map's questions: what a guess reads, of which event, and from what days may be counted."""

from __future__ import annotations

from reinfuse.sources.source_map import OPEN, OWN_INFUSION, Block, Field, SourceMap

NEITHER = "neither"
"""Answer that a column holds no days after an infusion."""


def counted_from(source_map: SourceMap) -> tuple[str, ...]:
    """Return from what days may be counted: each infusion that the map numbers, that of the same row, or neither."""
    numbers = [b.fields["infusion"] for b in source_map.blocks if b.table == "infusions" and "infusion" in b.fields]
    by_number = dict.fromkeys(f"infusion {n.const}" for n in numbers if (n.const or "").isdigit())
    by_row = ("infusion 1", "infusion 2", "infusion 3", OWN_INFUSION) if len(by_number) < len(numbers) else ()
    return tuple(dict.fromkeys((*by_number, *by_row, NEITHER)))


def of_event(block: Block, column: str) -> str:
    """Say of which event a column of dates is, where every row of the block is the same: of a progression (PD)."""
    told = next((c for c in ("response", "kind") if (f := block.fields.get(c)) and f.const not in (None, OPEN)), "")
    if column == "day" and block.table == "infusions":
        return ", as days counted from the first infusion (its day is 0)"
    if column not in ("date", "day") or not told:
        return ""
    what = block.fields[told].const
    if block.table == "therapies":
        return f", each as the day of a therapy ({what})"
    if block.table == "toxicities":
        return f", as the onset of {what}"
    return ", each as the day of a progression (PD)" if what == "PD" else f", each as the day of {what}"


def in_words(filled: Field) -> str:
    """Say what a line of a map reads, or places."""
    if filled.until:
        return f'the age at {filled.until}, from the date of birth in "{filled.column}" (which is not carried over)'
    if filled.column and filled.column != OPEN:
        more = [f"{filled.part} of it"] if filled.part else []
        more += [f"day {filled.day} where it tells none"] if filled.part == "day" and filled.day is not None else []
        more += [f"in {filled.unit}"] if filled.unit not in ("", OPEN) else []
        more += [f'total cells divided by "{filled.weight}"'] if filled.weight not in ("", OPEN) else []
        more += [f'where "{h}" is {" or ".join(texts)}' for h, texts in filled.where.items()]
        return ", ".join([f'read from "{filled.column}"', *more])
    if filled.after and filled.day is not None:
        return f"day {filled.day} after {filled.after}" + (f" ({filled.said})" if filled.said else "")
    return f'"{filled.const}" in every row' if filled.const is not None else "as the map has it"

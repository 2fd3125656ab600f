"""Two documents that share one set of tables and figures: each stands in one of them, and both can refer to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from reinfuse.report.document.model import (
    Block,
    Bullets,
    Document,
    Inline,
    Pairs,
    Paragraph,
    Picture,
    Ref,
    Section,
    Table,
    Text,
    flat,
)


@dataclass(frozen=True)
class MainItem:
    """A table or figure that stands in the report, not in the supplement.

    Attributes
    ----------
    name
        Of the table or figure.
    section
        Where it stands in the report; empty: where it would stand in the supplement.
    """

    name: str
    section: str = ""


def items(section: Section) -> Iterator[Table | Picture]:
    """Yield the tables and figures of a section and of its parts, in order."""
    return (block for block in flat(section.blocks) if isinstance(block, Table | Picture))


def without(section: Section, names: Collection[str]) -> Section | None:
    """Return a section without tables and figures of these names; None where it then has nothing to show.

    A text that stands with tables and figures goes with the last of them.
    """
    own = list(items(section))
    if own and all(one.name in names for one in own):
        return None
    blocks: list[Block] = []
    for block in section.blocks:
        if isinstance(block, Section):
            part = without(block, names)
            blocks += [] if part is None else [part]
        elif not (isinstance(block, Table | Picture) and block.name in names):
            blocks.append(block)
    return replace(section, blocks=tuple(blocks))


def referring(document: Document, *others: Document) -> Document:
    """Return a document in which references to what stands in other documents read as these label it."""
    labels = {key: other.numbered(*key) for other in others for key in other.numbers}
    labels |= {key: f"{'supplement' if other.mark else 'report'}: {title}"
               for other in others for key, title in _titles(other).items()}  # fmt: skip
    own = {*document.numbers, *_titles(document)}
    away = {key: label for key, label in labels.items() if key not in own}
    return replace(document, sections=tuple(_resolved(s, away) for s in document.sections))


def _titles(document: Document) -> dict[tuple[str, str], str]:
    return {("section", block.name): block.title for block in document.blocks() if isinstance(block, Section)}


def _resolved(section: Section, away: Mapping[tuple[str, str], str]) -> Section:
    return replace(section, blocks=tuple(_block(block, away) for block in section.blocks))


def _block(block: Block, away: Mapping[tuple[str, str], str]) -> Block:
    match block:
        case Section():
            return _resolved(block, away)
        case Paragraph():
            return replace(block, text=_text(block.text, away))
        case Bullets():
            return replace(block, items=tuple(_text(text, away) for text in block.items))
        case Pairs():
            return replace(block, items=tuple((term, _text(text, away)) for term, text in block.items))
    return block


def _text(text: Text, away: Mapping[tuple[str, str], str]) -> Text:
    if isinstance(text, str):
        return text
    return tuple(_inline(part, away) for part in text)


def _inline(part: Inline, away: Mapping[tuple[str, str], str]) -> Inline:
    return away.get((part.kind, part.name), part) if isinstance(part, Ref) else part

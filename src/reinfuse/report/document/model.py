"""A document, declared once: sections of paragraphs, lists, tables and figures that every writer shows alike.

Texts are plain, or tuples of plain texts and links (`Ref`, `Cite`). Numbers of tables, figures and references are given
by the order of their first standing, the same in every format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # matplotlib is not needed to say what stands in a document
    from reinfuse.report.figures.theme import Columns, Drawn


@dataclass(frozen=True)
class Ref:
    """A cross-reference to a table, a figure or a section, by its name."""

    kind: Literal["table", "figure", "section"]
    name: str


@dataclass(frozen=True)
class Cite:
    """A citation of references, by their numbers in the document's list."""

    numbers: tuple[int, ...]


Inline = str | Ref | Cite
Text = str | tuple[Inline, ...]


@dataclass(frozen=True)
class Row:
    """One row: its head, its cells; `inner` rows are indented under the row above."""

    head: str
    cells: tuple[str, ...]
    inner: bool = False


@dataclass(frozen=True)
class Table:
    """A table with caption, column heads, rows and footnotes; one of one column's width may stand beside a figure."""

    name: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    columns: Columns = 2

    @property
    def footnote(self) -> str:
        """The notes as one text: sentences after each other, parts of one apart by semicolons; empty without notes."""
        text = "".join(f"{note}{' ' if note.endswith('.') else '; '}" for note in self.notes).strip().rstrip(";")
        return text if text.endswith(".") or not text else f"{text}."


@dataclass(frozen=True)
class Picture:
    """A figure in its place: the drawing, and what its caption adds to its title."""

    drawn: Drawn
    note: str = ""

    @property
    def name(self) -> str:
        """The drawing's name."""
        return self.drawn.name

    @property
    def caption(self) -> str:
        """The title, and what the note adds."""
        return f"{self.drawn.title}. {self.note}".rstrip()


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; an `aside` is printed smaller, a `banner` cannot be overlooked."""

    text: Text
    look: Literal["plain", "aside", "banner"] = "plain"


@dataclass(frozen=True)
class Bullets:
    """A list, numbered or not."""

    items: tuple[Text, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Pairs:
    """Terms and what is said of each."""

    items: tuple[tuple[str, Text], ...]


@dataclass(frozen=True)
class Section:
    """A heading with blocks; a section inside a section is one level lower.

    Attributes
    ----------
    name
        Unique in the document; links lead to it.
    short
        What the table of contents calls it.
    """

    name: str
    title: str
    blocks: tuple[Block, ...]
    short: str = ""

    @property
    def in_contents(self) -> str:
        """The section's name in the table of contents."""
        return self.short or self.title


Block = Section | Paragraph | Bullets | Pairs | Table | Picture

ENGLISH: Mapping[str, str] = {
    "table": "Table", "figure": "Figure", "contents": "Contents", "page": "Page", "of": "of",
    "skip": "To the contents of this page", "scroll": "Wider than the screen: scroll sideways",
    "after_number": ". ",
}  # fmt: skip


@dataclass(frozen=True)
class Document:
    """What a reader gets, in every format the same.

    Attributes
    ----------
    look
        ``report`` numbers tables and figures and has a table of contents; ``brief`` is larger and has neither;
        ``alone`` is one table or figure, without title and headings.
    banners
        What must not be overlooked, under the title.
    facts
        Name -> value, for the file's properties.
    cited
        Keys of the references, in the order of their numbers.
    words
        The few words that writers add, in the document's language; names as in `ENGLISH`. `after_number` stands
        between the number of a table or figure and its caption.
    mark
        Stands before the numbers of tables and figures: `S` in a supplement.
    contents
        Whether pages begin with a table of contents; a web page always has one.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    language: str = "en"
    look: Literal["report", "brief", "alone"] = "report"
    banners: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    cited: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=lambda: ENGLISH)
    mark: str = ""
    contents: bool = True

    @cached_property
    def numbers(self) -> Mapping[tuple[str, str], int]:
        """Kind and name -> number of each table and figure; empty but of a report."""
        by_block: dict[tuple[str, str], int] = {}
        if self.look != "report":
            return by_block
        counts = {"table": 0, "figure": 0}
        for block in self.blocks():
            kind = {Table: "table", Picture: "figure"}.get(type(block))
            if kind is not None:
                counts[kind] += 1
                by_block[kind, block.name] = counts[kind]  # type: ignore[union-attr]
        return by_block

    def blocks(self) -> Iterator[Block]:
        """Yield every block, those inside sections after their section."""
        yield from flat(self.sections)

    def label(self, ref: Ref) -> str:
        """Return what a cross-reference reads: `Table 3`, or a section's title.

        Raises
        ------
        KeyError
            If it leads nowhere.
        """
        if ref.kind == "section":
            return {b.name: b.title for b in self.blocks() if isinstance(b, Section)}[ref.name]
        return self.numbered(ref.kind, ref.name)

    def numbered(self, kind: str, name: str) -> str:
        """Return the label of a table or figure, `Table S3`.

        Raises
        ------
        KeyError
            If there is none of this name.
        """
        return f"{self.words[kind]} {self.mark}{self.numbers[kind, name]}"

    def text(self, text: Text) -> str:
        """Return a text as plain words."""
        parts = (text,) if isinstance(text, str) else text
        return "".join(p if isinstance(p, str) else self.label(p) if isinstance(p, Ref) else cited(p) for p in parts)


def alone(block: Table | Picture, title: str, *, banners: tuple[str, ...], facts: Mapping[str, str]) -> Document:
    """Return a document of one table or figure, by which it is saved alone."""
    section = Section(f"{block.name}_alone", "", (block,))
    return Document(title, "", (section,), look="alone", banners=banners, facts=facts)


def with_citations(text: str) -> Text:
    """Return a text whose numbers in brackets, such as `[3, 4]`, are citations."""
    parts: list[Inline] = []
    for i, part in enumerate(re.split(r"\[(\d+(?:, \d+)*)\]", text)):
        parts.append(Cite(tuple(int(n) for n in part.split(", "))) if i % 2 else part)
    return tuple(p for p in parts if p != "")


def cited(cite: Cite) -> str:
    """Return a citation's numbers in brackets."""
    return "[" + ", ".join(str(n) for n in cite.numbers) + "]"


def flat(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Yield blocks and, behind each section, its own, in order."""
    for block in blocks:
        yield block
        if isinstance(block, Section):
            yield from flat(block.blocks)


def beside(blocks: tuple[Block, ...]) -> Iterator[tuple[Block, ...]]:
    """Yield each block alone, but two figures or tables of one column's width that follow each other together."""
    waiting: Block | None = None
    for block in blocks:
        narrow = _narrow(block)
        if waiting is not None:
            yield (waiting, block) if narrow else (waiting,)
            if narrow:
                waiting = None
                continue
            waiting = None
        if narrow:
            waiting = block
        else:
            yield (block,)
    if waiting is not None:
        yield (waiting,)


def _narrow(block: Block) -> bool:
    return (isinstance(block, Picture) and block.drawn.columns == 1) or (
        isinstance(block, Table) and block.columns == 1
    )


def widths(table: Table) -> list[float]:
    """Return relative widths of a table's columns: by their texts, no column narrower than its longest word."""
    columns = list(zip(table.head, *((row.head, *row.cells) for row in table.rows), strict=True))
    relative = []
    for place, texts in enumerate(columns):
        lengths = sorted(len(t) for t in texts)
        longest_word = max((len(w) for t in texts for w in t.split()), default=1)
        usual = lengths[int((0.8 if place else 1) * (len(lengths) - 1))]  # row heads stay on one line where they can
        words = max((len(w) for w in texts[0].split()), default=1)
        head = max(words * 1.25, min(len(texts[0]), 24) * 0.85)  # bold; of usual length on one line
        relative.append(float(max(longest_word + 1, head, min(usual, 28 if place else 38), 4)))
    return relative

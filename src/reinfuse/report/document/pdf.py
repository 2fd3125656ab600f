"""A document as PDF: tagged for screen readers, with bookmarks and page numbers.

The document becomes JSON, which `templates/document.typ` sets; so no text of a cohort is ever read as a program.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib

from reinfuse.report.document.model import (
    Block,
    Bullets,
    Cite,
    Document,
    Inline,
    Pairs,
    Paragraph,
    Picture,
    Ref,
    Section,
    Table,
    Text,
    beside,
    widths,
)
from reinfuse.report.document.typst import DPI, compiled

FONTS = {"report": "Libertinus Serif", "brief": "DejaVu Sans", "alone": "Libertinus Serif"}
STANDARD = "ua-1"
_MILLIMETRES = {1: 112, 2: 172}
_BESIDE = 84
_TALL = 110
"""Millimetres of height from which a picture is moved to where it leaves no page half empty."""
_SIZE = re.compile(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def pdf(document: Document) -> bytes:
    """Return a document as PDF/UA-1."""
    return _without_suspects(_compiled(document, format="pdf", pdf_standards=STANDARD))


def png(document: Document) -> bytes:
    """Return the page of one table alone as PNG."""
    return _compiled(document, format="png", ppi=float(DPI))


def _compiled(document: Document, **options: Any) -> bytes:
    drawn = {b.name: b.drawn.svg for b in document.blocks() if isinstance(b, Picture)}
    template = files("reinfuse.report").joinpath("templates", "document.typ").read_bytes()
    contents = json.dumps(_Json(document).whole(), ensure_ascii=False).encode()
    sources = {"main": template, "document.json": contents, **{f"{name}.svg": svg for name, svg in drawn.items()}}
    date = document.facts.get("date", "")
    when = datetime.fromisoformat(date if len(date) == 10 else "2000-01-01").replace(tzinfo=UTC)
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return compiled(sources, font_folders=[str(fonts)], timestamp=when, **options)


def _without_suspects(pages: bytes) -> bytes:
    """Blank the entry `/Suspects false` of the catalogue, the default of ISO 32000-1, table 321.

    Poppler before 23.03 takes the stated default for a wrong type and says so. No byte moves, so that the file's table
    of offsets holds.
    """
    before, mark, after = pages.rpartition(b"/MarkInfo<</Marked true/Suspects false>>")
    return before + mark.replace(b"/Suspects false", b" " * len(b"/Suspects false")) + after


class _Json:
    """Turns a document into JSON values."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def whole(self) -> dict[str, Any]:
        own = self.document
        return {
            "title": own.title, "subtitle": own.subtitle, "banners": list(own.banners), "language": own.language,
            "look": own.look, "contents": own.contents, "words": dict(own.words), "font": FONTS[own.look],
            "author": own.facts.get("generator", ""), "description": " ".join(own.banners),
            "keywords": [f"{name}: {value}" for name, value in own.facts.items()],
            "sections": [self.block(s) for s in own.sections],
        }  # fmt: skip

    def block(self, block: Block) -> dict[str, Any]:
        match block:
            case Section():
                inner = [
                    self.block(b) if len(row) == 1 else self.row(row) for row in beside(block.blocks) for b in row[:1]
                ]
                return {"kind": "section", "name": block.name, "title": block.title, "blocks": inner}
            case Paragraph():
                return {"kind": "paragraph", "look": block.look, "text": self.text(block.text)}
            case Bullets():
                items = [self.text(i) for i in block.items]
                return {"kind": "bullets", "numbered": block.numbered, "items": items}
            case Pairs():
                return {"kind": "pairs", "items": [{"term": t, "text": self.text(x)} for t, x in block.items]}
            case Table():
                return self.table(block)
            case Picture():
                return {"kind": "picture", "tall": self.tall(block),
                        "name": f"figure-{block.name}", "file": f"{block.name}.svg",
                        "alt": block.drawn.alt, "width": self.width(block),
                        "caption": self.labelled("figure", block.name, caption=block.caption)}  # fmt: skip

    def row(self, two: tuple[Block, ...]) -> dict[str, Any]:
        return {"kind": "row", "blocks": [{**self.block(b), "width": _BESIDE} for b in two]}

    def width(self, picture: Picture) -> float:
        return 110 if self.document.look == "brief" else _MILLIMETRES[picture.drawn.columns]

    def tall(self, picture: Picture) -> bool:
        """Tell whether a picture takes so much of a page that text may stand before it, and it at the top or foot."""
        size = _SIZE.search(picture.drawn.svg)
        return size is not None and self.width(picture) * float(size[2]) / float(size[1]) > _TALL

    def labelled(self, kind: str, name: str, *, caption: str) -> str:
        own = self.document
        return f"{own.numbered(kind, name)}{own.words['after_number']}{caption}" if own.numbers else caption

    def table(self, table: Table) -> dict[str, Any]:
        rows = [{"cells": [row.head, *row.cells], "inner": row.inner} for row in table.rows]
        return {
            "kind": "table", "name": f"table-{table.name}", "head": list(table.head), "rows": rows,
            "caption": self.labelled("table", table.name, caption=table.caption), "columns": widths(table),
            "narrow": table.columns == 1,
            "notes": table.footnote,
        }  # fmt: skip

    def text(self, text: Text) -> list[dict[str, str]]:
        parts: tuple[Inline, ...] = (text,) if isinstance(text, str) else text
        inline: list[dict[str, str]] = []
        for part in parts:
            if isinstance(part, str):
                inline.append({"text": part})
            elif isinstance(part, Ref):
                to = part.name if part.kind == "section" else f"{part.kind}-{part.name}"
                inline.append({"text": self.document.label(part), "to": to})
            else:
                inline += self.citation(part)
        return inline

    def citation(self, cite: Cite) -> list[dict[str, str]]:
        linked = [{"text": str(n), "to": f"reference-{n}"} for n in cite.numbers]
        between = [x for one in linked for x in ({"text": ", "}, one)][1:]
        return [{"text": "["}, *between, {"text": "]"}]

"""A document as one HTML file that loads nothing from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined, Template

from reinfuse.report.document.model import Document, Inline, Ref, Table, Text, beside
from reinfuse.report.figures.compact_svg import data_uri

_PHONE, _HEAD, _BETWEEN = 48, 18, 2
"""In letters: what a screen of 390 px shows of a table, the width of its row heads, and the space after a cell."""


def html(document: Document) -> str:
    """Return a document as HTML: light and dark, with a table of contents, its figures inside."""
    page: str = _template("document.html.j2").render(
        document=document, css=_text("document.css"), parts=_parts, target=_target,
        data=lambda drawn: data_uri(drawn.compact),
        beside=beside, wide=_wide, numbered=_numbered(document),
        kind_of=lambda block: type(block).__name__,
    )  # fmt: skip
    return page


def fragment(title: str, summary: Sequence[str], *, tables: Sequence[Table]) -> str:
    """Return a title, a summary and tables as HTML that stands within another page."""
    written: str = _template("fragment.html.j2").render(title=title, summary=summary, tables=tables)
    return written


def _numbered(document: Document) -> Callable[[str, str], str]:
    """Return what gives the label that a caption begins with, `Table S3. `; nothing in a brief."""
    return lambda kind, name: (
        f"{document.numbered(kind, name)}{document.words['after_number']}" if document.numbers else ""
    )


def table_alone(table: Table, banners: Sequence[str] = ()) -> str:
    """Return one table as HTML that a notebook shows, with its own indents since it has no style sheet."""
    written: str = _template("table_alone.html.j2").render(table=table, banners=banners)
    return written


def _parts(text: Text) -> tuple[Inline, ...]:
    return (text,) if isinstance(text, str) else text


def _target(ref: Ref) -> str:
    return ref.name if ref.kind == "section" else f"{ref.kind}-{ref.name}"


def _wide(table: Table) -> bool:
    """Tell whether a table may be wider than a phone's screen: its cells do not break there, heads of rows do."""
    columns = zip(table.head[1:], *(row.cells for row in table.rows), strict=True)
    letters = sum(max(map(len, texts)) for texts in columns) + len(table.head) * _BETWEEN
    return letters + min(max((len(row.head) for row in table.rows), default=0), _HEAD) > _PHONE


def _text(name: str) -> str:
    return files("reinfuse.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _template(name: str) -> Template:
    sources = {n: _text(n) for n in ("document.html.j2", "fragment.html.j2", "table.html.j2", "table_alone.html.j2")}
    environment = Environment(loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    return environment.get_template(name)

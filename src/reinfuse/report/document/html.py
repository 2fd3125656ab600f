"""A document as one HTML file that loads nothing from outside."""

from __future__ import annotations

import base64
from functools import cache
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined, Template

from reinfuse.report.document.model import Document, Inline, Ref, Text, beside
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.sections.contents import title
from reinfuse.report.tables.results import Tables
from reinfuse.report.text.narrative import Prose
from reinfuse.results.findings import Findings


def html(document: Document) -> str:
    """Return a document as HTML: light and dark, with a table of contents, its figures inside."""
    made: str = _template("document.html.j2").render(
        document=document, css=_text("document.css"), parts=_parts, target=_target, data=_data,
        beside=beside,
        kind_of=lambda block: type(block).__name__,
    )  # fmt: skip
    return made


def fragment(findings: Findings) -> str:
    """Return the main tables, for a notebook."""
    tables, prose = Tables(findings), Prose(findings)
    shown = [t for t in (tables.response(), tables.toxicity()) if t is not None]
    shown += [tables.survival(e.name) for e in findings.described.endpoints if e.name in ("pfs", "os")]
    made: str = _template("fragment.html.j2").render(title=title(findings), summary=list(prose.summary()), tables=shown)
    return made


def _parts(text: Text) -> tuple[Inline, ...]:
    return (text,) if isinstance(text, str) else text


def _target(ref: Ref) -> str:
    return ref.name if ref.kind == "section" else f"{ref.kind}-{ref.name}"


def _data(drawn: Drawn) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.svg).decode()


def _text(name: str) -> str:
    return files("reinfuse.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _template(name: str) -> Template:
    sources = {n: _text(n) for n in ("document.html.j2", "fragment.html.j2", "table.html.j2")}
    environment = Environment(loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    return environment.get_template(name)

"""The report as one HTML file that loads nothing from outside."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined

from reinfuse.findings import Findings
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.prose import Prose
from reinfuse.report.protocols import ProtocolTables
from reinfuse.report.sections import Section, sections
from reinfuse.report.tables import Table, Tables

Placed = tuple[str, Drawn]


def report(findings: Findings, figures: Sequence[Placed]) -> str:
    """Return the whole report.

    Parameters
    ----------
    findings
        What to show.
    figures
        Section and figure, in order.
    """
    prose, tables = Prose(findings), ProtocolTables(findings)
    ends = findings.data.endpoints
    timed = [e for e in ends if e.kind == "time" and e.competing is None]
    effects = [(e, tables.association(e.name)) for e in ends]
    methods = prose.methods()
    more: list[Section] = list(sections(findings, tables, {place for place, _ in figures}))
    html: str = _template("report.html.j2").render(
        title=_title(findings),
        level=tables.ci,
        css=_text("report.css"),
        findings=findings,
        prose=prose,
        summary=list(prose.summary()),
        methods=methods,
        references=prose.references,
        baseline=tables.baseline(),
        response=tables.response(),
        survival=[(e, tables.survival(e.name)) for e in timed],
        competing=[t for t in (tables.competing(), tables.effects_on_incidence()) if t],
        more=more,
        toxicity=tables.toxicity(),
        associations=[(e, t) for e, t in effects if t is not None],
        figures={s: [(d, _data(d)) for place, d in figures if place == s] for s, _ in figures},
        warnings={
            about: [w["text"] for w in findings.warnings if w["about"] == about]
            for about in ("rules and data", "check", "reading")
        },
    )
    return html


def fragment(findings: Findings) -> str:
    """Return the main tables, for a notebook."""
    tables, prose = Tables(findings), Prose(findings)
    shown: list[Table] = [t for t in (tables.response(), tables.toxicity()) if t is not None]
    shown += [tables.survival(e.name) for e in findings.data.endpoints if e.name in ("pfs", "os")]
    made: str = _template("fragment.html.j2").render(
        title=_title(findings), summary=list(prose.summary()), tables=shown
    )
    return made


def _title(findings: Findings) -> str:
    title = str(findings.provenance["title"])
    return f"{title} (synthetic data)" if findings.provenance["synthetic"] else title


def _data(drawn: Drawn) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.svg).decode()


def _text(name: str) -> str:
    return files("reinfuse.report").joinpath("templates", name).read_text(encoding="utf-8")


def _template(name: str):  # type: ignore[no-untyped-def]

    sources = {n: _text(n) for n in ("report.html.j2", "fragment.html.j2", "table.html.j2")}
    environment = Environment(loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    return environment.get_template(name)

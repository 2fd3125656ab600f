"""The form of a page of a protocol: the answer first, tables to decide by, assumptions, methods, references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from reinfuse.evidence.design.response_rate import Three
from reinfuse.evidence.design.virtual_rates import RateScenario
from reinfuse.report.designs.sources import SOURCES
from reinfuse.report.document.model import (
    Block,
    Bullets,
    Cite,
    Document,
    Inline,
    Pairs,
    Paragraph,
    Row,
    Section,
    Table,
    Text,
)
from reinfuse.report.text import number_format
from reinfuse.version import __version__


@dataclass(frozen=True)
class Method:
    """A sentence on the method, and the keys of what it cites."""

    text: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProtocolPage:
    """What stands on a page.

    Attributes
    ----------
    name
        Of the design, short: it is the file's too.
    answer
        Sentences that answer what was asked.
    decisions, characteristics
        Tables to decide by, and of what the design does.
    settings
        What was assumed, and its value.
    methods
        How it was computed.
    limits
        What the design does not do.
    """

    name: str
    title: str
    answer: tuple[str, ...]
    decisions: tuple[Table, ...]
    characteristics: tuple[Table, ...]
    settings: tuple[tuple[str, str], ...]
    methods: tuple[Method, ...]
    limits: tuple[str, ...]


def document(page: ProtocolPage, today: date, *, banners: Sequence[str] = ()) -> Document:
    """Return the page as a document."""
    keys = tuple(dict.fromkeys(key for method in page.methods for key in method.sources))
    return Document(page.title, f"Page for a study protocol · {today.isoformat()} · reinfuse {__version__}",
                    tuple(_sections(page, keys)), banners=tuple(banners), contents=False,
                    facts={"generator": f"reinfuse {__version__}", "date": today.isoformat()})  # fmt: skip


def _sections(page: ProtocolPage, keys: Sequence[str]) -> Iterator[Section]:
    yield Section("answer", "Design", tuple(Paragraph(text) for text in page.answer))
    if page.decisions:
        yield Section("decisions", "Decision table", page.decisions)
    if page.characteristics:
        yield Section("characteristics", "Operating characteristics", page.characteristics)
    yield Section("assumptions", "Assumptions", (Pairs(page.settings),))
    methods: list[Block] = [Paragraph(numbered(method, keys)) for method in page.methods]
    yield Section("methods", "Statistical methods", tuple(methods))
    yield Section("limits", "Limitations", (Bullets(page.limits),))
    yield references(keys)


def references(keys: Sequence[str]) -> Section:
    """Return the list of what is cited, in the order of its numbers."""
    return Section("references", "References", (Bullets(tuple(SOURCES[k].text for k in keys), numbered=True),))


def numbered(method: Method, keys: Sequence[str]) -> Text:
    """Return a sentence with the numbers of what it cites."""
    parts: list[Inline] = [method.text]
    if method.sources:
        parts += [" ", Cite(tuple(keys.index(key) + 1 for key in method.sources))]
    return tuple(parts)


def table(name: str, caption: str, head: Sequence[str], rows: Sequence[Sequence[str]],
          *, notes: Sequence[str] = ()) -> Table:  # fmt: skip
    """Return a table whose first column is the rows' heads."""
    return Table(name, caption, tuple(head), tuple(Row(first, tuple(cells)) for first, *cells in rows), tuple(notes))


VIRTUAL = "Virtual patients: a model calibrated to published group results, not validated for individual patients."
"""What stands with scenarios of virtual patients."""


def scenario_table(rows: Sequence[tuple[RateScenario, Mapping[str, Three]]]) -> tuple[Table, ...]:
    """Return the table of what a design does in the arms of a virtual trial; nothing without one.

    Parameters
    ----------
    rows
        Each arm, with the probability of success by the name of a design.
    """
    if not rows:
        return ()
    designs = list(rows[0][1])
    cells = [(s.name, f"{percent(s.rate)} ({percent(s.lower)} to {percent(s.upper)})",
              *(f"{percent(at)} ({percent(low)} to {percent(high)})" for at, low, high in by_design.values()))
             for s, by_design in rows]  # fmt: skip
    return (table("virtual", "Probability of success in the arms of a virtual trial",
                  ("Arm", "Response rate (95% prediction interval)", *designs), cells,
                  notes=("In brackets: at the limits of the rate.", VIRTUAL)),)  # fmt: skip


def percent(share: float) -> str:
    """Return a probability as a percentage with one decimal, the smallest and greatest as below and above."""
    if 0 < share < 0.0005:
        return f"<{number_format.printed('0.1')}%"
    if 0.9995 < share < 1:
        return f">{number_format.printed('99.9')}%"
    return f"{number_format.printed(number_format.hundredths(share, decimals=1))}%"


def decimal(value: float, decimals: int = 1) -> str:
    """Return a number with its decimals."""
    return number_format.printed(f"{value:,.{decimals}f}", size=value)

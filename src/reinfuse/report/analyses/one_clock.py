"""Relapse, non-relapse mortality and progression-free survival on one clock: a table whose columns add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reinfuse.analyses.one_clock import CLOCKS, FREE, RECORDS
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.analyses.cumulative_incidence import COMPETING
from reinfuse.report.document.model import Row, Table
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.references import cited
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings

_ROWS = ((FREE, "Alive without progression"), ("relapse", "Relapse or progression"), ("nrm", "Non-relapse mortality"))
_WORDS = {
    "progression-free survival": "Times as progression-free survival, each event divided",
    "last contact": "Times to last contact, as relapse and non-relapse mortality",
}
_NOTE = "the three of each clock add up to 100% but for rounding; the first of each is its progression-free survival"


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield f"Relapse, non-relapse mortality and freedom from both were also estimated on one clock {cite('aalen')}."


def _cell(record: Estimate | None) -> str:
    return number_format.share(record) if record is not None else number_format.NOT_SHOWN


def _table(tables: StudyTables) -> Table | None:
    look, rows, remarks = tables.look, [], []
    days = list(dict.fromkeys(e.at for e in look.all(RECORDS, FREE, "rate_at")))
    for clock in CLOCKS:
        whole = look.all(RECORDS, FREE, "rate_at", group=clock)
        if not whole:
            continue
        rows.append(Row(_WORDS[clock], ("",) * (2 + len(days))))
        for endpoint, label in _ROWS:
            rates = [look.one(RECORDS, endpoint, "rate_at", group=clock, at=day) for day in days]
            own = next(r for r in rates if r is not None)
            sizes = (number_format.count(own.n), number_format.count(own.events))
            rows.append(Row(label, (*sizes, *(_cell(r) for r in rates)), inner=True))
            remarks += [p for r in rates if r for p in (r.note or "").split("; ") if "excluded" in p]
        at_risk = [look.one(RECORDS, FREE, "at_risk", group=clock, at=day) for day in days]
        counts = (number_format.count(r.estimate if r else None) for r in at_risk)
        rows.append(Row("at risk", ("", "", *counts), inner=True))
    if not rows:
        return None
    heads = ("", "n", "Events", *(f"At {number_format.month(d)} months ({tables.ci})" for d in days))
    caption = "Relapse, non-relapse mortality and progression-free survival on one clock"
    return Table(RECORDS, caption, heads, tuple(rows), (_NOTE, *dict.fromkeys(remarks)))


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield replace(COMPETING, tables=(_table(tables),))


SHOWN = Shown(
    _methods,
    references=cited("aalen"),
    strobe=(Strobe("15", "one_clock rate_at", "competing events on one clock"),),
    parts=_parts,
    tables_named=(RECORDS,),
)

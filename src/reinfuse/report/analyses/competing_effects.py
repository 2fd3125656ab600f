"""Cause-specific beside subdistribution hazard ratios in the report; their table stands with the competing events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reinfuse.analyses.competing_effects import CAUSE_SPECIFIC, RECORDS, SUBDISTRIBUTION
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.analyses.cumulative_incidence import COMPETING
from reinfuse.report.document.model import Table
from reinfuse.report.tables.robustness import ratio
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.references import Reference, cited
from reinfuse.results.estimate import joined
from reinfuse.results.findings import Findings

LATOUCHE = Reference(
    "Latouche A, et al",
    "A competing risks analysis should report results on all cause-specific hazards and cumulative incidence functions",
    "J Clin Epidemiol", 2013, "66", "648-653", "6", "10.1016/j.jclinepi.2012.09.017")  # fmt: skip
_NOTES = (
    "cause-specific: rate of the event in patients with neither event yet; subdistribution: tied to the cumulative "
    "incidence; both with Firth's penalty, p-values of the penalised likelihood ratio; the Fine-Gray model alone has "
    "none, and robust errors",
)


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield (
        "Cause-specific hazard ratios of each competing event stand beside its subdistribution hazard ratios, from "
        f"Firth-penalised models {cite('firth_cox', 'latouche', 'fine_gray')}."
    )


def _table(tables: StudyTables) -> Table | None:
    lines: list[tuple[str, tuple[str, ...], str | None]] = []
    for end in (e for e in tables.findings.described.endpoints if e.competing):
        other = {(e.model, e.stratum): e for e in tables.look.all(RECORDS, end.name, SUBDISTRIBUTION)}
        for e in tables.look.all(RECORDS, end.name, CAUSE_SPECIFIC):
            beside = other.get((e.model, e.stratum))
            p = [number_format.p_value(r.p_value) if r else number_format.NOT_SHOWN for r in (e, beside)]
            cells = (str(e.model), number_format.count(e.n), number_format.count(e.events), ratio(e), p[0],
                     ratio(beside), p[1])  # fmt: skip
            remarks = [part for r in (e, beside) if r for part in (r.note or "").split("; ") if part]
            lines.append(
                (f"{end.label}: {tables.labels.term(e.stratum or '')}", cells, joined(list(dict.fromkeys(remarks))))
            )
    if not lines:
        return None
    heads = ("Event and factor", "Model", "n", "Events", f"Cause-specific HR ({tables.ci})", tables.p,
             f"Subdistribution HR ({tables.ci})", tables.p)  # fmt: skip
    caption = "Competing events: cause-specific and subdistribution hazard ratios"
    return tables.marked(heads, RECORDS, caption, lines, _NOTES)


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield replace(COMPETING, tables=(_table(tables),))


SHOWN = Shown(
    _methods,
    references=cited("firth_cox", "fine_gray") | {"latouche": LATOUCHE},
    strobe=(Strobe("16a", RECORDS, "cause-specific and subdistribution hazards"),),
    parts=_parts,
    tables_named=(RECORDS,),
)

"""Associations that allow for centres in the report: beside those that do not, with the way and why."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses.centres import RECORDS
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.tables.robustness import ratio
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import listed
from reinfuse.report.text.references import Reference, cited
from reinfuse.results.findings import Findings

RIPATTI = Reference(
    "Ripatti S, Palmgren J", "Estimation of multivariate frailty models using penalized partial likelihood",
    "Biometrics", 2000, "56", "1016-1022", "4", "10.1111/j.0006-341X.2000.01016.x")  # fmt: skip
LIPSITZ = Reference(
    "Lipsitz SR, Dear KB, Zhao L",
    "Jackknife estimators of variance for parameter estimates from estimating equations with applications to clustered "
    "survival data",
    "Biometrics", 1994, "50", "842-846", "3", "10.2307/2532797")  # fmt: skip
STERZINGER = Reference(
    "Sterzinger P, Kosmidis I", "Maximum softly-penalized likelihood for mixed effects logistic regression",
    "Stat Comput", 2023, "33", "53", "2", "10.1007/s11222-023-10217-3")  # fmt: skip
_WAYS = {
    ("stratum", "hazard_ratio"): ("stratum", "Cox models stratified by centre", "firth_cox"),
    ("stratum", "odds_ratio"): ("stratum", "logistic models with an intercept for each centre", "firth_logistic"),
    ("robust", "hazard_ratio"): ("robust errors", "Firth Cox models with jackknife errors over centres", "lipsitz"),
    ("robust", "odds_ratio"): (
        "robust errors", "logistic models with CR2 errors and Satterthwaite degrees of freedom", "cr2"),
    ("frailty", "hazard_ratio"): ("frailty", "Cox models with a normal frailty of each centre", "ripatti"),
    ("frailty", "odds_ratio"): (
        "random intercept", "softly penalised logistic models with a normal random intercept of each centre",
        "sterzinger"),
}  # fmt: skip
"""Each way of each model: its name in the table, in the methods, and its source."""
_TEXT = (
    "Patients of one centre resemble each other, and centres differ in whom they treat how. Strata compare patients "
    "within centres only; robust errors leave the effect of all patients as it is and allow for centres in its "
    "interval; a frailty (of binary endpoints a random intercept) lets each centre have its own level of risk, drawn "
    "from one normal distribution."
)


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    used = dict.fromkeys((e.group, e.statistic) for e in findings.estimates if e.analysis == RECORDS)
    ways = [_WAYS[(str(way), statistic)] for way, statistic in used if (str(way), statistic) in _WAYS]
    if ways:
        yield f"Centres were allowed for by {listed([f'{words} {cite(key)}' for _, words, key in ways])}."


def _table(tables: StudyTables) -> Table | None:
    lines: list[tuple[str, tuple[str, ...], str | None]] = []
    for end in tables.findings.described.endpoints:
        for statistic in ("odds_ratio", "hazard_ratio"):
            plain = {(e.model, e.stratum): e for e in tables.look.all("association", end.name, statistic)}
            for e in tables.look.all(RECORDS, end.name, statistic):
                beside = plain.get((e.model, e.stratum))
                p = [number_format.p_value(r.p_value) if r else number_format.NOT_SHOWN for r in (beside, e)]
                cells = (str(e.model), number_format.count(e.n), number_format.count(e.events), ratio(beside), p[0],
                         _WAYS[str(e.group), statistic][0], ratio(e), p[1])  # fmt: skip
                lines.append((f"{end.label}: {tables.labels.term(e.stratum or '')}", cells, e.note))
    if not lines:
        return None
    heads = ("Endpoint and factor", "Model", "n", "Events", f"Centres ignored ({tables.ci})", tables.p, "Way",
             f"Centres allowed for ({tables.ci})", tables.p)  # fmt: skip
    notes = ("odds ratios of binary endpoints, hazard ratios of times to event",)
    return tables.marked(heads, RECORDS, "Associations allowing for centres", lines, notes)


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield Part("sure_centres", "Centres", tables=(_table(tables),), text=(_TEXT,))


SHOWN = Shown(
    _methods,
    references=cited("cr2", "firth_cox", "firth_logistic")
    | {
        "lipsitz": LIPSITZ,
        "ripatti": RIPATTI,
        "sterzinger": STERZINGER,
    },
    strobe=(Strobe("12e", RECORDS, "centres"),),
    parts=_parts,
    tables_named=(RECORDS,),
)

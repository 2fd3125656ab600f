"""Primary and secondary hypotheses in the report, with adjusted p-values; key findings tell the primary ones."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses.hierarchy import PRIMARY, SECONDARY
from reinfuse.report.analyses.base import Cite, Part, Shown
from reinfuse.report.document.model import Table
from reinfuse.report.tables.robustness import effect_of, ratio
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.references import Reference, cited
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.results.findings import Findings

_FAMILY_WISE = Reference(
    "Dmitrienko A, D'Agostino RB", "Traditional multiplicity adjustment methods in clinical trials",
    "Stat Med", 2013, "32", "5172-5218", "29", "10.1002/sim.5990",
)  # fmt: skip
WORDS = {"Holm": "Holm's method", "fixed sequence": "a fixed sequence"}


def rejected(record: Estimate, confidence: float) -> bool:
    """Tell whether a hypothesis is rejected at the level of its family."""
    return record.p_value is not None and record.p_value < 1 - confidence


def _table(tables: StudyTables) -> Table | None:
    records = [e for e in tables.findings.estimates if e.analysis == "hierarchy"]
    if not records:
        return None
    confidence = tables.findings.plan.confidence
    lines = [(_head(tables, e), _cells(tables, e, confidence=confidence), e.note) for e in records]
    methods = {rank: next((e.method for e in records if e.group == rank), None) for rank in (PRIMARY, SECONDARY)}
    notes = tuple(f"{rank.capitalize()}: {method}" for rank, method in methods.items() if method)
    heads = ("Endpoint and factor", "Rank", "Model", "n", "Events", f"Ratio ({tables.ci})", tables.p,
             f"Adjusted {tables.p}", f"At {number_format.level_of_test(1 - confidence)}")  # fmt: skip
    return tables.marked(heads, "hierarchy", "Primary and secondary hypotheses", lines, notes)


def _head(tables: StudyTables, e: Estimate) -> str:
    return f"{tables.labels.endpoint(e.endpoint or '')}: {tables.labels.term(e.stratum or '')}"


def _cells(tables: StudyTables, e: Estimate, *, confidence: float) -> tuple[str, ...]:
    ratios = ("odds_ratio", "hazard_ratio")
    effects = [r for s in ratios for r in tables.look.all("association", e.endpoint, s, **effect_of(e))]
    effect = effects[-1] if effects else None
    decided = NOT_ESTIMABLE if e.p_value is None else "shown" if rejected(e, confidence) else "not shown"
    counts = number_format.count(e.n), number_format.count(e.events)
    p = [number_format.p_value(r.p_value if r else None) for r in (effect, e)]
    return (str(e.group), str(e.model), *counts, ratio(effect), *p, decided)


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    words = WORDS[findings.plan.hierarchy.method]
    yield (
        "The plan names its primary endpoints and factors: the family-wise error of these hypotheses was controlled "
        f"by {words} {cite('family_wise')}."
    )
    if any(e.analysis == "hierarchy" and e.group == SECONDARY for e in findings.estimates):
        yield f"The secondary ones were adjusted together by the Benjamini-Hochberg method {cite('bh')}."


def _parts(tables: StudyTables) -> Iterator[Part]:
    text = (
        "A hypothesis is tested in the plan's model of the endpoint that holds the factor, or else by the factor "
        "alone. All other hypotheses in this report are exploratory."
    )
    yield Part("sure_hierarchy", "Primary and secondary hypotheses", tables=(_table(tables),), text=(text,))


SHOWN = Shown(
    _methods,
    references={"family_wise": _FAMILY_WISE, **cited("bh")},
    parts=_parts,
    tables_named=("hierarchy",),
    quoted=True,
)

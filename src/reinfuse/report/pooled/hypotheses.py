"""Tables of a pooled study: pairs of factors that may act together, and the plan's primary and secondary hypotheses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.analyses.hierarchy import PRIMARY, SECONDARY
from reinfuse.analyses.interactions import RATIO
from reinfuse.cohort.strata import Stratum, parts_of
from reinfuse.pooling.combining import PooledResults
from reinfuse.report.analyses.hierarchy import rejected
from reinfuse.report.document.model import Row, Table
from reinfuse.report.pooled.tables import effect_cells, end_of, label_of, marked
from reinfuse.report.text import number_format
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate


def interaction_table(results: PooledResults, records: Sequence[Estimate]) -> Table | None:
    """Return the ratios of effects of the pairs that the plan names; None without one."""
    own = [e for e in records if e.analysis == "interaction" and e.statistic == RATIO]
    if not own:
        return None
    notes: dict[str, str] = {}
    rows = [Row(f"{end_of(results, e)}: {pair_of(results, e)}",
                (f"{e.events}/{e.n}", *effect_cells(e), marked(e, notes))) for e in own]  # fmt: skip
    head = ("Endpoint and factors", "Events/n", "Ratio of ratios",
            number_format.level(results.study.plan.confidence), number_format.p_letter(), "Note")  # fmt: skip
    remarks = ("How many times greater the odds or hazard ratio of one factor is with the other; of levels, product by "
               "product", *(f"{mark}: {text}" for text, mark in notes.items()))  # fmt: skip
    return Table("interactions", "Interactions of factors", head, tuple(rows), remarks)


def pair_of(results: PooledResults, e: Estimate) -> str:
    """Return the two factors of a record, with their levels."""
    return " × ".join(_named(results, part) for part in parts_of(e.term))


def _named(results: PooledResults, part: str) -> str:
    if isinstance(part, Stratum):
        return f"{results.study.factor_label(part.factor)}: {part.level}"
    return results.study.factor_label(part)


def hierarchy_table(results: PooledResults, records: Sequence[Estimate]) -> Table | None:
    """Return the adjusted p-values of the plan's primary and secondary hypotheses; None without a hierarchy."""
    own = [e for e in records if e.analysis == "hierarchy"]
    if not own:
        return None
    confidence = results.study.plan.confidence
    rows = [Row(f"{end_of(results, e)}: {label_of(results, e)}",
                (str(e.group), str(e.model), "" if e.n is None else f"{e.events}/{e.n}",
                 number_format.p_value(e.p_value), decision(e, confidence))) for e in own]  # fmt: skip
    methods = {rank: next((e.method for e in own if e.group == rank), None) for rank in (PRIMARY, SECONDARY)}
    notes = tuple(f"{rank.capitalize()}: {method}" for rank, method in methods.items() if method)
    head = ("Endpoint and factor", "Rank", "Model", "Events/n", f"Adjusted {number_format.p_letter()}",
            f"At {number_format.level_of_test(1 - confidence)}")  # fmt: skip
    return Table("hierarchy", "Primary and secondary hypotheses", head, tuple(rows), notes)


def decision(e: Estimate, confidence: float) -> str:
    """Return whether a hypothesis is shown at the level of its family."""
    return NOT_ESTIMABLE if e.p_value is None else "shown" if rejected(e, confidence) else "not shown"


def primary_findings(results: PooledResults, records: Sequence[Estimate]) -> Iterator[str]:
    """Yield what became of each primary hypothesis."""
    for e in (r for r in records if r.analysis == "hierarchy" and r.group == PRIMARY):
        p = "" if e.p_value is None else f", adjusted {number_format.p_equals(e)}"
        yield (f"Primary hypothesis, {end_of(results, e)} and {label_of(results, e)} ({e.model}): "
               f"{decision(e, results.study.plan.confidence)}{p}.")  # fmt: skip

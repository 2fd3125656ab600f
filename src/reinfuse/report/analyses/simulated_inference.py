"""Small-sample inference in the report: beside Firth's chi-square answer and permutation."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.tables.robustness import effect_of, ratio
from reinfuse.report.text import number_format
from reinfuse.report.text.references import cited
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    yield (
        "Because the chi-square approximation is inexact in small samples, the likelihood ratio was also referred to "
        f"its distribution in {findings.plan.analyses.draws} parametric bootstrap samples: under no effect for "
        f"p-values {cite('bootstrap')} and by test inversion for intervals {cite('inversion')}."
    )


def _text(tables: ProtocolTables) -> Iterator[str]:
    """Say where the chi-square reference, the simulated one and permutation disagree."""
    records = [e for end in tables.findings.described.endpoints for s in ("odds_ratio", "hazard_ratio")
               for e in tables.look.all("calibrated", end.name, s) if e.p_value is not None]  # fmt: skip
    if not records:
        return
    yield (
        "In small samples the chi-square reference distribution of a test is only approximate. Two alternatives are "
        "shown: the reference distribution simulated for these patients, and permutation of each factor given the "
        "others. Prefer the simulated to the chi-square reference; where permutation disagrees with both, the result "
        "depends on the model and is uncertain."
    )
    differ = [text for text in (_disagreement(tables, e) for e in records) if text]
    if differ:
        yield f"The methods disagree on: {'; '.join(differ)}."
    else:
        below = number_format.printed(f"{_alpha(tables):.2g}")
        yield f"The methods agree on which of the {len(records)} associations have p below {below}."


def _alpha(tables: ProtocolTables) -> float:
    return 1 - tables.findings.plan.confidence


def _disagreement(tables: ProtocolTables, e: Estimate) -> str | None:
    """Return what the methods say of one association, if they are not on one side."""
    firth = [r for s in ("odds_ratio", "hazard_ratio")
             for r in tables.look.all("association", e.endpoint, s, **effect_of(e))]  # fmt: skip
    permuted = tables.look.all("permutation", e.endpoint, "p_value", term=e.term, model=e.model)
    records = {"simulation": e, "chi-square": next(iter(firth), None), "permutation": next(iter(permuted), None)}
    p = {name: r.p_value for name, r in records.items() if r is not None and r.p_value is not None}
    if len({value < _alpha(tables) for value in p.values()}) < 2:
        return None
    values = ", ".join(f"{number_format.p_is(value)} by {name}" for name, value in p.items())
    return f"{tables.named(e)}: {ratio(e)} by simulation; {values}"


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield tables.small_samples()


SHOWN = Shown(
    _methods,
    references=cited("bootstrap", "inversion"),
    strobe=(Strobe("12e", "calibrated", "simulated reference distribution"),),
    tables=_tables,
    text=_text,
    quoted=True,
    tables_named=("small_samples",),
)

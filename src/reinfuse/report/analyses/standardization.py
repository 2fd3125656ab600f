"""Standardised outcomes in the report: a table an endpoint, and one of the weights behind it."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses import standardization
from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.document.model import Table
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.report.text.labels import lowered
from reinfuse.report.text.references import Reference, cited
from reinfuse.results.findings import Findings

_TEXT = (
    "Hypothesis-generating: expected outcomes had all patients received the protocol, assuming no unmeasured "
    "confounding, which cannot be verified. Protocols that too few patients received are not estimated. This is not a "
    "comparison of treatments and not advice."
)
_OWN = {
    "augmented": Reference(
        "Robins JM, Rotnitzky A, Zhao LP",
        "Estimation of regression coefficients when some regressors are not always observed",
        "J Am Stat Assoc", 1994, "89", "846-866", "427", "10.1080/01621459.1994.10476818"),
    "pseudo_values": Reference(
        "Andersen PK, Syriopoulou E, Parner ET", "Causal inference in survival analysis using pseudo-observations",
        "Stat Med", 2017, "36", "2669-2681", "17", "10.1002/sim.7297"),
    "population_bias": Reference(
        "McCaffrey DF, et al", "A tutorial on propensity score estimation for multiple treatments using generalized "
        "boosted models", "Stat Med", 2013, "32", "3388-3414", "19", "10.1002/sim.5753"),
}  # fmt: skip


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    if any(e.method == standardization.G_COMPUTATION for e in findings.estimates):
        yield (
            f"Outcomes were standardised by protocol with g-computation {cite('g_computation', 'flic')} and "
            f"inverse-probability weighting {cite('weighting')}, and with both (augmented weighting, of times by "
            f"pseudo-values {cite('augmented', 'pseudo_values')}); balance is shown against all patients "
            f"{cite('population_bias')}; percentile intervals are from {findings.plan.analyses.bootstraps} bootstrap "
            "samples."
        )


def _tables(tables: ProtocolTables) -> Iterator[Table | None]:
    yield from (table for end in tables.findings.described.endpoints
                for table in (tables.protocols(end.name), tables.balance(end.name)))  # fmt: skip


def _texts(tables: ProtocolTables) -> Iterator[str]:
    yield _TEXT
    wanted = tables.findings.plan.standardise
    pairs = [" and ".join(lowered(tables.labels.factor(f)) for f in pair) for pair in wanted.interactions]
    acting = f"that only {'; '.join(pairs)} act together" if pairs else "that no two parts of a protocol act together"
    yield (
        f"What each method assumes: g-computation, {acting} on the odds or hazard scale, and that confounders have one "
        "effect under every protocol; weighting, that the model of who received which protocol is right, and nothing "
        "of how parts act together; the doubly robust estimate, that one of the two models is right. Where they differ "
        "much, one of the models is wrong or too few patients received the protocol."
    )


SHOWN = Shown(
    _methods,
    references={**cited("g_computation", "flic", "weighting"), **_OWN},
    strobe=(Strobe("16c", "standardised"), Strobe("17", "standardised")),
    tables=_tables,
    text=_texts,
    tables_named=("protocols_{endpoint}", "balance_{endpoint}"),
)

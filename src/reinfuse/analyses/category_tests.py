"""Is a category of several levels associated with the outcome at all? One test of all its levels, beside each of them.

Which levels differ depends on which is the reference; whether any does, does not. The penalised likelihood ratio of the
model with the category against it with all its effects held at 0, on as many degrees of freedom as there are effects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from reinfuse.analyses.base import Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.design_matrix import design_of
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics.firth_joint import joint_test

METHODS = {"logistic": "Firth logistic, penalised likelihood ratio, all levels together",
           "cox": "Firth Cox, penalised likelihood ratio, all levels together"}  # fmt: skip
_FEWEST_EFFECTS = 2


def category_tests(endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str) -> list[Estimate]:
    """Return the test of each category of three levels or more in one model."""
    design = design_of(endpoint, factors)
    X, records = design.X[:, design.usable], []
    for factor in (f for f in factors if f.kind == "category" and len(f.terms) >= _FEWEST_EFFECTS):
        base = Estimate("global_test", endpoint.name, "p_value", model=model, term=factor.name,
                        method=METHODS[design.kind], n=design.n, events=design.events)  # fmt: skip
        tested = [design.usable.index(j) for j in design.columns_of(factor)]
        if len(tested) < len(factor.terms):
            why = design.impossible or design.why(min(design.reasons))
            records.append(replace(base, note=joined([f"{NOT_ESTIMABLE}: {why}", *design.notes])))
            continue
        test = joint_test(design.kind, X, design.event, design.time, columns=tested)
        p = finite(test.p_value)
        note = f"{test.df} degrees of freedom" if p is not None else f"{NOT_ESTIMABLE}: the fit did not converge"
        records.append(replace(base, estimate=p, p_value=p, note=joined([note, *design.notes])))
    return records


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end, factors, model in (*inputs.univariable, *(m for m in inputs.multivariable if m[0].entry is None)):
        if any(f.kind == "category" and len(f.terms) >= _FEWEST_EFFECTS for f in factors):
            yield of_endpoint("global tests", end, work=partial(category_tests, end, factors, model))


ANALYSIS = Analysis(
    "global tests",
    records="global_test",
    section="associations",
    steps=_steps,
    what="one test of all levels of a category, alone and in the plan's models",
    method="Firth's penalised likelihood ratio against chi-square on as many degrees of freedom as there are effects",
    lacking="no category of three levels or more, with an endpoint without delayed entry",
    disclosure="effects",
)

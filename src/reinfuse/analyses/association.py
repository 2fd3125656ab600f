"""Factors and outcome: univariable and multivariable Firth models. Associations, not effects of treatment.

Each model uses the patients in whom the endpoint and every factor of the model are known (complete cases), and says
how many. What small numbers do is said in the record: separation, few events, constant or collinear factors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

from reinfuse.analyses.base import NEEDS_FACTOR, Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.design_matrix import Design, design_of
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics import firth, firth_left_truncated


def associations(endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str,
                 *, confidence: float) -> list[Estimate]:  # fmt: skip
    """Fit one model of an endpoint and return one record a term.

    Parameters
    ----------
    endpoint
        Binary: odds ratios. Time: hazard ratios, of the cause-specific hazard where there is a competing event.
    factors
        All factors of the model.
    model
        ``univariable`` or ``multivariable``.
    """
    design = design_of(endpoint, factors)
    usable, notes = design.usable, design.notes
    if not usable:
        return [_record(design, model, confidence, j, note=joined([f"{NOT_ESTIMABLE}: {design.why(j)}", *notes]))
                for j in range(len(design.terms))]  # fmt: skip
    X = design.X[:, usable]
    if design.entry is not None and design.time is not None:
        fitted = firth_left_truncated.fit(X, design.entry, design.time, design.event, confidence)
    else:
        fitted = firth.fit(design.kind, X, design.event, design.time, confidence)
    made = []
    for j in range(len(design.terms)):
        if j in design.reasons:
            note = joined([f"{NOT_ESTIMABLE}: {design.why(j)}", *notes])
            made.append(_record(design, model, confidence, j, note=note))
            continue
        made.append(_record(design, model, confidence, j, *_ratios(fitted, usable.index(j), design.kind, notes=notes)))
    return made


def _ratios(
    fitted: firth.FirthFit, j: int, kind: firth.Kind, *, notes: list[str]
) -> tuple[float | None, float | None, float | None, float | None, str | None]:
    said: list[str | None] = [infinite(kind)] if fitted.infinite[j] else []
    if not fitted.converged:
        return None, None, None, None, joined([f"{NOT_ESTIMABLE}: the fit did not converge", *notes])
    values = [ratio(float(v[j])) for v in (fitted.coef, fitted.lower, fitted.upper)]
    p = finite(float(fitted.p_value[j]))
    if values[1] is None or values[2] is None:
        said.append("a limit is not estimable")
    if p is None:
        said.append("the p-value is not estimable")
    return values[0], values[1], values[2], p, joined([*said, *notes])


def infinite(kind: firth.Kind) -> str:
    """Say that a column has no finite estimate without the penalty."""
    what = "separation" if kind == "logistic" else "monotone likelihood"
    return f"{what}: without the penalty the estimate is infinite"


def ratio(value: float) -> float | None:
    """Return the ratio of an effect on the log scale, or None where it is no finite number."""
    return finite(math.exp(value)) if math.isfinite(value) and abs(value) < 700 else None


def _record(design: Design, model: str, confidence: float, j: int, value: float | None = None,
            lower: float | None = None, upper: float | None = None, p: float | None = None,
            note: str | None = None) -> Estimate:  # fmt: skip
    method = firth.METHODS[design.kind] if design.entry is None else firth_left_truncated.METHOD
    return Estimate("association", design.endpoint.name, design.statistic, "all", None, model, design.terms[j],
                    None, value, lower, upper, confidence, p, "ratio", method, design.n,
                    design.events, note)  # fmt: skip


def _steps(inputs: Inputs) -> Iterator[Step]:
    """Yield each factor alone, then the plan's multivariable models."""
    alone = [(end, [factor], "univariable") for end in inputs.modelled for factor in inputs.data.factors]
    for end, factors, model in (*alone, *inputs.multivariable):
        work = partial(associations, end, factors, model, confidence=inputs.plan.confidence)
        yield of_endpoint("associations", end, work)


ANALYSIS = Analysis("associations", "association", "associations", _steps, NEEDS_FACTOR, disclosure="effects")

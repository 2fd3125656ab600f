"""Factors and outcome: univariable and multivariable Firth models. Associations, not effects of treatment.

Each model uses the patients in whom the endpoint and every factor of the model are known (complete cases), and says
how many. What small numbers do is said in the record: separation, few events, constant or collinear factors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

from reinfuse.analyses.base import NO_FACTOR, Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics import firth, firth_left_truncated

_Effect = tuple[float | None, float | None, float | None, float | None, str | None]
"""Ratio, lower and upper limit, p-value and note."""


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
        return [_unestimable(design, model, j, confidence=confidence) for j in range(len(design.terms))]
    X = design.X[:, usable]
    if design.entry is not None and design.time is not None:
        fitted = firth_left_truncated.fit(X, design.entry, design.time, design.event, confidence)
    else:
        fitted = firth.fit(design.kind, X, design.event, design.time, confidence)
    records = []
    for j in range(len(design.terms)):
        if j in design.reasons:
            records.append(_unestimable(design, model, j, confidence=confidence))
            continue
        effect = _ratios(fitted, usable.index(j), design.kind, notes=notes)
        records.append(_record(design, model, j, confidence=confidence, effect=effect))
    return records


def _ratios(fitted: firth.FirthFit, j: int, kind: firth.Kind, *, notes: list[str]) -> _Effect:
    remarks: list[str | None] = [infinite(kind)] if fitted.infinite[j] else []
    if not fitted.converged:
        return None, None, None, None, joined([f"{NOT_ESTIMABLE}: the fit did not converge", *notes])
    values = [ratio(float(v[j])) for v in (fitted.coef, fitted.lower, fitted.upper)]
    p = finite(float(fitted.p_value[j]))
    if values[1] is None or values[2] is None:
        remarks.append("a limit is not estimable")
    if p is None:
        remarks.append("the p-value is not estimable")
    return values[0], values[1], values[2], p, joined([*remarks, *notes])


def infinite(kind: firth.Kind) -> str:
    """Say that a column has no finite estimate without the penalty."""
    what = "separation" if kind == "logistic" else "monotone likelihood"
    return f"{what}: without the penalty the estimate is infinite"


def ratio(value: float) -> float | None:
    """Return the ratio of an effect on the log scale, or None where it is no finite number."""
    return finite(math.exp(value)) if math.isfinite(value) and abs(value) < 700 else None


def _unestimable(design: DesignMatrix, model: str, j: int, *, confidence: float) -> Estimate:
    note = joined([f"{NOT_ESTIMABLE}: {design.why(j)}", *design.notes])
    return _record(design, model, j, confidence=confidence, effect=(None, None, None, None, note))


def _record(design: DesignMatrix, model: str, j: int, *, confidence: float, effect: _Effect) -> Estimate:
    value, lower, upper, p, note = effect
    method = firth.METHODS[design.kind] if design.entry is None else firth_left_truncated.METHOD
    return Estimate("association", design.endpoint.name, design.statistic, "all", None, model, design.terms[j],
                    None, value, lower, upper, confidence, p, "ratio", method, design.n,
                    design.events, note)  # fmt: skip


def _steps(inputs: Inputs) -> Iterator[Step]:
    """Yield each factor alone, then the plan's multivariable models."""
    alone = [(end, [factor], "univariable") for end in inputs.modelled for factor in inputs.data.factors]
    for end, factors, model in (*alone, *inputs.multivariable):
        work = partial(associations, end, factors, model, confidence=inputs.plan.confidence)
        yield of_endpoint("associations", end, work=work)


ANALYSIS = Analysis(
    "associations",
    records="association",
    section="associations",
    steps=_steps,
    first=True,
    what="odds and hazard ratios, each factor alone and in the plan's models",
    method=(
        "Firth logistic (Stat Med 2002;21:2409) and Firth Cox with Breslow ties (Biometrics 2001;57:114); p "
        "from the penalised likelihood ratio, interval from its profile"
    ),
    lacking=NO_FACTOR,
    disclosure="effects",
)

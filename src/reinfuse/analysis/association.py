"""Factors and outcome: univariable and multivariable Firth models. Associations, not effects of treatment.

Each model uses the patients in whom the endpoint and every factor of the model are known (complete cases), and says
how many. What small numbers do is said in the record: separation, few events, constant or collinear factors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reinfuse.analysis import firth
from reinfuse.analysis.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.cohort.declared import EndpointColumn
from reinfuse.cohort.factors import FactorColumn

Floats = NDArray[np.float64]
MIN_EVENTS_PER_FACTOR = 5
_COLLINEAR = 1e-10
"""Eigenvalue of the correlation matrix below which columns are a combination of each other."""


@dataclass(frozen=True)
class _Design:
    """Complete cases of one model: columns, their terms, outcome."""

    X: Floats
    terms: tuple[str, ...]
    event: Floats
    time: Floats | None
    left_out: int

    @property
    def n(self) -> int:
        return len(self.event)

    @property
    def events(self) -> int:
        return int(self.event.sum())


def associations(endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str,
                 confidence: float) -> list[Estimate]:  # fmt: skip
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
    design = _design(endpoint, factors)
    kind: firth.Kind = "logistic" if endpoint.kind == "binary" else "cox"
    why = _impossible(design, kind)
    reasons: dict[int, str] = {}
    if why is None:
        reasons = _without_reference(design, factors) or _useless(design.X, design.terms)
    usable = [j for j in range(len(design.terms)) if j not in reasons]
    notes = _notes(design, kind, len(factors))
    common = (endpoint.name, model, confidence, kind, design)
    if why is not None or not usable:
        return [_record(*common, j, note=joined([f"{NOT_ESTIMABLE}: {why or reasons[j]}", *notes]))
                for j in range(len(design.terms))]  # fmt: skip
    fitted = firth.fit(kind, design.X[:, usable], design.event, design.time, confidence)
    made = []
    for j in range(len(design.terms)):
        if j in reasons:
            made.append(_record(*common, j, note=joined([f"{NOT_ESTIMABLE}: {reasons[j]}", *notes])))
            continue
        made.append(_record(*common, j, *_ratios(fitted, usable.index(j), kind, notes)))
    return made


def _design(endpoint: EndpointColumn, factors: Sequence[FactorColumn]) -> _Design:
    columns = np.column_stack([f.columns for f in factors])
    known = endpoint.known
    complete = known & ~np.isnan(columns).any(axis=1)
    time = None if endpoint.time is None else endpoint.time[complete]
    terms = tuple(t for f in factors for t in f.terms)
    return _Design(columns[complete], terms, endpoint.event[complete], time, int(known.sum() - complete.sum()))


def _impossible(design: _Design, kind: firth.Kind) -> str | None:
    """Return why no model of this outcome can be fitted, or None."""
    if not design.terms:
        return "the factor has one value only"
    if design.n == 0:
        return "no patient with endpoint and factors known"
    if design.events == 0:
        return "no event"
    if kind == "logistic" and design.events == design.n:
        return "every patient has the event"
    return None


def _without_reference(design: _Design, factors: Sequence[FactorColumn]) -> dict[int, str]:
    """Return the terms of categories whose reference is met in no patient of the model."""
    reasons: dict[int, str] = {}
    for factor in factors:
        mine = [j for j, t in enumerate(design.terms) if t in factor.terms]
        if factor.kind == "category" and mine and (design.X[:, mine].sum(axis=1) == 1).all():
            reasons |= dict.fromkeys(mine, f"none of these patients has the reference, {factor.levels[0]}")
    return reasons


def _useless(X: Floats, terms: Sequence[str]) -> dict[int, str]:
    """Return columns that are constant, or a combination of the others, with the reason."""
    reasons = {j: "constant in these patients" for j in range(X.shape[1]) if np.ptp(X[:, j]) == 0}
    varying = [j for j in range(X.shape[1]) if j not in reasons]
    if not varying:
        return reasons
    Z = X[:, varying] - X[:, varying].mean(axis=0)
    Z /= Z.std(axis=0)
    sizes, directions = np.linalg.eigh(Z.T @ Z / len(Z))
    for row in directions.T[sizes < _COLLINEAR]:
        involved = [varying[i] for i in np.flatnonzero(np.abs(row) > 1e-6)]
        names = ", ".join(terms[j] for j in involved)
        reasons |= {j: f"collinear ({names})" for j in involved}
    return reasons


def _notes(design: _Design, kind: firth.Kind, factors: int) -> list[str]:
    notes = []
    if design.left_out:
        notes.append(f"{design.left_out} patient{'s' if design.left_out > 1 else ''} left out, a factor missing")
    fewer = design.events if kind == "cox" else min(design.events, design.n - design.events)
    if design.n and fewer < MIN_EVENTS_PER_FACTOR * factors:
        what = "events" if kind == "cox" or fewer == design.events else "patients without the event"
        noun = "factor" if factors == 1 else "factors"
        notes.append(f"few events: {fewer} {what} for {factors} {noun}, fewer than {MIN_EVENTS_PER_FACTOR} a factor")
    return notes


def _ratios(fitted: firth.Fit, j: int, kind: firth.Kind,
            notes: list[str]) -> tuple[float | None, float | None, float | None, float | None, str | None]:  # fmt: skip
    said: list[str | None] = []
    if fitted.infinite[j]:
        what = "separation" if kind == "logistic" else "monotone likelihood"
        said.append(f"{what}: without the penalty the estimate is infinite")
    if not fitted.converged:
        return None, None, None, None, joined([f"{NOT_ESTIMABLE}: the fit did not converge", *notes])
    values = [_exp(float(v[j])) for v in (fitted.coef, fitted.lower, fitted.upper)]
    p = finite(float(fitted.p_value[j]))
    if values[1] is None or values[2] is None:
        said.append("a limit is not estimable")
    if p is None:
        said.append("the p-value is not estimable")
    return values[0], values[1], values[2], p, joined([*said, *notes])


def _exp(value: float) -> float | None:
    """Return the ratio, or None where it is no finite number."""
    return finite(math.exp(value)) if math.isfinite(value) and abs(value) < 700 else None


def _record(endpoint: str, model: str, confidence: float, kind: firth.Kind, design: _Design, j: int,
            value: float | None = None, lower: float | None = None, upper: float | None = None,
            p: float | None = None, note: str | None = None) -> Estimate:  # fmt: skip
    statistic = "odds_ratio" if kind == "logistic" else "hazard_ratio"
    return Estimate("association", endpoint, statistic, "all", None, model, design.terms[j] if design.terms else None,
                    None, value, lower, upper, confidence, p, "ratio", firth.METHODS[kind], design.n, design.events,
                    note)  # fmt: skip

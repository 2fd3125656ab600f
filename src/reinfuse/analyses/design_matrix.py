"""The data of one model: complete cases, design columns, and why a column cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.statistics.firth import Kind

MIN_EVENTS_PER_FACTOR = 5
MANY_TIED, SHARE_TIED = 5, 0.25
"""Events on one day, and their share of all, from which Breslow's ties are said to draw a ratio towards 1."""
MOST_LATE = 2000
"""Patients with late entry whose risk sets are still written out."""
_COLLINEAR = 1e-10
"""Eigenvalue of the correlation matrix below which columns are a combination of each other."""


@dataclass(frozen=True)
class DesignMatrix:
    """Complete cases of one model.

    Attributes
    ----------
    endpoint, factors
        What was asked.
    X
        Columns of all terms, shape (n, k), no intercept.
    rows
        Which of the analysed patients they are.
    time, entry
        Days, of a time to event; entry of those who come under observation late.
    left_out
        Patients with a known endpoint and a missing factor.
    impossible
        Why no model can be fitted, or None.
    reasons
        Column -> why it cannot be used.
    """

    endpoint: EndpointColumn
    factors: tuple[FactorColumn, ...]
    X: Floats = field(repr=False)
    rows: Integers = field(repr=False)
    event: Floats = field(repr=False)
    time: Floats | None = field(repr=False)
    left_out: int
    impossible: str | None
    reasons: dict[int, str]
    entry: Floats | None = field(default=None, repr=False)

    @property
    def kind(self) -> Kind:
        """Which model the endpoint has."""
        return "logistic" if self.endpoint.kind == "binary" else "cox"

    @property
    def statistic(self) -> str:
        """What its effects are."""
        return "odds_ratio" if self.kind == "logistic" else "hazard_ratio"

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(t for f in self.factors for t in f.terms)

    @property
    def usable(self) -> list[int]:
        """Columns that can be used."""
        return [] if self.impossible else [j for j in range(len(self.terms)) if j not in self.reasons]

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.event)

    @property
    def events(self) -> int:
        """Patients with the event."""
        return int(self.event.sum())

    @property
    def telling(self) -> int:
        """Events; of a logistic model patients without the event, if these are fewer."""
        return self.events if self.kind == "cox" else min(self.events, self.n - self.events)

    def columns_of(self, factor: FactorColumn) -> list[int]:
        """Return the usable columns of one factor."""
        terms = set(factor.terms)
        return [j for j in self.usable if self.terms[j] in terms]

    def why(self, j: int) -> str:
        """Return why a column has no estimate."""
        return self.impossible or self.reasons.get(j, "")

    @cached_property
    def tied(self) -> int:
        """Events on the day that has most of them."""
        if self.time is None or not self.events:
            return 0
        return int(np.unique(self.time[self.event == 1], return_counts=True)[1].max())

    @property
    def notes(self) -> list[str]:
        """What is to be said of every estimate of a logistic or Cox model."""
        if self.tied < max(MANY_TIED, SHARE_TIED * self.events):
            return self.notes_of_patients
        tied = f"{self.tied} of {self.events} events on one day: Breslow's ties draw the ratio towards 1"
        return [*self.notes_of_patients, tied]

    @property
    def notes_of_patients(self) -> list[str]:
        """What is to be said of every estimate, whatever the model."""
        remarks = []
        if self.left_out:
            remarks.append(f"{self.left_out} patient{'s' if self.left_out > 1 else ''} excluded, factor missing")
        fewer, many = self.telling, len(self.factors)
        if self.n and fewer < MIN_EVENTS_PER_FACTOR * many:
            plural = "" if fewer == 1 else "s"
            cases = self.kind == "cox" or fewer == self.events
            what = f"event{plural}" if cases else f"patient{plural} without the event"
            noun = "factor" if many == 1 else "factors"
            remarks.append(
                f"few events: {fewer} {what} for {many} {noun}, fewer than {MIN_EVENTS_PER_FACTOR} per factor"
            )
        return remarks


def design_of(
    endpoint: EndpointColumn, factors: Sequence[FactorColumn], *, subdistribution: bool = False
) -> DesignMatrix:
    """Take the patients in whom the endpoint and every factor are known.

    Parameters
    ----------
    subdistribution
        Patients stay at risk after a competing event.
    """
    columns = np.column_stack([f.columns for f in factors])
    evaluated = endpoint.known
    complete = evaluated & ~np.isnan(columns).any(axis=1)
    X, event = columns[complete], endpoint.event[complete]
    time = None if endpoint.time is None else endpoint.time[complete]
    terms = tuple(t for f in factors for t in f.terms)
    impossible = _impossible(len(terms), event, kind=endpoint.kind)
    if endpoint.entry is not None and len(event) > MOST_LATE:
        impossible = f"delayed entry in over {MOST_LATE} patients: not run"
    entry = None if endpoint.entry is None else endpoint.entry[complete]
    reasons: dict[int, str] = {}
    if not impossible:
        reasons = _useless(X, terms, factors)
    if not impossible and time is not None:
        at_risk = _ever_at_risk(time, entry, event=event)
        if subdistribution and endpoint.competing is not None:
            at_risk |= endpoint.competing[complete] == 1
        reasons = _useless(X[at_risk], terms, factors, which=" who are at risk at an event", earlier=reasons)
    return DesignMatrix(endpoint, tuple(factors), X, np.flatnonzero(complete), event, time,
                        int(evaluated.sum() - complete.sum()), impossible, reasons, entry)  # fmt: skip


def _impossible(terms: int, event: Floats, *, kind: str) -> str | None:
    if not terms:
        return "the factor takes a single value"
    if not len(event):
        return "no patient with complete endpoint and factors"
    if event.sum() == 0:
        return "no event"
    if kind == "binary" and event.all():
        return "every patient has the event"
    return None


def _ever_at_risk(time: Floats, entry: Floats | None, *, event: Floats) -> Bools:
    """Tell who is in a risk set: whoever was censored before the first event is in none."""
    events = np.sort(time[event == 1])
    before = 0 if entry is None else np.searchsorted(events, entry, side="right")
    return np.asarray(np.searchsorted(events, time, side="right") > before, dtype=np.bool_)


def _useless(X: Floats, terms: Sequence[str], factors: Sequence[FactorColumn], *, which: str = "",
             earlier: dict[int, str] | None = None) -> dict[int, str]:  # fmt: skip
    """Return columns that cannot be used, with the reason: those known before, and those of these rows.

    Categories whose reference is met in none of the rows, constant columns, and combinations of the others.
    """
    reasons = dict(earlier or {})
    for factor in factors:
        own = [j for j, t in enumerate(terms) if t in factor.terms and j not in reasons]
        if factor.kind == "category" and own and (X[:, own].sum(axis=1) == 1).all():
            reasons |= dict.fromkeys(own, f"none of these patients{which} has the reference, {factor.levels[0]}")
    constant = f"constant in these patients{which}"
    reasons |= {j: constant for j in range(X.shape[1]) if j not in reasons and np.ptp(X[:, j]) == 0}
    varying = [j for j in range(X.shape[1]) if j not in reasons]
    if not varying:
        return reasons
    Z = X[:, varying] - X[:, varying].mean(axis=0)
    Z /= Z.std(axis=0)
    sizes, directions = np.linalg.eigh(Z.T @ Z / len(Z))
    for row in directions.T[sizes < _COLLINEAR]:
        involved = [varying[i] for i in np.flatnonzero(np.abs(row) > 1e-6)]
        names = ", ".join(terms[j] for j in involved)
        reasons |= {j: f"collinear{which and f' in these patients{which}'} ({names})" for j in involved}
    return reasons

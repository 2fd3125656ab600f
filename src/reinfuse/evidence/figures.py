"""One published number: what it is of, how it is known, and what speaks against taking it at its word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.cohort.strata import AT_LEAST
from reinfuse.plan.evidence_options import Difference

TOXICITIES = ("CRS", "ICANS", "NT")
"""Kinds of toxicity that a figure may be of, as a cohort names them."""
Statistic = Literal["proportion", "rate_at", "median", "odds_ratio", "hazard_ratio", "count", "range", "average"]
DIFFERENCES: tuple[Difference, ...] = get_args(Difference)
"""In what a figure may differ from a second infusion of the same CD19 CAR T-cell product for active disease."""
Basis = Literal["printed", "derived", "not printed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFigure:
    """One figure of a study.

    Attributes
    ----------
    study
        Name of the study in the register.
    endpoint
        A declared endpoint, or a kind of toxicity (`CRS`, `ICANS`, `NT`); None: `quantity` says what it is.
    grade
        Of a toxicity: `>=3`, `>=1`, `4`.
    quantity
        In words, what a figure of no endpoint is.
    statistic
        `proportion` and `rate_at` in percent, `median`, `odds_ratio`, `hazard_ratio`, `count`, `range`, and
        `average` where the text does not say whether it is a mean or a median.
    at_days
        Day of a `rate_at`, or of the assessment.
    infusion
        After which infusion.
    diseases
        Diagnoses of its patients, as cohorts name them.
    subset
        Which patients of the study with these diagnoses; empty: all that were treated for the study's purpose.
    differs_in
        What keeps it from being compared with a second infusion of the same CD19 CAR T-cell product for active
        disease: the study's differences and its own.
    value, lower, upper, unit
        As printed; None where it is not.
    events, n
        Patients with the event, and patients; None where not printed and not derivable.
    basis
        ``printed``, ``derived`` (then `arithmetic` says how), or ``not printed`` in the text that was read.
    source
        Where it was read.
    note
        Doubts.
    row
        Its row in the file of figures, 1 = the first.
    """

    study: str
    endpoint: str | None = None
    grade: str = ""
    quantity: str = ""
    statistic: Statistic
    at_days: float | None = None
    infusion: int = 2
    diseases: tuple[str, ...] = ()
    subset: str = ""
    differs_in: tuple[Difference, ...] = ()
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    unit: str = ""
    events: int | None = None
    n: int | None = None
    basis: Basis = "printed"
    arithmetic: str = ""
    source: str = ""
    note: str = ""
    row: int = 0

    @property
    def has_counts(self) -> bool:
        """Whether it is a proportion of whole patients, which alone can be pooled exactly."""
        return self.statistic == "proportion" and self.events is not None and bool(self.n)

    @property
    def numbers(self) -> str:
        """Its numbers as they are known: `39 %, 17 of 44`."""
        if self.basis == "not printed":
            return "not printed in the text that was read"
        limits = {"from": self.lower, "to": self.upper}
        parts = [] if self.value is None else [f"{self.value:g} {self.unit}".strip()]
        parts += [" ".join(f"{word} {x:g}" for word, x in limits.items() if x is not None)]
        if self.n is not None:
            parts.append(f"n = {self.n}" if self.events is None else f"{self.events} of {self.n}")
        return ", ".join(x for x in parts if x)

    @property
    def in_words(self) -> str:
        """What it is, of whom, its numbers, how they are known, and doubts."""
        first = "after the first infusion" if self.infusion == 1 else ""
        who = ", ".join(x for x in ("/".join(self.diseases), self.subset, first) if x)
        day = "" if self.at_days is None else f" at day {self.at_days:g}"
        how = f"{self.basis}: {self.arithmetic}" if self.arithmetic else ""
        of = "median of " if self.statistic == "median" else ""
        return "; ".join(x for x in (f"{of}{self.label}{day}, {who}: {self.numbers}", how, self.note) if x)

    @property
    def label(self) -> str:
        """What it is, in words."""
        if self.endpoint is None:
            return self.quantity
        if self.endpoint in ENDPOINTS:
            return ENDPOINTS[self.endpoint].label
        return f"{self.endpoint} grade {self.grade.replace(AT_LEAST, '≥')}"

"""Medians and ratios as printed, and pooled on the log scale where their intervals are printed too."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from reinfuse.evidence.figures import PublishedFigure
from reinfuse.evidence.register import Register
from reinfuse.evidence.studies import RegisteredStudy
from reinfuse.statistics.inverse_variance import InverseVarianceFit, fit_inverse_variance, log_ratio

STATISTICS = ("median", "hazard_ratio", "odds_ratio")
DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
"""Of each unit of a median."""


@dataclass(frozen=True, kw_only=True)
class PrintedNumber:
    """One median, in months, or ratio of a study.

    Attributes
    ----------
    value, lower, upper
        In months for a median; None where not printed.
    """

    study: RegisteredStudy = field(repr=False)
    figure: PublishedFigure = field(repr=False)
    value: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, kw_only=True)
class PrintedNumbers:
    """All medians, or ratios, of an endpoint.

    Attributes
    ----------
    numbers
        Of comparable studies.
    pooled
        Mean of the logarithms; None unless two studies at least print an interval, one figure a study.
    reason
        Why there is none.
    """

    endpoint: str
    statistic: str
    numbers: tuple[PrintedNumber, ...]
    pooled: InverseVarianceFit | None
    reason: str | None


def printed_numbers(
    register: Register, endpoint: str, statistic: str, *, disease: str | None = None, confidence: float = 0.95
) -> PrintedNumbers:
    """Collect the medians or ratios of an endpoint after a second infusion, and pool those that have intervals.

    Parameters
    ----------
    statistic
        ``median``, ``hazard_ratio`` or ``odds_ratio``.
    disease
        Of patients with this diagnosis.
    confidence
        Of the pooled interval; printed ones count as 95%.
    """
    figures = [f for f in register.figures(endpoint=endpoint, disease=disease, comparable=True)
               if f.statistic == statistic and f.infusion == 2 and f.value]  # fmt: skip
    by_name = {s.name: s for s in register.studies if not s.is_retracted}
    numbers = tuple(_number(by_name[f.study], f) for f in figures if f.study in by_name)
    whole = [x for x in numbers if x.lower and x.upper and not x.figure.subset]
    several = len({x.study.name for x in whole})
    if several < 2 or several < len(whole):
        reason = ("figures of one study are not pooled with each other" if several > 1
                  else f"{several} of {len(numbers)} printed with an interval: two studies are needed")  # fmt: skip
        return PrintedNumbers(endpoint=endpoint, statistic=statistic, numbers=numbers, pooled=None, reason=reason)
    value, lower, upper = (np.array([float(getattr(x, name)) for x in whole]) for name in ("value", "lower", "upper"))
    effects, variances = log_ratio(ratio=value, lower=lower, upper=upper)
    pooled = fit_inverse_variance(effects=effects, variances=variances, confidence=confidence)
    return PrintedNumbers(endpoint=endpoint, statistic=statistic, numbers=numbers, pooled=pooled, reason=None)


def _number(study: RegisteredStudy, figure: PublishedFigure) -> PrintedNumber:
    factor = DAYS.get(figure.unit, DAYS["months"]) / DAYS["months"] if figure.statistic == "median" else 1.0
    ends = [None if x is None else x * factor for x in (figure.lower, figure.upper)]
    return PrintedNumber(study=study, figure=figure, value=(figure.value or 0.0) * factor, lower=ends[0], upper=ends[1])

"""What published studies say together of one endpoint: one figure a study, models beside each other.

The reported mean is that of the binomial-normal model with its floored, scaled interval (`binomial_normal`); of two
studies, whose interval would rest on one degree of freedom, it is the Bayesian one (Friede et al., Biom J
2017;59:658-671). The
reported prediction interval is the Bayesian one with a half-normal prior of tau of scale 1: it alone holds a further
study about as often as it says when there are few (`benchmarks/evidence`). REML with Hartung and Knapp, the profile
likelihood and a prior of scale 0.5 stand beside them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
from scipy.special import expit

from reinfuse.arrays import Floats
from reinfuse.evidence.figures import PublishedFigure
from reinfuse.evidence.register import Exclusion, Register
from reinfuse.evidence.studies import RegisteredStudy
from reinfuse.statistics.binomial_normal import BinomialNormalFit, fit_binomial_normal
from reinfuse.statistics.clopper_pearson import clopper_pearson
from reinfuse.statistics.inverse_variance import InverseVarianceFit, fit_inverse_variance, log_odds
from reinfuse.statistics.meta_analytic_predictive import PredictiveDistribution, predictive_distribution
from reinfuse.statistics.study_likelihood import ProportionCounts

TAU_SCALES = (1.0, 0.5)
"""Scales of the half-normal prior of tau, the reported one first."""
FLOORED = "binomial-normal model, floored Hartung-Knapp-type interval"
Interval = tuple[float, float]
Count = tuple[int, int]
"""Patients with the event, and all."""
_SETS_KEPT = 64
"""Sets of studies whose models are kept: each analysis of a session asks for the same, whatever its cohort."""


def bayesian_method(scale: float) -> str:
    """Return the name of the Bayesian method with a half-normal prior of tau of this scale."""
    return f"Bayesian, tau half-normal of scale {scale:g}"


@dataclass(frozen=True, kw_only=True)
class StudyProportion:
    """One study's proportion with its exact interval.

    Attributes
    ----------
    name, label
        The study's name in the register, and its label; of the own cohort, empty and as given.
    """

    name: str
    label: str
    events: int
    n: int
    lower: float
    upper: float

    @property
    def proportion(self) -> float:
        """Share of the patients with the event."""
        return self.events / self.n


@dataclass(frozen=True, kw_only=True)
class PooledProportion:
    """The mean of one set of studies, and what a further study may show; proportions.

    Attributes
    ----------
    estimate, interval, method
        Of the median study; None where not estimable. By the binomial-normal model, of two studies the Bayesian median.
    prediction
        Of a further study, Bayesian, tau half-normal of scale 1.
    reason
        Why there is no estimate or no interval.
    """

    studies: int
    events: int
    n: int
    estimate: float | None
    interval: Interval | None
    method: str
    prediction: Interval
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """The synthesis without one study."""

    label: str
    pooled: PooledProportion


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where the own cohort lies among what a further study of its size may show.

    Attributes
    ----------
    own
        Its proportion.
    at_most
        Probability of as many events or fewer.
    expected
        Numbers of events that leave no more than half of 1 - confidence on either side.
    is_inside
        Whether its number of events is one of these.
    """

    own: StudyProportion
    at_most: float
    expected: tuple[int, int]

    @property
    def is_inside(self) -> bool:
        """Whether the own number of events is one that is expected of a further study."""
        return self.expected[0] <= self.own.events <= self.expected[1]


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """Published proportions of one endpoint, together.

    Attributes
    ----------
    endpoint, grade, disease, label
        What it is of; disease None: every diagnosis.
    across
        Differences across which somebody asked for studies to be pooled.
    rows
        One a study, in the register's order.
    figures, registered
        The figures behind the rows, and their studies.
    excluded
        Studies that report the endpoint and are not pooled, with reasons.
    pooled
        What is reported; None without a study.
    mixed, normal
        The binomial-normal model, and REML with Hartung and Knapp on log odds (None with fewer than two studies).
    bayesian
        Predictive distribution for each scale of tau's prior.
    placed
        The own cohort, where it was given.
    """

    endpoint: str
    grade: str
    disease: str | None
    label: str
    across: tuple[str, ...]
    confidence: float
    rows: tuple[StudyProportion, ...]
    figures: tuple[PublishedFigure, ...] = field(repr=False)
    registered: tuple[RegisteredStudy, ...] = field(repr=False)
    excluded: tuple[Exclusion, ...] = field(repr=False)
    pooled: PooledProportion | None = None
    mixed: BinomialNormalFit | None = None
    normal: InverseVarianceFit | None = None
    bayesian: tuple[PredictiveDistribution, ...] = field(default=(), repr=False)
    placed: Placed | None = None

    @cached_property
    def without_one(self) -> tuple[LeftOut, ...]:
        """Leave-one-study-out, where there are three studies or more."""
        if len(self.rows) < 3:
            return ()
        rest = [(r.label, [o for o in self.rows if o is not r]) for r in self.rows]
        return tuple(LeftOut(label=label, pooled=pool(rows, confidence=self.confidence)) for label, rows in rest)


def synthesize(
    register: Register,
    endpoint: str,
    *,
    grade: str = "",
    disease: str | None = None,
    across: Collection[str] = (),
    own: tuple[int, int] | None = None,
    own_label: str = "Own cohort",
    confidence: float = 0.95,
    tau_scales: tuple[float, ...] = TAU_SCALES,
) -> Synthesis:
    """Pool one figure of each comparable study.

    Parameters
    ----------
    register
        Published studies.
    endpoint, grade, disease
        A declared endpoint or kind of toxicity (then its grade); of one diagnosis alone.
    across
        Differences (`antigen`, `construct`, `purpose`, `treatment`, `infusion`) across which to pool all the same.
    own
        Events and patients of the own cohort: placed among what a further study may show, never pooled.
    confidence
        Of all intervals.
    tau_scales
        Scales of the half-normal prior of tau: the first is reported, the others are computed beside it.
    """
    chosen = register.poolable(endpoint, grade=grade, disease=disease, across=across)
    by_name = {s.name: s for s in register.studies}
    registered = tuple(by_name[f.study] for f in chosen.figures)
    rows = tuple(
        _row(s.label, f.events or 0, f.n or 0, name=s.name, confidence=confidence)
        for s, f in zip(registered, chosen.figures, strict=True)
    )
    label = next((f.label for s in register.studies for f in s.figures if (f.endpoint, f.grade) == (endpoint, grade)),
                 endpoint)  # fmt: skip
    empty = Synthesis(endpoint=endpoint, grade=grade, disease=disease, label=label, across=tuple(across),
                      confidence=confidence, rows=rows, figures=chosen.figures, registered=registered,
                      excluded=chosen.excluded)  # fmt: skip
    if not rows:
        return empty
    fitted = _with_models(empty, tau_scales)
    if own is None:
        return fitted
    return replace(fitted, placed=_place(_row(own_label, *own, confidence=confidence), fitted.bayesian[0], confidence))


def pool(rows: Collection[StudyProportion], *, confidence: float = 0.95) -> PooledProportion:
    """Return the reported mean and prediction of studies, one row each.

    Parameters
    ----------
    rows
        One a study, at least one.
    """
    counts = _counts(rows)
    return _pooled(_mixed(counts, confidence), _prior(counts, TAU_SCALES[0]), rows=rows)


def _with_models(synthesis: Synthesis, tau_scales: tuple[float, ...]) -> Synthesis:
    counts, confidence = _counts(synthesis.rows), synthesis.confidence
    mixed = _mixed(counts, confidence)
    priors = tuple(_prior(counts, scale) for scale in tau_scales)
    normal = None
    if len(counts) > 1:
        events, n = _arrays(counts)
        effects, variances = log_odds(events=events, n=n)
        normal = fit_inverse_variance(effects=effects, variances=variances, confidence=confidence)
    return replace(synthesis, pooled=_pooled(mixed, priors[0], rows=synthesis.rows), mixed=mixed, normal=normal,
                   bayesian=priors)  # fmt: skip


def _counts(rows: Collection[StudyProportion]) -> tuple[Count, ...]:
    return tuple((r.events, r.n) for r in rows)


def _arrays(counts: tuple[Count, ...]) -> tuple[Floats, Floats]:
    return np.array([float(events) for events, _ in counts]), np.array([float(n) for _, n in counts])


@lru_cache(maxsize=_SETS_KEPT)
def _mixed(counts: tuple[Count, ...], confidence: float) -> BinomialNormalFit:
    events, n = _arrays(counts)
    return fit_binomial_normal(events=events, n=n, confidence=confidence)


@lru_cache(maxsize=_SETS_KEPT)
def _prior(counts: tuple[Count, ...], tau_scale: float) -> PredictiveDistribution:
    return predictive_distribution(ProportionCounts(*_arrays(counts)), tau_scale=tau_scale)


def _pooled(
    mixed: BinomialNormalFit, prior: PredictiveDistribution, *, rows: Collection[StudyProportion]
) -> PooledProportion:
    predicted = prior.predicted(confidence=mixed.confidence)
    lower, upper = expit(mixed.interval).tolist()
    estimate: float | None = float(expit(mixed.mean)) if np.isfinite(mixed.mean) else None
    method = FLOORED
    if len(rows) == 2 and estimate is not None:
        average = prior.average(confidence=mixed.confidence)
        estimate, lower, upper, method = average.median, average.lower, average.upper, bayesian_method(TAU_SCALES[0])
    return PooledProportion(
        studies=len(rows),
        events=sum(r.events for r in rows),
        n=sum(r.n for r in rows),
        estimate=estimate,
        interval=(lower, upper) if np.isfinite([lower, upper]).all() else None,
        method=method,
        prediction=(predicted.lower, predicted.upper),
        reason=mixed.reason,
    )


def _row(label: str, events: int, n: int, *, name: str = "", confidence: float) -> StudyProportion:
    lower, upper = clopper_pearson(events, n, confidence=confidence)
    return StudyProportion(name=name, label=label, events=events, n=n, lower=lower, upper=upper)


def _place(own: StudyProportion, prior: PredictiveDistribution, confidence: float) -> Placed:
    cumulative = np.cumsum(prior.predicted_counts(n=own.n))
    tail = 0.5 - confidence / 2
    expected = int(np.searchsorted(cumulative, tail, side="right")), int(np.searchsorted(cumulative, 1 - tail))
    return Placed(
        own=own, at_most=min(1.0, float(cumulative[own.events])), expected=(expected[0], min(expected[1], own.n))
    )

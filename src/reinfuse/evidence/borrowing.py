"""What published studies are worth for one's own cohort: the own rate without them, and with them in several ways.

The answer without borrowing stands first: the exact interval, and the posterior from Beta(0.5, 0.5). The prior from the
studies is the meta-analytic-predictive one (tau half-normal of scale 1; 0.5 beside it), brought into the form of a
mixture of Betas, with a vague Beta(1, 1) component of weight `VAGUE` that takes over where own data contradict it.
Power prior and commensurate prior are shown for comparison.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.evidence.register import Register
from reinfuse.evidence.synthesis import TAU_SCALES, StudyProportion, Synthesis, synthesize
from reinfuse.statistics.borrowing import commensurate_prior, power_prior, prior_data_conflict
from reinfuse.statistics.clopper_pearson import clopper_pearson
from reinfuse.statistics.conjugate_mixture import BetaMixture
from reinfuse.statistics.effective_sample_size import elir_size, moment_size
from reinfuse.statistics.meta_analytic_predictive import PredictiveDistribution
from reinfuse.statistics.mixture_fit import fit_beta_mixture
from reinfuse.statistics.study_likelihood import ProportionCounts

VAGUE = 0.2
"""Weight of the vague component of the robust prior."""
DISCOUNT = 0.5
"""a0 of the power prior that is shown."""
CONFLICT = 0.05
"""Prior predictive p-value below which own data are said to contradict the prior."""
_LOGITS = np.linspace(-12.0, 12.0, 241)


@dataclass(frozen=True, kw_only=True)
class RateEstimate:
    """The own rate by one way of borrowing.

    Attributes
    ----------
    method
        Its name in words.
    mean, lower, upper
        Posterior mean and equal-tailed limits; of the exact interval, the observed proportion.
    size
        Patients that the prior is worth (moments); None: it has no prior.
    """

    method: str
    mean: float
    lower: float
    upper: float
    size: float | None


@dataclass(frozen=True, kw_only=True)
class PriorWorth:
    """What the prior from the studies is worth.

    Attributes
    ----------
    tau_scale
        Scale of the half-normal prior of tau.
    mixture
        The prior as a mixture of Betas.
    divergence
        Kullback-Leibler divergence of the mixture from the prior, in nats.
    elir, moment
        Effective sample sizes in patients, of the prior without its vague component; elir None where not finite.
    """

    tau_scale: float
    mixture: BetaMixture = field(repr=False)
    divergence: float
    elir: float | None
    moment: float


@dataclass(frozen=True, kw_only=True)
class Borrowing:
    """The own rate without and with published studies.

    Attributes
    ----------
    own
        Events and patients, with the exact interval.
    synthesis
        The studies and their synthesis.
    alone
        Without borrowing: exact, and from Beta(0.5, 0.5).
    borrowed
        With the studies; the first is what is reported. Empty without a study.
    worth
        For each scale of `TAU_SCALES`.
    robust_size
        Patients that the reported prior, vague component included, is worth (moments, ELIR).
    vague_before, vague_after
        Weight of the vague component before and after the own data.
    conflict
        Prior predictive p-value of the own number of events.
    prior, posterior
        Reported mixtures.
    """

    own: StudyProportion
    synthesis: Synthesis = field(repr=False)
    confidence: float
    alone: tuple[RateEstimate, ...]
    borrowed: tuple[RateEstimate, ...] = ()
    worth: tuple[PriorWorth, ...] = ()
    robust_size: tuple[float, float | None] | None = None
    vague_before: float = VAGUE
    vague_after: float | None = None
    conflict: float | None = None
    prior: BetaMixture | None = field(default=None, repr=False)
    posterior: BetaMixture | None = field(default=None, repr=False)

    @property
    def is_in_conflict(self) -> bool:
        """Whether own data are improbable under the prior."""
        return self.conflict is not None and self.conflict < CONFLICT

    @property
    def prior_as_text(self) -> str:
        """The reported prior as a design of a study takes it: `0.44*Beta(1.93, 3.43) + ...`; empty without a study."""
        if self.prior is None:
            return ""
        parts = zip(self.prior.weights, self.prior.a, self.prior.b, strict=True)
        return " + ".join(f"{w:.4f}*Beta({a:.3f}, {b:.3f})" for w, a, b in parts)

    @property
    def worth_in_words(self) -> str:
        """What the studies are worth together, in a sentence; empty without a study."""
        if not self.worth:
            return ""
        patients = sum(r.n for r in self.synthesis.rows)
        k = len(self.synthesis.rows)
        rates = f"{k} published rates of {patients} patients are together" if k > 1 else (
            f"One published rate of {patients} patients is")  # fmt: skip
        information = [w.elir for w in self.worth if w.elir is not None]
        by_information = f"; by information, ELIR, {_span(information)}" if information else ""
        moments = _span([w.moment for w in self.worth])
        return f"{rates} worth about {moments} patients of one's own (by moments{by_information})."


def _span(sizes: list[float]) -> str:
    """Return the range of sizes in whole patients."""
    low, high = (max(1, round(f(sizes))) for f in (min, max))
    return f"{low} to {high}" if low < high else f"{low}"


def borrow(
    register: Register,
    endpoint: str,
    *,
    events: int,
    n: int,
    grade: str = "",
    disease: str | None = None,
    across: Collection[str] = (),
    vague: float = VAGUE,
    confidence: float = 0.95,
) -> Borrowing:
    """Estimate the own rate, first without and then with published studies.

    Parameters
    ----------
    register
        Published studies.
    endpoint, grade, disease, across
        Which of them, as for `synthesize`.
    events, n
        Of the own cohort, 0 <= events <= n, n >= 1.
    vague
        Weight of the vague component, 0 to 1.
    confidence
        Of all intervals.

    Raises
    ------
    ValueError
        If events and n are no counts, or the weight lies outside 0 and 1.
    """
    if not 0 <= events <= n or n < 1:
        raise ValueError("own events must lie between 0 and the own number of patients")
    synthesis = synthesize(register, endpoint, grade=grade, disease=disease, across=across, own=(events, n),
                           confidence=confidence)  # fmt: skip
    lower, upper = clopper_pearson(events, n, confidence=confidence)
    own = StudyProportion(name="", label="Own cohort", events=events, n=n, lower=lower, upper=upper)
    jeffreys = BetaMixture(np.ones(1), np.full(1, 0.5), np.full(1, 0.5))
    alone = (
        RateEstimate(method="no borrowing: observed, exact interval", mean=own.proportion, lower=lower, upper=upper,
                     size=None),
        _estimate("no borrowing: Beta(0.5, 0.5)", jeffreys, own, confidence=confidence),
    )  # fmt: skip
    if not synthesis.rows:
        return Borrowing(own=own, synthesis=synthesis, confidence=confidence, alone=alone)
    worth = tuple(_worth(s, prior) for s, prior in zip(TAU_SCALES, synthesis.bayesian, strict=True))
    prior = worth[0].mixture.robust(weight=vague)
    posterior = prior.posterior(events=events, n=n)
    return Borrowing(
        own=own, synthesis=synthesis, confidence=confidence, alone=alone,
        borrowed=_borrowed(synthesis, worth, own, vague=vague, confidence=confidence), worth=worth,
        robust_size=(moment_size(prior), elir_size(prior)), vague_before=vague,
        vague_after=float(posterior.weights[-1]),
        conflict=prior_data_conflict(predictive=worth[0].mixture.predictive(n=n), events=events), prior=prior,
        posterior=posterior,
    )  # fmt: skip


def as_beta_mixture(prior: PredictiveDistribution) -> tuple[BetaMixture, float]:
    """Return the prior from published studies as a mixture of Betas, and its divergence from it in nats."""
    return fit_beta_mixture(logits=_LOGITS, weights=prior.density(_LOGITS))


def _worth(tau_scale: float, prior: PredictiveDistribution) -> PriorWorth:
    mixture, divergence = as_beta_mixture(prior)
    return PriorWorth(tau_scale=tau_scale, mixture=mixture, divergence=divergence, elir=elir_size(mixture),
                      moment=moment_size(mixture))  # fmt: skip


def _borrowed(synthesis: Synthesis, worth: tuple[PriorWorth, ...], own: StudyProportion, *, vague: float,
              confidence: float) -> tuple[RateEstimate, ...]:  # fmt: skip
    """Return the own rate by each way of borrowing, the reported one first."""
    robust = [
        _estimate(f"robust predictive prior, tau HN({w.tau_scale:g}), vague weight {vague:g}",
                  w.mixture.robust(weight=vague), own, confidence=confidence)
        for w in worth
    ]  # fmt: skip
    plain = _estimate(f"predictive prior, tau HN({worth[0].tau_scale:g})", worth[0].mixture, own, confidence=confidence)
    total = float(sum(r.events for r in synthesis.rows)), float(sum(r.n for r in synthesis.rows))
    power = [_estimate(f"power prior, a0 = {a0:g}{' (pooled)' if a0 == 1 else ''}",
                       power_prior(events=total[0], n=total[1], discount=a0), own, confidence=confidence)
             for a0 in (DISCOUNT, 1.0)]  # fmt: skip
    studies = ProportionCounts(np.array([total[0]]), np.array([total[1]]))
    commensurate = commensurate_prior(studies, sd_scale=TAU_SCALES[0])
    updated = commensurate.updated(ProportionCounts(_one(own.events), _one(own.n))).summary(confidence=confidence)
    before = commensurate.predicted()
    size = before.mean * (1 - before.mean) / before.sd**2 - 1
    return (*robust, plain, *power,
            RateEstimate(method=f"commensurate prior, sd HN({TAU_SCALES[0]:g})", mean=updated.mean, lower=updated.lower,
                         upper=updated.upper, size=size))  # fmt: skip


def _one(value: float) -> Floats:
    return np.array([float(value)])


def _estimate(method: str, prior: BetaMixture, own: StudyProportion, *, confidence: float) -> RateEstimate:
    posterior = prior.posterior(events=own.events, n=own.n)
    lower, upper = posterior.interval(confidence=confidence)
    return RateEstimate(method=method, mean=posterior.mean, lower=lower, upper=upper, size=moment_size(prior))

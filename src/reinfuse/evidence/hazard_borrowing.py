"""The own hazard without and with other studies' events and follow-up: predictive prior as a mixture of Gammas.

Events in an exposure (patient-months under observation) have a Poisson likelihood where the hazard is constant. The
prior of the mean log hazard is normal with standard deviation 2 around that of all studies together, so that the unit
of exposure does not matter; heterogeneity is half-normal of scale 0.5. A hazard that is log-normal with a spread that
is itself uncertain has no variance: the mixture is fitted to the central 99.9 % of the prior, and what the prior is
worth is told in events, by the variance of the log hazard. The vague component is a Gamma worth half an event, its
mean ten times the predictive median: a Gamma's upper tail is light, so that one of the prior's own mean would not give
way to data far above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import gammaincinv

from reinfuse.arrays import Floats
from reinfuse.statistics.borrowing import prior_data_conflict
from reinfuse.statistics.conjugate_mixture import GammaMixture
from reinfuse.statistics.effective_sample_size import elir_size, log_variance_events
from reinfuse.statistics.meta_analytic_predictive import Summary, predictive_distribution
from reinfuse.statistics.mixture_fit import fit_gamma_mixture
from reinfuse.statistics.study_likelihood import RateCounts

VAGUE = 0.2
TAU_SCALE = 0.5
_OUTSIDE = 5e-4
"""Of the prior on either side of the grid to which the mixture is fitted."""
_POINTS = 241
_VAGUE_EVENTS, _VAGUE_MEAN = 0.5, 10.0


@dataclass(frozen=True, kw_only=True)
class ObservedHazard:
    """Events in an exposure, such as patient-months, with the exact interval of their rate.

    Attributes
    ----------
    lower, upper
        Garwood's limits (Biometrika 1936;28:437-442).
    """

    label: str
    events: int
    exposure: float
    lower: float
    upper: float

    @property
    def hazard(self) -> float:
        """Events per unit of exposure."""
        return self.events / self.exposure


@dataclass(frozen=True, kw_only=True)
class HazardBorrowing:
    """The own hazard without and with other studies, per unit of exposure.

    Attributes
    ----------
    own, studies
        Observed hazards.
    predicted
        What a further study may show.
    alone
        Posterior mean and limits from Gamma(0.5, 0), without borrowing.
    mean, lower, upper
        With the robust prior.
    worth_events
        Events that the prior, without its vague component, is worth.
    worth_exposure
        Exposure that it is worth by information (ELIR); None where not finite.
    vague_after
        Weight of the vague component after the own data, `VAGUE` before.
    conflict
        Prior predictive p-value.
    """

    own: ObservedHazard
    studies: tuple[ObservedHazard, ...]
    predicted: Summary
    alone: tuple[float, float, float]
    mean: float
    lower: float
    upper: float
    worth_events: float
    worth_exposure: float | None
    vague_after: float
    conflict: float
    prior: GammaMixture = field(repr=False)
    posterior: GammaMixture = field(repr=False)


def observed_hazard(*, events: int, exposure: float, label: str, confidence: float = 0.95) -> ObservedHazard:
    """Return a rate with its exact interval.

    Raises
    ------
    ValueError
        If events are negative, or the exposure is not above 0.
    """
    if events < 0 or not exposure > 0 or not np.isfinite(exposure):
        raise ValueError("events must not be negative, and the exposure be above 0")
    tail = 0.5 - confidence / 2
    lower = 0.0 if events == 0 else float(gammaincinv(events, tail)) / exposure
    upper = float(gammaincinv(events + 1, 1 - tail)) / exposure
    return ObservedHazard(label=label, events=events, exposure=exposure, lower=lower, upper=upper)


def borrow_hazard(
    own: ObservedHazard, studies: Sequence[ObservedHazard], *, vague: float = VAGUE, confidence: float = 0.95
) -> HazardBorrowing:
    """Estimate the own hazard, first without and then with other studies.

    Parameters
    ----------
    own, studies
        In one unit of exposure; one study at least.
    vague
        Weight of the vague component, 0 to 1.
    confidence
        Of all intervals.

    Raises
    ------
    ValueError
        If there is no study, or the weight lies outside 0 and 1.
    """
    if not studies or not 0 <= vague <= 1:
        raise ValueError("one study at least is needed, and a vague weight from 0 to 1")
    events, exposure = np.array([float(s.events) for s in studies]), np.array([s.exposure for s in studies])
    center = float(np.log((events.sum() + 0.5) / exposure.sum()))
    distribution = predictive_distribution(RateCounts(events, exposure), tau_scale=TAU_SCALE, mean=center)
    grid: Floats = np.linspace(distribution.quantile(_OUTSIDE), distribution.quantile(1 - _OUTSIDE), _POINTS)
    mixture, _ = fit_gamma_mixture(log_rates=grid, weights=distribution.density(grid))
    predicted = distribution.predicted(confidence=confidence)
    prior = mixture.robust(weight=vague, a=_VAGUE_EVENTS, b=_VAGUE_EVENTS / (_VAGUE_MEAN * predicted.median))
    posterior = prior.posterior(events=own.events, exposure=own.exposure)
    lower, upper = posterior.interval(confidence=confidence)
    alone = GammaMixture(np.ones(1), np.array([0.5 + own.events]), np.array([own.exposure]))
    most = int(own.events + 20 * (1 + own.exposure * predicted.upper))
    chance = mixture.predictive(exposure=own.exposure, most=min(most, 100_000))
    return HazardBorrowing(
        own=own, studies=tuple(studies), predicted=predicted,
        alone=(alone.mean, *alone.interval(confidence=confidence)), mean=posterior.mean, lower=lower, upper=upper,
        worth_events=log_variance_events(distribution.log_variance()), worth_exposure=elir_size(mixture),
        vague_after=float(posterior.weights[-1]), conflict=prior_data_conflict(predictive=chance, events=own.events),
        prior=prior, posterior=posterior,
    )  # fmt: skip

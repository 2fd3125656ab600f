"""Mixtures of Betas or Gammas for a distribution that is known on a grid, by the EM algorithm.

The grid's probabilities take the place of a sample, so that the divergence of Kullback and Leibler is minimised and
nothing is drawn at random. In each round a component is given those parameters whose expectations of log p and
log(1 - p) (Beta), or of log x and x (Gamma), are those of its share of the grid, by Newton's method on the logs of the
parameters. Components are added until the divergence is below `GOOD`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import betaln, digamma, gammaln, logsumexp, polygamma

from reinfuse.arrays import Floats
from reinfuse.statistics.conjugate_mixture import BetaMixture, GammaMixture

MOST_COMPONENTS = 4
GOOD = 5e-4
"""Divergence, in nats, below which no further component is added."""
_ROUNDS, _SETTLED = 3000, 1e-9
_NEWTON = 12
_LONGEST_STEP = 1.0
Parameters = tuple[Floats, Floats]


@dataclass(frozen=True)
class _Family:
    """A kind of distribution, by its two sufficient statistics at the points of a grid.

    Attributes
    ----------
    statistics
        Shapes (g,).
    log_density
        Parameters a and b, shape (c,), to the log density of the grid's own coordinate, shape (g, c).
    solve
        Expectations of both statistics, and parameters to begin from, to the parameters that have them.
    """

    statistics: Parameters
    log_density: Callable[[Floats, Floats], Floats] = field(repr=False)
    solve: Callable[[Parameters, Parameters], Parameters] = field(repr=False)


def fit_beta_mixture(*, logits: Floats, weights: Floats, components: int | None = None) -> tuple[BetaMixture, float]:
    """Fit a mixture of Betas.

    Parameters
    ----------
    logits, weights
        An even grid of log odds, and the density on the log-odds scale there, in any unit, shape (g,).
    components
        How many; None: as few as bring the divergence below `GOOD`, at most `MOST_COMPONENTS`.

    Returns
    -------
    mixture, divergence
        The mixture, and the Kullback-Leibler divergence from the distribution, in nats.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import beta
    >>> from reinfuse.statistics.mixture_fit import fit_beta_mixture
    >>> logits = np.linspace(-8, 8, 801)
    >>> p = 1 / (1 + np.exp(-logits))
    >>> mixture, divergence = fit_beta_mixture(logits=logits, weights=beta.pdf(p, 4, 6) * p * (1 - p), components=1)
    >>> mixture.a.round(2).tolist(), mixture.b.round(2).tolist()
    ([4.0], [6.0])
    """
    log_p, log_q = -np.logaddexp(0.0, -logits), -np.logaddexp(0.0, logits)
    family = _Family(
        (log_p, log_q),
        lambda a, b: np.asarray(a * log_p[:, None] + b * log_q[:, None] - betaln(a, b)),
        _beta_parameters,
    )

    def start(centers: Floats) -> Parameters:
        p, size = 1 / (1 + np.exp(-centers)), 2 * np.arange(1.0, len(centers) + 1)
        return p * size, (1 - p) * size

    w, a, b, divergence = _fewest(family, logits, weights, start=start, components=components)
    return BetaMixture(w, a, b), divergence


def fit_gamma_mixture(
    *, log_rates: Floats, weights: Floats, components: int | None = None
) -> tuple[GammaMixture, float]:
    """Fit a mixture of Gammas.

    Parameters
    ----------
    log_rates, weights
        An even grid of log rates, and the density on the log scale there, in any unit, shape (g,).
    components
        How many; None: as few as bring the divergence below `GOOD`, at most `MOST_COMPONENTS`.

    Returns
    -------
    mixture, divergence
        The mixture, and the Kullback-Leibler divergence from the distribution, in nats.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import gamma
    >>> from reinfuse.statistics.mixture_fit import fit_gamma_mixture
    >>> x = np.linspace(-10, 3, 801)
    >>> weights = gamma.pdf(np.exp(x), 3, scale=1 / 20) * np.exp(x)
    >>> mixture, divergence = fit_gamma_mixture(log_rates=x, weights=weights, components=1)
    >>> mixture.a.round(2).tolist(), mixture.b.round(1).tolist()
    ([3.0], [20.0])
    """
    rates = np.exp(log_rates)
    family = _Family(
        (log_rates, rates),
        lambda a, b: np.asarray(a * log_rates[:, None] - b * rates[:, None] + a * np.log(b) - gammaln(a)),
        _gamma_parameters,
    )

    def start(centers: Floats) -> Parameters:
        size = np.arange(1.0, len(centers) + 1)
        return size, size / np.exp(centers)

    w, a, b, divergence = _fewest(family, log_rates, weights, start=start, components=components)
    return GammaMixture(w, a, b), divergence


def _fewest(family: _Family, grid: Floats, weights: Floats, *, start: Callable[[Floats], Parameters],
            components: int | None) -> tuple[Floats, Floats, Floats, float]:  # fmt: skip
    """Return weights and parameters of the mixture with fewest components that is good enough, and its divergence."""
    share = weights / weights.sum()
    cumulative = np.cumsum(share) - share / 2
    target = np.log(np.maximum(share / (grid[1] - grid[0]), 1e-300))
    best: tuple[Floats, Floats, Floats, float] | None = None
    for count in (components,) if components else range(1, MOST_COMPONENTS + 1):
        centers = np.interp((np.arange(count) + 0.5) / count, cumulative, grid)
        fitted = _expectation_maximisation(family, share, start=start(centers))
        log = logsumexp(family.log_density(*fitted[1:]), b=fitted[0], axis=1)
        divergence = float((share * (target - log)).sum())
        if best is None or divergence < best[3]:
            best = *fitted, divergence
        if divergence < GOOD:
            break
    assert best is not None
    return best


def _expectation_maximisation(family: _Family, share: Floats, *, start: Parameters) -> tuple[Floats, Floats, Floats]:
    """Return weights and parameters at which a further round changes nothing that matters."""
    (a, b), weights = start, np.full(len(start[0]), 1 / len(start[0]))
    last = -np.inf
    for _ in range(_ROUNDS):
        log = family.log_density(a, b) + np.log(weights)
        total = logsumexp(log, axis=1)
        mean = float((share * total).sum())
        if mean - last < _SETTLED:
            break
        last = mean
        part = share[:, None] * np.exp(log - total[:, None])
        weights = np.maximum(part.sum(axis=0), 1e-12)
        first, second = ((part * s[:, None]).sum(axis=0) / weights for s in family.statistics)
        a, b = family.solve((first, second), (a, b))
    return weights / weights.sum(), a, b


def _beta_parameters(expected: Parameters, start: Parameters) -> Parameters:
    """Return a and b with E log p and E log(1 - p) as given, by Newton's steps on log a and log b."""
    x, y = (np.log(s) for s in start)
    for _ in range(_NEWTON):
        a, b = np.exp(x), np.exp(y)
        both, cross = digamma(a + b), polygamma(1, a + b)
        f, g = digamma(a) - both - expected[0], digamma(b) - both - expected[1]
        faa, fbb, fab = (polygamma(1, a) - cross) * a, (polygamma(1, b) - cross) * b, -cross
        determinant = faa * fbb - fab * b * fab * a
        dx, dy = (f * fbb - g * fab * b) / determinant, (g * faa - f * fab * a) / determinant
        x, y = x - np.clip(dx, -_LONGEST_STEP, _LONGEST_STEP), y - np.clip(dy, -_LONGEST_STEP, _LONGEST_STEP)
        if max(np.abs(dx).max(), np.abs(dy).max()) < 1e-10:
            break
    return np.exp(x), np.exp(y)


def _gamma_parameters(expected: Parameters, start: Parameters) -> Parameters:
    """Return a and b with E log x and E x as given, by Newton's steps on log a."""
    gap = np.log(expected[1]) - expected[0]
    x = np.log(start[0])
    for _ in range(_NEWTON):
        a = np.exp(x)
        step = (x - digamma(a) - gap) / (1 - a * polygamma(1, a))
        x = x - np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        if np.abs(step).max() < 1e-10:
            break
    a = np.exp(x)
    return a, a / expected[1]

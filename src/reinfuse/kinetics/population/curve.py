"""The curve of one infusion, and the likelihood of its counts, in JAX.

The curve is the smaller of its rising and its falling part (`parameters`). Where the two logarithms lie within
`ROUNDED` of each other, about a fifth of a day around the peak, the corner between them is rounded, which lowers the
peak itself by 5 % at most: a tenth of the residual's standard deviation, and it lets the sampler pass.

Residuals are normal on the log scale; a count below the limit L contributes Phi((ln L - ln C)/sigma), the left-censored
likelihood (method M3 of Beal, J Pharmacokinet Pharmacodyn 2001;28:481-504).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import log_ndtr

from reinfuse.kinetics.population.parameters import ALPHA, BETA, CMAX, FB, FOLD, MOST_FB, TMAX

ROUNDED = 0.2
"""On the log scale."""


@jax.jit
def log_count(theta: Array, day: Array) -> Array:
    """Return log counts.

    Parameters
    ----------
    theta
        Parameters on their scales, shape (6, n).
    day
        Days since the infusion, shape (n, m).

    Returns
    -------
    jax.Array
        Shape (n, m).
    """
    tmax, cmax = jnp.exp(theta[TMAX])[:, None], theta[CMAX][:, None]
    since, logit = day - tmax, theta[FB][:, None]
    rising = cmax + jnp.exp(theta[FOLD])[:, None] / tmax * since
    slow = jnp.log(MOST_FB) - jax.nn.softplus(-logit)
    fast = jnp.log1p(-jnp.exp(slow)) - jnp.exp(theta[ALPHA])[:, None] * since
    slow = slow - jnp.exp(theta[BETA])[:, None] * since
    falling = cmax + jnp.logaddexp(fast, slow)
    near = jnp.maximum(ROUNDED - jnp.abs(rising - falling), 0.0)
    return jnp.minimum(rising, falling) - near * near / (4 * ROUNDED)


@jax.jit
def area(theta: Array, day: Array) -> Array:
    """Return the area under the count from day 0, in its unit x days, no corner rounded; shapes as in `log_count`."""
    tmax, peak = jnp.exp(theta[TMAX])[:, None], jnp.exp(theta[CMAX])[:, None]
    rate = jnp.exp(theta[FOLD])[:, None] / tmax
    share = MOST_FB * jax.nn.sigmoid(theta[FB])[:, None]
    alpha, beta = jnp.exp(theta[ALPHA])[:, None], jnp.exp(theta[BETA])[:, None]
    until, since = jnp.minimum(day, tmax), jnp.maximum(day - tmax, 0.0)
    rising = (jnp.exp(rate * (until - tmax)) - jnp.exp(-rate * tmax)) / rate
    falling = (1 - share) * -jnp.expm1(-alpha * since) / alpha + share * -jnp.expm1(-beta * since) / beta
    whole: Array = peak * (rising + falling)
    return whole


@jax.jit
def log_likelihood(theta: Array, sigma: Array, above: tuple[Array, Array, Array],
                   below: tuple[Array, Array, Array]) -> Array:  # fmt: skip
    """Return the log likelihood of each profile, shape (n,).

    Parameters
    ----------
    above, below
        Day, log count or log limit, and 1 where there is one (0: padding), each of shape (n, m).
    """
    day, value, present = above
    z = (value - log_count(theta, day)) / sigma
    of_above = (present * (-0.5 * z * z - jnp.log(sigma) - 0.5 * jnp.log(2 * jnp.pi))).sum(axis=1)
    day, limit, present = below
    of_below = (present * log_ndtr((limit - log_count(theta, day)) / sigma)).sum(axis=1)
    both: Array = of_above + of_below
    return both

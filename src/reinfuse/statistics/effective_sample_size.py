"""How many patients, or how much exposure, a prior is worth.

- ELIR: E[i(theta) / i_F(theta)], the prior's own information -d2 log f / d theta2 over the Fisher information of one
  patient, 1 / (p (1 - p)), or of one unit of exposure, 1 / rate (Neuenschwander et al., Biometrics 2020;76:578-587).
  It is predictively consistent: after N patients it is expected to have grown by N.
- moment: patients of the Beta (exposure of the Gamma) with the same mean and variance.
- Morita: the same ratio at the prior's mode, less that of a nearly flat prior, the expectation of the data's
  information taken over its predictive distribution (Morita, Thall and Mueller, Biometrics 2008;64:595-602).
- log: events of the Gamma whose logarithm has the same variance, for a prior of a rate.

For one Beta(a, b) ELIR and moment are a + b, for one Gamma(a, b) they are b.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import polygamma

from reinfuse.arrays import Floats
from reinfuse.statistics.conjugate_mixture import BetaMixture, GammaMixture

_LOGITS = np.linspace(-36.0, 36.0, 14401)
_FLATTEN = 100.0
Mixture = BetaMixture | GammaMixture


def moment_size(mixture: Mixture) -> float:
    """Return the size of the one Beta, or Gamma, with the same mean and variance.

    Parameters
    ----------
    mixture
        Patients for a mixture of Betas, units of exposure for one of Gammas.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.conjugate_mixture import BetaMixture
    >>> from reinfuse.statistics.effective_sample_size import moment_size
    >>> round(moment_size(BetaMixture(np.ones(1), np.array([3.0]), np.array([6.0]))), 6)
    9.0
    """
    if isinstance(mixture, GammaMixture):
        return mixture.mean / mixture.sd**2
    return mixture.mean * (1 - mixture.mean) / mixture.sd**2 - 1


def elir_size(mixture: Mixture) -> float | None:
    """Return the expected local-information-ratio size; None where the integral has no finite value.

    Parameters
    ----------
    mixture
        Patients for a mixture of Betas, units of exposure for one of Gammas. A component with a parameter below 1 has
        no finite value, unless it is the only one.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.conjugate_mixture import BetaMixture
    >>> from reinfuse.statistics.effective_sample_size import elir_size
    >>> round(elir_size(BetaMixture(np.ones(1), np.array([3.0]), np.array([6.0]))), 6)
    9.0
    """
    held = mixture.weights > 0
    if held.sum() == 1:
        return float((mixture.a + mixture.b)[held][0] if isinstance(mixture, BetaMixture) else mixture.b[held][0])
    if isinstance(mixture, GammaMixture):
        if (mixture.a[held] < 1).any():
            return None
        centre = np.log(mixture.mean)
        x = centre + _LOGITS / 2
        rate = np.exp(x)
        information = _information(mixture.log_pdf(rate), *_gamma_slopes(mixture, rate))
        return _integral(np.exp(mixture.log_pdf(rate) + 2 * x) * information, x)
    if (mixture.a[held] < 1).any() or (mixture.b[held] < 1).any():
        return None
    p = 1 / (1 + np.exp(-_LOGITS))
    q = 1 / (1 + np.exp(_LOGITS))
    information = _information(mixture.log_pdf(p), *_beta_slopes(mixture, p, q=q))
    return _integral(np.exp(mixture.log_pdf(p)) * (p * q) ** 2 * information, _LOGITS)


def morita_size(mixture: BetaMixture) -> float:
    """Return Morita's size of a mixture of Betas, in patients.

    Parameters
    ----------
    mixture
        With a mode within 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics.conjugate_mixture import BetaMixture
    >>> from reinfuse.statistics.effective_sample_size import morita_size
    >>> round(morita_size(BetaMixture(np.ones(1), np.array([9.0]), np.array([19.0]))))
    28
    """
    grid = np.linspace(1e-4, 1 - 1e-4, 2000)
    near = grid[int(np.argmax(mixture.log_pdf(grid)))]
    bounds = (max(near - 1e-3, 1e-6), min(near + 1e-3, 1 - 1e-6))
    mode = float(minimize_scalar(lambda p: -float(mixture.log_pdf(np.array(p))), bounds=bounds, method="bounded",
                                 options={"xatol": 1e-10}).x)  # fmt: skip
    at = np.array([mode])
    own = float(_information(mixture.log_pdf(at), *_beta_slopes(mixture, at, q=1 - at))[0])
    flat = (mode / _FLATTEN - 1) / mode**2 + ((1 - mode) / _FLATTEN - 1) / (1 - mode) ** 2
    event = mixture.mean
    return (own - flat) / (event / mode**2 + (1 - event) / (1 - mode) ** 2)


def log_variance_events(variance: float) -> float:
    """Return the events of the one Gamma whose logarithm has this variance, trigamma(a) = variance.

    Parameters
    ----------
    variance
        Of the log rate, above 0. It exists where the moments of the rate do not: a log-normal rate whose spread is
        itself uncertain has no variance.

    Examples
    --------
    >>> from scipy.special import polygamma
    >>> from reinfuse.statistics.effective_sample_size import log_variance_events
    >>> round(log_variance_events(float(polygamma(1, 7.5))), 6)
    7.5
    """
    return float(np.exp(brentq(lambda x: np.log(polygamma(1, np.exp(x))) - np.log(variance), -12.0, 18.0, xtol=1e-13)))


def _information(log_density: Floats, first: Floats, second: Floats) -> Floats:
    """Return -d2 log f from f'/f and f''/f; 0 where the density is too small for a number."""
    return np.where(np.isfinite(log_density), first**2 - second, 0.0)


def _shares(mixture: Mixture, logs: Floats) -> Floats:
    """Return each component's share of the density, shape (points, components)."""
    top = logs.max(axis=-1, keepdims=True)
    parts = mixture.weights * np.exp(logs - top)
    return np.asarray(parts / parts.sum(axis=-1, keepdims=True))


def _beta_slopes(mixture: BetaMixture, p: Floats, *, q: Floats) -> tuple[Floats, Floats]:
    """Return f'/f and f''/f at p = 1 - q."""
    single = [BetaMixture(np.ones(1), a[None], b[None]).log_pdf(p) for a, b in zip(mixture.a, mixture.b, strict=True)]
    share = _shares(mixture, np.stack(single, axis=-1))
    a, b = mixture.a - 1, mixture.b - 1
    p, q = p[:, None], q[:, None]
    slope = a / p - b / q
    return (share * slope).sum(axis=-1), (share * (slope**2 - a / p**2 - b / q**2)).sum(axis=-1)


def _gamma_slopes(mixture: GammaMixture, rate: Floats) -> tuple[Floats, Floats]:
    """Return f'/f and f''/f at rates."""
    single = [GammaMixture(np.ones(1), a[None], b[None]).log_pdf(rate)
              for a, b in zip(mixture.a, mixture.b, strict=True)]  # fmt: skip
    share = _shares(mixture, np.stack(single, axis=-1))
    a, x = mixture.a - 1, rate[:, None]
    slope = a / x - mixture.b
    return (share * slope).sum(axis=-1), (share * (slope**2 - a / x**2)).sum(axis=-1)


def _integral(values: Floats, grid: Floats) -> float:
    return float(np.nansum(values) * (grid[1] - grid[0]))

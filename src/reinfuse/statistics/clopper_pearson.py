"""The exact interval of a proportion.

Clopper CJ, Pearson ES. Biometrika 1934;26:404-413: the limits are quantiles of beta distributions,
lower = B(a/2; x, n-x+1), upper = B(1-a/2; x+1, n-x), with 0 and 1 at the ends.
"""

from __future__ import annotations

from scipy.special import betaincinv


def clopper_pearson(x: int, n: int, *, confidence: float) -> tuple[float, float]:
    """Return the exact interval of a proportion x of n, n >= 1."""
    alpha = 1 - confidence
    lower = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, alpha / 2))
    upper = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - alpha / 2))
    return lower, upper

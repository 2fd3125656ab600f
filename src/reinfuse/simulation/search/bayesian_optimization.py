"""The one door to the library of Bayesian optimisation: where to look next, from what was found."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from bayes_opt import BayesianOptimization
from bayes_opt.acquisition import ExpectedImprovement
from scipy.optimize import NonlinearConstraint
from sklearn.gaussian_process.kernels import Matern
from threadpoolctl import threadpool_limits

from reinfuse.arrays import Floats

Evaluation = tuple[Floats, float, float]
"""The point that was looked at, maybe rounded; objective; by how much it exceeds what is allowed (0 or less: not)."""
NOISE = 1e-3
"""Variance of what is found, in variances of the objective: counts of patients are not quite smooth."""
_RESTARTS, _TRIED, _CLIMBED = 1, 5000, 2
"""Of the fit; random points tried, and those from which expected improvement is climbed, for each suggestion."""


def maximise(
    of: Callable[[Floats], Evaluation], initial: Sequence[Evaluation], steps: int, *, seed: int
) -> list[Evaluation]:
    """Return what was found where constrained expected improvement looked, in order; points are of the unit cube.

    Gaussian processes with Matern 5/2 kernels and a length for each coordinate model objective and excess; each point
    is where the expected improvement times the probability of being allowed is greatest (Gardner 2014, ICML 32:937).

    Parameters
    ----------
    of
        What is found at a point.
    initial
        What was found before; at least one of it allowed.
    """
    names = [f"x{k:02d}" for k in range(len(initial[0][0]))]
    allowed = NonlinearConstraint(lambda **_: 0.0, -np.inf, 0.0)
    optimiser = BayesianOptimization(
        None, dict.fromkeys(names, (0.0, 1.0)), acquisition_function=_Improvement(xi=0.0), constraint=allowed,
        random_state=seed % 2**32, verbose=0, allow_duplicate_points=True)  # fmt: skip
    lengths = Matern(np.full(len(names), 0.5), (0.05, 20.0), nu=2.5)
    optimiser.set_gp_params(kernel=lengths, alpha=NOISE, n_restarts_optimizer=_RESTARTS)
    assert optimiser.constraint is not None
    for model in optimiser.constraint.model:
        model.set_params(kernel=lengths, alpha=NOISE, n_restarts_optimizer=_RESTARTS)
    path = list[Evaluation]()
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        for evaluation in initial:
            optimiser.register(*evaluation)
        for _ in range(steps):
            suggested = optimiser.suggest()
            path.append(of(np.array([suggested[name] for name in names])))
            with redirect_stdout(io.StringIO()):
                optimiser.register(*path[-1])
    return path


class _Improvement(ExpectedImprovement):
    """Expected improvement, climbed from few points: the library's ten take seconds a suggestion."""

    def suggest(
        self,
        gp: Any,
        target_space: Any,
        n_random: int = _TRIED,
        n_smart: int = _CLIMBED,
        fit_gp: bool = True,
        random_state: Any = None,
    ) -> Floats:
        """Return the point at which to look next."""
        return np.asarray(
            super().suggest(
                gp, target_space, n_random=n_random, n_smart=n_smart, fit_gp=fit_gp, random_state=random_state
            ),
            dtype=np.float64,
        )

"""The only use of the Bayesian optimisation library: the next point to evaluate, from earlier evaluations."""

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

from reinfuse.arrays import Floats
from reinfuse.runtime.parallel import small_matrices

Evaluation = tuple[Floats, float, float]
"""The evaluated point, maybe rounded; objective; excess over the constraint (0 or less: feasible)."""
NOISE = 1e-3
"""Variance of the noise, in variances of the objective: counts of patients are not quite smooth."""
_RESTARTS, _TRIED, _CLIMBED = 1, 5000, 2
"""Of the fit; random points tried, and those from which expected improvement is climbed, for each suggestion."""


def maximise(
    of: Callable[[Floats], Evaluation], initial: Sequence[Evaluation], steps: int, *, seed: int
) -> list[Evaluation]:
    """Return the evaluations of constrained expected improvement, in order; points are of the unit cube.

    Gaussian processes with Matern 5/2 kernels and a length for each coordinate model objective and excess; each point
    maximises the expected improvement times the probability of being feasible (Gardner 2014, ICML 32:937).

    Parameters
    ----------
    of
        Evaluates a point.
    initial
        Earlier evaluations; at least one of them feasible.
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
    with warnings.catch_warnings(), small_matrices():
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
        """Return the next point to evaluate."""
        return np.asarray(
            super().suggest(
                gp, target_space, n_random=n_random, n_smart=n_smart, fit_gp=fit_gp, random_state=random_state
            ),
            dtype=np.float64,
        )

"""Effects without one of many centres, from the sums at the maximum of all: those of the others in one table."""

from __future__ import annotations

import numpy as np
import pytest

from reinfuse.pooling.left_out import fit_without
from reinfuse.statistics import firth
from reinfuse.statistics.likelihood_sums import LikelihoodSums, logistic_sums
from reinfuse.statistics.pooled_firth import pooled_fit


def test_an_effect_without_one_of_many_centres_is_that_of_the_others():
    rng = np.random.default_rng(7)
    X = np.column_stack([rng.random(1200) < 0.4, rng.normal(size=1200), np.ones(1200)]).astype(float)
    response = (rng.random(1200) < 1 / (1 + np.exp(-X @ [0.6, -0.4, -0.3]))).astype(float)
    site = np.arange(1200) % 30
    fitting = pooled_fit("logistic", 3, tests=False, alone=True)
    points, exchanges = next(fitting), 0
    while True:
        sums = [logistic_sums(X[site == s], response[site == s], points=points) for s in range(30)]
        try:
            points, exchanges = fitting.send(LikelihoodSums.total(sums)), exchanges + 1
        except StopIteration as end:
            whole = end.value
            break
    without = fit_without([s.at([0]) for s in sums], points[0], whole)
    for s in (0, 11):
        others = site != s
        assert without[s].fit.coef == pytest.approx(
            firth.fit("logistic", X[others, :2], response[others]).coef, abs=1e-5
        )
        assert np.abs(without[s].fit.coef - whole.fit.coef).max() > 1e-3
    assert exchanges <= 5

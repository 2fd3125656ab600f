"""Optimism of the multivariable models: c-index and calibration slope, corrected by the bootstrap."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.analyses.base import NEEDS_MULTIVARIABLE, Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.bootstrap_stability import optimism


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end, factors, _ in inputs.main_multivariable:
        rng = inputs.random("optimism", end.name)
        yield of_endpoint("optimism", end, partial(optimism, end, factors, inputs.plan.analyses.bootstraps, rng=rng))


ANALYSIS = Analysis("optimism", "stability", "sure", _steps, NEEDS_MULTIVARIABLE, ("bootstraps",))

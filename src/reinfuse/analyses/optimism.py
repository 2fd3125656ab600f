"""Optimism of the multivariable models: c-index and calibration slope, corrected by the bootstrap."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.analyses.base import NO_MULTIVARIABLE, Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.bootstrap_stability import optimism


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end, factors, _ in inputs.main_multivariable:
        rng = inputs.random("optimism", end.name)
        yield of_endpoint(
            "optimism", end, work=partial(optimism, end, factors, inputs.plan.analyses.bootstraps, rng=rng)
        )


ANALYSIS = Analysis(
    "optimism",
    records="stability",
    section="sure",
    steps=_steps,
    what="optimism-corrected c-index and calibration slope of the multivariable models",
    method="bootstrap (Stat Med 1996;15:361)",
    lacking=NO_MULTIVARIABLE,
    switches=("bootstraps",),
)

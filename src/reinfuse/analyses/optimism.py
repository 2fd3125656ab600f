"""Optimism of the multivariable models: c-index and calibration slope, corrected by the bootstrap."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reinfuse.analyses.base import NO_MULTIVARIABLE, Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.bootstrap_stability import optimism


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end, factors, _ in inputs.main_multivariable:
        rng = inputs.random("optimism", end.name)
        work = partial(optimism, end, factors, inputs.plan.analyses.bootstraps, rng=rng,
                       confidence=inputs.plan.confidence)  # fmt: skip
        yield of_endpoint("optimism", end, work=work)


ANALYSIS = Analysis(
    "optimism",
    records="stability",
    section="sure",
    steps=_steps,
    what="optimism-corrected c-index and calibration slope of the multivariable models",
    method=(
        "bootstrap (Stat Med 1996;15:361); intervals: of the apparent c-index by the infinitesimal jackknife on the "
        "logit scale (R's `survival::concordance`), of the slope by its profile, of corrected numbers the same shifted "
        "by the optimism (Stat Med 2021;40:5691)"
    ),
    lacking=NO_MULTIVARIABLE,
    switches=("bootstraps",),
)

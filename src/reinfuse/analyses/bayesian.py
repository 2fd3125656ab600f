"""The plan's models with a weakly informative prior: how probable is an effect, and one beyond a margin?

Off unless a plan asks. The prior is of each log ratio: of yes or no, of a level, and of two standard deviations of a
number, which is about as far as from no to yes (Gelman, Stat Med 2008;27:2865-2873). `statistics.bayesian_effects` says
how the posterior is taken. Probabilities hold under the prior and the model, and are of associations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator

from reinfuse.analyses.association import ratio
from reinfuse.analyses.base import NO_MODEL, Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.strata import Stratum
from reinfuse.plan.bayesian_options import BayesianOptions, bayesian_setting
from reinfuse.plan.switches import Switch
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined
from reinfuse.statistics.bayesian_effects import FEWEST_EFFECTIVE, Posterior, Prior, posterior

METHODS = {"logistic": "Bayesian logistic, quasi-Monte Carlo importance sampling",
           "cox": "Bayesian Cox (partial likelihood), quasi-Monte Carlo importance sampling"}  # fmt: skip
PRIOR, ABOVE_1, ABOVE, BELOW = (
    "prior_ratio",
    "probability_above_1",
    "probability_above_margin",
    "probability_below_margin",
)
POSTERIOR_DENSITY, PRIOR_DENSITY = "posterior_density", "prior_density"
"""Of the log ratio, at ratios that the records' groups name."""
MOST_PATIENTS = 500
MOST_COLUMNS = 10
"""Coefficients up to which the points are dense enough."""
_DRAWN = 49
_TAIL, _PRIOR_TAIL = 0.0005, 0.005
"""Of posterior and prior, beyond which no density is given."""
_FARTHEST = 50.0
"""Ratio up to which a prior's density is given."""


def options_of(setting: Any) -> BayesianOptions:
    """Return prior and margin of a plan's setting."""
    return BayesianOptions(**setting) if isinstance(setting, dict) else BayesianOptions()


def bayesian(endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str, *, options: BayesianOptions,
             confidence: float) -> list[Estimate]:  # fmt: skip
    """Return of each term prior and posterior median with interval, and the probabilities of a greater ratio."""
    design = design_of(endpoint, factors)
    base = Estimate("bayesian", endpoint.name, design.statistic, model=model, confidence=confidence, unit="ratio",
                    method=METHODS[design.kind], n=design.n, events=design.events)  # fmt: skip
    usable, why = design.usable, design.impossible
    if why is None and design.n > MOST_PATIENTS:
        why = f"over {MOST_PATIENTS} patients, where the prior says nothing"
    if why is None and len(usable) > MOST_COLUMNS:
        why = f"over {MOST_COLUMNS} coefficients"
    scale = _scale(design, factors)
    prior = Prior(options.prior, options.scale)
    sample = posterior(design.X[:, usable] / scale[usable], design.event, design.time,
                       prior=prior) if why is None and usable else None  # fmt: skip
    if why is None and (sample is None or sample.effective < FEWEST_EFFECTIVE):
        why = "the posterior could not be sampled" if usable else "no factor can be used"
    records = []
    for j, term in enumerate(design.terms):
        reason = why or design.reasons.get(j)
        if reason is not None or sample is None:
            records.append(replace(base, term=term, note=joined([f"{NOT_ESTIMABLE}: {reason}", *design.notes])))
            continue
        records += _of_term(replace(base, term=term), sample, usable.index(j), scale=float(scale[j]), prior=prior,
                            margin=options.margin, notes=design.notes)  # fmt: skip
    return records


def _scale(design: DesignMatrix, factors: Sequence[FactorColumn]) -> Floats:
    """Return what one unit of the prior is of each column: of a number two standard deviations."""
    kinds = [f.kind for f in factors for _ in f.terms]
    return np.array([2 * float(x.std()) if kind == "number" else 1.0
                     for x, kind in zip(design.X.T, kinds, strict=True)])  # fmt: skip


def _of_term(own: Estimate, sample: Posterior, j: int, *, scale: float, prior: Prior, margin: float,
             notes: list[str]) -> Iterator[Estimate]:  # fmt: skip
    tail = (1 - (own.confidence or 0)) / 2
    shares = (0.5, tail, 1 - tail)
    middle, low, high = (ratio(v / scale) for v in sample.quantiles(j, shares))
    yield replace(own, estimate=middle, lower=low, upper=high, note=joined(notes))
    middle, low, high = (ratio(prior.quantile(s) / scale) for s in shares)
    yield replace(own, statistic=PRIOR, estimate=middle, lower=low, upper=high, method=_named(prior))
    bound = float(np.log(margin)) * scale
    chances = {ABOVE_1: sample.above(j, 0.0), ABOVE: sample.above(j, bound), BELOW: 1 - sample.above(j, -bound)}
    for statistic, chance in chances.items():
        yield replace(own, statistic=statistic, estimate=min(max(chance, 0.0), 1.0), unit="fraction", confidence=None)
    yield from _densities(replace(own, unit=None, confidence=None), sample, j, scale=scale, prior=prior)


def _densities(own: Estimate, sample: Posterior, j: int, *, scale: float, prior: Prior) -> Iterator[Estimate]:
    """Yield the densities of the log ratio under posterior and prior, at ratios evenly spaced in their logarithm."""
    far = min(prior.quantile(1 - _PRIOR_TAIL), float(np.log(_FARTHEST)) * scale)
    low, high = sample.quantiles(j, (_TAIL, 1 - _TAIL))
    after, before = (np.linspace(*ends, num=_DRAWN, dtype=np.float64) for ends in ((low, high), (-far, far)))
    for statistic, method, at, density in (
        (POSTERIOR_DENSITY, own.method, after, sample.density(j, after)),
        (PRIOR_DENSITY, _named(prior), before, np.exp(prior.log_density(before))),
    ):
        for value, height in zip(np.exp(at / scale), density * scale, strict=True):
            yield replace(own, statistic=statistic, group=Stratum(own.term or "", f"{value:.6g}"),
                          estimate=float(height), method=method)  # fmt: skip


def _named(prior: Prior) -> str:
    """Return a prior in words."""
    what = {"normal": "normal", "student_t": "Student t, 7 degrees of freedom", "cauchy": "Cauchy"}[prior.family]
    return f"prior of the log ratio: {what}, about 0, scale {prior.scale:g}"


def _steps(inputs: Inputs) -> Iterator[Step]:
    options = options_of(inputs.plan.analyses.value("bayesian"))
    for model in inputs.main:
        work = partial(bayesian, *model, options=options, confidence=inputs.plan.confidence)
        yield of_endpoint("Bayesian models", model[0], work=work)


ANALYSIS = Analysis(
    "Bayesian models",
    records="bayesian",
    section="sure",
    steps=_steps,
    what="posterior of the effects in the plan's models, and the probability that they exceed a margin",
    method=(
        "logistic, and Cox by the partial likelihood (Biometrika 2003;90:629), with independent weakly informative "
        "priors of the log ratios: normal with standard deviation 1 (Int J Epidemiol 2006;35:765), or Student t or "
        "Cauchy (Ann Appl Stat 2008;2:1360); importance sampling at Sobol points, t distribution about the mode"
    ),
    lacking=NO_MODEL,
    own_switch=Switch(
        "bayesian",
        Annotated[Any, AfterValidator(bayesian_setting)],
        "Bayesian versions of the plan's models: true, or prior (`normal`, `student_t`, `cauchy`), scale and margin, "
        'such as `{ prior = "cauchy", scale = 2.5, margin = 2 }`',
    ),
)

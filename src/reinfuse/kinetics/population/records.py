"""The population model's numbers as records: typical values, variability, effects of factors, how it was sampled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.kinetics.population.diagnostics import Diagnostics
from reinfuse.kinetics.population.fit import PopulationFit
from reinfuse.kinetics.population.parameters import (
    ACTED_ON,
    BETWEEN_SPREAD,
    FB,
    PARAMETERS,
    RESIDUAL,
    RESIDUAL_SPREAD,
    centres,
    from_scale,
)
from reinfuse.kinetics.population.predictive import shrinkage
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined

METHOD = "Stein's model, Bayesian (NUTS), equal-tailed credible interval"
PRIOR = "prior of the population model"
PRIOR_DRAWS = 20_000
TAU = "standard deviation, log scale"


def records(fit: PopulationFit | str, confidence: float) -> list[Estimate]:
    """Return the records of a fit, `analysis` ``population``.

    `endpoint` is a parameter of the curve (``cmax``, ...), or ``counts`` for what belongs to all. `statistic`:
    ``typical``, ``total_sd``, ``between_infusion_share``, ``residual_sd``, ``ratio`` (`term` = factor), each with a
    ``prior_...`` beside it; ``shrinkage``; and ``rhat``, ``effective_draws``, ``divergences``, ``energy`` of the
    sampling. Where the chains did not converge all but the last group are not estimable.
    """
    own: dict[str, Any] = {"confidence": confidence, "method": METHOD}
    if isinstance(fit, str):
        return [Estimate("population", "counts", "typical", note=f"{NOT_ESTIMABLE}: {fit}", **own)]
    own |= {"n": fit.layout.patients, "events": len(fit.layout.profiles)}
    estimates = [*_sampling(fit, own), *_estimates(fit, confidence, own=own)]
    bent = zip(PARAMETERS, shrinkage(fit), strict=True) if fit.diagnostics.refused is None else ()
    fields = {**own, "confidence": None}
    return [*estimates, *(Estimate("population", p.name, "shrinkage", estimate=finite(float(v)),
                                   unit="fraction", **fields) for p, v in bent)]  # fmt: skip


def sampling(d: Diagnostics) -> Iterator[tuple[str, float, str]]:
    """Yield statistic, value and unit of each diagnostic that is a number."""
    for statistic, value, unit in (("rhat", d.rhat, "ratio"), ("effective_draws", d.ess, "draws"),
                                   ("divergences", float(d.divergences), "iterations"),
                                   ("iterations", float(d.iterations), "iterations"),
                                   ("chains", float(d.chains), "chains"),
                                   ("energy", d.energy, "fraction")):  # fmt: skip
        if np.isfinite(value):
            yield statistic, value, unit


def _sampling(fit: PopulationFit, own: dict[str, Any]) -> Iterator[Estimate]:
    d, fields = fit.diagnostics, {**own, "confidence": None}
    for statistic, value, unit in sampling(d):
        yield Estimate("population", "counts", statistic, estimate=value, unit=unit,
                       note=joined([d.refused, d.doubts]), **fields)  # fmt: skip


def _estimates(fit: PopulationFit, confidence: float, *, own: dict[str, Any]) -> Iterator[Estimate]:
    refused, doubts = fit.diagnostics.refused, fit.diagnostics.doubts
    random = np.random.default_rng(0)
    mu, tau, share = (fit.draws.flat(s) for s in ("mu", "tau", "share"))
    centre, unit = centres(fit.layout.unit), fit.layout.unit

    def pair(endpoint: str, statistic: str, drawn: Floats, prior: Floats, of: str, *,
             term: str | None = None, note: str | None = None) -> Iterator[Estimate]:  # fmt: skip
        for name, values, method in ((statistic, drawn, METHOD), (f"prior_{statistic}", prior, PRIOR)):
            fields = {**own, "method": method}
            if refused and method == METHOD:
                yield Estimate(
                    "population", endpoint, name, term=term, unit=of, note=f"{NOT_ESTIMABLE}: {refused}", **fields
                )
                continue
            low, middle, high = np.quantile(values, ((1 - confidence) / 2, 0.5, (1 + confidence) / 2))
            remark = joined([note, doubts if method == METHOD else None])
            yield Estimate("population", endpoint, name, term=term, estimate=float(middle), lower=float(low),
                           upper=float(high), unit=of, note=remark, **fields)  # fmt: skip

    for k, p in enumerate(PARAMETERS):
        prior = from_scale(k, random.normal(centre[k], p.spread, PRIOR_DRAWS))
        yield from pair(p.name, "typical", from_scale(k, mu[:, k]), prior, unit if p.unit == "" else str(p.unit))
        prior = random.lognormal(np.log(p.between), BETWEEN_SPREAD, PRIOR_DRAWS)
        yield from pair(p.name, "total_sd", tau[:, k], prior, f"standard deviation, {p.scale} scale")
        if len(fit.layout.blocks) > 1:
            beta = random.beta(2, 2, PRIOR_DRAWS)
            yield from pair(p.name, "between_infusion_share", share[:, k], beta, "fraction of the variance")
    prior = random.lognormal(np.log(RESIDUAL), RESIDUAL_SPREAD, PRIOR_DRAWS)
    yield from pair("counts", "residual_sd", fit.draws.flat("sigma"), prior, TAU)
    for j, factor in enumerate(fit.layout.names):
        lacking = fit.layout.missing[j]
        lacking_note = f"{lacking} infusions with the factor missing are set to the average" if lacking else None
        for a, k in enumerate(ACTED_ON):
            prior = np.exp(random.normal(0, PARAMETERS[k].effect, PRIOR_DRAWS))
            odds = "odds ratio of the persisting fraction" if k == FB else None
            drawn = np.exp(fit.draws.flat("coef")[:, j, a])
            yield from pair(
                PARAMETERS[k].name, "ratio", drawn, prior, "ratio", term=factor, note=joined([lacking_note, odds])
            )

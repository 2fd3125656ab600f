"""How far to trust many tests, and how strong a hidden confounder would have to be.

E-value: the least strength of association, as a risk ratio, that an unmeasured confounder would need with both factor
and outcome to explain the whole association (VanderWeele and Ding, Ann Intern Med 2017;167:268-274). Where the outcome
is common (15 % or more) an odds ratio is taken as its square root, and a hazard ratio as (1 - 0.5 ** sqrt(HR)) / (1 -
0.5 ** sqrt(1 / HR)). Multiplicity: Benjamini and Hochberg, J R Stat Soc B 1995;57:289-300.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from reinfuse.analyses.base import Analysis, Inputs, Step
from reinfuse.arrays import Floats
from reinfuse.results.estimate import Estimate

E_VALUE = "E-value"
BENJAMINI_HOCHBERG = "Benjamini-Hochberg"
COMMON = 0.15
_NONE = 1e-9
"""A ratio so near to 1 is 1: the root in the E-value would blow its rounding up."""


def risk_ratio(value: float, statistic: str, *, common: bool) -> float:
    """Return about the risk ratio that an odds or hazard ratio means."""
    if not common:
        return value
    if statistic == "odds_ratio":
        return math.sqrt(value)
    half = math.log(0.5)  # 1 - 0.5^x, which for a small x the power itself would lose
    return math.expm1(half * math.sqrt(value)) / math.expm1(half * math.sqrt(1 / value))


def e_value(risk: float) -> float:
    """Return the E-value of a risk ratio."""
    above = max(risk, 1 / risk)
    if above < 1 + _NONE:
        return 1.0
    return above + math.sqrt(above * (above - 1))


def e_values(effects: Sequence[Estimate]) -> list[Estimate]:
    """Return the E-value of each effect, and that of the limit of its interval that is nearer to 1."""
    records = []
    for e in effects:
        if e.estimate is None or not e.estimate > 0 or not e.n or e.events is None:
            continue
        common = e.events / e.n >= COMMON
        own = replace(e, analysis="sensitivity", lower=None, upper=None, p_value=None, confidence=None, unit="ratio",
                      method=E_VALUE, note=f"outcome in {e.events} of {e.n}")  # fmt: skip
        records.append(
            replace(own, statistic="e_value", estimate=e_value(risk_ratio(e.estimate, e.statistic, common=common)))
        )
        near = e.lower if e.estimate >= 1 else e.upper
        if near is not None and near > 0:
            crosses = (near - 1) * (e.estimate - 1) <= 0
            limit = 1.0 if crosses else e_value(risk_ratio(near, e.statistic, common=common))
            records.append(replace(own, statistic="e_value_of_limit", confidence=e.confidence, estimate=limit))
    return records


def adjusted(p: Floats) -> Floats:
    """Return Benjamini and Hochberg's adjusted p-values."""
    order = np.argsort(-p, kind="stable")
    ranks = np.arange(len(p), 0, -1)
    p_adjusted = np.empty(len(p))
    p_adjusted[order] = np.minimum.accumulate(np.minimum(1.0, p[order] * len(p) / ranks))
    return p_adjusted


def false_discovery(effects: Sequence[Estimate]) -> list[Estimate]:
    """Return the adjusted p-value of each univariable effect, over all effects given."""
    tested = [e for e in effects if e.p_value is not None]
    p = adjusted(np.array([e.p_value for e in tested], dtype=np.float64))
    return [replace(e, analysis="sensitivity", statistic="p_adjusted", estimate=float(q), p_value=float(q), lower=None,
                    upper=None, confidence=None, unit=None, method=f"{BENJAMINI_HOCHBERG} over {len(tested)} tests",
                    note=None) for e, q in zip(tested, p, strict=True)]  # fmt: skip


def _of(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Return E-values of the multivariable models, or without any of each factor alone, and the adjusted p-values."""
    effects = [e for e in estimates if e.analysis == "association"]
    multivariable = [e for e in effects if e.model == "multivariable"]
    alone = sorted((e for e in effects if e.model == "univariable"), key=lambda e: str(e.endpoint))
    records = e_values(multivariable or alone)
    for _, group in groupby(alone, key=lambda e: e.endpoint):
        records += false_discovery(list(group))
    return records


def _steps(_: Inputs) -> Iterator[Step]:
    yield Step("sensitivity", lambda estimates: (_of(estimates), {}))


ANALYSIS = Analysis(
    "sensitivity",
    records="sensitivity",
    section="sure",
    steps=_steps,
    what="E-values of the models' effects; multiplicity of the univariable tests of an endpoint",
    method="E-value (Ann Intern Med 2017;167:268); Benjamini-Hochberg (J R Stat Soc B 1995;57:289)",
    lacking="no association was estimated",
    switches=("sensitivity",),
    last=True,
    disclosure="effects",
)

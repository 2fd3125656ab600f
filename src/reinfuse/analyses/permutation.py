"""Permutation test of one factor, the others adjusted for: what if the factor had been dealt out anew?

The outcome and the other factors stay; the tested factor is drawn again, given the others, as often as `draws` says, or
in every possible way where there are no more ways than that. The statistic is the efficient score statistic of the
factor in the model of the others (of the two-sample log-rank test, for a lone binary factor and a time to event, and
divided by its variance in each draw): exact where the factor does not bear on censoring, and right in large samples
where it does (Neuhaus, Ann Stat 1993;21:1760-1779). How a factor is drawn given the others, which makes it a
conditional randomisation test (Candes et al., J R Stat Soc B 2018;80:551-577):

- alone: its values are permuted;
- yes/no: from the Firth logistic model of the factor on the others, given how many have it (conditional Bernoulli
  sampling: Chen, Dempster and Liu, Biometrika 1994;81:457-469);
- number: its linear regression on the others, with residuals permuted;
- category: from Firth logistic models of each level, scaled to sum to one.

p is the share of draws whose statistic is at least the observed one, the observation counted among random draws
(Phipson and Smyth, Stat Appl Genet Mol Biol 2010;9:39).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.special import logsumexp

from reinfuse.analyses.base import NO_MODEL, Analysis, Inputs, Step, of_endpoint, seed_words
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.statistics import firth_batch, score_tests

METHOD = "permutation test, efficient score"
CONDITIONAL = "conditional randomisation test, efficient score"
MOST_PATIENTS = 500
_SAME = 1e-9
_FEWEST_DRAWS = 720


def permutations(endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str, draws: int,
                 rng: np.random.Generator) -> list[Estimate]:  # fmt: skip
    """Test each factor of a model, the others adjusted for; one record a factor."""
    design = design_of(endpoint, factors)
    records = []
    for factor in factors:
        own_columns = design.columns_of(factor)
        others = [j for j in design.usable if j not in own_columns]
        method = CONDITIONAL if others else METHOD
        own = Estimate("permutation", endpoint.name, "p_value", model=model, term=factor.name, method=method,
                       n=design.n, events=design.events)  # fmt: skip
        if not own_columns or design.n > MOST_PATIENTS:
            why = design.impossible or next(iter(design.reasons.values()), "the factor takes a single value")
            why = why if not own_columns else f"over {MOST_PATIENTS} patients, where it is not needed"
            records.append(replace(own, note=f"{NOT_ESTIMABLE}: {why}"))
            continue
        p, note = p_value(design, factor, own_columns, others=others, draws=max(draws, _FEWEST_DRAWS), rng=rng)
        records.append(replace(own, estimate=p, p_value=p, note=note))
    return records


def p_value(design: DesignMatrix, factor: FactorColumn, tested: list[int], *, others: list[int], draws: int,
            rng: np.random.Generator) -> tuple[float | None, str]:  # fmt: skip
    """Return the p-value of a factor's columns, and how many ways were drawn."""
    X = (design.X - design.X.mean(axis=0))[:, tested]
    scale = design.X[:, tested].std(axis=0)
    Z = design.X[:, others]
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    drawn, weight = _drawn(factor, design.X[:, tested], Z, draws=draws, rng=rng)
    stacked = np.concatenate([X[None], drawn - design.X.mean(axis=0)[tested]]) / scale
    statistics = _statistics(design, stacked, Z=Z)
    if statistics is None:
        return None, f"{NOT_ESTIMABLE}: the model of the other factors did not converge"
    as_far = statistics[1:] >= statistics[0] - _SAME * max(statistics[0], 1)
    if weight is not None:
        return min(float(weight[as_far].sum()), 1.0), f"all {len(weight)} ways"
    return (float(as_far.sum()) + 1) / (len(as_far) + 1), f"{len(as_far)} draws"


def _statistics(design: DesignMatrix, X: Floats, *, Z: Floats) -> Floats | None:
    """Return the score statistic of each draw, or None where the model of the others cannot be fitted."""
    event = design.event[None]
    if design.time is None:
        Z = np.column_stack([Z, np.ones(len(Z))])
        null = firth_batch.logistic(Z, event)
    elif Z.shape[1]:
        null = firth_batch.cox(Z, design.time[None], event)
    else:
        return score_tests.score_statistics(X, design.event, design.time, coef=np.empty(0), tested=X.shape[2])
    if not null.converged.all():
        return None
    stacked = np.concatenate([X, np.broadcast_to(Z, (len(X), *Z.shape))], axis=2)
    return score_tests.score_statistics(stacked, design.event, design.time, coef=null.coef[0], tested=X.shape[2])


def _drawn(factor: FactorColumn, x: Floats, Z: Floats, *, draws: int,
           rng: np.random.Generator) -> tuple[Floats, Floats | None]:  # fmt: skip
    """Return the factor's columns in each draw, and the weight of each where all ways are there."""
    if x.shape[1] == 1 and len(np.unique(x)) == 2:
        low, high = np.unique(x)
        dealt, weight = _bernoulli((x[:, 0] == high), Z, draws, rng=rng)
        return np.where(dealt, high, low)[:, :, None], weight
    if factor.kind == "number" or not Z.shape[1]:
        fitted, rest = _regressed(x, Z)
        order, weight = _orders(len(x), draws, rng=rng)
        return fitted + rest[order], weight
    return _categories(x, Z, draws, rng=rng), None


def _orders(n: int, draws: int, *, rng: np.random.Generator) -> tuple[Integers, Floats | None]:
    if math.factorial(min(n, 20)) <= draws:
        every = np.array(list(itertools.permutations(range(n))))
        return every, np.full(len(every), 1 / len(every))
    return rng.permuted(np.tile(np.arange(n), (draws, 1)), axis=1), None


def _regressed(x: Floats, Z: Floats) -> tuple[Floats, Floats]:
    with_one = np.column_stack([Z, np.ones(len(Z))])
    fitted = with_one @ np.linalg.lstsq(with_one, x, rcond=None)[0]
    return fitted, x - fitted


def _log_odds(has: Bools, Z: Floats) -> Floats:
    """Return each patient's log odds of the factor by the others, Firth; 0 where that cannot be fitted."""
    if not Z.shape[1]:
        return np.zeros(len(has))
    design = np.column_stack([Z, np.ones(len(Z))])
    fit = firth_batch.logistic(design, has.astype(np.float64)[None])
    return design @ fit.coef[0] if fit.converged[0] else np.zeros(len(has))


def _bernoulli(has: Bools, Z: Floats, draws: int,
               *, rng: np.random.Generator) -> tuple[Bools, Floats | None]:  # fmt: skip
    """Draw who has the factor, given how many, by each patient's odds."""
    n, m, log_odds = len(has), int(has.sum()), _log_odds(has, Z)
    if math.comb(n, m) <= draws:
        sets = np.array(list(itertools.combinations(range(n), m)))
        dealt = np.zeros((len(sets), n), dtype=np.bool_)
        np.put_along_axis(dealt, sets, True, axis=1)
        weight = np.exp(dealt @ log_odds - logsumexp(dealt @ log_odds))
        return dealt, weight
    # left[i, s]: log of the sum over sets of s patients from i on, of the product of their odds
    left = np.full((n + 1, m + 1), -np.inf)
    left[n, 0] = 0.0
    for i in range(n - 1, -1, -1):
        left[i] = left[i + 1]
        left[i, 1:] = np.logaddexp(left[i + 1, 1:], log_odds[i] + left[i + 1, :-1])
    dealt = np.zeros((draws, n), dtype=np.bool_)
    missing = np.full(draws, m)
    uniform = rng.random((draws, n))
    for i in range(n):
        more = np.maximum(missing - 1, 0)
        chance = np.where(missing > 0, np.exp(log_odds[i] + left[i + 1, more] - left[i, missing]), 0.0)
        dealt[:, i] = uniform[:, i] < chance
        missing = missing - dealt[:, i]
    return dealt, None


def _categories(x: Floats, Z: Floats, draws: int, *, rng: np.random.Generator) -> Floats:
    """Draw each patient's level; columns are the levels but the reference."""
    reference = (x.sum(axis=1) == 0)[:, None]
    odds = np.column_stack([_log_odds(h.astype(np.bool_), Z) for h in np.hstack([reference, x]).T])
    chance = 1 / (1 + np.exp(-odds))
    below = np.cumsum(chance / chance.sum(axis=1, keepdims=True), axis=1)
    level = (rng.random((draws, len(x), 1)) > below[None, :, :-1]).sum(axis=2)
    return np.asarray((level[:, :, None] == np.arange(1, x.shape[1] + 1)).astype(np.float64), dtype=np.float64)


def _steps(inputs: Inputs) -> Iterator[Step]:
    for model in (*inputs.univariable, *inputs.main_multivariable):
        rng = inputs.random("permutation", *seed_words(model))
        yield of_endpoint("permutation", model[0], work=partial(permutations, *model, inputs.plan.analyses.draws, rng))


ANALYSIS = Analysis(
    "permutation",
    records="permutation",
    section="sure",
    steps=_steps,
    what="p of each factor, adjusted for the others",
    method=(
        "the factor is permuted given the others (conditional randomisation, J R Stat Soc B 2018;80:551), "
        "exhaustively where possible; studentised efficient score statistic (Ann Stat 1993;21:1760), valid "
        "under unequal censoring"
    ),
    lacking=NO_MODEL,
    switches=("permutation",),
    disclosure="effects",
)

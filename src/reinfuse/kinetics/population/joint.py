"""Joint model of the counts and of PFS: does the hazard follow the count as it is, or the area so far?

Both are fitted at once, so that nobody's hazard depends on counts of the future, and errors of the counts do not bias
the association (Rizopoulos, Joint Models for Longitudinal and Time-to-Event Data, 2012, chapter 4). With C the curve of
the population model, L the limit of quantification, and t the days since the index infusion,

    h(t) = h0(t) exp(a g(t)),   g(t) = log10(1 + C(t)/L)   (current count)   or   log10(1 + (area to t)/(L x 1 day)).

h0 is constant between quantiles of the days of events; the cumulative hazard is summed by Gauss-Legendre quadrature in
each of these pieces. Priors: a ~ N(0, 1); log h0 ~ N(log(events / days at risk), 1.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax import Array
from scipy import stats

from reinfuse.analysis.estimate import NOT_ESTIMABLE, Estimate, joined
from reinfuse.kinetics.population import curve, records
from reinfuse.kinetics.population.coordinates import Data, of_patients
from reinfuse.kinetics.population.diagnostics import Diagnostics, diagnose
from reinfuse.kinetics.population.fit import SITES, arrays, effort_for, start
from reinfuse.kinetics.population.layout import Layout
from reinfuse.kinetics.population.posterior import infusions
from reinfuse.kinetics.population.sampler import Draws, Effort, Report, sample
from reinfuse.kinetics.profiles import Floats

Kind = Literal["current", "area"]
KINDS: tuple[Kind, ...] = ("current", "area")
LABELS = {"current": "Count as it is, per tenfold", "area": "Area so far, per tenfold"}
PIECES, NODES = 4, 7
FEWEST_EVENTS = 5
PRIOR = 1.0
METHOD = "joint model of counts and hazard, Bayesian (NUTS), equal-tailed credible interval"


class Survival(NamedTuple):
    """Arrays of the patients with the index infusion and a known outcome.

    Attributes
    ----------
    at
        Their profiles' places, shape (m,).
    nodes, weights
        Days and weights of the quadrature, shape (m, PIECES x NODES); weight 0 after the end.
    end, event
        Last day and whether it was the event, shape (m, 1) and (m,).
    piece
        Piece of the baseline hazard in which the end lies, shape (m,).
    rate
        Log of events by days at risk.
    limit
        Limit of quantification.
    """

    at: Array
    nodes: Array
    weights: Array
    end: Array
    event: Array
    piece: Array
    rate: Array
    limit: Array


@dataclass(frozen=True)
class JointFit:
    """Draws of a joint model: `association` (a, natural log of the hazard ratio per tenfold) among others."""

    kind: Kind
    patients: int
    events: int
    draws: Draws = field(repr=False)
    diagnostics: Diagnostics


def fit(layout: Layout, infusion: int, outcome: Mapping[str, tuple[float, float]], kind: Kind, seed: int,
        effort: Effort | None = None, report: Report | None = None) -> JointFit | str:  # fmt: skip
    """Fit a joint model.

    Parameters
    ----------
    infusion
        The index infusion.
    outcome
        Patient -> days since the index infusion to the event or the last day without it, and 1 or 0.

    Returns
    -------
    JointFit or str
        Or why it was not fitted.
    """
    places = [i for i, p in enumerate(layout.profiles) if p.infusion == infusion and p.patient_id in outcome]
    told = np.array([outcome[layout.profiles[i].patient_id] for i in places]).reshape(-1, 2)
    events = int(told[:, 1].sum())
    if events < FEWEST_EVENTS:
        return f"{events} events among {len(places)} patients with counts, fewer than {FEWEST_EVENTS}"
    with jax.enable_x64(True):
        data, first = arrays(layout)
        begun = start(first, layout) | {"association": jnp.zeros(()), "baseline": jnp.zeros(PIECES)}
        sites = (*(s for s in SITES if s in begun), "association", "baseline")
        effort = effort or effort_for(len(layout.profiles))
        model = {"current": current, "area": so_far}[kind]
        both = (data, survival(np.array(places), told, _limit(layout)))
        draws = sample(model, layout.blocks, both, begun, effort, seed, report)
    return JointFit(kind, len(places), events, draws, diagnose(draws, sites))


def survival(at: np.ndarray, told: Floats, limit: float) -> Survival:
    """Arrange the outcome; `told` holds days and events, shape (m, 2). Ends on day 0 count as half a day."""
    end, event = np.maximum(told[:, 0], 0.5), told[:, 1]
    cuts = np.quantile(end[event == 1], np.arange(1, PIECES) / PIECES)
    low, high = np.concatenate([[0.0], cuts]), np.concatenate([cuts, [np.inf]])
    x, w = np.polynomial.legendre.leggauss(NODES)
    width = np.maximum(np.minimum(end[:, None], high) - low, 0.0)
    nodes = low[:, None] + width[:, :, None] * (x + 1) / 2
    weights = width[:, :, None] * w / 2
    piece = np.searchsorted(cuts, end, side="left")
    rate = np.log(event.sum() / end.sum())
    nodes, weights = nodes.reshape(len(end), -1), weights.reshape(len(end), -1)
    told_as = (at, nodes, weights, end[:, None], event, piece, rate, limit)
    return Survival._make(jnp.asarray(v) for v in told_as)


def _limit(layout: Layout) -> float:
    """Return the cohort's median limit, or its least count where no count is below one."""
    for (_, value, there), choose in ((layout.below, np.median), (layout.seen, np.min)):
        if (there > 0).any():
            return float(np.exp(choose(value[there > 0])))
    raise ValueError("no count")


def current(both: tuple[Data, Survival], blocks: tuple[int, ...]) -> None:
    """Define the joint model with the current count."""
    _model(both, blocks, lambda theta, day, limit: jnp.log1p(jnp.exp(curve.log_count(theta, day)) / limit))


def so_far(both: tuple[Data, Survival], blocks: tuple[int, ...]) -> None:
    """Define the joint model with the area so far."""
    _model(both, blocks, lambda theta, day, limit: jnp.log1p(curve.area(theta, day) / limit))


def _model(both: tuple[Data, Survival], blocks: tuple[int, ...], log: Any) -> None:
    data, s = both
    theta, _ = infusions(data, blocks)
    association = numpyro.sample("association", dist.Normal(0.0, PRIOR))
    baseline = numpyro.sample("baseline", dist.Normal(jnp.zeros(PIECES), 1.5).to_event(1))
    each = log_likelihood(theta[:, s.at], association, s.rate + baseline, s, log)
    numpyro.factor("outcome", of_patients(jnp.zeros(theta.shape[1]).at[s.at].add(each), blocks))


def log_likelihood(theta: Array, association: Array, log_h0: Array, s: Survival, log: Any) -> Array:
    """Return the log likelihood of each patient's outcome, shape (m,)."""
    tenfold = jnp.log(10.0)
    hazard = jnp.exp(jnp.repeat(log_h0, NODES) + association * log(theta, s.nodes, s.limit) / tenfold)
    at_end = log_h0[s.piece] + association * log(theta, s.end, s.limit)[:, 0] / tenfold
    made: Array = s.event * at_end - (s.weights * hazard).sum(axis=1)
    return made


def estimates(fitted: JointFit | str, kind: Kind, confidence: float) -> list[Estimate]:
    """Return the records of a joint model, `analysis` ``joint``: hazard ratio, its prior, and the sampling."""
    own = Estimate("joint", "pfs", "hazard_ratio", term=kind, unit="ratio", confidence=confidence, method=METHOD)
    if isinstance(fitted, str):
        return [replace(own, note=f"{NOT_ESTIMABLE}: {fitted}")]
    d = fitted.diagnostics
    own = replace(own, n=fitted.patients, events=fitted.events)
    tail = ((1 - confidence) / 2, 0.5, (1 + confidence) / 2)
    low, middle, high = np.exp(stats.norm.ppf(tail, 0.0, PRIOR))
    prior = replace(own, statistic="prior_hazard_ratio", estimate=float(middle), lower=float(low), upper=float(high),
                    method="prior of the joint model")  # fmt: skip
    if d.refused:
        told = replace(own, note=f"{NOT_ESTIMABLE}: {d.refused}")
    else:
        low, middle, high = np.exp(np.quantile(fitted.draws.flat("association"), tail))
        said = f"per tenfold of {'the count' if kind == 'current' else 'the area'}, both above the limit"
        told = replace(own, estimate=float(middle), lower=float(low), upper=float(high), note=joined([said, d.doubts]))
    own = replace(own, confidence=None, note=joined([d.refused, d.doubts]))
    return [told, prior, *(replace(own, statistic=name, estimate=value, unit=unit)
                           for name, value, unit in records.sampling(d))]  # fmt: skip

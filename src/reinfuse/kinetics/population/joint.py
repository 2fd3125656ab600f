"""Joint model of the counts and of PFS: does the hazard follow the count as it is, or the area so far?

Both are fitted at once, so that nobody's hazard depends on counts of the future, and errors of the counts do not bias
the association (Rizopoulos, Joint Models for Longitudinal and Time-to-Event Data, 2012, chapter 4). With C the curve of
the population model, L the limit of quantification, and t the days since the index infusion,

    h(t) = h0(t) exp(a g(t)),   g(t) = log10(1 + C(t)/L)   (current count)   or   log10(1 + (area to t)/(L x 1 day)).

h0 is constant between quantiles of the days of events. The cumulative hazard is summed by Gauss-Legendre quadrature
between all days on which it bends: those of h0, both ends of the rounded corner at the peak, `EARLY` parts of the rise
(the log of the area is steep near day 0), and 2, 5 and 10 times 1/alpha after the peak. After sampling it is summed
anew with `FINER` times the nodes for some of the draws; the greatest difference, in log likelihood, is told if it is
above `EXACT`. Priors: a ~ N(0, 1); log h0 ~ N(log(events / days at risk), 1.5).
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
from jax import Array, lax
from scipy import stats

from reinfuse.arrays import Floats
from reinfuse.kinetics.population import curve, records
from reinfuse.kinetics.population.diagnostics import Diagnostics, diagnose
from reinfuse.kinetics.population.fit import SITES, arrays, effort_for, start
from reinfuse.kinetics.population.layout import Layout
from reinfuse.kinetics.population.parameters import ALPHA, FOLD, TMAX
from reinfuse.kinetics.population.posterior import infusions
from reinfuse.kinetics.population.reparameterization import CountArrays, of_patients
from reinfuse.kinetics.population.sampler import Effort, PosteriorDraws, Report, sample
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined

Kind = Literal["current", "area"]
KINDS: tuple[Kind, ...] = ("current", "area")
LABELS = {"current": "Current count, per tenfold", "area": "Cumulative AUC, per tenfold"}
PIECES, NODES = 4, 5
EARLY = (1 / 256, 1 / 32, 1 / 8, 1 / 2)
FINER, EXACT = 4, 0.05
CHECKED_DRAWS = 100
"""Draws for which the cumulative hazard is summed anew."""
FEWEST_EVENTS = 5
PRIOR = 1.0
METHOD = "joint model of counts and hazard, Bayesian (NUTS), equal-tailed credible interval"


class Survival(NamedTuple):
    """Arrays of the patients with the index infusion and a known outcome.

    Attributes
    ----------
    at
        Their profiles' places, shape (m,).
    end, event
        Last day and whether it was the event, shape (m, 1) and (m,).
    cuts
        Days between the pieces of the baseline hazard, shape (PIECES - 1,).
    rate
        Log of events by days at risk.
    limit
        Limit of quantification.
    """

    at: Array
    end: Array
    event: Array
    cuts: Array
    rate: Array
    limit: Array


@dataclass(frozen=True)
class JointFit:
    """Draws of a joint model: `association` (a, natural log of the hazard ratio per tenfold) among others.

    Attributes
    ----------
    inexact
        Greatest error of the cumulative hazard's sum seen, in log likelihood.
    """

    kind: Kind
    patients: int
    events: int
    draws: PosteriorDraws = field(repr=False)
    diagnostics: Diagnostics
    inexact: float = 0.0

    @property
    def doubts(self) -> str | None:
        """What is short of the usual bounds."""
        inexact = f"the cumulative hazard is up to {self.inexact:.2g} off in log likelihood"
        return joined([self.diagnostics.doubts, inexact if self.inexact > EXACT else None])


def fit(layout: Layout, infusion: int, outcome: Mapping[str, tuple[float, float]], *, kind: Kind, seed: int,
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
    outcomes = np.array([outcome[layout.profiles[i].patient_id] for i in places]).reshape(-1, 2)
    events = int(outcomes[:, 1].sum())
    if events < FEWEST_EVENTS:
        return f"{events} events among {len(places)} patients with counts, fewer than {FEWEST_EVENTS}"
    with jax.enable_x64(True):
        data, first = arrays(layout)
        begun = start(first, layout) | {"association": jnp.zeros(()), "baseline": jnp.zeros(PIECES)}
        sites = (*(s for s in SITES if s in begun), "association", "baseline")
        effort = effort or effort_for(len(layout.profiles))
        model = {"current": current, "area": so_far}[kind]
        arranged = survival(np.array(places), outcomes, limit=_limit(layout))
        draws = sample(model, layout.blocks, (data, arranged), start=begun, effort=effort, seed=seed, report=report)
        inexact = _inexact(draws, arranged, log=LOGS[kind])
    return JointFit(kind, len(places), events, draws, diagnose(draws, sites), inexact)


def survival(at: np.ndarray, outcomes: Floats, *, limit: float) -> Survival:
    """Arrange the outcome; `outcomes` holds days and events, shape (m, 2). Ends on day 0 count as half a day."""
    end, event = np.maximum(outcomes[:, 0], 0.5), outcomes[:, 1]
    cuts = np.quantile(end[event == 1], np.arange(1, PIECES) / PIECES)
    rate = np.log(event.sum() / end.sum())
    return Survival._make(jnp.asarray(v) for v in (at, end[:, None], event, cuts, rate, limit))


def _limit(layout: Layout) -> float:
    """Return the cohort's median limit, or its least count where no count is below one."""
    for (_, value, present), choose in ((layout.below, np.median), (layout.above, np.min)):
        if (present > 0).any():
            return float(np.exp(choose(value[present > 0])))
    raise ValueError("no count")


def log_current(theta: Array, day: Array, limit: Array) -> Array:
    """Return the natural log of 1 + count / limit."""
    return jnp.logaddexp(0.0, curve.log_count(theta, day) - jnp.log(limit))


def log_so_far(theta: Array, day: Array, limit: Array) -> Array:
    """Return the natural log of 1 + area so far / (limit x 1 day)."""
    return jnp.log1p(curve.area(theta, day) / limit)


LOGS = {"current": log_current, "area": log_so_far}


def current(both: tuple[CountArrays, Survival], blocks: tuple[int, ...]) -> None:
    """Define the joint model with the current count."""
    _model(both, blocks, log=log_current)


def so_far(both: tuple[CountArrays, Survival], blocks: tuple[int, ...]) -> None:
    """Define the joint model with the area so far."""
    _model(both, blocks, log=log_so_far)


def _model(both: tuple[CountArrays, Survival], blocks: tuple[int, ...], *, log: Any) -> None:
    data, s = both
    theta, _ = infusions(data, blocks)
    association = numpyro.sample("association", dist.Normal(0.0, PRIOR))
    baseline = numpyro.sample("baseline", dist.Normal(jnp.zeros(PIECES), 1.5).to_event(1))
    each = log_likelihood(theta[:, s.at], association, s.rate + baseline, s=s, log=log)
    numpyro.factor("outcome", of_patients(jnp.zeros(theta.shape[1]).at[s.at].add(each), blocks))


def log_likelihood(theta: Array, association: Array, log_h0: Array, *, s: Survival, log: Any,
                   nodes: int = NODES) -> Array:  # fmt: skip
    """Return the log likelihood of each patient's outcome, shape (m,); `nodes` between two bends of the hazard."""

    def log_hazard(day: Array, until: Array) -> Array:
        """Return the log hazard at days, in the piece of the baseline hazard that `until` is in."""
        piece = (until[:, :, None] > s.cuts).sum(axis=2)
        log_rate: Array = log_h0[piece] + association * log(theta, day, s.limit) / jnp.log(10.0)
        return log_rate

    bends = _bends(theta, s)
    x, w = np.polynomial.legendre.leggauss(nodes)
    width = bends[:, 1:] - bends[:, :-1]
    day = (bends[:, :-1, None] + width[:, :, None] * (x + 1) / 2).reshape(len(bends), -1)
    middle = jnp.repeat((bends[:, 1:] + bends[:, :-1]) / 2, nodes, axis=1)
    weights = (width[:, :, None] * w / 2).reshape(day.shape)
    log_lik: Array = s.event * log_hazard(s.end, s.end)[:, 0] - (weights * jnp.exp(log_hazard(day, middle))).sum(axis=1)
    return log_lik


def _bends(theta: Array, s: Survival) -> Array:
    """Return the days between which the hazard is smooth, from 0 to the end, shape (m, bends)."""
    peak, alpha = jnp.exp(theta[TMAX])[:, None], jnp.exp(theta[ALPHA])[:, None]
    corner = curve.ROUNDED / (jnp.exp(theta[FOLD])[:, None] / peak + alpha)
    begin, cuts = jnp.zeros_like(peak), jnp.broadcast_to(s.cuts, (len(peak), len(s.cuts)))
    rise, fall = jnp.maximum(peak - corner, 0.0), peak + jnp.array([2.0, 5.0, 10.0]) / alpha
    bends = jnp.concatenate([begin, cuts, rise * jnp.array(EARLY), rise, peak + corner, fall, s.end], axis=1)
    return lax.stop_gradient(jnp.sort(jnp.minimum(bends, s.end), axis=1))


def _inexact(draws: PosteriorDraws, s: Survival, *, log: Any) -> float:
    """Return the greatest difference in log likelihood, over some draws, that more nodes make."""
    every = {name: draws.flat(name) for name in ("theta", "association", "baseline")}
    some = np.linspace(0, len(every["theta"]) - 1, CHECKED_DRAWS).astype(int)

    @jax.jit
    def difference(theta: Array, association: Array, baseline: Array) -> Array:
        few, many = (log_likelihood(theta[:, s.at], association, s.rate + baseline, s=s, log=log, nodes=nodes).sum()
                     for nodes in (NODES, FINER * NODES))  # fmt: skip
        return jnp.abs(few - many)

    return max(float(difference(*(jnp.asarray(every[name][i]) for name in every))) for i in some)


def estimates(fitted: JointFit | str, kind: Kind, *, confidence: float) -> list[Estimate]:
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
        posterior = replace(own, note=f"{NOT_ESTIMABLE}: {d.refused}")
    else:
        low, middle, high = np.exp(np.quantile(fitted.draws.flat("association"), tail))
        scale = f"per tenfold of {'the count' if kind == 'current' else 'the area'}, both above the limit"
        posterior = replace(
            own, estimate=float(middle), lower=float(low), upper=float(high), note=joined([scale, fitted.doubts])
        )
    own = replace(own, confidence=None, note=joined([d.refused, fitted.doubts]))
    return [posterior, prior, *(replace(own, statistic=name, estimate=value, unit=unit)
                                for name, value, unit in records.sampling(d))]  # fmt: skip

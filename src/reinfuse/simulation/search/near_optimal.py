"""Near-optimal protocols: those not distinguishable from the best, in the same patients of every population of the
ensemble.

They are single protocols: nothing is known of a protocol between two of them, and one outside their range may be as
good where none was evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from reinfuse.arrays import Bools, Floats
from reinfuse.results.estimate import finite
from reinfuse.simulation.population.random_effects import DIFFERENCE, Bounds, Moments, moments
from reinfuse.simulation.search.design_space import Question
from reinfuse.simulation.search.evaluation import EvaluatedProtocol
from reinfuse.simulation.search.frontier import best_weights, pareto
from reinfuse.simulation.trial.accumulators import by_member


@dataclass(frozen=True)
class MemberMeans:
    """Members' means of one quantity, noise-corrected, and the patients behind each.

    Each mean is shrunk towards that of all by sqrt(tau2 / (tau2 + noise)), so that their variance is tau2, the variance
    between populations (Louis, J Am Stat Assoc 1984;79:393-398).
    """

    mean: Floats
    n: Floats
    moments: Moments

    def share_below(self, bound: float) -> float:
        """Return the probability that the quantity is at most `bound` in a population; 1 if it concerns nobody."""
        return float(self.n[self.mean <= bound].sum() / self.n.sum()) if len(self.n) else 1.0

    def quantile(self, share: float) -> float:
        """Return the least value that a share of the populations does not exceed; 0 if it concerns nobody."""
        if not len(self.n):
            return 0.0
        order = np.argsort(self.mean)
        reached = np.cumsum(self.n[order]) / self.n.sum()
        return float(self.mean[order][min(int(np.searchsorted(reached, share - 1e-12)), len(order) - 1)])


def of_members(values: Floats, which: np.ndarray, *, members: int) -> MemberMeans:
    """Return the members' means of the values of patients, who live in members `which`."""
    sums = by_member(np.column_stack([np.ones(len(values)), values, values**2]), which, members=members)
    n, total, square = sums.T
    pooled = moments(n, total, square)
    populated = n > 0
    mean, n = total[populated] / n[populated], n[populated]
    noise = pooled.sampling * pooled.n / n
    both = pooled.between + noise
    keep = np.sqrt(np.divide(pooled.between, both, out=np.ones_like(both), where=both > 0))
    return MemberMeans(pooled.mean + keep * (mean - pooled.mean), n, pooled)


@dataclass(frozen=True)
class Candidate:
    """One protocol compared with the best.

    Attributes
    ----------
    value, toxicity, burden
        Objective; rate of CRS of grade 3 or more; expected number of toxicities a patient.
    net, difference
        Objective minus toxicities, weighed; that minus the best's in the same patients.
    bound_probability
        Probability over the ensemble that the toxicity bound holds.
    given
        Share of the patients who are given the second infusion.
    bounds
        Of the difference, where it has any.
    """

    point: Floats
    value: Moments
    toxicity: Moments
    burden: Moments
    net: Moments
    difference: Moments
    bounds: Bounds | None
    bound_probability: float
    given: float

    def differs(self, margin: float) -> bool:
        """Return whether the interval of the difference leaves out 0, and reaches beyond the margin."""
        low, high = self.difference.limits(self.bounds) or (0.0, 0.0)
        return not low <= 0 <= high and max(-low, high) > margin


@dataclass(frozen=True)
class Region:
    """Protocols evaluated in the same patients, compared with the best admissible of them.

    Attributes
    ----------
    designed
        How many of the protocols, from the first, are a space-filling design; the others are the optimiser's path.
    """

    question: Question
    protocols: tuple[Candidate, ...]
    best: int
    designed: int

    @cached_property
    def admissible(self) -> Bools:
        """Which protocols meet the toxicity constraint with the required probability."""
        return np.array([p.bound_probability >= self.question.probability for p in self.protocols], dtype=np.bool_)

    @cached_property
    def distinguishable(self) -> Bools:
        """Which protocols differ from the best by more than the indifference margin."""
        margin = self.question.margin * abs(self.protocols[self.best].value.mean)
        return np.array([p.differs(margin) for p in self.protocols], dtype=np.bool_)

    @cached_property
    def inside(self) -> Bools:
        """Which protocols are admissible and not distinguishable from the best."""
        alike: Bools = self.admissible & ~self.distinguishable
        return alike

    @property
    def points(self) -> Floats:
        """The protocols' points, (protocols, coordinates)."""
        return np.array([p.point for p in self.protocols])

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Least and greatest value of each coordinate among the evaluated protocols of the region."""
        of = self.points[self.inside]
        names = [c.name for c in self.question.coordinates]
        return {n: (float(low), float(high)) for n, low, high in zip(names, of.min(0), of.max(0), strict=True)}

    @cached_property
    def frontier(self) -> dict[int, tuple[float, float] | None]:
        """The admissible protocols that no other is better than in both objective and toxicities, by place.

        To each belong the weights of a toxicity between which it is the best of all; None: it is best for none.
        """
        admissible = np.flatnonzero(self.admissible)
        value, burden = (np.array([getattr(self.protocols[k], name).mean for k in admissible])
                         for name in ("value", "burden"))  # fmt: skip
        kept = pareto(value, burden)
        return {
            int(admissible[k]): weight for k, weight in zip(kept, best_weights(value[kept], burden[kept]), strict=True)
        }

    @cached_property
    def best_published(self) -> int | None:
        """The best of the admissible protocols that lie within what has been published; None if none does."""
        places = [k for k, p in enumerate(self.points) if self.admissible[k] and not self.question.beyond(p)]
        return max(places, key=lambda k: self.protocols[k].net.mean, default=None)

    @property
    def share(self) -> tuple[int, int]:
        """Protocols of the region, and all, among those of the space-filling design."""
        return int(self.inside[: self.designed].sum()), self.designed

    def frame(self) -> pl.DataFrame:
        """Return the protocols as a table, in the order of evaluation."""
        rows = []
        for k, one in enumerate(self.protocols):
            at = self.question.by_name(one.point)
            low, high = one.difference.limits(one.bounds) or (None, None)
            weights = self.frontier.get(k)
            rows.append({
                "protocol": self.question.arm(one.point).name, **at, "designed": k < self.designed,
                "best": k == self.best,
                "at_limits": "; ".join(f"{n} {side}" for n, side in self.question.at_limits(one.point).items()),
                "extrapolated": "; ".join(self.question.beyond(one.point)),
                "value": finite(one.value.mean), "toxicity": finite(one.toxicity.mean),
                "toxicities": finite(one.burden.mean), "net": finite(one.net.mean),
                "on_frontier": k in self.frontier,
                "best_from_weight": weights[0] if weights else None,
                "best_to_weight": finite(weights[1]) if weights else None,
                "bound_kept": finite(one.bound_probability),
                "exposure": self.question.exposure(one.point), "given": one.given,
                "difference": finite(one.difference.mean), "difference_low": low,
                "difference_high": high, "admissible": bool(self.admissible[k]),
                "told_apart": bool(self.distinguishable[k]),
                "in_region": bool(self.inside[k]),
            })  # fmt: skip
        return pl.DataFrame(rows, infer_schema_length=None)


def toxicity_rates(
    question: Question, one: EvaluatedProtocol, which: np.ndarray, *, members: int
) -> tuple[MemberMeans, float]:
    """Return the rates of severe CRS of a protocol in the members, and the probability that it meets the constraint."""
    rates = of_members(one.toxicity[one.exposed], which[one.exposed], members=members)
    return rates, rates.share_below(question.max_crs_rate)


def compared(
    question: Question,
    points: Floats,
    evaluated: Sequence[EvaluatedProtocol],
    *,
    which: np.ndarray,
    members: int,
    designed: int,
    best: int | None = None,
) -> Region | None:
    """Return protocols compared with the best of them; None if none meets the toxicity constraint.

    Parameters
    ----------
    which
        The member of each patient, in the patients of `evaluated`.
    best
        Which protocol is the best; default: the admissible one of the greatest mean objective minus toxicities.
    """
    weight = question.toxicity_weight
    toxic = [toxicity_rates(question, w, which, members=members) for w in evaluated]
    if best is None:
        means = [
            float(np.mean(w.net(weight))) if k >= question.probability else -np.inf
            for w, (_, k) in zip(evaluated, toxic, strict=True)
        ]
        best = int(np.argmax(means))
        if not np.isfinite(means[best]):
            return None
    protocols = tuple(
        Candidate(
            point,
            of_members(w.value, which, members=members).moments,
            rates.moments,
            of_members(w.burden, which, members=members).moments,
            of_members(w.net(weight), which, members=members).moments,
            of_members(w.net(weight) - evaluated[best].net(weight), which, members=members).moments,
            None if weight else DIFFERENCE,
            share,
            float(np.mean(w.given)),
        )
        for point, w, (rates, share) in zip(points, evaluated, toxic, strict=True)
    )
    return Region(question, protocols, best, designed)

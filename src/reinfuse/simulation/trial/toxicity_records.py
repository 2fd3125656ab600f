"""Records of toxicities of the last infusion of each arm, by published rates (`toxicity`)."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite
from reinfuse.simulation.population.random_effects import CONFIDENCE, SHARE, moments
from reinfuse.simulation.trial.accumulators import Tally
from reinfuse.simulation.trial.protocol import Protocols
from reinfuse.simulation.trial.toxicity import rates_of_members

METHOD = "published rates by courses and dose, 95% prediction interval over their uncertainty"


def toxicity_records(protocols: Protocols, tally: Tally) -> Iterator[Estimate]:
    """Yield the rate of each toxicity in the patients given the last infusion of each arm."""
    rates = rates_of_members(len(tally.given))
    for a, arm in enumerate(protocols.all_arms):
        n = tally.given[:, a]
        for name, rate in rates.of(arm.infusions[-1]).items():
            pooled = moments(n, n * rate, n * rate**2)
            value, (low, high) = finite(pooled.mean), pooled.limits(SHARE) or (None, None)
            yield Estimate("virtual", name, "proportion", group=arm.name, estimate=value, lower=low, upper=high,
                           confidence=None if low is None else CONFIDENCE, n=pooled.n, method=METHOD,
                           note=NOT_ESTIMABLE if value is None else None)  # fmt: skip

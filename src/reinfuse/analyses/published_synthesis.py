"""The synthesis of published proportions, and where the cohort lies among what a further study may show.

What studies say together holds nothing of the cohort and is kept by `share`; the cohort's place is told apart from it,
under `POSITION`, which no analysis shares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reinfuse.evidence.register import Register
from reinfuse.evidence.synthesis import FLOORED, TAU_SCALES, PooledProportion, Synthesis, synthesize
from reinfuse.results.estimate import Estimate, joined

POSITION = "published_position"
POOLED, PREDICTION = "pooled_proportion", "prediction_interval"
FEWEST_STUDIES = 2
_BAYESIAN = f"Bayesian prediction, tau half-normal of scale {TAU_SCALES[0]:g}"
_TWO_STUDIES = "of two studies: Bayesian median and credible interval"
_BOUNDARY = "between-study variation is estimated as 0, which so few studies cannot establish"


def pooled(
    place: Estimate, register: Register, *, disease: str | None, across: tuple[str, ...],
    own: tuple[int, int] | None, confidence: float,
) -> list[Estimate]:  # fmt: skip
    """Return the mean of the studies, what is expected of a further one, and the cohort's place in it.

    Parameters
    ----------
    place
        An empty record of the endpoint and population.
    own
        Events and patients of the cohort; None where nobody was evaluated.
    """
    synthesis = synthesize(
        register, place.endpoint or "", disease=disease, across=across, own=own, confidence=confidence,
        tau_scales=TAU_SCALES[:1],
    )  # fmt: skip
    if synthesis.pooled is None or len(synthesis.rows) < FEWEST_STUDIES:
        return []
    return [*_together(place, synthesis, synthesis.pooled), *_position(place, synthesis)]


def _together(place: Estimate, synthesis: Synthesis, mean: PooledProportion) -> Iterator[Estimate]:
    lower, upper = mean.interval or (None, None)
    boundary = _BOUNDARY if synthesis.mixed is not None and synthesis.mixed.at_boundary else None
    bayesian = None if mean.method == FLOORED else _TWO_STUDIES
    base = replace(place, confidence=synthesis.confidence, unit="fraction", n=mean.n, events=mean.events)
    yield replace(base, statistic=POOLED, estimate=mean.estimate, lower=lower, upper=upper, method=mean.method,
                  note=joined([mean.reason, bayesian, boundary]))  # fmt: skip
    yield replace(base, statistic=PREDICTION, lower=mean.prediction[0], upper=mean.prediction[1], method=_BAYESIAN,
                  note="of the proportion of a single further study")  # fmt: skip


def _position(place: Estimate, synthesis: Synthesis) -> Iterator[Estimate]:
    placed = synthesis.placed
    if placed is not None:
        low, high = placed.expected
        yield replace(
            place, analysis=POSITION, statistic="expected_events", lower=float(low), upper=float(high),
            confidence=synthesis.confidence, unit="patients", method=_BAYESIAN, n=placed.own.n,
            events=placed.own.events, note="events expected of as many patients of a further study",
        )  # fmt: skip
        yield replace(place, analysis=POSITION, statistic="at_most", estimate=placed.at_most, unit="probability",
                      method=_BAYESIAN, n=placed.own.n, events=placed.own.events)  # fmt: skip

"""Bayesian optimal interval (BOIN) designs for finding a dose by its toxicity.

With phi the target rate of dose-limiting toxicity (DLT), phi1 and phi2 the highest rate that is too low and the lowest
that is too high, the dose is escalated where the observed rate is <= lambda_e and de-escalated where it is >= lambda_d:

(1) lambda_e = log((1 - phi1) / (1 - phi)) / log(phi (1 - phi1) / (phi1 (1 - phi)));
(2) lambda_d = log((1 - phi) / (1 - phi2)) / log(phi2 (1 - phi) / (phi (1 - phi2)));
(3) a dose and those above are eliminated where P(rate > phi) > cutoff under a uniform prior, from 3 patients on;
(4) at the end, the maximum tolerated dose (MTD) is the dose whose rate, by isotonic regression of (x + 0.05) /
    (n + 0.1) weighted by the inverse of its Beta variance, is nearest to phi; of equally near doses the highest where
    the rate is below phi, the lowest where it is above.

Operating characteristics are exact: the probabilities of all states (patients and DLTs at each dose, doses eliminated,
dose of the next cohort) are carried from cohort to cohort.

Liu S, Yuan Y, J R Stat Soc C 2015;64:507-523.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import beta, binom

from reinfuse.arrays import Floats

MOST_STATES = 200_000
_FEWEST_FOR_ELIMINATION = 3
_SLACK = 1e-9
State = tuple[int, int, tuple[tuple[int, int], ...]]
"""Dose of the next cohort (-1: stopped), doses not eliminated, and patients and DLTs at each dose."""


class TooManyStates(Exception):
    """There are too many states for an exact sum."""


@dataclass(frozen=True)
class DoseBoundaries:
    """Boundaries of a BOIN design.

    Attributes
    ----------
    target
        Rate of DLT.
    escalate, de_escalate
        lambda_e and lambda_d.
    cutoff
        Posterior probability from which on a dose is eliminated.
    """

    target: float
    escalate: float
    de_escalate: float
    cutoff: float

    def row(self, n: int) -> tuple[int, int, int | None]:
        """Return of n patients at a dose: most DLTs to escalate, fewest to de-escalate, fewest to eliminate."""
        up = int(np.floor(self.escalate * n + _SLACK))
        down = int(np.ceil(self.de_escalate * n - _SLACK))
        too_toxic = [x for x in range(n + 1) if self.too_toxic(x, n)]
        return up, down, too_toxic[0] if too_toxic else None

    def too_toxic(self, x: int, n: int) -> bool:
        """Tell whether a dose with x DLTs in n patients is eliminated."""
        return n >= _FEWEST_FOR_ELIMINATION and _above(self.target, x, n) > self.cutoff


@cache
def _above(target: float, x: int, n: int) -> float:
    """Return P(rate > target) after x DLTs in n patients, under a uniform prior."""
    return float(beta.sf(target, x + 1, n - x + 1))


@dataclass(frozen=True)
class DoseCharacteristics:
    """Exact operating characteristics at given true rates of DLT.

    Attributes
    ----------
    selected
        Probability that each dose is the MTD.
    none
        Probability that no dose is.
    patients, toxicities
        Expected numbers at each dose.
    """

    selected: Floats
    none: float
    patients: Floats
    toxicities: Floats


def dose_boundaries(target: float, *, low: float | None = None, high: float | None = None,
                    cutoff: float = 0.95) -> DoseBoundaries:  # fmt: skip
    """Return the boundaries of a BOIN design.

    Parameters
    ----------
    target
        Rate of DLT.
    low, high
        phi1 and phi2; by default 0.6 and 1.4 of the target.
    cutoff
        Of elimination.

    Examples
    --------
    >>> from reinfuse.statistics import dose_boundaries
    >>> rule = dose_boundaries.dose_boundaries(0.3)
    >>> round(rule.escalate, 7), round(rule.de_escalate, 7)
    (0.2364907, 0.3585195)
    >>> rule.row(3)
    (0, 2, 3)
    """
    low, high = low or 0.6 * target, high or 1.4 * target
    up = np.log((1 - low) / (1 - target)) / np.log(target * (1 - low) / (low * (1 - target)))
    down = np.log((1 - target) / (1 - high)) / np.log(high * (1 - target) / (target * (1 - high)))
    return DoseBoundaries(target, float(up), float(down), cutoff)


def select_dose(rule: DoseBoundaries, n: Sequence[int], *, x: Sequence[int]) -> int | None:
    """Return the MTD's place, 0 the lowest dose; None where the lowest is too toxic or no dose was tried.

    Parameters
    ----------
    rule
        The design.
    n, x
        Patients and DLTs at each dose, lowest first.
    """
    eliminated = next((j for j in range(len(n)) if rule.too_toxic(x[j], n[j])), len(n))
    tried = [j for j in range(eliminated) if n[j] > 0]
    if not tried:
        return None
    shapes = [(x[j] + 0.05, n[j] - x[j] + 0.05) for j in tried]
    weights = [(a + b) ** 2 * (a + b + 1) / (a * b) for a, b in shapes]
    rates = _isotonic([a / (a + b) for a, b in shapes], weights)
    far = [abs(rate + 1e-10 * (k + 1) - rule.target) for k, rate in enumerate(rates)]
    return tried[far.index(min(far))]


def _isotonic(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the non-decreasing fit of least weighted squares (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (v1, w1, k1), (v2, w2, k2) = blocks[-2:]
            blocks[-2:] = [((v1 * w1 + v2 * w2) / (w1 + w2), w1 + w2, k1 + k2)]
    return [v for v, _, k in blocks for _ in range(k)]


def dose_characteristics(
    rule: DoseBoundaries, rates: Sequence[float], *, cohort: int, cohorts: int, start: int = 0
) -> DoseCharacteristics:
    """Return the exact operating characteristics of a BOIN design.

    Parameters
    ----------
    rule
        The design.
    rates
        True rates of DLT, lowest dose first.
    cohort, cohorts
        Patients a cohort, and number of cohorts.
    start
        Place of the first cohort's dose.

    Raises
    ------
    TooManyStates
        If there are more states than `MOST_STATES`.
    """
    chance = [binom.pmf(np.arange(cohort + 1), cohort, p) for p in rates]
    states: dict[State, float] = {(start, len(rates), ((0, 0),) * len(rates)): 1.0}
    for _ in range(cohorts):
        after: dict[State, float] = {}
        for state, probability in states.items():
            if state[0] < 0:
                after[state] = after.get(state, 0.0) + probability
                continue
            for x, p in enumerate(chance[state[0]]):
                reached = _next(rule, state, cohort, x=x)
                after[reached] = after.get(reached, 0.0) + probability * float(p)
        states = after
        if len(states) > MOST_STATES:
            raise TooManyStates
    return _summed(rule, states, len(rates))


def _next(rule: DoseBoundaries, state: State, cohort: int, *, x: int) -> State:
    """Return the state after a cohort with x DLTs."""
    dose, open_doses, counts = state
    n, toxic = counts[dose][0] + cohort, counts[dose][1] + x
    counts = (*counts[:dose], (n, toxic), *counts[dose + 1 :])
    up, down, out = _row(rule, n)
    if out is not None and toxic >= out:
        return (dose - 1 if dose else -1), dose, counts
    if toxic <= up:
        return min(dose + 1, open_doses - 1), open_doses, counts
    if toxic >= down:
        return max(dose - 1, 0), open_doses, counts
    return dose, open_doses, counts


@cache
def _row(rule: DoseBoundaries, n: int) -> tuple[int, int, int | None]:
    return rule.row(n)


def _summed(rule: DoseBoundaries, states: dict[State, float], doses: int) -> DoseCharacteristics:
    selected, none = np.zeros(doses), 0.0
    chance = np.array(list(states.values()))
    totals = np.array([counts for _, _, counts in states], float)
    patients, toxicities = (np.asarray(chance @ totals[:, :, k]) for k in (0, 1))
    for (dose, _, counts), probability in states.items():
        n, x = zip(*counts, strict=True)
        chosen = None if dose < 0 else select_dose(rule, n, x=x)
        if chosen is None:
            none += probability
        else:
            selected[chosen] += probability
    return DoseCharacteristics(selected, none, patients, toxicities)

"""Twins of one patient: virtual patients drawn given the patient's data, in each member of the ensemble.

Tempered sequential Monte Carlo (`statistics.tempering`): virtual patients are drawn until enough of them could have had
CART2 at all; then the likelihood of the data is brought in by powers, up to all of it, and the twins that are kept are
moved at each power. So the data count in full however many twins there are. Members are kept apart: each has as many
twins, and the data of one patient do not choose between members.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.simulation.population.virtual_patients import RandomNumbers
from reinfuse.simulation.trial.protocol import Arm
from reinfuse.simulation.twins.likelihood import fits
from reinfuse.simulation.twins.patient_data import PatientData
from reinfuse.simulation.twins.twin_design import POOL, TwinDesign, TwinSample
from reinfuse.statistics.tempering import adapted, next_power, resampled, weights

_POSSIBLE, _ROUNDS = 48, 16
"""Virtual patients of a member that could have had CART2, until as many of whom are drawn; most rounds of drawing."""
_WORKING = 64
"""Least twins of a member that are moved; if fewer are wanted, they are chosen among these."""
_SWEEPS, _LAST_SWEEPS = 12, 24
"""Moves of each twin at a power, and with the data in full."""
_FIRST_STEP = 0.5
_BLOCKS = (0.03, 0.1, 0.3, 1.0)
"""Shares of a twin's normal numbers that are moved at once."""
_FRESH = 0.2
"""Share of moves in which what is no normal number (extinction, disease) is drawn anew."""
_MOST_STAGES = 40


@dataclass(frozen=True)
class ConditionedTwins:
    """Twins of one patient, each of equal weight; internal, never shown.

    Attributes
    ----------
    sample
        The twins; members in which no virtual patient could have had CART2 have none.
    stages
        Powers of the likelihood that were passed.
    accepted
        Share of the last moves that were accepted.
    distinct
        How many of the twins differ.
    """

    sample: TwinSample
    stages: int
    accepted: float
    distinct: int


def condition(design: TwinDesign, patient: PatientData, i: int) -> ConditionedTwins:
    """Return twins of patient i, given the patient's data."""
    likelihood = _Likelihood(design, patient, design.arm(patient, design.seconds[0]))
    random = np.random.default_rng([design.seed, i])
    size = max(design.twins, _WORKING)
    sample, fit = _pool(design, likelihood, i)
    step, power, stages, accepted = _FIRST_STEP, 0.0, 0, 0.0
    turn = _ROUNDS
    while len(fit) and power < 1.0 and stages < _MOST_STAGES:
        new = next_power(fit, power)
        chosen = resampled(weights(fit, new - power), size, random)
        sample, fit, power = _taken(sample, fit, chosen), np.take_along_axis(fit, chosen, axis=1), new
        for _ in range(_LAST_SWEEPS if power >= 1.0 else _SWEEPS):
            fresh = design.numbers(i, turn, len(sample.p))
            sample, fit, accepted = _moved(sample, fit, power, step=step, fresh=fresh, likelihood=likelihood,
                                           random=random)  # fmt: skip
            step, turn = adapted(step, accepted), turn + 1
        stages += 1
    if len(fit):
        sample = _taken(sample, fit, np.tile(random.permutation(size)[: design.twins], (len(fit), 1)))
    return ConditionedTwins(sample, stages, accepted, len(np.unique(sample.drawn.normal[:, 0])))


@dataclass(frozen=True)
class _Likelihood:
    """The log likelihood of a patient's data for each of some virtual patients."""

    design: TwinDesign
    patient: PatientData
    arm: Arm

    def of(self, sample: TwinSample) -> Floats:
        days = self.patient.counts.day if self.patient.counts is not None else np.empty(0)
        out, counts = sample.before(self.arm, days)
        return fits(self.patient, out, counts[:, 0], cut=self.design.cut[sample.which])


def _pool(design: TwinDesign, likelihood: _Likelihood, i: int) -> tuple[TwinSample, Floats]:
    """Return virtual patients who could have had CART2, as many of each member that has any, in its rows, and their log
    likelihoods (members, patients), -inf in what fills a row up."""
    parts, parts_fit = [], []
    lacking, count = np.arange(design.members), np.zeros(design.members, dtype=np.int64)
    for turn in range(_ROUNDS):
        which = np.repeat(lacking, POOL)
        sample = design.of(which, design.numbers(i, turn, len(which)), likelihood.patient.disease)
        fit = likelihood.of(sample)
        possible = np.flatnonzero(np.isfinite(fit))
        parts.append(sample.only(possible))
        parts_fit.append(fit[possible])
        count += np.bincount(which[possible], minlength=design.members)
        lacking = np.flatnonzero(count < _POSSIBLE)
        if not len(lacking):
            break
    together, fit = design.joined(parts, likelihood.patient.disease), np.concatenate(parts_fit)
    order = np.argsort(np.concatenate([p.which for p in parts]), kind="stable")
    present = np.flatnonzero(count)
    starts = np.cumsum(count)[present] - count[present]
    column = np.arange(count.max(initial=0))
    filled = column < count[present, None]
    places = np.where(filled, starts[:, None] + column, starts[:, None])
    return together.only(places.ravel()), np.where(filled, fit[order][places], -np.inf)


def _taken(sample: TwinSample, fit: Floats, chosen: Integers) -> TwinSample:
    """Return the chosen of each member, places in its row of `fit`."""
    return sample.only((chosen + np.arange(len(chosen))[:, None] * fit.shape[1]).ravel())


def _moved(sample: TwinSample, fit: Floats, power: float, *, step: float, fresh: RandomNumbers,
           likelihood: _Likelihood, random: np.random.Generator) -> tuple[TwinSample, Floats, float]:  # fmt: skip
    """Propose other random numbers for each twin; return the twins, their likelihoods and the share that moved.

    A move is a Crank-Nicolson step of some of a twin's normal numbers, few or all of them, which leaves their prior
    unchanged: long for few numbers, short for many.
    """
    own, n = sample.drawn, len(sample.p)
    share = random.choice(_BLOCKS, size=(n, 1))
    moved = random.uniform(size=own.normal.shape) < share
    size = np.where(moved, np.minimum(step / np.sqrt(share) * np.exp(0.7 * random.standard_normal((n, 1))), 1.0), 0.0)
    anew = (random.uniform(size=n) < _FRESH)[:, None]
    numbers = RandomNumbers(np.sqrt(1.0 - size**2) * own.normal + size * fresh.normal,
                            np.where(anew, fresh.least, own.least),
                            np.where(anew, fresh.uniform, own.uniform))  # fmt: skip
    proposed = sample.with_numbers(numbers)
    new = likelihood.of(proposed).reshape(fit.shape)
    taken: Bools = np.log(random.uniform(size=fit.shape)) < power * (new - fit)
    return sample.replaced(proposed, taken.ravel()), np.where(taken, new, fit), float(taken.mean())

"""Calibration: an ensemble of virtual populations that meet the published group results.

Populations are simulated, response surfaces of the results learnt (`emulator`), and populations drawn from the
posterior by sequential Monte Carlo, in rounds: the populations drawn are simulated themselves, so that the surfaces are
best where they matter. The likelihood of a result has the sampling error of its study, a discrepancy of the model whose
size is one more unknown, and the surfaces' own error (Wilkinson, Stat Appl Genet Mol Biol 2013;12:129-141).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats.qmc import LatinHypercube

from reinfuse.arrays import Floats
from reinfuse.runtime.parallel import small_matrices
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.abc_smc import PosteriorSample, sample
from reinfuse.simulation.calibration.emulator import Emulator, fit
from reinfuse.simulation.calibration.reference_study import simulate
from reinfuse.simulation.calibration.targets import CALIBRATED, Target
from reinfuse.simulation.population.ensemble import DISCREPANCY
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members
from reinfuse.simulation.population.virtual_patients import Member

DISCREPANCY_SPREAD = 0.5
"""Prior of the discrepancy: standard deviation of its logarithm around that of `DISCREPANCY`."""
_FAR = 0.25
"""Weight, in the surfaces, of populations drawn from the prior."""
_WIDER = 1.25
"""Half of the populations that are simulated in a round are spread that much wider than the posterior."""


@dataclass(frozen=True)
class CalibrationEffort:
    """How much is simulated.

    Attributes
    ----------
    patients
        Virtual patients behind the results of a population.
    first, more, rounds
        Populations from the prior; in each round after; rounds.
    particles, moves, last_moves
        Of `abc_smc.sample`.
    """

    patients: int = 704
    first: int = 1600
    more: int = 500
    rounds: int = 3
    particles: int = 1024
    moves: int = 10
    last_moves: int = 40


@dataclass(frozen=True)
class SimulatedPopulations:
    """Points of the unknowns, and the results of targets there on their scales, (points, targets)."""

    z: Floats
    values: Floats
    weight: Floats

    def emulator(self) -> Emulator:
        """Return the surfaces through them."""
        return fit(self.z, self.values, weight=self.weight)

    def with_more(self, z: Floats, values: Floats) -> SimulatedPopulations:
        """Return them with others, which weigh in full."""
        weight = np.concatenate([self.weight, np.ones(len(z))])
        return SimulatedPopulations(np.vstack([self.z, z]), np.vstack([self.values, values]), weight)


@dataclass(frozen=True)
class CalibratedPosterior:
    """Draws from the posterior.

    Attributes
    ----------
    drawn
        Particles; the last unknown is that of the discrepancy.
    populations
        All that were simulated.
    """

    drawn: PosteriorSample
    populations: SimulatedPopulations
    targets: tuple[Target, ...]

    @property
    def z(self) -> Floats:
        """Points of `parameter_space`."""
        return self.drawn.z[:, :-1]

    @property
    def discrepancy(self) -> Floats:
        """The discrepancy of each."""
        return discrepancy(self.drawn.z)


def discrepancy(points: Floats) -> Floats:
    """Return the discrepancy at points, from their last unknown."""
    size: Floats = DISCREPANCY * np.exp(DISCREPANCY_SPREAD * points[:, -1])
    return size


@small_matrices()
def calibrate(effort: CalibrationEffort, *, seed: int, cores: int, targets: Sequence[Target] = CALIBRATED,
              space: Callable[[Floats], Member] = members, populations: SimulatedPopulations | None = None,
              results: Callable[[Floats], Floats] | None = None, progress: Progress | None = None
              ) -> CalibratedPosterior:  # fmt: skip
    """Return populations drawn from the posterior.

    Parameters
    ----------
    targets
        All whose results are simulated; those that are held out are not fitted.
    space
        Members at points.
    populations
        Populations that were simulated before, of the same targets: to go on from.
    results
        Gives the results of all targets at points, (points, targets), in place of simulating them here.
    """
    every, done = tuple(targets), 0

    def simulated(z: Floats) -> Floats:
        return simulate_targets(space(z), every, seed=seed, patients=effort.patients, cores=cores)

    results = results or simulated
    if populations is None:
        z = from_prior(effort.first, seed)
        populations = SimulatedPopulations(z, results(z), np.full(len(z), _FAR))
        done = 1
    random = np.random.default_rng(seed)
    for turn in range(effort.rounds):
        if progress:
            progress("populations", turn + done, effort.rounds + done)
        drawn = draw(populations.emulator(), every, effort, seed=seed + turn)
        chosen = drawn.z[random.permutation(len(drawn.z))[: effort.more], :-1]
        chosen[::2] = chosen.mean(axis=0) + _WIDER * (chosen[::2] - chosen.mean(axis=0))
        populations = populations.with_more(chosen, results(chosen))
    last = draw(populations.emulator(), every, effort, seed=seed + effort.rounds, last_moves=effort.last_moves)
    return CalibratedPosterior(last, populations, every)


def draw(emulator: Emulator, targets: Sequence[Target], effort: CalibrationEffort, *, seed: int,
         last_moves: int = 0) -> PosteriorSample:  # fmt: skip
    """Return draws from the posterior given the calibrated among the targets."""
    return sample(likelihood(emulator, targets), particles=effort.particles, unknowns=len(UNKNOWNS) + 1,
                  moves=effort.moves, last_moves=last_moves, seed=seed)  # fmt: skip


def likelihood(emulator: Emulator, targets: Sequence[Target]) -> Callable[[Floats], Floats]:
    """Return the log likelihood of points, of the calibrated among the targets whose results were ever defined."""
    fitted = [k for k, t in enumerate(targets) if t.role == "calibrated" and np.isfinite(emulator.error[k])]
    surfaces = emulator.only(fitted)

    def judge(points: Floats) -> Floats:
        scaled, size, total = surfaces(points[:, :-1]), discrepancy(points), np.zeros(len(points))
        for column, k in enumerate(fitted):
            total += targets[k].log_likelihood(scaled[:, column], np.hypot(size, emulator.error[k]))
        return total

    return judge


def simulate_targets(several: Member, targets: Sequence[Target], *, seed: int, patients: int, cores: int) -> Floats:
    """Return the results of members on the targets' scales; shape (members, targets)."""

    def of(k: int) -> Floats:
        study = simulate(several[k], seed, patients)
        return np.array([float(t.on_scale(value)) if np.isfinite(value := t.simulated(study)) else np.nan
                         for t in targets])  # fmt: skip

    with ThreadPoolExecutor(cores) as pool:
        return np.array(list(pool.map(of, range(len(several.median)))))


def from_prior(count: int, seed: int) -> Floats:
    """Return points of the unknowns from their prior, evenly (Latin hypercube)."""
    even = LatinHypercube(len(UNKNOWNS), rng=np.random.default_rng(seed)).random(count)
    points: Floats = ndtri(np.clip(even, 1e-6, 1 - 1e-6))
    return points

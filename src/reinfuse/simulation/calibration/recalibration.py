"""Recalibration: populations that meet a centre's own group results besides the published ones.

The same calibration as that of the bundled ensemble (`posterior.calibrate`), with the centre's results among the
targets. What takes time is simulated in pieces that are kept, so that an interrupted calibration goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.crs_intercept import crs_intercepts
from reinfuse.simulation.calibration.posterior import CalibrationEffort, calibrate, simulate_targets
from reinfuse.simulation.calibration.targets import TARGETS, Target
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.parameter_space import members
from reinfuse.simulation.trial.array_store import ArrayStore, run_key

PIECE = 50
"""Populations that are simulated before they are kept."""
MEMBERS = 200


@dataclass(frozen=True)
class Recalibrated:
    """A recalibrated ensemble.

    Attributes
    ----------
    distinct, ancestors
        Members that differ; first particles of the last draw that have descendants.
    simulated
        Populations that were simulated.
    """

    ensemble: Ensemble
    distinct: int
    ancestors: int
    simulated: int


def recalibration_key(targets: Sequence[Target], seed: int, effort: CalibrationEffort) -> str:
    """Return what distinguishes the pieces of a recalibration from those of another."""
    return run_key([vars(t) for t in (*TARGETS, *targets)], seed, effort.patients)


def recalibrate(targets: Sequence[Target], *, effort: CalibrationEffort, size: int, seed: int, cores: int,
                store: ArrayStore | None = None, progress: Progress | None = None) -> Recalibrated:  # fmt: skip
    """Return an ensemble calibrated to the published results and a centre's; those held out take no part.

    Parameters
    ----------
    size
        Members of the ensemble.
    store
        Keeps what is simulated, so that an interrupted run goes on.
    """
    every, total = (*TARGETS, *targets), effort.first + effort.rounds * effort.more

    def results(z: Floats) -> Floats:
        return simulate_targets(members(z), every, seed=seed, patients=effort.patients, cores=cores)

    kept = in_pieces(results, store, total=total, progress=progress)
    posterior = calibrate(effort, seed=seed, cores=cores, targets=every, results=kept)
    chosen = np.random.default_rng(seed).permutation(len(posterior.z))[:size]
    z = np.round(posterior.z[chosen], 4)
    intercept = crs_intercepts(z, seed=seed, patients=effort.patients, cores=cores)
    ensemble = Ensemble(z, intercept, np.round(posterior.discrepancy[chosen], 4))
    return Recalibrated(ensemble, len(np.unique(z, axis=0)), posterior.drawn.ancestors, len(posterior.populations.z))


def in_pieces(results: Callable[[Floats], Floats], store: ArrayStore | None, *, total: int,
              progress: Progress | None = None) -> Callable[[Floats], Floats]:  # fmt: skip
    """Return a function that gives the results of points piece by piece, from a store as far as they are in it.

    Parameters
    ----------
    total
        Points that are going to be asked for, for the progress.
    """
    finished = 0

    def of(z: Floats) -> Floats:
        nonlocal finished
        values = []
        for start in range(0, len(z), PIECE):
            piece = np.ascontiguousarray(z[start : start + PIECE])
            stored = store.load(piece.tobytes().hex()) if store else None
            values.append(results(piece) if stored is None else stored["values"])
            if store and stored is None:
                store.save(piece.tobytes().hex(), {"values": values[-1]})
            finished += len(piece)
            if progress:
                progress("populations simulated", min(finished, total), total)
        return np.concatenate(values)

    return of

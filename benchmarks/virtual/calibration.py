"""Calibrates the ensemble that comes with the package, and checks it: targets, held-out targets, mechanisms.

    python benchmarks/virtual/calibration.py            (an hour on two cores; writes src/reinfuse/simulation/*.csv)
    python benchmarks/virtual/calibration.py targets    (published results beside the bundled ensemble; minutes)
    python benchmarks/virtual/calibration.py check      (the bundled ensemble again with the present outcomes; minutes)
    python benchmarks/virtual/calibration.py planted    (recovery of a planted population; writes results)
    python benchmarks/virtual/calibration.py effective  (how many independent draws the members are worth)

Everything starts from one seed, so that the same machine and versions give the same ensemble.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from reinfuse.results.estimate import FIELDS
from reinfuse.runtime.parallel import CORES, small_matrices
from reinfuse.simulation.calibration import posterior_checks
from reinfuse.simulation.calibration.ablation import ablation
from reinfuse.simulation.calibration.crs_intercept import SEVERE, TREATED, crs_intercept
from reinfuse.simulation.calibration.emulator import Emulator
from reinfuse.simulation.calibration.posterior import CalibratedPosterior, CalibrationEffort, calibrate, draw
from reinfuse.simulation.calibration.targets import CALIBRATED, HELD_OUT, TARGETS
from reinfuse.simulation.population.ensemble import Ensemble, bundled
from reinfuse.simulation.population.parameter_space import UNKNOWNS, members

SEED = 20210121
SMALL = "--small" in sys.argv
"""Too few for any answer, into a folder that goes: whether it runs at all."""
EFFORT = CalibrationEffort(88, 80, 20, 1, 64, 2, 2) if SMALL else CalibrationEffort()
PATIENTS = 32 if SMALL else 640
"""Patients by whom severe CRS is set."""
CHECK_PATIENTS = 640 if SMALL else 1408
"""Patients by whom targets are checked."""
CHECKED = 400
"""Members by whom targets are checked, evenly among the bundled."""
DRAWS = 3 if SMALL else 100
"""Draws by other seeds, from which the number of effective members is known."""
BUNDLED = 4 if SMALL else 1024
"""Members that are bundled."""
ROOM = Path(tempfile.mkdtemp()) if SMALL else Path(__file__).parents[2] / "src" / "reinfuse" / "simulation"
RESULTS = (ROOM if SMALL else Path(__file__).parents[1] / "results") / "virtual_calibration.json"


def effective() -> dict[str, object]:
    """Return how many independent draws the members are worth, with the moves at the end and without.

    The draw is repeated with other seeds on the same surfaces. The mean of n independent draws varies by 1/n of the
    posterior's variance, so that n is the variance within all draws over that of their means: resampling, descendants
    of one ancestor and moves that were not accepted all count.
    """
    surfaces = calibrate(EFFORT, seed=SEED, cores=CORES, targets=TARGETS, progress=say).populations.emulator()
    error = (2 / (DRAWS - 1) / (len(UNKNOWNS) + 1)) ** 0.5
    entry: dict[str, object] = {"draws": DRAWS, "particles": EFFORT.particles, "log_standard_error": error}
    for last_moves in (EFFORT.last_moves, 0):
        points = _repeated(surfaces, last_moves)
        means, within = points.mean(axis=1).var(axis=0, ddof=1), points.var(axis=(0, 1))
        entry[f"effective_with_{last_moves}_last_moves"] = float(within.sum() / means.sum())
    return entry


@small_matrices()
def _repeated(surfaces: Emulator, last_moves: int) -> np.ndarray:
    """Return the particles of each draw, (draws, particles, unknowns)."""
    return np.array([draw(surfaces, TARGETS, EFFORT, seed=SEED + 1000 + k, last_moves=last_moves).z
                     for k in range(DRAWS)])  # fmt: skip


def ensemble_of(posterior: CalibratedPosterior) -> Ensemble:
    """Return the bundled members, each with its rate of severe CRS drawn from Jeffreys' posterior of 4 in 44."""
    random = np.random.default_rng(SEED)
    chosen = random.permutation(len(posterior.z))[:BUNDLED]
    rates = random.beta(SEVERE + 0.5, TREATED - SEVERE + 0.5, BUNDLED)
    bundle = members(posterior.z[chosen])
    each = [crs_intercept(bundle[k], rates[k], seed=SEED, patients=PATIENTS) for k in range(BUNDLED)]
    return Ensemble(np.round(posterior.z[chosen], 4), np.round(each, 4), np.round(posterior.discrepancy[chosen], 4))


def say(name: str, completed: int, total: int) -> None:
    print(f"{name} {completed}/{total} {time.strftime('%H:%M:%S')}", flush=True)


def main() -> None:
    """Calibrate, check, write."""
    began = time.perf_counter()
    posterior = calibrate(EFFORT, seed=SEED, cores=CORES, targets=TARGETS, progress=say)
    seconds = time.perf_counter() - began
    ensemble = ensemble_of(posterior)
    ensemble.frame().write_csv(ROOM / "ensemble.csv")
    write("calibration", {
        **vars(EFFORT), "seconds": seconds, "cores": CORES, "unknowns": len(UNKNOWNS),
        "stages": [vars(s) for s in posterior.drawn.stages], "ancestors": posterior.drawn.ancestors,
        "log_likelihood": np.quantile(posterior.drawn.log_likelihood, [0.025, 0.5, 0.975]).tolist(),
        "discrepancy": np.quantile(posterior.discrepancy, [0.025, 0.5, 0.975]).tolist(),
        "informed": posterior_checks.unknowns(ensemble).filter("informed")["unknown"].to_list(),
        "versions": {p: version(p) for p in ("numba", "numpy", "scipy")},
    })  # fmt: skip
    check(ensemble)


def check(ensemble: Ensemble) -> None:
    """Simulate the published results and the mechanisms with an ensemble, and write the bundled tables."""
    check_targets(ensemble)
    fewest = {"members": 4, "patients": CHECK_PATIENTS} if SMALL else {}
    carried = ablation(ensemble, SEED + 1, progress=say, **fewest)
    pl.DataFrame([e.as_dict() for e in carried], schema={n: None for n in FIELDS}, infer_schema_length=None,
                 orient="row").write_csv(ROOM / "ablation.csv", float_precision=5)  # fmt: skip


def check_targets(ensemble: Ensemble) -> None:
    """Simulate the published results with an ensemble, and write their table."""
    some = ensemble.for_patients(CHECKED * 100)
    table = posterior_checks.targets(some, SEED + 1, CHECK_PATIENTS, progress=say)
    table.write_csv(ROOM / "targets.csv", float_precision=4)
    calibrated = table.filter(pl.col("role") == "calibrated")
    outside = table.filter(~pl.col("in_range").fill_null(True))
    write("checks", {
        "agreement": posterior_checks.agreement(table),
        "scores": {role: posterior_checks.totals(table.filter(pl.col("role") == role))
                   for role in ("calibrated", "held out")},
        "calibrated_met": f"{calibrated['met'].sum()} of {len(CALIBRATED)}",
        "held_out_met": f"{table['met'].sum() - calibrated['met'].sum()} of {len(HELD_OUT)}",
        "not_met": table.filter(~pl.col("met"))["target"].to_list(), "out_of_range": outside["target"].to_list(),
    })  # fmt: skip


def write(name: str, entry: dict[str, object]) -> None:
    """Put a result beside the others in the file."""
    earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(earlier | {name: entry}, indent=1) + "\n")
    print(json.dumps(entry, indent=1))


if __name__ == "__main__":
    if "planted" in sys.argv:
        from planted import planted

        write("planted", planted())
    elif "effective" in sys.argv:
        write("effective", effective())
    elif "targets" in sys.argv:
        check_targets(bundled())
    elif "check" in sys.argv:
        check(bundled())
    else:
        main()

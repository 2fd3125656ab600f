"""The population model end to end on 1,000 patients with 15 counts an infusion, at the effort that the program chooses.

Counts are simulated from Stein's values (`calibration.STEIN`), limit 10 copies/ug, one yes/no factor and one number.
Goal for one infusion each: ten minutes on two cores. Run alone:

    python benchmarks/kinetics/large.py 1      (infusions a patient; adds to results/population.json)
    python benchmarks/kinetics/large.py --small
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from calibration import LIMIT, SMALL, STEIN, UNIT

from reinfuse.kinetics.population import simulate
from reinfuse.kinetics.population.fit import PopulationFit, fit
from reinfuse.kinetics.population.sampler import Effort
from reinfuse.kinetics.profiles import Profile

PATIENTS = 6 if SMALL else 1000
DAYS = np.array([1.0, 3, 5, 7, 9, 11, 14, 18, 21, 28, 45, 60, 90, 180, 365])
RESULTS = Path(__file__).parent.parent / "results" / "population.json"


def cohort(patients: int, infusions: int, days: np.ndarray, seed: int) -> tuple[list[Profile], dict[str, np.ndarray]]:
    """Return profiles drawn from Stein's values and their two factors; days move by up to 0.4."""
    random = np.random.default_rng(seed)
    n = patients * infusions
    patient = [f"p{i:04d}" for i in range(patients) for _ in range(infusions)]
    X = np.column_stack([random.permutation(np.arange(n) % 2), random.normal(size=n)])
    X = X - X.mean(axis=0)
    moved = np.maximum(days + random.uniform(-0.4, 0.4, (n, len(days))), 0.5)
    numbers = list(range(1, infusions + 1)) * patients
    profiles = simulate.profiles(STEIN, X, patient, infusion=numbers, day=moved, limit=LIMIT, unit=UNIT, random=random)
    return profiles, {"yes": X[:, 0], "number": X[:, 1]}


def processor_seconds() -> float:
    """Return seconds of processor time of this process and of those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def add(name: str, told: dict[str, object]) -> None:
    """Put a result beside the others in the file; a small run's go unwritten."""
    if SMALL:
        return
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(known | {name: told}, indent=1) + "\n")
    print(json.dumps(told, indent=1))


def main() -> None:
    infusions = 1 if SMALL else int(sys.argv[1])
    profiles, factors = cohort(PATIENTS, infusions, DAYS, 1000 + infusions)
    began, before = time.perf_counter(), processor_seconds()
    found = (
        fit(profiles, factors, 1, effort=Effort(chains=1, warmup=25, draws=25)) if SMALL else fit(profiles, factors, 1)
    )
    seconds = time.perf_counter() - began
    assert isinstance(found, PopulationFit)
    d = found.diagnostics
    inside = [(np.quantile(draws, 0.05, axis=0) <= true) & (true <= np.quantile(draws, 0.95, axis=0))
              for draws, true in ((found.draws.flat(s), getattr(STEIN, s)) for s in found.sites)]  # fmt: skip
    held = np.concatenate([np.ravel(i) for i in inside])
    add(f"{PATIENTS} patients, infusions each: {infusions}", {
        "counts": int(sum(len(p.day) for p in profiles)), "below": int(sum(p.below.sum() for p in profiles)),
        "seconds": seconds, "processor_seconds": processor_seconds() - before,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "chains": d.chains, "draws": d.iterations, "steps_an_iteration": float(found.draws.steps.mean()),
        "rhat": d.rhat, "effective_draws": d.ess, "where": d.where, "divergences": d.divergences, "energy": d.energy,
        "refused": d.refused, "planted_inside_90": f"{held.sum()} of {held.size}",
        "versions": {p: version(p) for p in ("jax", "numpyro", "numpy")},
    })  # fmt: skip


if __name__ == "__main__":
    main()

"""A million virtual patients through nine protocols: time and memory, from fewer patients.

Blocks of patients are summed as they are done, so that time grows with their number and memory does not; both are
measured at two numbers of patients. A trial of a million is run where it is asked for.

    python benchmarks/virtual/million.py            # 20,000 patients, extrapolated
    python benchmarks/virtual/million.py 1000000    # in full
    python benchmarks/virtual/million.py --small    # 1,024, nothing written
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from importlib.resources import files
from pathlib import Path

from reinfuse.runtime.parallel import CORES
from reinfuse.simulation.population.ensemble import bundled
from reinfuse.simulation.trial.protocol import Protocols
from reinfuse.simulation.trial.trial import Trial, in_threads, run

WANTED, LIMIT_MINUTES, LIMIT_GB = 1_000_000, 30.0, 2.0
FEW = 10_000
"""Patients of the smaller trial at most: the size that the command line takes by default."""
RESULTS = Path(__file__).parents[1] / "results" / "virtual_million.json"


def timed(trial: Trial, patients: int) -> dict[str, float]:
    """Return seconds by the clock and of the processors, and the most memory so far, of a trial."""
    clock, used = time.perf_counter(), time.process_time()
    tally = run(trial, patients, in_threads(CORES))
    assert tally.met.sum() == patients * len(trial.protocols.all_arms)
    seconds, used = time.perf_counter() - clock, time.process_time() - used
    return {"patients": patients, "seconds": seconds, "processor_seconds": used,
            "most_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}  # fmt: skip


def main(patients: int) -> None:
    """Measure, extrapolate, write."""
    trial = Trial(Protocols.load(str(files("reinfuse.simulation").joinpath("protocols.toml"))), bundled(), 1)
    begun = timed(trial, min(patients // 4, 512))  # with what is compiled on the first run, or read from disk
    few, many = timed(trial, min(patients // 4, FEW)), timed(trial, patients)
    whole = patients >= WANTED
    slope = {name: many[name] / patients if whole else (many[name] - few[name]) / (patients - few["patients"])
             for name in ("seconds", "processor_seconds")}  # fmt: skip
    timings = {"arms": len(trial.protocols.all_arms), "members": len(trial.ensemble), "cores": CORES,
            "load": os.getloadavg(), "first": begun, "few": few, "many": many,
            "million": {"measured": whole, "minutes": slope["seconds"] * WANTED / 60,
                        "processor_minutes": slope["processor_seconds"] * WANTED / 60, "most_gb": many["most_gb"],
                        "goal_minutes": LIMIT_MINUTES, "goal_gb": LIMIT_GB}}  # fmt: skip
    if "--small" not in sys.argv:
        RESULTS.write_text(json.dumps(timings, indent=1) + "\n")
    print(json.dumps(timings, indent=1))


if __name__ == "__main__":
    main(1024 if "--small" in sys.argv else int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)

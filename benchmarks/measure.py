"""What the benchmarks share: a command measured, and the machine it ran on."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

MEASURES = ("wall_s", "cpu_s", "peak_gb")


def measured(command: Sequence[str], environment: Mapping[str, str] | None = None) -> dict[str, float]:
    """Run a command; return wall seconds, processor seconds of all its threads, and peak memory in GB."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as process:
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return {"wall_s": wall, "cpu_s": used.ru_utime + used.ru_stime, "peak_gb": used.ru_maxrss / 2**20}


def summary(runs: Sequence[Mapping[str, float]]) -> dict[str, float | int]:
    """Return the median of each measure, with the least and the greatest wall time."""
    middle = {m: round(statistics.median(r[m] for r in runs), 2) for m in MEASURES}
    wall = [r["wall_s"] for r in runs]
    return {**middle, "least_wall_s": round(min(wall), 2), "greatest_wall_s": round(max(wall), 2), "runs": len(runs)}


def machine() -> dict[str, object]:
    """Return what a reader needs to judge a time: date, cores, memory, load, Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"date": date.today().isoformat(), "cores": os.cpu_count(), "memory_gb": round(memory),
            "architecture": platform.machine(), "load_at_start": round(os.getloadavg()[0], 2),
            "python": platform.python_version()}  # fmt: skip


def results(name: str) -> Path:
    """Return where a result is kept."""
    return Path(__file__).resolve().parent / "results" / name

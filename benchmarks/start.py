"""How long the command line takes to answer, and the demo to be done. Run: python benchmarks/start.py
[--small]."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

SMALL = "--small" in sys.argv
RUNS = 1 if SMALL else 9


def seconds(arguments: list[str]) -> dict[str, float]:
    """Return median, least and greatest wall seconds of a command, after one run that does not count."""
    taken = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "reinfuse.cli", *arguments], check=True, capture_output=True)
        taken.append(time.perf_counter() - started)
    counted = taken[1:]
    return {"median_s": round(statistics.median(counted), 2), "min_s": round(min(counted), 2),
            "max_s": round(max(counted), 2), "runs": RUNS}  # fmt: skip


def main() -> None:
    """Measure and write the results."""
    with tempfile.TemporaryDirectory() as out:
        told = {"date": date.today().isoformat(), "cores": os.cpu_count(), "python": platform.python_version(),
                "reinfuse --help": seconds(["--help"])}  # fmt: skip
        if not SMALL:
            told["reinfuse demo"] = seconds(["demo", "--out", out])
    print(json.dumps(told, indent=1))
    if SMALL:
        return
    path = Path(__file__).resolve().parent / "results" / "start.json"
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

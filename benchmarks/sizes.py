"""How long a cohort of each size takes, from files to report, with and without counts. Run: python benchmarks/sizes.py.

No size may take longer than twice the time of one ten times as large: an analysis that is too slow for a size is not
run there, and the report says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from generate import write_cohort, write_counts

SIZES = (45, 150, 450, 1000, 3000, 10_000)
SMALL = (20,)
ONLY = ("--only", "survival")
"""What is analysed of the small cohort."""


def measured(n: int, counts: bool, only: tuple[str, ...] = ()) -> dict[str, float | int | bool]:
    """Return seconds by the clock and of processor time, and the records, of one cohort."""
    with tempfile.TemporaryDirectory() as place:
        cohort, out = Path(place, "cohort"), Path(place, "report")
        cohort.mkdir()
        write_cohort(cohort, n)
        if counts:
            write_counts(cohort)
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-m", "reinfuse.cli", "analyze", str(cohort), "--out", str(out), *only]
        subprocess.run(command, check=True, capture_output=True)
        taken, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        records = len(json.loads((out / "findings.json").read_text(encoding="utf-8"))["estimates"])
        if records < 1000 and n > 40:
            raise RuntimeError(f"only {records} records of {n} patients")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"patients": n, "counts": counts, "seconds": round(taken, 1), "processor_seconds": round(spent, 1),
            "records": records}  # fmt: skip


def main() -> None:
    """Measure every size and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="one small cohort, nothing written: for the tests")
    small = parser.parse_args().small
    rows = []
    for n in SMALL if small else SIZES:
        for counts in (True,) if small else (False, True):
            rows.append(measured(n, counts, ONLY if small else ()))
            print(rows[-1], flush=True)
    if small:
        return
    results = {
        "date": date.today().isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "rows": rows,
    }
    path = Path(__file__).resolve().parent / "results" / "sizes.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

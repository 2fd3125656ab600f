"""A registry of 100,000 patients: the whole analysis, beside the same estimates by R survival and by lifelines.

Run: python benchmarks/large_cohort.py [patients | --small]. Writes results/large_cohort.json. The answers are
compared before any time is reported: medians and log-rank statistics must be equal, and effects, at this size, within
0.01 of the unpenalised ones on the log scale. The small run has the analyses alone whose answers are compared.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import chi2

from generate import write_cohort

HERE = Path(__file__).resolve().parent
GROUPS = ("cart1_cy_flu", "cart2_cy_flu", "dose_increase", "bulky", "diagnosis", "sex")
NUMBERS = ("log2_dose_ratio", "interval_days", "age_years", "prior_lines")
LIBRARIES = ("reinfuse", "polars", "lifelines")
TIMED = ("pfs", "os", "dor", "ttnt")


ONLY = ("response", "survival", "association")
"""What is analysed in the small run: what the others answer too."""


def analyse(cohort: Path, out: Path, small: bool = False) -> dict[str, float]:
    """Run the command line and return its wall and processor seconds and its peak memory in GB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    command = [sys.executable, "-m", "reinfuse.cli", "analyze", str(cohort), "--out", str(out)]
    if small:
        command += [part for name in ONLY for part in ("--only", name)]
    subprocess.run(command, check=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": round(wall, 1), "cpu_s": round(cpu, 1), "peak_gb": round(after.ru_maxrss / 2**20, 2)}


def by_lifelines(path: Path) -> dict[str, object]:
    """Fit the same curves, tests and Cox models by lifelines."""
    import pandas as pd
    from lifelines import CoxPHFitter, KaplanMeierFitter
    from lifelines.statistics import multivariate_logrank_test

    started = time.perf_counter()
    data = pd.DataFrame(pl.read_csv(path, infer_schema_length=None).to_dict(as_series=False))
    medians, chisq = {}, {}
    for end in TIMED:
        known = data[data[f"{end}_days"].notna()]
        days, event = known[f"{end}_days"], (known[f"{end}_event"] == "yes").astype(int)
        medians[end] = float(KaplanMeierFitter().fit(days, event).median_survival_time_)
        for group in GROUPS:
            have = known[group].notna()
            for _, part in known[have].groupby(group):
                KaplanMeierFitter().fit(part[f"{end}_days"], (part[f"{end}_event"] == "yes").astype(int))
            test = multivariate_logrank_test(days[have], known[group][have], event[have])
            chisq[f"{end} {group}"] = float(test.test_statistic)
        for factor in (*GROUPS, *NUMBERS) if end != "ttnt" else ():
            column = known[[factor]].copy()
            if factor in GROUPS:
                column = column.astype("category").apply(lambda c: c.cat.codes).astype(float)
            CoxPHFitter().fit(column.assign(t=days, e=event), "t", "e")
    return {"seconds": time.perf_counter() - started, "medians": medians, "logrank_chisq": chisq}


def compare(records: pl.DataFrame, peers: list[dict], n: int) -> dict[str, float]:
    """Refuse to report a time unless the answers agree; return the greatest differences.

    Firth's effects are nearer to 1 than unpenalised ones by a term of the order 1 / n: 0.020 at 600 patients.
    """
    r = peers[0]
    found = {"median": 0.0, "log_rank": 0.0, "effect": 0.0}
    every = records.filter((pl.col("population") == "all") & pl.col("group").is_null())
    for end in TIMED:
        mine = every.filter((pl.col("endpoint") == end) & (pl.col("statistic") == "median"))["estimate"][0]
        found["median"] = max(found["median"], *(abs(mine - peer["medians"][end]) for peer in peers))
        for group in GROUPS:
            test = every.filter(analysis="survival", endpoint=end, statistic="p_value", term=group)
            p, df = test["p_value"].item(), 2 if group == "diagnosis" else 1
            for other in peers:
                theirs = float(chi2.sf(other["logrank_chisq"][f"{end} {group}"], df))
                found["log_rank"] = max(found["log_rank"], abs(p - theirs))
    names = {"response": "responded", "cr": "complete", "umrd_day28": "umrd", "pfs": "pfs", "os": "os", "dor": "dor"}
    single = every.filter(
        (pl.col("analysis") == "association")
        & (pl.col("model") == "univariable")
        & pl.col("endpoint").is_in(list(names))
        & pl.col("estimate").is_not_null()
        & pl.col("level").is_null()
    )
    per = {"age_years": 10.0, "interval_days": 30.0}
    for end, term, value in single.select("endpoint", "term", "estimate").iter_rows():
        theirs = r["effects"][f"{names[end]} {term}"] * per.get(term, 1.0)
        found["effect"] = max(found["effect"], abs(np.log(value) - theirs))
    if found["median"] > 1e-9 or found["log_rank"] > 1e-6 or found["effect"] > max(0.01, 20 / n):
        raise SystemExit(f"the answers differ: {found}")
    return found


def main(n: int, small: bool = False) -> None:
    """Run everything and write the results; a small run does without lifelines where it is not installed."""
    with tempfile.TemporaryDirectory() as temporary:
        cohort, out = Path(temporary) / "cohort", Path(temporary) / "out"
        cohort.mkdir()
        write_cohort(cohort, n)
        mine = analyse(cohort, out, small)
        done = subprocess.run(["Rscript", str(HERE / "large_cohort.R"), str(out / "patients.csv")], check=True,
                              capture_output=True, text=True)  # fmt: skip
        r = json.loads(done.stdout)
        lines = None if small and find_spec("lifelines") is None else by_lifelines(out / "patients.csv")
        records = pl.read_csv(out / "estimates.csv", infer_schema_length=None)
        agreement = compare(records, [r] if lines is None else [r, lines], n)
        size = {p.name: round(p.stat().st_size / 2**20, 1) for p in out.iterdir() if p.is_file()}
    if small:
        print(json.dumps({"patients": n, "beside lifelines": lines is not None, "greatest difference": agreement}))
        return
    told = {
        "patients": n, "date": date.today().isoformat(), "cores": os.cpu_count(), "python": platform.python_version(),
        "versions": {p: version(p) for p in LIBRARIES} | r["versions"],
        "reinfuse, reading to report": mine,
        "R, estimates from patients.csv": {"wall_s": round(r["seconds"], 1)},
        "lifelines, curves, tests and Cox from patients.csv": {"wall_s": round(lines["seconds"], 1)},
        "ratio reinfuse / R": round(mine["wall_s"] / r["seconds"], 2),
        "ratio reinfuse / lifelines": round(mine["wall_s"] / lines["seconds"], 2),
        "greatest difference": agreement, "output_mb": size,
    }  # fmt: skip
    print(json.dumps(told, indent=1))
    if n == 100_000:
        (HERE / "results" / "large_cohort.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if "--small" in sys.argv:
        main(150, small=True)
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)

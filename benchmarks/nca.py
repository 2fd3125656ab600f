"""Non-compartmental analysis of 1,000 patients with 15 counts each, beside openpkflow in the same run.

Both take areas linear up and logarithmic down and the terminal slope of the largest adjusted R2 after the peak (3
counts or more; of those within 0.0001 of it the longest). openpkflow gives every half-life that it finds, so the limits
of reinfuse for adjusted R2 and span are lifted. No limit of quantification is given; day 0 with a count of 0, which
reinfuse takes for granted, is a row of openpkflow's table. The answers are compared before a time is told. reinfuse
starts from the checked cohort in memory, openpkflow from a table in memory. Run in an environment that holds
openpkflow: python benchmarks/nca.py
"""

from __future__ import annotations

import json
import math
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from openpkflow.nca import NCAStudy

from reinfuse import read_cohort
from reinfuse.cohort.raw_tables import TIME
from reinfuse.kinetics.cdisc_pp import parameters
from reinfuse.kinetics.profiles import profiles
from reinfuse.plan.kinetics_rules import NcaRules

HERE = Path(__file__).parent
SMALL = "--small" in sys.argv
PATIENTS, ROUNDS = (20, 1) if SMALL else (1000, 5)
DAYS = np.array([1, 3, 5, 7, 10, 14, 21, 28, 42, 60, 90, 120, 180, 270, 365])
ALL_HALF_LIVES = NcaRules(least_r2=-math.inf, least_span=0.0)
CODES = {"CMAX": "Cmax", "TMAX": "Tmax", "AUCLST": "AUClast", "LAMZHL": "half_life"}
SAME = 1e-12


def counts(rng):
    """Return counts in copies/ug along Stein's curve with an error of 0.4 on the log scale, one row a patient."""
    peak = 24000 * np.exp(rng.normal(size=(PATIENTS, 1)))
    peak_day, fall, decline, memory = (
        typical * np.exp(0.3 * rng.normal(size=(PATIENTS, 1))) for typical in (9.3, 0.16, 0.0032, 0.0079)
    )
    since = DAYS - peak_day
    late = np.maximum(since, 0)
    falling = (1 - memory) * np.exp(-fall * late) + memory * np.exp(-decline * late)
    rising = np.exp(math.log(3900) * np.minimum(since, 0) / peak_day)
    return peak * rising * falling * np.exp(0.4 * rng.normal(size=since.shape))


def cohort_of(made, folder):
    """Write the counts as a cohort and read it."""
    names = [f"P{i:04d}" for i in range(PATIENTS)]
    tables = {
        "patients": {"patient_id": names, "last_contact": 400, "death": None, "diagnosis": "ALL"},
        "infusions": {"patient_id": names, "infusion": 1, "day": 0, "dose_cells_per_kg": 1e6,
                      "lymphodepletion": "Cy/Flu"},
        "counts": {"patient_id": np.repeat(names, len(DAYS)), "day": np.tile(DAYS, PATIENTS), "value": made.ravel(),
                   "unit": "copies/ug"},
    }  # fmt: skip
    for name, columns in tables.items():
        pd.DataFrame(columns).to_csv(folder / f"{name}.csv", index=False)
    return read_cohort(folder)


def table_of(cohort):
    """Return the same counts as openpkflow takes them."""
    read = cohort.tables["counts"]
    columns = {"subject": "patient_id", "time": TIME, "conc": "value"}
    rows = pd.DataFrame({name: read[column].to_list() for name, column in columns.items()})
    start = pd.DataFrame({"subject": rows["subject"].unique(), "time": 0.0, "conc": 0.0})
    return pd.concat([start, rows]).assign(dose=1.0, route="oral")


def ours(cohort):
    return parameters(profiles(cohort), ALL_HALF_LIVES)


def theirs(table):
    return NCAStudy(table, auc_method="linear_up_log_down", blq_method="none").analyze()


def compared(found, others):
    """Return for each parameter how many patients agree, and the greatest relative difference."""
    told = {}
    of = {r.subject: r for r in others.results}
    for code, name in CODES.items():
        values = dict(found.filter(pl.col("PPTESTCD") == code).select("patient_id", "PPSTRESN").rows())
        assert set(values) == set(of)
        pairs = [(v, getattr(of[k], name)) for k, v in values.items()]
        both = [(a, b) for a, b in pairs if a is not None and b is not None]
        gaps = [abs(a - b) / abs(b) for a, b in both]
        told[code] = {"both give it": len(both), "neither": sum(a is None and b is None for a, b in pairs),
                      "agree": sum(g <= SAME for g in gaps), "greatest relative difference": max(gaps)}  # fmt: skip
    return told


def timed(work, *of):
    start = time.perf_counter()
    answer = work(*of)
    return answer, time.perf_counter() - start


def main():
    made = counts(np.random.default_rng(20261123))
    with tempfile.TemporaryDirectory() as folder:
        cohort = cohort_of(made, Path(folder))
    table, read = table_of(cohort), profiles(cohort)
    agree = compared(ours(cohort), theirs(table))
    print(json.dumps(agree, indent=1))
    assert all(a["both give it"] + a["neither"] == PATIENTS and a["agree"] == a["both give it"] for a in agree.values())
    seconds = {"reinfuse, profiles and parameters": [], "reinfuse, parameters alone": [], "openpkflow": []}
    for _ in range(ROUNDS):
        for each, work in zip(seconds.values(), ((ours, cohort), (parameters, read), (theirs, table)), strict=True):
            each.append(timed(*work)[1])
    medians = {name: float(np.median(each)) for name, each in seconds.items()}
    whole = medians["reinfuse, profiles and parameters"]
    told = {
        "patients": PATIENTS, "counts of each": len(DAYS), "agreement": agree, "relative tolerance": SAME,
        "seconds, median": medians, "seconds, all rounds": seconds,
        "ratio openpkflow / reinfuse, profiles and parameters": medians["openpkflow"] / whole,
        "versions": {"python": platform.python_version(),
                     **{name: version(name) for name in ("reinfuse", "openpkflow", "numpy", "polars", "pandas")}},
    }  # fmt: skip
    if not SMALL:
        (HERE / "results" / "nca.json").write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()

"""Curves into patients: how near the reconstructed log hazard ratio comes to that of the patients behind the curves.

Run: python benchmarks/evidence/curves.py [pairs | --small].
Pairs of arms of n = 9, 22 and 44 patients each: exponential times to an event (means of 10 and 20 months), censored
uniformly between months 6 and 36. Read from each curve: the time of every step, its height with a normal error of 0.05
to 1 %, and the numbers at risk every sixth, or every third, month. Compared, of the same readings: all agreeing integer
tables (the mean log hazard ratio; the most likely table) and Guyot's algorithm; against that of the patients themselves
by Firth's Cox model and by the unpenalised one (pairs whose likelihood is monotone are left out of that, and counted).
Writes curves.csv; the numbers of IPDfromKM 0.1.10 and of an earlier exact search stand in tests/golden/design.json.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

from reinfuse.statistics import guyot, reconstructed, risk_tables
from reinfuse.statistics.curve_reading import CurveReading
from reinfuse.statistics.reconstructed_contrast import hazard_ratio
from reinfuse.statistics.risk_tables import RiskTables

SEED, MEANS, CENSORED = 20261129, (10.0, 20.0), (6.0, 36.0)
EVERY = (6.0, 3.0)
SIZES, ERRORS = (9, 22, 44), (0.0005, 0.002, 0.005, 0.01)
DRAWS = 100


def arm(rng, n, mean, error, every):
    """Draw patients; return their curve as read, follow-up and event, and the true table."""
    event_time, censored = rng.exponential(mean, n), rng.uniform(*CENSORED, n)
    time, event = np.minimum(event_time, censored), (event_time <= censored).astype(float)
    order = np.argsort(time)
    time, event = time[order], event[order]
    at_risk, step = np.arange(n, 0, -1), event == 1
    height = np.cumprod(1 - event / at_risk)[step]
    height = np.minimum.accumulate(np.clip(height + rng.normal(0, error, len(height)), 0, 1))
    printed = np.arange(0, time[-1], every)
    risk = np.sum(time[:, None] >= printed, axis=0)
    return CurveReading(time[step], height, error, time[-1], printed, risk), (time, event), at_risk[step]


def unpenalised(first, second):
    """Return the log hazard ratio of the Cox model (Breslow), None where its likelihood is monotone."""
    times = np.unique(np.concatenate([first[0][first[1] == 1], second[0][second[1] == 1]]))
    d0, d1 = (np.sum((t[:, None] == times) & (e == 1)[:, None], axis=0) for t, e in (first, second))
    y0, y1 = (np.sum(t[:, None] >= times, axis=0) for t, _ in (first, second))
    if not np.any(d0[y1 > 0]) or not np.any(d1[y0 > 0]):
        return None
    b = 0.0
    for _ in range(100):
        p = y1 * np.exp(b) / (y0 + y1 * np.exp(b))
        step = np.sum(d1 - (d0 + d1) * p) / np.sum((d0 + d1) * p * (1 - p))
        b += float(np.clip(step, -1, 1))
        if abs(step) < 1e-8:
            break
    return b


def with_patients(reading, tables, rng, rows):
    """Return patients of some tables."""
    return [reconstructed.patients_of(reading, tables.at_risk[i], tables.events[i], random=rng) for i in rows]


def one_pair(rng, n, error, every):
    """Return the errors of one pair by method, or None where a curve has no step or no table."""
    arms = [arm(rng, n, mean, error, every) for mean in MEANS]
    if any(not len(reading.time) for reading, _, _ in arms):
        return None
    truth = {"firth": hazard_ratio([arms[0][1]], [arms[1][1]], confidence=0.95).value,
             "cox": unpenalised(arms[0][1], arms[1][1])}  # fmt: skip
    patients: dict[str, list] = {"ensemble": [], "best": [], "guyot": []}
    row = {"exact": 0, "events": 0, "guyot_exact": 0, "guyot_events": 0, "holds": 0, "count": []}
    for reading, _, true in arms:
        try:
            tables = risk_tables.agreeing_tables(reading)
        except risk_tables.NoTable:
            return {"failed": True}
        one = guyot.guyot_table(reading)
        own = RiskTables(one[0][None], one[1][None], np.ones(1), 1, False, False, 0)
        for name, ens in (("", tables), ("guyot_", own)):
            n_k, d_k = ens.at_risk[ens.best], ens.events[ens.best]
            row[f"{name}exact"] += bool(np.array_equal(n_k, true) and np.all(d_k == 1))
            row[f"{name}events"] += int(d_k.sum() == len(true))
        row["holds"] += bool(np.any(np.all((tables.at_risk == true) & (tables.events == 1), axis=1)))
        row["count"].append(tables.count)
        drawn = rng.choice(len(tables.weight), DRAWS, p=tables.weight)
        patients["ensemble"].append(with_patients(reading, tables, rng, drawn))
        patients["best"].append(with_patients(reading, tables, rng, [tables.best]))
        patients["guyot"].append(with_patients(reading, own, rng, [0]))
    for name, (first, second) in patients.items():
        given = hazard_ratio(first, second, confidence=0.95)
        row[f"{name}_firth"] = given.value - truth["firth"]
        each = [unpenalised(a, b) for a, b in zip(first, second, strict=True)]
        each = [b for b in each if b is not None]
        row[f"{name}_cox"] = None if truth["cox"] is None or not each else float(np.mean(each)) - truth["cox"]
        if name == "ensemble":
            row["within"] = given.least - 1e-6 <= truth["firth"] <= given.greatest + 1e-6
    return row


def cell(n, error, every, pairs):
    """Simulate one cell."""
    rng = np.random.default_rng([SEED, n, int(error * 1e5), int(every)])
    rows, failed, again = [], 0, 0
    while len(rows) + failed < pairs:
        row = one_pair(rng, n, error, every)
        if row is None:
            again += 1
        elif "failed" in row:
            failed += 1
        else:
            rows.append(row)
    frame = {
        "months_between": every,
        "n": n,
        "error_percent": error * 100,
        "pairs": pairs,
        "no_table": failed,
        "drawn_again": again,
    }
    for name in ("ensemble", "best", "guyot"):
        for model in ("firth", "cox"):
            misses = np.array([r[f"{name}_{model}"] for r in rows if r[f"{name}_{model}"] is not None], float)
            frame[f"rmse_{name}_{model}"] = round(float(np.sqrt(np.mean(misses**2))), 4)
    frame["monotone"] = sum(r["ensemble_cox"] is None for r in rows)
    for key in ("exact", "events", "guyot_exact", "guyot_events", "holds"):
        frame[f"{key}_percent"] = round(100 * sum(r[key] for r in rows) / (2 * len(rows)), 1)
    frame["within_percent"] = round(100 * float(np.mean([r["within"] for r in rows])), 1)
    frame["median_tables"] = float(np.median([c for r in rows for c in r["count"]]))
    return frame


def main():
    """Simulate all cells; a small run checks one and writes nothing."""
    if "--small" in sys.argv:
        small = cell(9, 0.0005, 6.0, 6)
        assert small["exact_percent"] == 100, small
        assert small["rmse_ensemble_firth"] < 0.05, small
        return
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rows = []
    for every in EVERY:
        for n in SIZES:
            for error in ERRORS:
                rows.append(cell(n, error, every, pairs))
                print(rows[-1], flush=True)
                pl.DataFrame(rows).write_csv(Path(__file__).with_name("curves.csv"))


if __name__ == "__main__":
    main()

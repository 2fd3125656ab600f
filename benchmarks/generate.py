"""A large believable cohort of dated tables, for the benchmarks: seeded, and nobody's data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

REGIMENS = np.array(["Cy/Flu", "Cy", "fludarabine + cyclophosphamide", "bendamustine", "Cy + etoposide"])
DOSES = np.array([2e5, 2e6, 2e7])


def write_cohort(folder: Path, n: int, seed: int = 20210121) -> None:
    """Write patients, two infusions each, responses, MRD, toxicities and therapies of `n` patients."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"P{i:06d}" for i in range(n)])
    second = np.ceil(rng.gamma(2, 90, n)).astype(int) + 30
    regimen, regimen2 = rng.choice(REGIMENS, n, p=[0.45, 0.25, 0.15, 0.1, 0.05]), rng.choice(REGIMENS, n)
    dose, dose2 = rng.choice(DOSES, n, p=[0.3, 0.6, 0.1]), rng.choice(DOSES, n, p=[0.1, 0.5, 0.4])
    diagnosis = rng.choice(["ALL", "CLL", "NHL"], n, p=[0.3, 0.2, 0.5])
    good = np.isin(regimen, REGIMENS[[0, 2]]) * 0.7 + (dose2 > dose) * 0.5
    progression = np.ceil(rng.exponential(90 * np.exp(good))).astype(int) + 10
    death = np.ceil(progression + rng.exponential(250 * np.exp(0.5 * good))).astype(int)
    follow_up = np.ceil(rng.uniform(200, 2500, n)).astype(int)
    dead = death <= follow_up
    last = np.where(dead, death, follow_up)
    responded = rng.random(n) < 1 / (1 + np.exp(1.6 - 1.3 * good))
    age = np.round(rng.normal(56, 12, n).clip(18, 85), 1)
    lines = rng.integers(1, 9, n)

    def table(name: str, columns: dict[str, object]) -> None:
        pl.DataFrame(columns).write_csv(folder / f"{name}.csv")

    table("patients", {
        "patient_id": ids, "last_contact": second + last, "death": pl.Series(second + last).set(pl.Series(~dead), None),
        "diagnosis": diagnosis, "sex": rng.choice(["F", "M"], n), "age_years": age,
    })  # fmt: skip
    table("infusions", {
        "patient_id": np.concatenate([ids, ids]), "infusion": np.repeat([1, 2], n),
        "day": np.concatenate([np.zeros(n, dtype=int), second]), "dose_cells_per_kg": np.concatenate([dose, dose2]),
        "lymphodepletion": np.concatenate([regimen, regimen2]), "prior_lines": np.concatenate([lines, lines + 1]),
        "bulky": rng.choice(["yes", "no"], 2 * n, p=[0.35, 0.65]),
    })  # fmt: skip
    first = np.minimum(28, np.minimum(progression, last))
    seen = (progression <= last) & (progression > first)
    best = np.where(progression <= 28, "PD", np.where(responded, rng.choice(["CR", "PR"], n), "SD"))
    middle = np.minimum(90, last)
    stable = (middle > first) & (middle < progression)
    table("responses", {
        "patient_id": np.concatenate([ids, ids[stable], ids[seen]]),
        "day": np.concatenate([second + first, (second + middle)[stable], (second + progression)[seen]]),
        "response": np.concatenate([best, best[stable], np.full(seen.sum(), "PD")]),
    })  # fmt: skip
    tested = (last >= 28) & (rng.random(n) < 0.7)
    table("mrd", {"patient_id": ids[tested], "day": (second + 28)[tested],
                  "result": np.where(responded, "undetectable", "detectable")[tested]})  # fmt: skip
    table("toxicities", {
        "patient_id": np.tile(ids, 2), "infusion": np.full(2 * n, 2), "kind": np.repeat(["CRS", "NT"], n),
        "grade": rng.choice(6, 2 * n, p=[0.3, 0.3, 0.25, 0.1, 0.04, 0.01]),
    })  # fmt: skip
    treated = seen & (progression + 20 <= last) & (rng.random(n) < 0.5)
    table("therapies", {
        "patient_id": ids[treated], "day": (second + progression + 20)[treated],
        "therapy": ["another"] * int(treated.sum()), "kind": ["anticancer"] * int(treated.sum()),
    })  # fmt: skip


PLANNED = np.array([3, 7, 10, 14, 21, 28, 60, 90, 180, 270, 365, 540, 730])
"""Days on which counts are planned; a patient comes within some 6 % of each."""
LLOQ = 0.5


def write_counts(folder: Path, seed: int = 7) -> None:
    """Add a count of CAR-T cells at each visit of each infusion of a cohort that `write_cohort` wrote."""
    rng = np.random.default_rng(seed)
    infusions, patients = pl.read_csv(folder / "infusions.csv"), pl.read_csv(folder / "patients.csv")
    n = patients.height
    day = infusions["day"].to_numpy()
    end = np.concatenate([day[n:], patients["last_contact"].to_numpy()]) - day
    visits = np.round(PLANNED * (1 + rng.normal(0, 0.06, (2 * n, len(PLANNED))))).clip(1).astype(int)
    peak, top = np.exp(rng.normal(3.5, 1.5, (2 * n, 1))), rng.uniform(8, 14, (2 * n, 1))
    fast, slow = np.exp(rng.normal(2.5, 0.9, (2 * n, 1))), np.exp(rng.normal(4.5, 0.8, (2 * n, 1)))
    share, since = rng.uniform(0.01, 0.2, (2 * n, 1)), visits - top
    fall = (1 - share) * np.exp(-since / fast) + share * np.exp(-since / slow)
    value = peak * np.where(since < 0, np.exp(0.8 * since.clip(max=0)), fall) * np.exp(rng.normal(0, 0.3, visits.shape))
    seen = (visits < end[:, None]) & (np.diff(visits, prepend=0, axis=1) > 0)
    row, column = np.nonzero(seen)
    below = value[row, column] < LLOQ
    pl.DataFrame({
        "patient_id": infusions["patient_id"].to_numpy()[row], "day": day[row] + visits[row, column],
        "value": pl.Series(value[row, column].round(2)).set(pl.Series(below), None), "unit": "cells/uL", "lloq": LLOQ,
        "below_lloq": np.where(below, "yes", "no"),
    }).write_csv(folder / "counts.csv")  # fmt: skip

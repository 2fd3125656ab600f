"""Simulation-based calibration of the population model: planted values against the posterior, cohort by cohort.

Talts et al., arXiv:1804.06788. Each cohort: population parameters drawn from the priors (`prior`) or set to those of
Stein 2019 (`stein`); 20 patients with two infusions of 12 counts, limit 10 copies/ug, one yes/no factor and one number.
Of each population parameter: its rank among 99 draws of the posterior, and whether the 90 % interval covers it. Cohorts
whose sampling the program would refuse are counted and left out.

    python benchmarks/kinetics/calibration.py prior 0 200      (cohorts 0 to 199; goes on where it stopped)
    python benchmarks/kinetics/calibration.py --small
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from reinfuse.kinetics.population import simulate
from reinfuse.kinetics.population.fit import PopulationFit, fit
from reinfuse.kinetics.population.parameters import ACTED_ON, NAMES, centres
from reinfuse.kinetics.population.sampler import Effort

SMALL = "--small" in sys.argv
"""Too few for any answer, into a folder that goes: whether it runs at all."""
UNIT, LIMIT, PATIENTS = "copies/ug", 10.0, 6 if SMALL else 20
DAYS = np.array([1.0, 4, 7, 10, 14, 21, 28, 60, 90, 150, 240, 365])
EFFORT = Effort(chains=1, warmup=25, draws=25) if SMALL else Effort(chains=1, warmup=300, draws=800)
THINNED = 99
HERE = Path(tempfile.mkdtemp()) if SMALL else Path(__file__).parent
STEIN = simulate.Truth(centres(UNIT), np.array([1.55, 0.38, 0.65, 0.91, 0.80, 0.86]), np.full(6, 0.5), 0.56,
                       np.array([[0.2, 0.7, -0.3, 0.7], [0.0, 0.5, 0.0, 0.4]]))  # fmt: skip


def one(kind: str, number: int) -> list[dict[str, object]]:
    """Return one row a population parameter of a cohort."""
    random = np.random.default_rng([2021, number, kind == "stein"])
    patient = [f"p{i:02d}" for i in range(PATIENTS) for _ in (1, 2)]
    infusion = [o for _ in range(PATIENTS) for o in (1, 2)]
    X = np.column_stack([random.permutation(np.arange(len(patient)) % 2), random.normal(size=len(patient))])
    X = X - X.mean(axis=0)
    truth = STEIN if kind == "stein" else simulate.from_prior(UNIT, 2, random=random)
    days = np.maximum(DAYS + random.uniform(-0.4, 0.4, (len(patient), len(DAYS))), 0.5)
    cohort = simulate.profiles(truth, X, patient, infusion=infusion, day=days, limit=LIMIT, unit=UNIT, random=random)
    began = time.perf_counter()
    found = fit(cohort, {"yes": X[:, 0], "number": X[:, 1]}, number, effort=EFFORT)
    assert isinstance(found, PopulationFit)
    told = {"kind": kind, "cohort": number, "seconds": round(time.perf_counter() - began, 1),
            "refused": found.diagnostics.refused is not None, "rhat": round(found.diagnostics.rhat, 3),
            "ess": round(found.diagnostics.ess), "divergences": found.diagnostics.divergences}  # fmt: skip
    rows = []
    for site in found.sites:
        draws = found.draws.flat(site)
        planted, draws = np.ravel(getattr(truth, site)), draws.reshape(len(draws), -1)
        kept = draws[np.linspace(0, len(draws) - 1, THINNED).round().astype(int)]
        low, high = np.quantile(draws, (0.05, 0.95), axis=0)
        for j, value in enumerate(planted):
            rows.append({**told, "parameter": _named(site, j), "planted": float(value),
                         "rank": int((kept[:, j] < value).sum()), "median": float(np.median(draws[:, j])),
                         "low": float(low[j]), "high": float(high[j]),
                         "covered": bool(low[j] <= value <= high[j])})  # fmt: skip
    return rows


def _named(site: str, j: int) -> str:
    if site == "coef":
        return f"{('yes', 'number')[j // len(ACTED_ON)]} on {NAMES[ACTED_ON[j % len(ACTED_ON)]]}"
    return site if site == "sigma" else f"{site} {NAMES[j]}"


def main() -> None:
    """Run the cohorts that are not there yet."""
    kind, first, last = ("prior", 0, 1) if SMALL else (sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    path = HERE / f"calibration_{kind}.csv"
    before = pl.read_csv(path) if path.exists() else pl.DataFrame()
    done = set(before["cohort"].to_list()) if len(before) else set()
    for number in range(first, last):
        if number in done:
            continue
        rows = pl.DataFrame(one(kind, number)).with_columns(pl.selectors.float().round_sig_figs(6))
        with path.open("a", encoding="utf-8") as file:
            file.write(rows.write_csv(include_header=file.tell() == 0))
        told = rows.row(0, named=True)
        print(number, told["seconds"], told["rhat"], told["ess"], told["refused"], rows["covered"].mean(), flush=True)


if __name__ == "__main__":
    main()

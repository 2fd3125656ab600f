"""Coverage of a virtual trial's interval where the truth is simple: members' means are normal, and so are patients.

Populations vary with variance tau2, the mean of a member's patients with variance 1 around it (the noise): how often an
interval from k members holds one more population depends on tau2 over the noise alone. The coverage of each simulated
interval is exact (normal distribution), so that the Monte Carlo error is that of the ensembles alone. Beside ours: with
nothing of the confidence in a variance below 0 spread above it (Nagashima, Noma & Furukawa, Stat Methods Med
2019;28:1689-1702), and Student's with k - 2 degrees of freedom and the estimated tau2 (Higgins, Thompson &
Spiegelhalter, J R Stat Soc A 2009;172:137-159).

    python benchmarks/virtual/two_stage.py            (1,000 ensembles a cell; writes results/virtual_two_stage.csv)
    python benchmarks/virtual/two_stage.py --small    (prints only)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
from scipy.special import ndtr
from scipy.stats import t as student

from reinfuse.simulation.population import random_effects
from reinfuse.simulation.population.random_effects import Moments, moments

RESULTS = Path(__file__).parents[1] / "results" / "virtual_two_stage.csv"
REPLICATES, PATIENTS = 1000, 20
MEMBERS = (10, 30, 100, 200)
RATIOS = (0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0, 10.0)
"""tau2 over the noise of a member's mean."""
Interval = Callable[[Moments, int], tuple[float, float]]


def ours(one: Moments, members: int) -> tuple[float, float]:
    """Return the interval of the program."""
    return one.limits() or (np.nan, np.nan)


def nagashima(one: Moments, members: int) -> tuple[float, float]:
    """Return the interval by the confidence distribution as published."""
    with patch.object(random_effects, "_SPREAD", 0.0):
        return ours(replace(one), members)  # a copy: what was computed before is cached


def higgins(one: Moments, members: int) -> tuple[float, float]:
    """Return the interval of a plugged-in variance."""
    half = student.ppf(0.975, members - 2) * np.sqrt(one.between * (1 + 1 / members) + one.sampling)
    return one.mean - half, one.mean + half


METHODS: dict[str, Interval] = {"ours": ours, "Nagashima 2019": nagashima, "Higgins 2009": higgins}


def ensemble(random: np.random.Generator, members: int, tau: float) -> Moments:
    """Return the moments of one ensemble: members' means, and sums of squares around them, of normal patients."""
    n = np.full(members, float(PATIENTS))
    mean = tau * random.standard_normal(members) + random.standard_normal(members)
    within = PATIENTS * random.chisquare(PATIENTS - 1, members)
    return moments(n, n * mean, within + n * mean**2)


def study(replicates: int) -> pl.DataFrame:
    """Return the coverage of each method in each cell."""
    rows = []
    for k, members in enumerate(MEMBERS):
        for j, ratio in enumerate(RATIOS):
            random, tau = np.random.default_rng([k, j]), np.sqrt(ratio)
            drawn = [ensemble(random, members, tau) for _ in range(replicates)]
            for name, method in METHODS.items():
                limits = np.array([method(one, members) for one in drawn]) / tau
                held = ndtr(limits[:, 1]) - ndtr(limits[:, 0])
                rows.append((members, ratio, name, replicates, held.mean(), held.std() / np.sqrt(replicates)))
    names = ["members", "ratio", "method", "replicates", "coverage", "standard_error"]
    return pl.DataFrame(rows, schema=names, orient="row")


def main(replicates: int) -> None:
    """Simulate all cells; write the full study."""
    whole = study(replicates)
    if replicates >= REPLICATES:
        whole.write_csv(RESULTS, float_precision=4)
    with pl.Config(tbl_rows=60):
        print(whole.pivot("method", index=["members", "ratio"], values="coverage"))


if __name__ == "__main__":
    main(2 if "--small" in sys.argv else REPLICATES)

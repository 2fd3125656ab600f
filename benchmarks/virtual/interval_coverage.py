"""Coverage of every interval of a virtual trial, over planted ensembles.

Populations with known outcomes, patients with known frailty who meet both arms with the same random numbers, and
selections of which the arms share all, some or few patients. The records of a trial are made of their sums (`records`);
counted: how often an interval holds the true value in one more population of the same kind, which is what it promises:
the share of 20,000 more populations that it holds, so that a cell's Monte Carlo error is that of its ensembles alone.

    python benchmarks/virtual/interval_coverage.py        (300 ensembles a setting; writes results/virtual_coverage.csv)
    python benchmarks/virtual/interval_coverage.py 100    (fewer; prints only)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit, logit

from reinfuse.simulation.trial.accumulators import Tally, binned, by_member, stacked
from reinfuse.simulation.trial.protocol import FactorialDesign, Protocols
from reinfuse.simulation.trial.records import SAME, SELECTED, records
from reinfuse.simulation.trial.trial import QUANTITIES

RESULTS = Path(__file__).parents[1] / "results" / "virtual_coverage.csv"
REPLICATES, POPULATIONS, FOLLOW = 300, 20_000, 365.0
GOAL = (0.93, 0.97)
PROTOCOLS = Protocols(
    grid=FactorialDesign(regimens=(("Cy", "Cy"), ("Cy-Flu", "Cy-Flu")), cart2_dose_cells_per_kg=(2e6,)),
    follow_days=FOLLOW,
)
RATES = {"response": (0.4, 0.6), "cr": (0.2, 0.3), "umrd_day28": (0.05, 0.1), "pfs_6_months": (0.03, 0.03),
         "seen_day28": (0.85, 0.9), "seen_day90": (0.5, 0.5), "seen_day180": (0.2, 0.1)}  # fmt: skip
"""Share with an outcome in each arm of the middle population."""
DAYS = {"pfs_days": (90.0, 150.0), "persistence_days": (17.0, 25.0)}
SEVERE, PEAK, NOISE = (0.1, 0.2), (1.0, 1.5), 0.8
HARDER = 0.4
"""How much less likely an outcome is in the patient who needs another infusion most."""
Truths = dict[str, tuple[np.ndarray, ...]]
_NODES, _MASSES = np.polynomial.hermite_e.hermegauss(31)
_MASSES = _MASSES / _MASSES.sum()


@dataclass(frozen=True)
class Setting:
    """One kind of ensemble: its members, the patients of each, how much populations differ (standard deviation on the
    scale of log odds or logarithm), and which patients the arms share."""

    members: int
    patients: int
    spread: float
    overlap: str


SETTINGS = tuple(Setting(100, n, s, o) for n, s, o in product((30, 100), (0.3, 1.0), ("all", "most", "some")))


@dataclass(frozen=True)
class Planted:
    """Populations: outcome by (populations, arms) on the scale of each quantity, and the patients of each arm, as
    limits of a uniform number."""

    at: dict[str, np.ndarray]
    low: np.ndarray
    high: np.ndarray


def populations(random: np.random.Generator, count: int, setting: Setting) -> Planted:
    """Draw populations: what the arms share of their differences is larger than what each has alone."""
    at = {}
    for name, (one, other) in (RATES | DAYS | {"crs_grade_3": SEVERE, "log10_peak": PEAK}).items():
        common, own = random.standard_normal((count, 1)), random.standard_normal((count, 2)) * [0.0, 1.0]
        middle = np.array([one, other])
        if name in RATES or name == "crs_grade_3":
            middle = logit(middle)
        elif name in DAYS:
            middle = np.log(middle)
        at[name] = middle + setting.spread * (0.8 * common + 0.6 * own)
    shares = expit(random.normal(0.0, 0.5, (count, 2)) + 0.3)
    if setting.overlap == "all":
        shares[:, 1] = shares[:, 0]
    low, high = np.zeros((count, 2)), shares.copy()
    if setting.overlap == "some":
        low[:, 1], high[:, 1] = 1 - shares[:, 1], 1.0
    return Planted(at, low, high)


def truth(of: Planted) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return the value of each quantity in arm 0, and the difference of arm 1 in the same patients and as selected."""
    both = np.maximum(of.low[:, 0], of.low[:, 1]), np.minimum(of.high[:, 0], of.high[:, 1])
    places = {"one": (of.low, of.high), "both": (both[0][:, None], both[1][:, None])}
    values = {}
    for name, at in of.at.items():
        each = {k: _mean(name, at, 0.5 * (low + high)) for k, (low, high) in places.items()}
        values[name] = each["one"][:, 0], *(each[k][:, 1] - each[k][:, 0] for k in ("both", "one"))
    return values


def _mean(name: str, at: np.ndarray, need: np.ndarray) -> np.ndarray:
    """Return the mean of patients whose mean need is `need`."""
    if name in RATES:
        return expit(at) * (1 - HARDER * need)
    if name in DAYS:
        return np.exp(at) * (1 - np.exp(-FOLLOW / np.exp(at)))
    if name == "crs_grade_3":
        return np.sum(_MASSES * expit(at[..., None] + NOISE * _NODES), axis=-1)
    return at + 0 * need


def tally(random: np.random.Generator, of: Planted, setting: Setting) -> Tally:
    """Return the sums over planted patients of both arms."""
    which = np.repeat(np.arange(setting.members), setting.patients)
    need, uniform, normal = (draw(len(which)) for draw in (random.random, random.random, random.standard_normal))
    wait, arms, reference = random.exponential(size=len(which)), list[Tally](), None
    for a in range(2):
        given = (need >= of.low[which, a]) & (need < of.high[which, a])
        values = np.column_stack([_patients(n, of.at[n][which, a], need, uniform, normal, wait) for n in QUANTITIES])
        reference = reference or (given, values)
        both, gain = given & reference[0], values - reference[1]
        ones, zeros = np.ones(len(which)), np.zeros((setting.members, 1))

        def by(who: np.ndarray, what: np.ndarray) -> np.ndarray:
            return by_member(what[who], which[who], members=setting.members)

        arms.append(Tally(by_member(ones, which, members=setting.members), by(given, ones), by(given, values),
                          by(given, values**2), by(both, ones), by(both, gain), by(both, gain**2), by(both, values),
                          by(both, values * reference[1]), zeros, zeros, binned(np.ones((1, 1))),
                          binned(np.ones(1))))  # fmt: skip
    return stacked(arms)


def _patients(name: str, at: np.ndarray, need: np.ndarray, uniform: np.ndarray, normal: np.ndarray,
              wait: np.ndarray) -> np.ndarray:  # fmt: skip
    if name in RATES:
        return (uniform < expit(at) * (1 - HARDER * need)).astype(np.float64)
    if name in DAYS:
        return np.minimum(np.exp(at) * wait, FOLLOW)
    return expit(at + NOISE * normal) if name == "crs_grade_3" else at + NOISE * normal


def more_populations(setting: Setting, seed: int) -> Truths:
    """Return the sorted values of each quantity (level, same patients, as selected) in many more populations, in each
    of which the arms share some patients."""
    drawn = populations(np.random.default_rng([seed, POPULATIONS]), POPULATIONS, setting)
    shared = drawn.high.min(axis=1) > drawn.low.max(axis=1)
    some = Planted({name: at[shared] for name, at in drawn.at.items()}, drawn.low[shared], drawn.high[shared])
    return {name: tuple(np.sort(v) for v in values) for name, values in truth(some).items()}


def covered(random: np.random.Generator, setting: Setting, *,
            more: Truths) -> Iterator[tuple[str, str, float, float, float, float]]:  # fmt: skip
    """Yield interval, quantity, the share of more populations that it holds, that lie below and above it, its width."""
    arms = [a.name for a in PROTOCOLS.all_arms]
    sums = tally(random, populations(random, setting.members, setting), setting)
    for e in records(PROTOCOLS, sums):
        name, log = ("log10_peak", np.log10) if e.endpoint == "peak" else (e.endpoint, float)
        level = e.group == arms[0] and e.model is None and e.statistic in ("proportion", "mean", "geometric_mean")
        if name not in more or not (level or (e.model and e.statistic != "probability_greater")):
            continue
        kind = 0 if level else {SAME: 1, SELECTED: 2}[str(e.model)]
        values = more[name][kind]
        low, high = (np.nan, np.nan) if e.lower is None else (float(log(e.lower)), float(log(e.upper)))
        below = float(np.searchsorted(values, low)) / len(values)
        above = 1 - float(np.searchsorted(values, high, side="right")) / len(values)
        held = 1 - below - above if e.lower is not None else 0.0
        yield ("level", "same patients", "as selected")[kind], name, held, below, above, high - low


def study(setting: Setting, replicates: int, seed: int) -> pl.DataFrame:
    """Return the coverage of each interval in a setting."""
    more = more_populations(setting, seed)
    rows = [row for k in range(replicates) for row in covered(np.random.default_rng([seed, k]), setting, more=more)]
    frame = pl.DataFrame(rows, schema=["interval", "quantity", "covered", "below", "above", "width"], orient="row")
    coverage = frame.group_by("interval", "quantity", maintain_order=True).agg(
        replicates=pl.len(), coverage=pl.col("covered").mean(),
        standard_error=pl.col("covered").std() / pl.len().sqrt(), below=pl.col("below").mean(),
        above=pl.col("above").mean(), width=pl.col("width").mean())  # fmt: skip
    return coverage.select(*(pl.lit(v).alias(n) for n, v in vars(setting).items()), pl.all())


def main(replicates: int) -> None:
    """Simulate all settings; write the full study."""
    parts = []
    for k, setting in enumerate(SETTINGS):
        parts.append(study(setting, replicates, k))
        part = parts[-1]["coverage"]
        print(setting, f"coverage {part.min():.3f} to {part.max():.3f}, mean {part.mean():.3f}", flush=True)
    whole = pl.concat(parts)
    _summary(whole)
    if replicates >= REPLICATES:
        whole.write_csv(RESULTS, float_precision=4)
    with pl.Config(tbl_rows=60):
        print(whole.filter(~pl.col("coverage").is_between(*GOAL)).sort("coverage"))


def _summary(whole: pl.DataFrame) -> None:
    """Print how many cells lie outside the goal, and by more than two standard errors."""
    under, over = (pl.col("coverage") < GOAL[0]), (pl.col("coverage") > GOAL[1])
    off = 2 * pl.col("standard_error")
    low, high, surely_low, surely_high = whole.select(
        low=under.sum(), high=over.sum(), surely_low=(pl.col("coverage") + off < GOAL[0]).sum(),
        surely_high=(pl.col("coverage") - off > GOAL[1]).sum()).row(0)  # fmt: skip
    print(f"of {whole.height} intervals {low} cover less than {GOAL[0]:.0%} ({surely_low} by two standard errors), "
          f"{high} more than {GOAL[1]:.0%} ({surely_high}); mean {whole['coverage'].mean():.4f}")  # fmt: skip


if __name__ == "__main__":
    main(1 if "--small" in sys.argv else int(sys.argv[1]) if len(sys.argv) > 1 else REPLICATES)

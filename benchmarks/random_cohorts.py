"""Small random cohorts, run whole: a report each time, no analysis that fails, every Firth limit where it must be.

Run: python benchmarks/random_cohorts.py [cohorts [every how many with documents]]. Cohorts of 4 to 60 patients, half of
them dated tables, half wide sheets with declared endpoints and late entry: ties, missing values, levels without an
event, factors of one level, outlying values, everybody censored, nobody responding, deaths on day 0. All analyses are
on, with few draws. Limits of Firth models are held against a maximiser of its own: a grid that closes in, then Nelder
and Mead's steps, on likelihoods written here. One line a cohort goes to results/random_cohorts.csv; a second run goes
on where the first ended, and the summary is written to results/random_cohorts.json.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize

from reinfuse import Plan, Study, read_cohort, save
from reinfuse.analyses import association
from reinfuse.exceptions import Refused
from reinfuse.runtime.boundary import STRICT
from reinfuse.statistics import firth

Floats = NDArray[np.float64]
SEED = 20210121
QUANTILE = 3.841458820694124
TOLERANCE = 5e-3
FARTHEST, STARTS = 800.0, 3
"""How far out the own maximiser looks, in standard deviations of a column, and from how many points it climbs."""
CHECKED = 6
"""Fits of each cohort whose limits are held against the own maximiser."""
RESULTS = Path(__file__).parent / "results"
FEW = {"draws": 99, "bootstraps": 10, "imputations": 2, "power": 20}
FIELDS = ("cohort", "kind", "patients", "outcome", "failed", "fits", "limits", "wrong_side", "checked", "wrong_fall",
          "not_estimable", "seconds")  # fmt: skip


def tables(rng: np.random.Generator, folder: Path) -> None:
    """Write dated tables of a random small cohort."""
    n = int(rng.integers(4, 61))
    ids = [f"P{i:03d}" for i in range(n)]
    second = rng.integers(20, 400, n)
    follow = np.where(rng.random(n) < 0.1, 0, np.ceil(rng.exponential(rng.choice([20, 200, 900]), n))).astype(int)
    dead = rng.random(n) < rng.choice([0.0, 0.3, 0.7, 1.0])
    last = second + follow
    missing = float(rng.choice([0.0, 0.1, 0.4]))

    def holes(values: Any) -> list[Any]:
        return [None if rng.random() < missing else v for v in values]

    def pick(values: list[Any], size: int = n) -> list[Any]:
        """Draw levels, at times one alone or one of them rarely."""
        p = rng.dirichlet(np.full(len(values), rng.choice([0.2, 1, 5])))
        return [values[i] for i in rng.choice(len(values), size, p=p)]

    pl.DataFrame({
        "patient_id": ids, "last_contact": last,
        "death": [int(d) if x else None for d, x in zip(last, dead, strict=True)],
        "death_cause": [str(rng.choice(["disease", "treatment", "other", "unknown"])) if x else None for x in dead],
        "diagnosis": pick(["ALL", "CLL", "NHL", "MM", "HL"]), "sex": holes(pick(["F", "M"])),
        "age_years": holes(np.round(rng.normal(58, 12, n).clip(18, 90), 1)),
    }).write_csv(folder / "patients.csv")  # fmt: skip
    doses = [2e5, 2e6, 2e7, 5.5e6]
    pl.DataFrame({
        "patient_id": ids + ids, "infusion": [1] * n + [2] * n, "day": [0] * n + second.tolist(),
        "dose_cells_per_kg": holes(pick(doses, 2 * n)), "prior_lines": holes(rng.integers(1, 9, 2 * n).tolist()),
        "lymphodepletion": holes(pick(["Cy/Flu", "Cy", "bendamustine", "none", "Flu"], 2 * n)),
        "bulky": holes(pick(["yes", "no"], 2 * n)),
        "ldh": holes(np.round(np.exp(rng.normal(5.5, 1, 2 * n)), 1).tolist()),
    }).write_csv(folder / "infusions.csv")  # fmt: skip
    answers = ["CR", "PR", "SD", "PD", "NE"] if rng.random() < 0.8 else ["SD", "PD"]
    seen = [(i, int(second[i] + d), a) for i in range(n)
            for d, a in zip((28, 90, 180, 365), pick(answers, 4), strict=True)
            if d <= follow[i] and rng.random() > missing / 2]  # fmt: skip
    _write(folder, "responses", seen, ids, ("response",))
    if rng.random() < 0.7:
        tests = [
            (i, int(second[i] + 28), a) for i, a in enumerate(pick(["undetectable", "detectable"])) if follow[i] >= 28
        ]
        _write(folder, "mrd", tests, ids, ("result",))
    if rng.random() < 0.7:
        grades = [0, 1, 2, 3, 4]
        toxic = [(i, int(second[i] + 2), 2, kind, int(g)) for kind in ("CRS", "ICANS")
                 for i, g in enumerate(pick(grades)) if follow[i] >= 2]  # fmt: skip
        _write(folder, "toxicities", toxic, ids, ("infusion", "kind", "grade"))
    if rng.random() < 0.6:
        kinds = ["anticancer", "allo-HCT", "supportive"]
        given = [(i, int(second[i] + follow[i] // 2), "other", str(rng.choice(kinds)))
                 for i in range(n) if follow[i] > 10 and rng.random() < 0.3]  # fmt: skip
        _write(folder, "therapies", given, ids, ("therapy", "kind"))
    if rng.random() < 0.5:
        counts = [(i, start + d, round(float(np.exp(rng.normal(3, 2))), 2), "cells/uL", 1.0)
                  for i in range(n) for start, most in ((0, int(second[i]) - 1), (int(second[i]), int(follow[i])))
                  for d in (7, 14, 21, 28, 90) if d <= most and rng.random() > 0.3]  # fmt: skip
        _write(folder, "counts", counts, ids, ("value", "unit", "lloq"))


def _write(folder: Path, name: str, rows: list[tuple[Any, ...]], ids: list[str], more: tuple[str, ...]) -> None:
    if rows:
        columns = ("patient_id", "day", *more)
        pl.DataFrame([(ids[row[0]], *row[1:]) for row in rows], schema=list(columns), orient="row").write_csv(
            folder / f"{name}.csv")  # fmt: skip


def sheet(rng: np.random.Generator, folder: Path) -> Plan:
    """Write a wide sheet of a random small cohort and return its plan: own endpoints, one with late entry."""
    n = int(rng.integers(4, 61))
    time_ = np.ceil(rng.exponential(rng.choice([5, 60, 600]), n))
    status = rng.choice(3, n, p=rng.dirichlet([1, 1, 1]))
    entry = np.floor(time_ * rng.uniform(0, 0.95, n))
    missing = float(rng.choice([0.0, 0.15]))

    def holes(values: Any) -> list[Any]:
        return [None if rng.random() < missing else v for v in values]

    levels = ["a", "b", "c", "d"][: int(rng.integers(1, 5))]
    frame = pl.DataFrame({
        "patient_id": [f"P{i:03d}" for i in range(n)], "months": time_, "since": entry,
        "ended": [int(s == 1) for s in status], "other": [int(s == 2) for s in status],
        "answer": holes([int(v) for v in rng.random(n) < rng.choice([0.0, 0.1, 0.5, 0.9])]),
        "arm": holes([str(v) for v in rng.choice(levels, n)]),
        "x": holes([str(v) for v in rng.choice(["yes", "no"], n)]),
        "marker": holes(np.round(np.exp(rng.normal(0, rng.choice([0.5, 2]), n)), 3).tolist()),
    })  # fmt: skip
    frame.write_csv(folder / "sheet.csv")
    factors = [{"name": "arm", "column": "arm", "reference": levels[0]}, {"name": "x", "column": "x"},
               {"name": "marker", "column": "marker"}]  # fmt: skip
    ends = [{"name": "progress", "time": "months", "event": "ended", "competing": "other"},
            {"name": "late", "time": "months", "entry": "since", "event": "ended"},
            {"name": "answer", "value": "answer"}]  # fmt: skip
    models = [{"endpoint": e["name"], "factors": ["x", "marker"]} for e in ends]
    return Plan.of({"factors": factors, "endpoints": ends, "models": models, "subgroups": [],
                    "standardise": {"exposures": ["x"], "confounders": ["arm"], "endpoints": ["progress", "answer"]},
                    "landmarks": [], "time_dependent": []})  # fmt: skip


def study(number: int, folder: Path) -> Study:
    """Return the study of one random cohort.

    Raises
    ------
    Refused
        Where the cohort or its plan is refused, such as a factor without a value.
    """
    rng = np.random.default_rng([SEED, number])
    if number % 2:
        plan, path = sheet(rng, folder), folder / "sheet.csv"
    else:
        tables(rng, folder)
        plan, path = Plan.built_in(), folder
    plan = plan.model_copy(update={"analyses": plan.analyses.model_copy(update=FEW)})
    return Study(read_cohort(path, plan.columns), plan)


class Limits:
    """Keeps every Firth fit of the associations, and holds limits against an own maximiser."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.fits: list[tuple[str, Floats, Floats, Floats | None, firth.FirthFit]] = []

    def __enter__(self) -> Limits:
        self.library = association.firth.fit

        def fit(kind: Any, X: Floats, event: Floats, time: Floats | None, confidence: float) -> firth.FirthFit:
            found = self.library(kind, X, event, time, confidence)
            self.fits.append((kind, X, event, time, found))
            return found

        association.firth.fit = fit
        return self

    def __exit__(self, *_: object) -> None:
        association.firth.fit = self.library

    def counts(self) -> dict[str, int]:
        """Return how many limits there are, lie on the wrong side, were checked, and are where the fall is wrong."""
        good = [f for f in self.fits if f[4].converged]
        ends = [(side, f.coef[j], b) for *_, f in good for j in range(len(f.coef))
                for side, b in ((-1, f.lower[j]), (1, f.upper[j]))]  # fmt: skip
        known = [e for e in ends if np.isfinite(e[2])]
        chosen = [good[i] for i in self.rng.permutation(len(good))[:CHECKED]]
        falls = [v for f in chosen for v in self._falls(*f)]
        return {"fits": len(self.fits), "limits": len(known), "not_estimable": len(ends) - len(known),
                "wrong_side": sum(bool(side * (b - at) <= 0) for side, at, b in known), "checked": len(falls),
                "wrong_fall": sum(bool(abs(v - QUANTILE) > TOLERANCE) for v in falls)}  # fmt: skip

    @staticmethod
    def _falls(kind: str, X: Floats, event: Floats, time: Floats | None, fit: firth.FirthFit) -> list[float]:
        scale = X.std(axis=0)
        Z = (X - X.mean(axis=0)) / scale
        value = _logistic(Z, event) if time is None else _cox(Z, event, time)
        k, first = len(fit.coef), int(time is None)
        if k + first > 3:  # more free coefficients than a grid can hold
            return []
        top = greatest(value, k + first, (first, float(fit.coef[0] * scale[0])))
        if k + first < 3:
            top = max(top, greatest(value, k + first))
        return [2 * (top - greatest(value, k + first, (first + j, float(b * scale[j])))) for j in range(k)
                for b in (fit.lower[j], fit.upper[j]) if np.isfinite(b)]  # fmt: skip


def greatest(value: Any, k: int, held: tuple[int, float] | None = None) -> float:
    """Return the greatest value of a likelihood of at most two free coefficients, one held or none."""
    free = [i for i in range(k) if held is None or i != held[0]]

    def at(rest: Floats) -> Floats:
        b = np.zeros((len(rest), k))
        b[:, free] = rest
        if held is not None:
            b[:, held[0]] = held[1]
        return np.asarray(value(b), dtype=np.float64)

    if not free:
        return float(at(np.zeros((1, 0)))[0])
    far = np.arcsinh(max(FARTHEST, 4 * abs(held[1]) if held else 0.0))  # the others follow a coefficient held far away
    axis = np.sinh(np.linspace(-far, far, 181 if len(free) == 1 else 61))
    grid = np.array(np.meshgrid(*[axis] * len(free))).reshape(len(free), -1).T
    if len(free) == 2:
        grid = np.vstack([grid, *(_crests(at, axis, i) for i in (0, 1))])
    best = -np.inf
    for start in _apart(grid, at(grid)):
        middle, width = start, np.maximum(0.4, 0.35 * np.abs(start))
        for _ in range(12):
            steps = np.array(np.meshgrid(*[np.linspace(-1, 1, 5)] * len(free))).reshape(len(free), -1).T * width
            here = at(middle + steps)
            middle, width = middle + steps[int(here.argmax())], width * 0.55
        best = max(best, _climbed(at, middle))
    return best


def _crests(at: Any, axis: Floats, i: int) -> Floats:
    """Return for each value of coefficient i where the other is best: a ridge may be narrower than any grid."""

    def both(other: Floats) -> Floats:
        pairs = np.stack([np.broadcast_to(axis[:, None], other.shape), other], axis=2)
        return pairs[:, :, [i, 1 - i]].reshape(-1, 2)

    fine = np.sinh(np.linspace(np.arcsinh(axis[0]), np.arcsinh(axis[-1]), 8 * len(axis)))
    middle, width = np.zeros(len(axis)), np.full(len(axis), np.inf)
    for _ in range(14):
        near = middle[:, None] + np.linspace(-1, 1, 9) * width[:, None] if np.isfinite(width[0]) else fine[None]
        near = np.broadcast_to(near, (len(axis), near.shape[1]))
        best = at(both(near)).reshape(near.shape).argmax(axis=1)
        middle = np.take_along_axis(near, best[:, None], axis=1)[:, 0]
        width = width / 2 if np.isfinite(width[0]) else np.maximum(0.05, 0.05 * np.abs(middle))
    return both(middle[:, None])


def _apart(grid: Floats, values: Floats) -> list[Floats]:
    """Return the best points of a grid of which none is near to a better one."""
    starts: list[Floats] = []
    for i in np.argsort(-values)[:200]:
        if len(starts) < STARTS and all(np.abs(np.arcsinh(grid[i]) - np.arcsinh(s)).max() > 0.7 for s in starts):
            starts.append(grid[i])
    return starts


def _climbed(at: Any, start: Floats) -> float:
    """Return the value to which Nelder and Mead's steps lead, begun anew: along a ridge no grid closes in."""

    def down(rest: Floats) -> float:
        return -float(at(rest[None])[0])

    for size in (0.2, 0.02):
        simplex = start + np.vstack([np.zeros(len(start)), np.diag(size * np.maximum(1.0, np.abs(start)))])
        options = {"xatol": 1e-7, "fatol": 1e-9, "maxiter": 1000, "initial_simplex": simplex}
        end = minimize(down, start, method="Nelder-Mead", options=options)
        start = end.x
    return -float(end.fun)


def _half_log_det(information: Floats) -> Floats:
    sign, value = np.linalg.slogdet(information)
    return np.where(sign > 0, value / 2, -1e6)


def _logistic(X: Floats, y: Floats) -> Any:
    full = np.column_stack([np.ones(len(y)), X])
    k = full.shape[1]
    outer = (full[:, :, None] * full[:, None, :]).reshape(len(y), k * k)

    def value(b: Floats) -> Floats:
        eta = b @ full.T
        p = 1 / (1 + np.exp(-np.clip(eta, -700, 700)))
        information = ((p * (1 - p)) @ outer).reshape(len(b), k, k)
        return np.asarray(eta @ y - np.logaddexp(0, eta).sum(axis=1) + _half_log_det(information))

    return value


def _cox(X: Floats, event: Floats, time: Floats) -> Any:
    k = X.shape[1]
    outer = (X[:, :, None] * X[:, None, :]).reshape(len(X), k * k)

    def value(b: Floats) -> Floats:
        total, information = np.zeros(len(b)), np.zeros((len(b), X.shape[1], X.shape[1]))
        for t, d in zip(*np.unique(time[event == 1], return_counts=True), strict=True):
            risk = X[time >= t]
            eta = b @ risk.T
            w = np.exp(eta - eta.max(axis=1, keepdims=True))
            log_sum = eta.max(axis=1) + np.log(w.sum(axis=1))
            total += b @ X[(time == t) & (event == 1)].sum(axis=0) - d * log_sum
            w /= w.sum(axis=1, keepdims=True)
            mean = w @ risk
            second = (w @ outer[time >= t]).reshape(len(b), k, k)
            information += d * (second - mean[:, :, None] * mean[:, None, :])
        return np.asarray(total + _half_log_det(information))

    return value


def one(number: int, documents: bool, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """Run one cohort, by all analyses or some, and return its line of the results."""
    began = time.process_time()
    warnings.simplefilter("ignore")
    line: dict[str, Any] = dict.fromkeys(FIELDS, 0) | {"cohort": number, "kind": "sheet" if number % 2 else "tables"}
    with tempfile.TemporaryDirectory() as place, Limits(np.random.default_rng([SEED, number, 1])) as limits:
        try:
            folder = Path(place) / "cohort"
            folder.mkdir()
            chosen = study(number, folder)
            findings = chosen.run(only=only)
            if documents:
                saved = save(findings, Path(place) / "out")
                told = json.loads((saved / "findings.json").read_text(encoding="utf-8"))["warnings"]
            else:
                told = findings.warnings
            failed = [w["text"] for w in told if w["about"] == "failed"]
            line |= {"patients": findings.described.patients, "outcome": "report" if documents else "findings",
                     "failed": "; ".join(failed)}  # fmt: skip
        except Refused as refused:
            line |= {"outcome": "refused", "failed": "; ".join(dict.fromkeys(p.rule for p in refused.problems))}
        except Exception as error:  # it is what this study is to find
            frame = traceback.extract_tb(error.__traceback__)[-1]
            line |= {
                "outcome": "crashed",
                "failed": f"{type(error).__name__} {Path(frame.filename).name}:{frame.lineno}",
            }
    return line | limits.counts() | {"seconds": round(time.process_time() - began, 2)}


def summary(lines: list[dict[str, str]]) -> dict[str, Any]:
    """Return the sums over all cohorts."""
    outcomes = Counter(line["outcome"] for line in lines)
    failed = Counter(f.partition(": failed")[0] + " (" + f.partition("(")[2].partition(")")[0] + ")"
                     for line in lines if line["outcome"] in ("report", "findings") and line["failed"] not in ("", "0")
                     for f in line["failed"].split("; ") if ": failed" in f)  # fmt: skip
    sums = {name: sum(int(line[name]) for line in lines) for name in FIELDS[5:11]}
    return {"cohorts": len(lines), **dict(outcomes), "failures": dict(failed), **sums,
            "crashes": [line["failed"] for line in lines if line["outcome"] == "crashed"],
            "refusals": dict(Counter(line["failed"] for line in lines if line["outcome"] == "refused"))}  # fmt: skip


def main(cohorts: int, every: int) -> None:
    """Run the cohorts that have no line yet, and write the summary."""
    os.environ.pop(STRICT, None)
    path = RESULTS / "random_cohorts.csv"
    done = set()
    if path.is_file():
        done = {int(line["cohort"]) for line in csv.DictReader(path.open(encoding="utf-8"))}
    for number in range(cohorts):
        if number in done:
            continue
        line = one(number, number % every == 0)
        fresh = not path.is_file()
        with path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            if fresh:
                writer.writeheader()
            writer.writerow(line)
    lines = list(csv.DictReader(path.open(encoding="utf-8")))
    (RESULTS / "random_cohorts.json").write_text(json.dumps(summary(lines), indent=1) + "\n", encoding="utf-8")


def small() -> None:
    """Run a cohort and write nothing."""
    line = one(9000, False)
    assert line["outcome"] == "findings", line
    assert not line["failed"], line
    assert line["checked"], line
    assert not any(line[fault] for fault in ("wrong_side", "wrong_fall")), line


if __name__ == "__main__":
    given = [int(a) for a in sys.argv[1:] if a != "--small"] or [2000]
    if "--small" in sys.argv:
        small()
    else:
        main(given[0], given[1] if len(given) > 1 else 20)

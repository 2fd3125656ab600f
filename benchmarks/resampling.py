"""Model averaging over 10 factors and 2,000 bootstrap refits at n = 44, beside the same loops with lifelines and R.

The answers are compared first: log-likelihoods of all 1,023 subsets and coefficients of all refits, without penalty, as
lifelines and coxph have none; where an estimate runs away (separated draws) they are left out and counted. Run: make
bench.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import lifelines
import numpy as np
import pandas as pd
import polars as pl

from reinfuse.analyses import bootstrap_stability, model_averaging
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.statistics import firth_batch

HERE = Path(__file__).parent
SMALL = "--small" in sys.argv
N, FACTORS, REFITS = (44, 4, 100) if SMALL else (44, 10, 2000)
RUNS_AWAY = 4.0  # beyond it each program stops by a rule of its own


def data(rng):
    """Return ten factors, three of them yes/no, exponential times without ties, a fifth of them censored."""
    X = rng.normal(size=(N, FACTORS))
    X[:, :3] = X[:, :3] > 0.5
    event_time = rng.exponential(200, size=N) * np.exp(-0.8 * X[:, 0] + 0.4 * X[:, 3])
    censored = rng.exponential(800, size=N)
    return X, np.minimum(event_time, censored), (event_time <= censored).astype(float)


def timed(work):
    start = time.perf_counter()
    answer = work()
    return answer, time.perf_counter() - start


def ours(X, t, event, weights):
    """Return seconds of averaging, of refits, of selection in every bootstrap sample; and unpenalised answers."""
    end = EndpointColumn("pfs", "PFS", "time", event, t)
    factors = [FactorColumn(f"x{j}", f"x{j}", "number", pl.Series(X[:, j])) for j in range(FACTORS)]
    design = bootstrap_stability.design_of(end, factors)
    _, average = timed(lambda: model_averaging.averaged(end, factors))
    _, refits = timed(lambda: bootstrap_stability._fit(X, design, weights))
    _, selection = timed(lambda: bootstrap_stability.stability(end, factors, REFITS, rng=np.random.default_rng(1)))
    used = np.array(list(itertools.product((False, True), repeat=FACTORS)))[1:]
    rows = len(used)
    plain = firth_batch.cox(X, np.tile(t, (rows, 1)), np.tile(event, (rows, 1)), used=used, penalised=False)
    boot = firth_batch.cox(X, np.tile(t, (REFITS, 1)), np.tile(event, (REFITS, 1)), weights=weights, penalised=False)
    names = ["".join(str(int(v)) for v in u) for u in used]
    return (
        {"averaging": average, "refits": refits, "selection": selection},
        dict(zip(names, plain.value, strict=True)),
        boot,
    )


def theirs(X, t, event, weights):
    """Return seconds and answers of lifelines."""
    names = [f"x{j}" for j in range(FACTORS)]
    frame = pd.DataFrame(X, columns=names).assign(time=t, event=event)

    def fit(columns, w=None):
        fitter = lifelines.CoxPHFitter()
        rows = frame[[*columns, "time", "event"]]
        if w is None:
            return fitter.fit(rows, "time", "event")
        return fitter.fit(rows.assign(w=w)[w > 0], "time", "event", weights_col="w", robust=False)

    def averaged():
        every = [used for used in itertools.product((0, 1), repeat=FACTORS) if any(used)]
        return {"".join(map(str, used)): fit([n for n, u in zip(names, used, strict=True) if u]).log_likelihood_
                for used in every}  # fmt: skip

    def refitted():
        coef = np.full((REFITS, FACTORS), np.nan)
        for i, w in enumerate(weights):
            try:
                coef[i] = fit(names, w).params_.to_numpy()
            except lifelines.exceptions.ConvergenceError:
                continue
        return coef

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logs, average = timed(averaged)
        coef, refits = timed(refitted)
    return {"averaging": average, "refits": refits}, logs, coef


def by_r(X, t, event, weights):
    """Return seconds and answers of R."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(FACTORS)]).assign(time=t, event=event)
        frame.to_csv(place / "d.csv", index=False)
        pd.DataFrame(weights).to_csv(place / "w.csv", index=False)
        files = [place / "d.csv", place / "w.csv", place / "o.json"]
        subprocess.run(["Rscript", str(HERE / "resampling.R"), *files], check=True)
        told = json.loads((place / "o.json").read_text())
    coef = np.array([[np.nan if v is None else v for v in row] for row in told["coef"]], dtype=float)
    seconds = {k: told[k] for k in ("averaging", "refits")}
    return seconds, dict(zip(told["subsets"], told["loglik"], strict=True)), coef, told["versions"]


def compared(boot, coef):
    """Return the greatest difference of coefficients and how many refits were compared."""
    good = boot.converged & np.isfinite(coef).all(axis=1) & (np.abs(coef) < RUNS_AWAY).all(axis=1)
    return {"difference": float(np.abs(boot.coef[good] - coef[good]).max()), "compared": int(good.sum())}


def main():
    rng = np.random.default_rng(20261123)
    X, t, event = data(rng)
    weights = bootstrap_stability.resampled(N, REFITS, rng=rng)
    seconds, logs, boot = ours(X, t, event, weights)
    life, life_logs, life_coef = theirs(X, t, event, weights)
    r, r_logs, r_coef, versions = by_r(X, t, event, weights)
    agree = {
        name: {"log-likelihood of subsets": max(abs(logs[k] - v) for k, v in found.items()),
               "coefficients of refits": compared(boot, coef)}
        for name, found, coef in (("lifelines", life_logs, life_coef), ("R coxph", r_logs, r_coef))
    }  # fmt: skip
    print(json.dumps(agree, indent=1))
    for told in agree.values():
        assert told["log-likelihood of subsets"] < 1e-4
        assert told["coefficients of refits"]["difference"] < 1e-3
        assert told["coefficients of refits"]["compared"] > 0.8 * REFITS
    others = {"lifelines": life, "R coxph": r}
    ratios = {k: {name: o[k] / seconds[k] for name, o in others.items()} for k in ("averaging", "refits")}
    told = {"seconds": {"reinfuse": seconds, **others}, "ratios": ratios, "agreement": agree,
            "events": int(event.sum()),
            "versions": {"lifelines": version("lifelines"), "numpy": version("numpy"), **versions}}  # fmt: skip
    if not SMALL:
        (HERE / "results" / "resampling.json").write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()

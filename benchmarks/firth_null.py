"""Type I error and coverage of the association models at n = 44: what Firth's penalty gives, and what it does not.

Run: python benchmarks/firth_null.py [replicates | --small].
One yes/no factor without effect, prevalence 15 % or 50 %; a binary
endpoint (40 % with the event) and a time to event (about 30 % censored). Beside it, in the same replicates, unpenalised
Wald tests. Writes results/firth_null.csv. Replicates with a constant factor or outcome are drawn again and counted.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import polars as pl
from lifelines import CoxPHFitter

from reinfuse.statistics import firth

N, SEED, LEVEL, Z = 44, 20210121, 0.95, 1.959963984540054


def draw(rng: np.random.Generator, prevalence: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw a factor, a binary outcome, a time and its event flag, all independent."""
    x = (rng.random(N) < prevalence).astype(float)
    y = (rng.random(N) < 0.4).astype(float)
    time, censored = rng.exponential(100, N), rng.exponential(233, N)
    return x[:, None], y, np.minimum(time, censored), (time <= censored).astype(float)


def wald(kind: str, x: np.ndarray, event: np.ndarray, time: np.ndarray) -> tuple[float, float] | None:
    """Return the unpenalised estimate and standard error, or None where it does not exist."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "logistic":
            a, b = event[x[:, 0] == 1].sum(), (1 - event[x[:, 0] == 1]).sum()
            c, d = event[x[:, 0] == 0].sum(), (1 - event[x[:, 0] == 0]).sum()
            if min(a, b, c, d) == 0:
                return None
            return float(np.log(a * d / (b * c))), float(np.sqrt(1 / a + 1 / b + 1 / c + 1 / d))
        if firth.monotone(x, event, time=time).any():
            return None
        import pandas as pd

        fitted = CoxPHFitter().fit(pd.DataFrame({"x": x[:, 0], "t": time, "e": event}), "t", "e")
        return float(fitted.params_["x"]), float(fitted.standard_errors_["x"])


def cell(kind: str, prevalence: float, replicates: int) -> dict[str, object]:
    """Simulate one cell."""
    rng = np.random.default_rng([SEED, int(100 * prevalence), len(kind)])
    rejected = covered = failed = again = done = wald_rejected = wald_missing = 0
    while done < replicates:
        x, y, time, flag = draw(rng, prevalence)
        event = y if kind == "logistic" else flag
        if np.ptp(x) == 0 or np.ptp(event) == 0:
            again += 1
            continue
        done += 1
        fit = firth.fit(kind, x, event, time if kind == "cox" else None, LEVEL)  # type: ignore[arg-type]
        if not np.isfinite([fit.p_value[0], fit.lower[0], fit.upper[0]]).all():
            failed += 1
            continue
        rejected += fit.p_value[0] < 1 - LEVEL
        covered += fit.lower[0] <= 0 <= fit.upper[0]
        other = wald(kind, x, event, time)
        wald_missing += other is None
        wald_rejected += other is not None and abs(other[0] / other[1]) > Z
    usable = done - failed
    rate = rejected / usable
    return {
        "model": kind, "n": N, "prevalence": prevalence, "replicates": done, "drawn_again": again, "failed": failed,
        "firth_rejected": round(rate, 4), "monte_carlo_se": round(float(np.sqrt(rate * (1 - rate) / usable)), 4),
        "firth_covered": round(covered / usable, 4), "wald_rejected": round(wald_rejected / usable, 4),
        "wald_does_not_exist": round(wald_missing / usable, 4),
    }  # fmt: skip


def main(replicates: int) -> None:
    """Simulate every cell and write the results."""
    rows = [cell(kind, prevalence, replicates) for kind in ("logistic", "cox") for prevalence in (0.15, 0.5)]
    table = pl.DataFrame(rows)
    print(table)
    if replicates >= 2000:
        table.write_csv(Path(__file__).resolve().parent / "results" / "firth_null.csv")


if __name__ == "__main__":
    main(20 if "--small" in sys.argv else int(sys.argv[1]) if len(sys.argv) > 1 else 2000)

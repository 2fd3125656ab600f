"""The same curves, tests and Cox models as reinfuse's, from its patients.csv, by lifelines.

Run: python benchmarks/by_lifelines.py PATIENTS JSON. Names as in large_cohort.R. lifelines has no logistic model, and
handles ties by Efron's method only.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import median_survival_times

GROUPS = ("cart1_cy_flu", "cart2_cy_flu", "dose_increase", "bulky", "diagnosis", "sex")
NUMBERS = ("log2_dose_ratio", "interval_days", "age_years", "prior_lines")
RATES = (182.625, 365.25, 730.5)
PER = {"age_years": 10, "interval_days": 30}


def columns(data: pd.DataFrame, factor: str) -> dict[str, pd.Series]:
    """Return a factor's columns, one a term."""
    values = data[factor]
    if factor in NUMBERS:
        return {factor: values / PER.get(factor, 1)}
    counts = values.value_counts()
    reference = "no" if set(counts.index) <= {"yes", "no"} else counts.index[0]
    rest = sorted(set(counts.index) - {reference})
    return {factor if reference == "no" else f"{factor}={level}": (values == level).astype(float).where(values.notna())
            for level in rest}  # fmt: skip


def curve(days: pd.Series, event: pd.Series) -> tuple[list[float], list[list[float]]]:
    """Return the median, and the rates, each with its limits."""
    fitted = KaplanMeierFitter().fit(days, event)
    band = fitted.confidence_interval_survival_function_
    limits = median_survival_times(band).to_numpy()[0]
    at = [band.iloc[band.index.searchsorted(day, side="right") - 1].tolist() for day in RATES]
    rates = fitted.survival_function_at_times(RATES).tolist()
    return [fitted.median_survival_time_, *limits], [[r, *a] for r, a in zip(rates, at, strict=True)]


def effects(data: pd.DataFrame, end: str, factors: tuple[str, ...]) -> dict[str, list[float]]:
    """Fit one Cox model; the p-value of a model of one term is of its likelihood ratio, else Wald's."""
    made = {name: column for f in factors for name, column in columns(data, f).items()}
    frame = pd.DataFrame(made).assign(t=data[f"{end}_days"], e=data[f"{end}_event"] == "yes").dropna()
    fitted = CoxPHFitter().fit(frame, "t", "e")
    table = fitted.summary
    ratio = [float(fitted.log_likelihood_ratio_test().p_value)] if len(made) == 1 else []
    return {name: [*table.loc[name, ["coef", "coef lower 95%", "coef upper 95%"]], *ratio] for name in made}


def main(patients: Path, out: Path) -> None:
    """Fit everything and write the answers."""
    data = pd.read_csv(patients, low_memory=False)
    told: dict[str, dict] = {"medians": {}, "rates": {}, "log_rank": {}, "effects": {}}
    for end in ("pfs", "os", "dor", "ttnt"):
        known = data[data[f"{end}_days"].notna()]
        days, event = known[f"{end}_days"], (known[f"{end}_event"] == "yes").astype(int)
        parts = {"all": np.ones(len(known), dtype=bool)}
        for group in GROUPS:
            parts |= {f"{group}={level}": known[group] == level for level in sorted(known[group].dropna().unique())}
            have = known[group].notna()
            test = multivariate_logrank_test(days[have], known[group][have], event[have])
            told["log_rank"][f"{end} {group}"] = float(test.p_value)
        for name, mask in parts.items():
            told["medians"][f"{end} {name}"], rates = curve(days[mask], event[mask])
            told["rates"] |= {f"{end} {name} {at:g}": rate for at, rate in zip(RATES, rates, strict=True)}
        for factor in (*GROUPS, *NUMBERS) if end != "ttnt" else ():
            told["effects"] |= {f"univariable {end} {t}": v for t, v in effects(known, end, (factor,)).items()}
    both = effects(data, "pfs", ("cart1_cy_flu", "dose_increase"))
    told["effects"] |= {f"multivariable pfs {term}": value for term, value in both.items()}
    out.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

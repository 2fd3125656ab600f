"""Response rates of virtual patients as scenarios: the arms of a virtual trial, from its folder of results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from reinfuse.evidence.design.demands import Demands
from reinfuse.tabular.csv_files import read_csv

_OPTION = "--virtual"
_REMEDY = "name the folder that `reinfuse virtual trial` wrote"
_COLUMNS = ("analysis", "endpoint", "statistic", "group", "estimate", "lower", "upper")


@dataclass(frozen=True)
class RateScenario:
    """The rate of an arm of virtual patients, with its prediction interval."""

    name: str
    rate: float
    lower: float
    upper: float


def virtual_rates(folder: Path, demands: Demands, *, endpoint: str = "response") -> tuple[RateScenario, ...]:
    """Return the rates of an endpoint in the arms of a virtual trial.

    Parameters
    ----------
    folder
        Written by `reinfuse virtual trial`.
    demands
        Takes what is wrong with it.
    endpoint
        A proportion of the trial: ``response``, ``cr``, ...
    """
    try:
        frame = read_csv(folder / "estimates.csv", as_texts=True)
    except (OSError, pl.exceptions.PolarsError):
        demands.refuse(_OPTION, folder.name, rule="holds no estimates.csv that can be read", remedy=_REMEDY)
        return ()
    if not set(_COLUMNS) <= set(frame.columns) or frame.filter(pl.col("analysis") == "virtual").is_empty():
        demands.refuse(_OPTION, folder.name, rule="holds no results of a virtual trial", remedy=_REMEDY)
        return ()
    levels = frame.filter((pl.col("analysis") == "virtual") & (pl.col("statistic") == "proportion"))
    rows = levels.filter((pl.col("endpoint") == endpoint) & pl.col("estimate").is_not_null())
    if rows.is_empty():
        listed = ", ".join(sorted(set(levels["endpoint"].to_list()) - {"given"}))
        demands.refuse(_OPTION, endpoint, rule="is no proportion of this trial", remedy=f"there are: {listed}")
    return tuple(
        RateScenario(
            row["group"], float(row["estimate"]), float(row["lower"] or row["estimate"]),
            float(row["upper"] or row["estimate"]),
        )
        for row in rows.iter_rows(named=True)
    )  # fmt: skip

"""Kaplan-Meier curves, and their points as a frame (`curves.csv`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from reinfuse.arrays import Floats

CurveKey = tuple[str, str, str | None]
"""Endpoint, population and group."""
CURVE_POINTS = ("time", "survival", "lower", "upper", "at_risk", "events", "censored")
CURVE_SCHEMA: dict[str, Any] = {"endpoint": pl.String, "population": pl.String, "group": pl.String, "n": pl.Int64,
                                **dict.fromkeys(CURVE_POINTS, pl.Float64)}  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """A Kaplan-Meier curve: values just after each distinct time, and the numbers behind them.

    Attributes
    ----------
    time, survival, lower, upper
        Days and probabilities; NaN where a limit is not defined.
    at_risk, events, censored
        Patients at each time.
    """

    time: Floats
    survival: Floats
    lower: Floats
    upper: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    n: int

    @property
    def n_events(self) -> int:
        """Number of events."""
        return round(float(self.events.sum()))


def curves_frame(curves: Mapping[CurveKey, Curve]) -> pl.DataFrame:
    """Return the points of every curve."""
    frames = [pl.DataFrame({"endpoint": key[0], "population": key[1], "group": key[2], "n": curve.n,
                            **{name: getattr(curve, name) for name in CURVE_POINTS}},
                           schema=CURVE_SCHEMA) for key, curve in curves.items()]  # fmt: skip
    return pl.concat([pl.DataFrame(schema=CURVE_SCHEMA), *frames]).with_columns(pl.selectors.float().fill_nan(None))


def read_curves(frame: pl.DataFrame, texts: Mapping[str, str]) -> dict[CurveKey, Curve]:
    """Return the curves of a frame that `curves_frame` made; an unknown limit is NaN again."""
    curves: dict[CurveKey, Curve] = {}
    for (endpoint, population, group), points in frame.group_by("endpoint", "population", "group", maintain_order=True):
        columns = {n: points[n].fill_null(float("nan")).to_numpy().astype(np.float64) for n in CURVE_POINTS}
        of = str(population), None if group is None else str(group)
        key = (str(endpoint), texts.get(of[0], of[0]), None if of[1] is None else texts.get(of[1], of[1]))
        curves[key] = Curve(**columns, n=int(points["n"][0]))
    return curves

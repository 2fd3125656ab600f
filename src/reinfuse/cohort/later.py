"""What is learnt after time zero: factors as known on a landmark day, and the day on which a factor changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reinfuse.cohort import endpoints
from reinfuse.cohort.analysed import Analysed
from reinfuse.cohort.declared import EndpointColumn
from reinfuse.cohort.factors import FactorColumn

Floats = NDArray[np.float64]
LABELS = {"response": "Response", "umrd_day28": "Undetectable MRD", "transplant": "Allogeneic transplant"}
DAYS = {"response": "response_day", "umrd_day28": "umrd_day28_day", "transplant": "transplant_day"}
"""The column that holds the day on which each was learnt."""


@dataclass(frozen=True)
class Switch:
    """A factor that is no for everybody at time zero and turns yes on a day, NaN = never."""

    name: str
    label: str
    day: Floats = field(repr=False)


def at_landmark(endpoint: EndpointColumn, day: float) -> tuple[EndpointColumn, int]:
    """Return the endpoint counted from a landmark day, and how many patients had ended before or on it."""
    time = np.asarray(endpoint.time)
    there = endpoint.known & (time > day)
    shifted = replace(endpoint, event=np.where(there, endpoint.event, np.nan), time=np.where(there, time - day, np.nan),
                      competing=None)  # fmt: skip
    return shifted, int(endpoint.known.sum() - there.sum())


def factor_at(name: str, day: float, data: Analysed) -> tuple[FactorColumn | None, str]:
    """Return a factor as known on a landmark day, or None and the reason why there is none.

    Response: yes where the first response was made by then, else no. uMRD: the test that counts as that of day 28,
    where it was made by then, else not known.
    """
    own = next((f for f in data.later if f.name == name), None) or data.factor(name)
    if own is not None:
        late = own.known_at is not None and own.known_at > day
        return (None, f"known on day {own.known_at:g} only") if late else (own, "")
    when = DAYS[name]
    if when not in data.frame.columns:
        return None, f"the data do not say on which day ({when})"
    by_then = (pl.col(when) <= day).fill_null(False)
    if name == "umrd_day28":
        values = data.frame.select(v=pl.when(by_then).then(pl.col(name)))["v"]
        found = _yes_no(name, values, day) if values.null_count() < len(values) else None
        return found, "" if found else "no test by then"
    return _yes_no(name, data.frame.select(v=endpoints.words(by_then))["v"], day), ""


def _yes_no(name: str, values: pl.Series, day: float) -> FactorColumn:
    return FactorColumn(name, f"{LABELS[name]} by day {day:g}", "binary", values.alias(name), ("no", "yes"))


def switch(name: str, data: Analysed) -> tuple[Switch | None, str]:
    """Return on which day a factor turned yes for each patient, or None and the reason why there is none."""
    if DAYS[name] not in data.frame.columns:
        return None, f"the data do not say on which day ({DAYS[name]})"
    day = data.frame[DAYS[name]].cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
    return (Switch(name, LABELS[name], day), "") if (~np.isnan(day)).any() else (None, "no patient has it")

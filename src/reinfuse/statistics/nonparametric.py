"""The one module that knows greenwood: each function takes and gives arrays.

Times in days; a patient is at risk at t if the time is >= t and, where patients come late, the entry < t.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reinfuse.arrays import Floats

_STATES = ["censored", "event", "competing"]


def _surv(time: Floats, event: Floats, *, entry: Floats | None = None) -> Any:
    import greenwood as gw

    status = event.astype(np.int64)
    return gw.Surv(time, event=status) if entry is None else gw.Surv(entry, time2=time, event=status)


def _states(time: Floats, event: Floats, *, competing: Floats) -> Any:
    """Categories are declared: of bare codes the library takes the lowest for censoring, even if nobody is censored."""
    import greenwood as gw

    codes = np.where(event == 1, "event", np.where(competing == 1, "competing", "censored"))
    return gw.Surv(time=time, event=pl.Series(codes.tolist(), dtype=pl.Enum(_STATES)), type="mstate")


def kaplan_meier(time: Floats, event: Floats, confidence: float, *, entry: Floats | None = None) -> tuple[Floats, ...]:
    """Return time, survival, its log-log limits, numbers at risk, events and censorings at each distinct time."""
    import greenwood as gw

    fit: Any = gw.KaplanMeier(conf_type="log-log", conf_level=confidence)
    with np.errstate(all="ignore"):
        table = fit.fit(_surv(time, event, entry=entry)).to_frame(format="polars")
    names = ("time", "estimate", "conf_low", "conf_high", "n_risk", "n_event", "n_censor")
    return tuple(table[c].to_numpy().astype(np.float64) for c in names)


def log_rank(time: Floats, event: Floats, groups: NDArray[np.str_]) -> float | None:
    """Return the p-value of the log-rank test; None where no event compares the groups."""
    import greenwood as gw

    try:
        result: Any = gw.logrank_test(_surv(time, event), group=groups)
    except np.linalg.LinAlgError:
        return None
    return float(result.p_value)


def aalen_johansen(time: Floats, event: Floats, competing: Floats, *, confidence: float) -> tuple[Floats, ...]:
    """Return time, cumulative incidence of the event and its log-log limits."""
    import greenwood as gw

    fit: Any = gw.AalenJohansen(conf_type="log-log", conf_level=confidence)
    with np.errstate(all="ignore"):
        table = fit.fit(_states(time, event, competing=competing)).to_frame(format="polars")
    of_event = table.filter(table["cause"] == "event")
    return tuple(of_event[c].to_numpy() for c in ("time", "estimate", "conf_low", "conf_high"))


def gray(time: Floats, event: Floats, competing: Floats, *, groups: Sequence[str]) -> tuple[float, float]:
    """Return statistic and p-value of Gray's test of equal cumulative incidence; NaN where it has none."""
    import greenwood as gw

    try:
        with np.errstate(all="ignore"):
            result: Any = gw.grays_test(_states(time, event, competing=competing), group=list(groups), cause="event")
    except (np.linalg.LinAlgError, ValueError):
        return float("nan"), float("nan")
    return float(result.statistic), float(result.p_value)


def schoenfeld(X: Floats, time: Floats, event: Floats, *, transform: str) -> tuple[Floats, Floats] | None:
    """Return statistics and p-values of proportional hazards, of each column and, last, of all; None = not possible."""
    import greenwood as gw

    try:
        with np.errstate(all="ignore"):
            fit: Any = gw.CoxPH(ties="breslow").fit(_surv(time, event), X)
            table = fit.cox_zph(transform=transform).to_frame(format="polars")
    except (np.linalg.LinAlgError, ValueError, RuntimeError):
        return None
    return table["chisq"].to_numpy().astype(np.float64), table["p_value"].to_numpy().astype(np.float64)

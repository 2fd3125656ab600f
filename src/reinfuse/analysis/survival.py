"""Kaplan-Meier, reverse Kaplan-Meier and log-rank; the one module that knows greenwood.

Conventions. Times in days, from the index infusion; a patient is at risk at t if the time is >= t. Intervals of the
survival probability on the log-log scale with Greenwood's variance (Kalbfleisch and Prentice, The Statistical
Analysis of Failure Time Data, 2002, section 1.4). Median: the first time at which the curve is at or below one half;
where it is flat at exactly one half, the middle of that step. Its limits invert the limits of the curve in the
same way (Brookmeyer and Crowley, Biometrics 1982;38:29-41). Follow-up: the same with events and censorings
exchanged (Schemper and Smith, Control Clin Trials 1996;17:343-346).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reinfuse.analysis.estimate import NOT_ESTIMABLE, NOT_REACHED, Estimate, finite

Floats = NDArray[np.float64]
METHOD = "Kaplan-Meier, log-log CI"
FOLLOW_UP_METHOD = "reverse Kaplan-Meier, log-log CI"
LOG_RANK = "log-rank test"
CUMULATIVE = "Aalen-Johansen cumulative incidence, log-log CI"
_HALF_TOLERANCE = 1e-8


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


def kaplan_meier(time: Floats, event: Floats, confidence: float) -> Curve:
    """Fit the product-limit estimator.

    Parameters
    ----------
    time, event
        Days and 1 or 0, of the same length, none missing, at least one patient.
    """
    import greenwood as gw

    fit: Any = gw.KaplanMeier(conf_type="log-log", conf_level=confidence)
    with np.errstate(all="ignore"):
        table = fit.fit(gw.Surv(time=time, event=event.astype(np.int64))).to_frame(format="polars")
    names = ("time", "estimate", "conf_low", "conf_high", "n_risk", "n_event", "n_censor")
    t, s, low, high, risk, died, censored = (table[c].to_numpy().astype(np.float64) for c in names)
    return Curve(t, s, low, high, risk, died, censored, len(time))


def half_time(time: Floats, level: Floats) -> float | None:
    """Return when a falling step function first is at or below one half, or None.

    Steps where the level is NaN are passed over. A step at exactly one half gives the middle of the step, if the
    level falls further.
    """
    reached = ~np.isnan(level) & (level < 0.5 + _HALF_TOLERANCE)
    if not reached.any():
        return None
    times, levels = time[reached], level[reached]
    further = levels < levels[0] - _HALF_TOLERANCE
    if abs(levels[0] - 0.5) < _HALF_TOLERANCE and further.any():
        return float(times[0] + times[further][0]) / 2
    return float(times[0])


def _at(curve: Curve, day: float) -> tuple[float | None, float | None, float | None, str | None]:
    """Return survival at a day with its limits, or the reason why there is none."""
    before = np.flatnonzero(curve.time <= day)
    last = float(curve.time[-1])
    if day > last and curve.survival[-1] > 0:
        return None, None, None, f"{NOT_ESTIMABLE}: beyond the last follow-up, day {last:g}"
    if not before.size or curve.events[before].sum() == 0:
        return 1.0, None, None, f"no event by then: interval {NOT_ESTIMABLE}"
    i = before[-1]
    lower, upper = finite(curve.lower[i]), finite(curve.upper[i])
    note = None if lower is not None and upper is not None else f"interval {NOT_ESTIMABLE}"
    return float(curve.survival[i]), lower, upper, note


def median(curve: Curve, confidence: float, endpoint: str, population: str, group: str | None,
           statistic: str = "median", method: str = METHOD) -> Estimate:  # fmt: skip
    """Return the median time of a curve."""
    values = [half_time(curve.time, level) for level in (curve.survival, curve.lower, curve.upper)]
    note = NOT_REACHED if values[0] is None else "upper limit not reached" if values[2] is None else None
    if values[1] is None:
        note = f"{note}; lower limit not reached" if note else "lower limit not reached"
    return Estimate("survival", endpoint, statistic, population, group, estimate=values[0], lower=values[1],
                    upper=values[2], confidence=confidence, unit="days", method=method, n=curve.n,
                    events=curve.n_events, note=note)  # fmt: skip


def survival(time: Floats, event: Floats, confidence: float, endpoint: str, population: str, group: str | None,
             days: Sequence[float], ticks: Sequence[float]) -> tuple[list[Estimate], Curve | None]:  # fmt: skip
    """Return median, survival at `days`, numbers at risk at `ticks`, and the curve."""
    if not len(time):
        note = f"{NOT_ESTIMABLE}: no patient with a known time"
        return [Estimate("survival", endpoint, "median", population, group, confidence=confidence, unit="days",
                         method=METHOD, n=0, events=0, note=note)], None  # fmt: skip
    curve = kaplan_meier(time, event, confidence)
    made = [median(curve, confidence, endpoint, population, group)]
    for day in days:
        value, lower, upper, why = _at(curve, day)
        made.append(Estimate("survival", endpoint, "rate_at", population, group, None, None, day, value, lower, upper,
                             confidence, None, "fraction", METHOD, curve.n, curve.n_events, why))  # fmt: skip
    for tick in ticks:
        there = int((time >= tick).sum())
        made.append(Estimate("survival", endpoint, "at_risk", population, group, at=tick, estimate=float(there),
                             unit="patients", method="count", n=curve.n, events=curve.n_events))  # fmt: skip
    return made, curve


def follow_up(time: Floats, event: Floats, confidence: float, endpoint: str, population: str) -> list[Estimate]:
    """Return the median follow-up by the reverse Kaplan-Meier method; `events` counts the censored patients."""
    if not len(time):
        return []
    curve = kaplan_meier(time, 1 - event, confidence)
    return [median(curve, confidence, endpoint, population, None, "median_follow_up", FOLLOW_UP_METHOD)]


def log_rank(time: Floats, event: Floats, groups: NDArray[np.str_], endpoint: str, term: str,
             population: str = "all") -> Estimate:  # fmt: skip
    """Return the log-rank test of equal curves in all groups."""
    import greenwood as gw

    n, events = len(time), int(event.sum())
    record = {"n": n, "events": events, "method": LOG_RANK}
    if len(set(groups)) < 2 or events == 0:
        why = "only one group" if events else "no event"
        return Estimate("survival", endpoint, "p_value", population, term=term, note=f"{NOT_ESTIMABLE}: {why}",
                        **record)  # type: ignore[arg-type]  # fmt: skip
    try:
        result: Any = gw.logrank_test(gw.Surv(time=time, event=event.astype(np.int64)), group=groups)
        p = finite(float(result.p_value))
    except np.linalg.LinAlgError:
        p = None
    note = None if p is not None else f"{NOT_ESTIMABLE}: no event while groups could be compared"
    return Estimate("survival", endpoint, "p_value", population, term=term, estimate=p, p_value=p, note=note,
                    **record)  # type: ignore[arg-type]  # fmt: skip


def cumulative_incidence(time: Floats, event: Floats, competing: Floats, confidence: float, endpoint: str,
                         population: str, days: Sequence[float]) -> list[Estimate]:  # fmt: skip
    """Return the cumulative incidence of an event at `days`, the competing event accounted for."""
    import greenwood as gw

    n, events = len(time), int(event.sum())
    what: dict[str, Any] = {"unit": "fraction", "method": CUMULATIVE, "n": n, "events": events,
                            "confidence": confidence}  # fmt: skip
    if not n or events == 0:
        note = f"{NOT_ESTIMABLE}: no patient" if not n else f"no event: interval {NOT_ESTIMABLE}"
        value = 0.0 if n else None
        return [Estimate("competing", endpoint, "rate_at", population, at=day, estimate=value, note=note, **what)
                for day in days if not n or day <= time.max()]  # fmt: skip
    # Categories are declared: of bare codes the library takes the lowest for censoring, even if nobody is censored.
    codes = np.where(event == 1, "event", np.where(competing == 1, "competing", "censored"))
    code = pl.Series(codes.tolist(), dtype=pl.Enum(["censored", "event", "competing"]))
    fit: Any = gw.AalenJohansen(conf_type="log-log", conf_level=confidence)
    with np.errstate(all="ignore"):
        table = fit.fit(gw.Surv(time=time, event=code, type="mstate")).to_frame(format="polars")
    mine = table.filter(table["cause"] == "event")
    at, value, low, high = (mine[c].to_numpy() for c in ("time", "estimate", "conf_low", "conf_high"))
    made = []
    for day in days:
        before = np.flatnonzero(at <= day)
        if day > time.max():
            note = f"{NOT_ESTIMABLE}: beyond the last follow-up, day {time.max():g}"
            made.append(Estimate("competing", endpoint, "rate_at", population, at=day, note=note, **what))
            continue
        i = before[-1] if before.size else None
        some = i is not None and value[i] > 0
        limits = (finite(low[i]), finite(high[i])) if some else (None, None)
        why = None if None not in limits else f"interval {NOT_ESTIMABLE}"
        made.append(Estimate("competing", endpoint, "rate_at", population, at=day, estimate=float(value[i]) if some
                             else 0.0, lower=limits[0], upper=limits[1], note=why, **what))  # fmt: skip
    return made

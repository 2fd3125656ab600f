"""From how few patients, and how far from 1, a ratio of exposure is still given: one rule for all models of the counts.

Two or three patients give a ratio of 1e-20 as readily as one of 2, in any unit that the data do not span. A ratio is
not estimable from fewer than `FEWEST` patients, or fewer than `FEWEST_EVENTS` with the outcome (of a response also
without it); one beyond `FARTHEST` to either side is not told, nor is such a limit: the data do not say how far it is.
"""

from __future__ import annotations

from dataclasses import replace

from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined

FEWEST = 5
FEWEST_EVENTS = 3
FARTHEST = 1e4
_RATIOS = ("ratio", "time_ratio", "odds_ratio", "hazard_ratio")


def within_reach(e: Estimate) -> Estimate:
    """Return a record as it may be told; what is no ratio as it is."""
    if e.statistic not in _RATIOS or (e.estimate is None and e.lower is None and e.upper is None):
        return e
    if (why := _few(e)) is not None:
        note = joined([f"{NOT_ESTIMABLE}: {why}", e.note])
        return replace(e, estimate=None, lower=None, upper=None, p_value=None, note=note)
    far = f"beyond {FARTHEST:,.0f}-fold"
    estimate, lower, upper = (v if v is None or 1 / FARTHEST <= v <= FARTHEST else None
                              for v in (e.estimate, e.lower, e.upper))  # fmt: skip
    truncated = f"a limit is {far}" if (lower, upper) != (e.lower, e.upper) else None
    if estimate is None and e.estimate is not None:
        truncated = f"{NOT_ESTIMABLE}: the ratio is {far}"
    return replace(e, estimate=estimate, lower=lower, upper=upper, note=joined([truncated, e.note]))


def _few(e: Estimate) -> str | None:
    """Return why there are too few; the events of a ratio of exposure are its patients."""
    n, events = e.n or 0, e.events or 0
    patients = events if e.statistic == "ratio" else n
    if patients < FEWEST:
        return f"{patients} patient{'' if patients == 1 else 's'}, fewer than {FEWEST}"
    fewest = {"ratio": patients, "odds_ratio": min(events, n - events)}.get(e.statistic, events)
    if fewest >= FEWEST_EVENTS:
        return None
    return f"fewer than {FEWEST_EVENTS} patients with{' or without' if e.statistic == 'odds_ratio' else ''} the event"

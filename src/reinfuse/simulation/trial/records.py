"""Records of a virtual trial: each quantity in each arm, and beside the reference arm."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from reinfuse.arrays import Floats
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite
from reinfuse.simulation.population.random_effects import (
    CONFIDENCE,
    METHOD,
    SHARE,
    Bounds,
    Moments,
    difference,
    moments,
)
from reinfuse.simulation.trial.accumulators import WEEK, Tally, quantile
from reinfuse.simulation.trial.protocol import Protocols
from reinfuse.simulation.trial.trial import COUNTED, QUANTITIES, SHARES, bounds_of, unread

ANALYSIS = "virtual"
SAME = "same patients"
"""The contrast in patients who had the studied infusion in both arms: the protocol's causal effect, in the model."""
SELECTED = "as selected"
"""The difference between those who had it in each arm: the difference observed in a study."""
_PEAK = "log10_peak"


def records(protocols: Protocols, tally: Tally) -> Iterator[Estimate]:
    """Yield the records of a trial; a quantity that the follow-up is too short to read has the reason as its note."""
    arms, follow = protocols.all_arms, protocols.follow_days
    short = unread(follow)
    for a, arm in enumerate(arms):
        met, given = tally.met[:, a].sum(), tally.given[:, a].sum()
        yield Estimate(ANALYSIS, "given", "proportion", group=arm.name, estimate=float(given / met), n=int(met),
                       events=int(given), method="share of virtual patients given the last infusion")  # fmt: skip
        for q, name in enumerate(QUANTITIES):
            if name in short:
                yield Estimate(ANALYSIS, name, "proportion", group=arm.name, n=int(given), note=short[name])
                continue
            bounds = bounds_of(name, follow)
            pooled = moments(tally.given[:, a], tally.total[:, a, q], tally.square[:, a, q])
            yield _level(name, arm.name, pooled, bounds=bounds)
            if a:
                either = None if bounds is None else (-bounds[1], bounds[1])
                yield from _contrasts(name, arm.name, arms[0].name, tally=tally, a=a, q=q, bounds=either)
        yield from _quantiles(arm.name, tally, a=a)


def _level(name: str, arm: str, pooled: Moments, *, bounds: Bounds | None) -> Estimate:
    if name == _PEAK:
        return _record(name="peak", statistic="geometric_mean", arm=arm, pooled=pooled, power=True, unit="cells/uL")
    share = name in SHARES
    return _record(name=name, statistic="proportion" if share else "mean", arm=arm, pooled=pooled, bounds=bounds,
                   unit=None if share else "days")  # fmt: skip


def as_selected(tally: Tally, a: int, *, q: int) -> Moments:
    """Return the difference of a quantity between those given the infusion in an arm and those given it in the
    reference, many of whom are the same."""
    one, other = ((tally.given[:, k], tally.total[:, k, q], tally.square[:, k, q]) for k in (a, 0))
    here = tally.shared[:, a, q]
    return difference(one, other, (tally.both[:, a], here, here - tally.gain[:, a, q], tally.product[:, a, q]))


def _contrasts(name: str, arm: str, reference: str, *, tally: Tally, a: int, q: int,
               bounds: Bounds | None) -> Iterator[Estimate]:  # fmt: skip
    same = moments(tally.both[:, a], tally.gain[:, a, q], tally.gain_square[:, a, q])
    selected = as_selected(tally, a, q=q)
    for model, pooled in ((SAME, same), (SELECTED, selected)):
        peak, share = name == _PEAK, name in SHARES
        statistic = "ratio" if peak else "risk_difference" if share else "mean_difference"
        yield _record(name="peak" if peak else name, statistic=statistic, arm=arm, pooled=pooled, power=peak,
                      model=model, term=reference, unit=None if share or peak else "days", bounds=bounds)  # fmt: skip
        if model == SAME:
            chance = finite(pooled.above(bounds))
            yield Estimate(ANALYSIS, "peak" if peak else name, "probability_greater", group=arm, model=model,
                           term=reference, estimate=chance, n=pooled.n, method=METHOD,
                           note=None if chance is not None else NOT_ESTIMABLE)  # fmt: skip


def _record(name: str, statistic: str, arm: str, *, pooled: Moments, power: bool = False, bounds: Bounds | None = None,
            model: str | None = None, term: str | None = None, unit: str | None = None) -> Estimate:  # fmt: skip
    value, (low, high) = finite(pooled.mean), pooled.limits(bounds) or (None, None)
    if power:
        value, low, high = (None if v is None else float(10**v) for v in (value, low, high))
    events = round(pooled.mean * pooled.n) if bounds == SHARE and value is not None else None
    return Estimate(ANALYSIS, name, statistic, group=arm, model=model, term=term, estimate=value, lower=low, upper=high,
                    confidence=None if low is None else CONFIDENCE, unit=unit, method=METHOD, n=pooled.n, events=events,
                    note=NOT_ESTIMABLE if value is None else None)  # fmt: skip


def _quantiles(arm: str, tally: Tally, *, a: int) -> Iterator[Estimate]:
    n = int(tally.peaks[a].sum())
    for statistic, share in (("median", 0.5), ("iqr_low", 0.25), ("iqr_high", 0.75)):
        value = finite(quantile(tally.peaks[a], share))
        yield Estimate(ANALYSIS, "peak", statistic, group=arm, estimate=value, unit="cells/uL", n=n,
                       method="quantile of virtual patients, to 2.5 %",
                       note=NOT_ESTIMABLE if value is None else None)  # fmt: skip


def curves(protocols: Protocols, tally: Tally) -> pl.DataFrame:
    """Return curves by arm: `what` (pfs, persistence), day, value and 95 % limits over populations and patients."""
    parts = []
    for a, arm in enumerate(protocols.all_arms):
        for what, sums in (("pfs", tally.free), ("persistence", tally.detectable)):
            for w in range(sums.shape[2]):
                pooled = moments(tally.given[:, a], sums[:, a, w], sums[:, a, w])
                low, high = pooled.limits(SHARE) or (None, None)
                parts.append((arm.name, what, w * WEEK, finite(pooled.mean), low, high, pooled.n))
    return pl.DataFrame(parts, schema=["arm", "what", "day", "value", "low", "high", "n"], orient="row")


def courses(protocols: Protocols, tally: Tally) -> pl.DataFrame:
    """Return quantiles of CAR-T cells by arm and day: median, quartiles (cells/uL), patients counted."""
    days = COUNTED[protocols.follow_days >= COUNTED]
    parts = []
    for a, arm in enumerate(protocols.all_arms):
        for d, day in enumerate(days):
            bins = tally.courses[a, d]
            parts.append(
                (arm.name, float(day), *(finite(quantile(bins, s)) for s in (0.25, 0.5, 0.75)), int(bins.sum()))
            )
    return pl.DataFrame(parts, schema=["arm", "day", "q1", "median", "q3", "n"], orient="row")


def by_member(tally: Tally, arm: int, quantity: str) -> Floats:
    """Return the mean of a quantity in each member; NaN where nobody was given the infusion."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = tally.total[:, arm, QUANTITIES.index(quantity)] / tally.given[:, arm]
    return means

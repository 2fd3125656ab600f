"""All integer risk tables that agree with a published Kaplan-Meier curve within its reading error.

A table is (n_k, d_k) of every step (`curve_reading`); its heights are S_k = S_(k-1) (1 - d_k / n_k). It agrees where no
height misses what was read by more than `REACH` standard deviations, and every number at risk and mark is met. What
comes after step k depends on (m_k, S_k) alone, so that tables are counted as paths through layers of such states:

(1) From (m, S) each n <= m that the gap allows, and each d whose S (1 - d / n) is near enough, leads to (n - d, S').
(2) States of equal m and S are one. Where a layer has more than `MOST_STATES`, states of equal m whose S differ by
    less than a fraction of the reading error are one, with their mean S; the count is then approximate.
(3) The weight of a path is the normal likelihood of its heights, a Poisson weight of constant rate of the patients
    censored in each gap (Guyot's assumption, as a distribution), and `TIE` for each further event at one step.
(4) From the last layer backwards all paths are listed where they are few; else they are drawn, each with its
    probability. The most likely table is the path of greatest weight (Viterbi).

Guyot P et al, BMC Med Res Methodol 2012;12:9 (numbers at risk from curves); Rabiner LR, Proc IEEE 1989;77:257-286
(forward sums, backward draws, best path).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import gammaln, logsumexp

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.statistics.curve_reading import CurveReading, Gap, ambiguous
from reinfuse.statistics.table_paths import Layer, best_path, drawn_paths, every_path, ranges, tables_of

REACH = 4.0
"""Standard deviations of the reading error within which a height agrees."""
MOST_STATES = 6000
MOST_LISTED = 5000
TIE = 0.01
_MARK_HIDDEN = 0.05
_PARTS_OF_ERROR = 8
_SAME = 1e-9


class NoTable(Exception):
    """No table agrees; `step` is the first step that none reaches."""

    def __init__(self, step: int) -> None:
        super().__init__(f"no risk table agrees with the curve at step {step + 1}")
        self.step = step


@dataclass(frozen=True)
class RiskTables:
    """Tables that agree with a curve.

    Attributes
    ----------
    at_risk, events
        Shape (tables, k): n_k and d_k.
    weight
        Shape (tables,), sums to 1: equal for draws.
    count
        Number of tables that agree.
    complete
        Every table is listed.
    exact
        The count is exact.
    best
        Place of the most likely table among the rows.
    """

    at_risk: Integers
    events: Integers
    weight: Floats
    count: float
    complete: bool
    exact: bool
    best: int


def agreeing_tables(reading: CurveReading, *, draws: int = 1000, seed: int = 20_260) -> RiskTables:
    """Return the tables that agree with a curve: all where they are few, else draws by their probability.

    Parameters
    ----------
    reading
        The curve.
    draws
        Tables that are drawn where there are more than `MOST_LISTED`.
    seed
        Of the draws.

    Raises
    ------
    NoTable
        If none agrees.

    Examples
    --------
    Four patients, steps to 0.75 and 0.375: one of the three who go on was censored between.

    >>> import numpy as np
    >>> from reinfuse.statistics import risk_tables
    >>> from reinfuse.statistics.curve_reading import CurveReading
    >>> curve = CurveReading(np.array([1.0, 3.0]), np.array([0.75, 0.375]), 0.01, 4.0, np.array([0.0]), np.array([4]))
    >>> tables = risk_tables.agreeing_tables(curve)
    >>> tables.at_risk.tolist(), tables.events.tolist(), tables.complete
    ([[4, 2]], [[1, 1]], True)
    """
    layers = _layers(reading)
    last = layers[-1]
    end = reading.gaps[-1]
    closed = last.left >= max(end.least, end.marks or 0, int(end.end > end.start))
    closed |= (last.left == 0) & (end.least == 0) & (last.height == 0)
    if reading.events is not None:
        closed &= last.had == reading.events
    if not closed.any():
        raise NoTable(len(reading.time) - 1)
    final = np.where(closed, last.log + _censored(end, last.left, np.zeros_like(last.left), rate=_rate(reading)),
                     -np.inf)  # fmt: skip
    count = float(last.count[closed].sum())
    exact = all(layer.exact for layer in layers)
    best = best_path(layers, np.where(closed, last.score, -np.inf) + final - last.log)
    if count <= MOST_LISTED:
        paths, log = every_path(layers, np.flatnonzero(closed), final=final)
    else:
        paths, log = drawn_paths(layers, final, draws=draws, seed=seed)
    at_risk, events, log = _agreeing(reading, *tables_of(layers, paths), log)
    at_risk, events, log, place = _with_best(at_risk, events, log, best=tables_of(layers, best))
    weight = np.exp(log - logsumexp(log))
    return RiskTables(at_risk, events, weight, count, count <= MOST_LISTED and exact, exact, place)


def _agreeing(
    reading: CurveReading, at_risk: Integers, events: Integers, log: Floats
) -> tuple[Integers, Integers, Floats]:
    """Return the tables that agree by their own heights: those of merged states may miss by a little more."""
    height = np.cumprod(1 - events / at_risk, axis=1)
    use = np.all(np.abs(height - reading.survival) <= REACH * reading.error * (1 + _SAME) + _SAME, axis=1)
    return at_risk[use], events[use], log[use]


def _with_best(at_risk: Integers, events: Integers, log: Floats,
               *, best: tuple[Integers, Integers]) -> tuple[Integers, Integers, Floats, int]:  # fmt: skip
    """Return the tables with the most likely one among them: where draws missed it, as one row more."""
    same = np.flatnonzero(np.all((at_risk == best[0]) & (events == best[1]), axis=1))
    if len(same):
        return at_risk, events, log, int(same[0])
    rows = (np.concatenate([at_risk, best[0]]), np.concatenate([events, best[1]]))
    return *rows, np.append(log, -np.inf if len(log) else 0.0), len(at_risk)


def _rate(reading: CurveReading) -> float:
    """Return the rate of the censoring weight: the patients without an event, over the time of the curve."""
    lowest = float(reading.survival[-1]) if len(reading.survival) else 1.0
    return max(reading.patients * lowest, 1.0) / max(reading.end, 1e-12)


def _layers(reading: CurveReading) -> list[Layer]:
    """Return the layers of states, the first before any step, each pruned to those that later numbers allow."""
    every, rate, least = reading.gaps, _rate(reading), int(reading.every_row_is_a_step)
    needed = _needed(every, least)
    zero, one = np.zeros(1), np.zeros(1, np.int64)
    layers = [Layer(np.array([reading.patients]), np.ones(1), one, zero, zero, np.ones(1), one[:0], one[:0], one[:0],
                     zero[:0], True)]  # fmt: skip
    for k in range(len(reading.time)):
        layer = _next_layer(reading, layers[-1], every[k], k=k, needed=needed[k + 1], rate=rate)
        if not len(layer.left):
            raise NoTable(k)
        layers.append(layer)
    return layers


def _needed(every: list[Gap], least: int) -> list[int]:
    """Return the patients who must be left after each step, so that all later numbers and steps can be."""
    needed = [every[-1].least]
    for gap in reversed(every[:-1]):
        needed.append(max(gap.least, needed[-1] + least))
    return needed[::-1]


def _next_layer(reading: CurveReading, before: Layer, gap: Gap, *, k: int, needed: int, rate: float) -> Layer:
    least, reach = int(reading.every_row_is_a_step), REACH * reading.error
    wanted = float(reading.survival[k])
    lowest = max(needed + least, 1)
    highest = np.minimum(before.left, gap.most)
    highest = np.where(before.left >= gap.least, highest, 0)
    parent, at_risk = ranges(np.full_like(highest, lowest), highest)
    allowed = _marks_allow(gap, before.left[parent] - at_risk)
    parent, at_risk = parent[allowed], at_risk[allowed]
    share = before.height[parent]
    fewest = np.ceil(at_risk * (1 - (wanted + reach) / np.maximum(share, 1e-12)) - _SAME)
    greatest = np.floor(at_risk * (1 - (wanted - reach) / np.maximum(share, 1e-12)) + _SAME)
    greatest = np.minimum(greatest, at_risk - needed)
    place, events = ranges(np.maximum(fewest, least).astype(np.int64), greatest.astype(np.int64))
    parent, at_risk = parent[place], at_risk[place]
    left = at_risk - events
    use = np.ones(len(left), bool)
    for printed in ambiguous(reading, k):
        use &= ~((at_risk > printed) & (left < printed))
    parent, at_risk, events, left = parent[use], at_risk[use], events[use], left[use]
    height = before.height[parent] * left / at_risk
    edge = -0.5 * ((height - wanted) / reading.error) ** 2 + np.log(TIE) * np.maximum(events - 1, 0) * least
    edge = edge + _censored(gap, before.left[parent], at_risk, rate=rate)
    had = before.had[parent] + events if reading.events is not None else np.zeros_like(left)
    return _merged(before, reading, (parent, at_risk, left, had), height=height, edge=edge)


def _marks_allow(gap: Gap, censored: Integers) -> Bools:
    if gap.marks is None:
        return np.ones(len(censored), bool)
    return censored == 0 if gap.marks == 0 else censored >= gap.marks


def _censored(gap: Gap, left: Integers, at_risk: Integers, *, rate: float) -> Floats:
    """Return the log weight of the patients censored in a gap from `left` to `at_risk`."""
    if gap.marks is not None:
        weight: Floats = np.log(_MARK_HIDDEN) * np.maximum(left - at_risk - gap.marks, 0)
        return weight
    times = [gap.start, *(time for time, _ in gap.inner), gap.end]
    counts = [left, *(np.full_like(left, number) for _, number in gap.inner), at_risk]
    log = np.zeros(len(left))
    for (start, end), (more, fewer) in zip(pairwise(times), pairwise(counts), strict=True):
        censored = np.maximum(more - fewer, 0)
        log += censored * np.log(max(rate * (end - start), 1e-6)) - gammaln(censored + 1.0)
    return log


def _merged(before: Layer, reading: CurveReading, edges: tuple[Integers, Integers, Integers, Integers], *,
            height: Floats, edge: Floats) -> Layer:  # fmt: skip
    """Return the layer whose states are those that edges lead to, equal ones as one."""
    parent, at_risk, left, had = edges
    exact = True
    keys = _keys(left, had, height / _SAME)
    if len(np.unique(keys)) > MOST_STATES:
        keys, exact = _keys(left, had, height * _PARTS_OF_ERROR / reading.error), False
    _, first, child = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(child, kind="stable")
    parent, at_risk, child, edge, height = parent[order], at_risk[order], child[order], edge[order], height[order]
    states = len(first)
    top = np.full(states, -np.inf)
    path = before.log[parent] + edge
    np.maximum.at(top, child, path)
    weight = np.exp(path - top[child])
    total = np.bincount(child, weight, states)
    score = np.full(states, -np.inf)
    np.maximum.at(score, child, before.score[parent] + edge)
    paths: Floats = np.bincount(child, before.count[parent], states).astype(np.float64)
    return Layer(
        left[first], np.bincount(child, weight * height, states) / np.maximum(total, 1e-300), had[first],
        top + np.log(np.maximum(total, 1e-300)), score, paths,
        parent, child, at_risk, edge, exact,
    )  # fmt: skip


def _keys(left: Integers, had: Integers, height: Floats) -> Integers:
    """Return one number for each state; of states with equal numbers left and events, heights are rounded."""
    rounded = np.rint(height).astype(np.int64)
    key: Integers = (left * 4096 + had) * (1 << 34) + rounded
    return key

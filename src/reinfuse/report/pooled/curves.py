"""The centre-averaged survival curves of a pooled study: a figure with a step a month, and no mark of a patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from reinfuse.pooling.combining import PooledResults
from reinfuse.pooling.pooled_descriptions import CENTRE_AVERAGED
from reinfuse.report.document.model import Picture
from reinfuse.report.figures.km import GroupCurve, Panel, curves, points
from reinfuse.report.figures.theme import Drawn, finish
from reinfuse.report.text import number_format
from reinfuse.results.curves import Curve
from reinfuse.results.estimate import Estimate

NOTE = (
    "Mean of the centres' Kaplan-Meier estimates, weights their patients, at months that every centre tells: another "
    "estimand than the curve of all patients together, which cannot be had from sums. Between these months the curve "
    "is not known."
)


def curve_figures(results: PooledResults, records: Sequence[Estimate]) -> Iterator[Picture]:
    """Yield a figure for each time to event that every centre tells."""
    for end in results.study.endpoints:
        own = [e for e in records if e.endpoint == end and e.method == CENTRE_AVERAGED and e.estimate is not None]
        if own:
            yield Picture(_drawn(results.study.endpoint_label(end), end, own), NOTE)


def _drawn(label: str, end: str, own: Sequence[Estimate]) -> Drawn:
    nothing = np.full(len(own), np.nan)
    survival, lower, upper = (
        np.array([np.nan if v is None else v for v in values])
        for values in zip(*((e.estimate, e.lower, e.upper) for e in own), strict=True)
    )
    curve = Curve(
        np.array([e.at or 0.0 for e in own]), survival, lower, upper, nothing, nothing, nothing, own[0].n or 0
    )
    last = own[-1]
    arm = GroupCurve("All centres", curve, last, ())
    low, high = (number_format.percent(v, last.n or 0) if v is not None else "–" for v in (last.lower, last.upper))
    share = f"{number_format.percent(last.estimate or 0.0, last.n or 0)} ({number_format.limits(low, high)})"
    month = number_format.month(last.at or 0.0)
    key = [("All centres", number_format.count(last.n), number_format.count(last.events), share)]
    title = f"{label}, centre-averaged"
    panel = Panel(("", "n", "Events", f"At month {month} ({number_format.level(last.confidence)})"), what=label)
    figure, _ = curves(title, [arm], key, panel=panel, columns=1, since="the index infusion")
    alt = f"{title}: {share} at month {month}, {last.n} patients, {last.events} events."
    return finish(figure, f"centre_averaged_{end}", title, alt, False, points([arm]), columns=1)

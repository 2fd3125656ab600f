"""Cumulative incidence of competing events, from one set of patients, with numbers at risk."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from reinfuse.report.figures.km import GroupCurve, Panel, curves, ends, points
from reinfuse.report.figures.theme import Columns, Drawn, finish
from reinfuse.report.text import number_format
from reinfuse.results.estimate import Estimate


def incidence(
    name: str,
    title: str,
    arms: Sequence[GroupCurve],
    *,
    rates: Sequence[Sequence[Estimate]],
    synthetic: bool,
    columns: Columns = 1,
    remark: str = "",
) -> Drawn:
    """Draw incidences: of events that compete with each other, or of one event in groups.

    Parameters
    ----------
    arms
        Curves whose `survival` is one minus the incidence; `median` any record that holds n and events.
    rates
        For each curve, incidences at set times; the last one stands in the key.
    remark
        A line under the key.
    """
    last = [r[-1] if r else None for r in rates]
    month = next((number_format.month(r.at) for r in last if r is not None), "")
    heads = ("", "n", "Events", f"At {month} months" if month else "")
    key = [(a.label, number_format.count(a.median.n), number_format.count(a.median.events),
            number_format.share(r) if r else "")
           for a, r in zip(arms, last, strict=True)]  # fmt: skip
    figure, _ = curves(
        title,
        arms,
        key,
        panel=Panel(heads, down=False, what="Cumulative incidence"),
        columns=columns,
        since="the index infusion",
        remark=remark,
    )
    parts = [
        f"{arm.label}: " + ", ".join(f"{number_format.share(r)} at {number_format.month(r.at)} months" for r in of_arm)
        for arm, of_arm in zip(arms, rates, strict=True)
    ]
    one = pl.lit(1.0)
    data = points(arms).rename({"survival": "incidence"}).with_columns(
        incidence=one - pl.col("incidence"), lower=one - pl.col("upper"), upper=one - pl.col("lower"))  # fmt: skip
    label = f" {remark}." if remark else ""
    alt = f"Cumulative incidence, {title}. " + "; ".join(parts) + f".{label}{ends(arms, apart=False)}"
    return finish(figure, name, title, alt, synthetic, data, columns=columns)

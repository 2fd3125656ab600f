"""The patients of a centre who belong to a study: those without a value of a factor that it needs are excluded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from reinfuse.arrays import Bools
from reinfuse.cohort.analysis_set import ID, AnalysisSet
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn


def with_values(data: AnalysisSet, needed: tuple[str, ...]) -> AnalysisSet:
    """Return the patients with a value of every factor that is needed; the others are excluded for want of it.

    Parameters
    ----------
    needed
        Names of factors; of one that the cohort lacks nothing is done.
    """
    columns = [column for name in needed if (column := data.factor(name)) is not None]
    inside = np.ones(data.frame.height, dtype=np.bool_)
    flow = data.flow
    for column in columns:
        lacking = inside & column.values.is_null().to_numpy()
        out = pl.col(ID).is_in(data.frame[ID].filter(pl.Series(lacking)).implode())
        flow = flow.with_columns(
            status=pl.when(out).then(pl.lit("excluded")).otherwise(pl.col("status")),
            reason=pl.when(out).then(pl.lit(f"no value of {column.name}")).otherwise(pl.col("reason")),
        )
        inside &= ~lacking
    if inside.all():
        return data
    chosen = pl.Series(inside)
    return replace(
        data,
        frame=data.frame.filter(chosen),
        flow=flow,
        endpoints=tuple(_endpoint(end, inside) for end in data.endpoints),
        factors=tuple(_factor(column, chosen) for column in data.factors),
        later=tuple(_factor(column, chosen) for column in data.later),
        populations={name: mask[inside] for name, mask in data.populations.items()},
    )


def _endpoint(end: EndpointColumn, inside: Bools) -> EndpointColumn:
    time, competing, entry = (None if v is None else v[inside] for v in (end.time, end.competing, end.entry))
    return replace(end, event=end.event[inside], time=time, competing=competing, entry=entry)


def _factor(column: FactorColumn, chosen: pl.Series) -> FactorColumn:
    return replace(column, values=column.values.filter(chosen))

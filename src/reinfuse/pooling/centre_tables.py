"""What a centre tells in its first answer: counts and sums of its patients, of each endpoint that it may tell of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from reinfuse.pooling.centre_data import CentreData
from reinfuse.pooling.descriptive_tables import curve_table, factor_table, flow_table, toxicity_table
from reinfuse.pooling.pooled_model import PooledModel
from reinfuse.statistics.likelihood_sums import LikelihoodSums, cox_sums, logistic_sums
from reinfuse.statistics.stratified_log_rank import log_rank_sums


def tables_of(centre: CentreData, withheld: Mapping[str, str]) -> dict[str, Any]:
    """Return counts and sums, as JSON values."""
    open_ends = [name for name in centre.study.endpoints if name not in withheld]
    return {
        "flow": flow_table(centre, 0),
        "factors": {name: factor_table(centre, name, 0) for name in centre.columns},
        "endpoints": {name: _endpoint(centre, name) for name in open_ends},
        "models": {m.key: _model(centre, m) for m in centre.study.models if m.key not in withheld},
        "fourfold": {m.key: _fourfold(centre, m) for m in _compared(centre, withheld, kind="binary")},
        "log_rank": {m.key: _log_rank(centre, m) for m in _compared(centre, withheld, kind="time")},
        "toxicity": toxicity_table(centre, 0),
        "curves": {name: curve for name in open_ends if centre.study.has_curve(name)
                   and (curve := curve_table(centre, name, 0, beside={})) is not None},
    }  # fmt: skip


def _endpoint(centre: CentreData, name: str) -> dict[str, Any]:
    end = centre.endpoint(name)
    evaluated = end.known
    counts = {"n": int(evaluated.sum()), "events": int(end.event[evaluated].sum())}
    return counts if end.time is None else {**counts, "days": float(end.time[evaluated].sum())}


def _model(centre: CentreData, model: PooledModel) -> dict[str, int]:
    complete, evaluated = centre.complete(model), centre.endpoint(model.endpoint).known
    event = centre.endpoint(model.endpoint).event[complete]
    return {"n": len(event), "events": int(event.sum()), "left_out": int(evaluated.sum() - complete.sum())}


def _compared(centre: CentreData, withheld: Mapping[str, str], *, kind: str) -> list[PooledModel]:
    """Return the models of one factor with levels; of a binary endpoint, with two."""
    return [m for m in centre.study.models if m.key not in withheld and len(m.factors) == 1
            and m.factors[0] in centre.groups and centre.study.kind_of(m.endpoint) == kind
            and (kind == "time" or len(centre.study.levels_of(m.factors[0])) == 2)]  # fmt: skip


def _fourfold(centre: CentreData, model: PooledModel) -> list[int]:
    """Return a, b, c, d: with the second level and the event, without; with the first and the event, without."""
    complete = centre.complete(model)
    group, event = centre.groups[model.factors[0]][complete], centre.endpoint(model.endpoint).event[complete]
    return [int(((group == g) & (event == e)).sum()) for g in (1, 0) for e in (1, 0)]


def _log_rank(centre: CentreData, model: PooledModel) -> dict[str, Any]:
    complete, end = centre.complete(model), centre.endpoint(model.endpoint)
    assert end.time is not None
    return log_rank_sums(end.time[complete], end.event[complete], centre.groups[model.factors[0]][complete],
                         groups=len(centre.study.levels_of(model.factors[0]))).record  # fmt: skip


def sums_of(centre: CentreData, model: PooledModel, *, points: Any) -> LikelihoodSums:
    """Return a model's sums at points, shape (m, k)."""
    complete, end = centre.complete(model), centre.endpoint(model.endpoint)
    X = centre.design(model)[complete]
    if end.time is None:
        return logistic_sums(np.column_stack([X, np.ones(len(X))]), end.event[complete], points=points)
    return cox_sums(X, end.time[complete], end.event[complete], points=points)

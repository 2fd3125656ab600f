"""What travels in tables mode: integers by pattern of the factors, and how they are read as nameless patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor, log10
from typing import Any

import numpy as np

from reinfuse.arrays import Floats, Integers
from reinfuse.pooling.centre_data import CentreData, products_of
from reinfuse.pooling.descriptive_tables import curve_table, factor_table, flow_table, toxicity_table
from reinfuse.pooling.pooled_model import PooledModel
from reinfuse.pooling.pooled_study import PooledStudy
from reinfuse.pooling.table_choice import PatternTable, TableChoice
from reinfuse.statistics.event_tables import EventTable

INTEGER_TABLES = ("flow", "factors", "endpoints", "patterns", "orders", "toxicity", "curves")
"""What an answer in tables mode holds."""


def integer_tables(centre: CentreData, choice: TableChoice) -> dict[str, Any]:
    """Return all that a centre tells, as JSON values."""
    study, k = centre.study, choice.k
    open_ends = [name for name in study.endpoints if name not in choice.withheld]
    kind = {key: study.kind_of(m.endpoint) for key, m in ((m.key, m) for m in study.models)}
    models = {m.key: m for m in study.models}
    tables: dict[str, Any] = {
        "flow": flow_table(centre, k),
        "factors": {name: factor_table(centre, name, k) for name in centre.columns},
        "endpoints": {name: _endpoint(centre, name) for name in open_ends},
        "patterns": {key: _counts(centre, models[key], t) for key, t in choice.tables.items() if kind[key] == "binary"},
        "orders": {key: _order(centre, models[key], t) for key, t in choice.tables.items() if kind[key] == "time"},
        "toxicity": toxicity_table(centre, k),
        "curves": {},
    }
    for name in open_ends:
        if study.has_curve(name) and not (k and tables["orders"]):
            curve = curve_table(centre, name, k, beside=tables["curves"])
            tables["curves"] |= {} if curve is None else {name: curve}
    return tables


def _endpoint(centre: CentreData, name: str) -> dict[str, int]:
    """Return counts, and of a time its sum to two digits: enough to see another unit."""
    end = centre.endpoint(name)
    counts = {"n": int(end.known.sum()), "events": int(end.event[end.known].sum())}
    if end.time is None:
        return counts
    total = float(end.time[end.known].sum())
    return {**counts, "days": int(round(total, 1 - floor(log10(total)))) if total > 0 else 0}


def _levels(centre: CentreData, model: PooledModel, table: PatternTable) -> list[list[str]]:
    names = [centre.study.levels_of(factor) for factor in model.factors]
    return [[names[f][place] for f, place in enumerate(pattern)] for pattern in table.patterns]


def _counts(centre: CentreData, model: PooledModel, table: PatternTable) -> list[dict[str, Any]]:
    event = centre.endpoint(model.endpoint).event
    return [{"levels": levels, "patients": int((table.place == i).sum()), "events": int(event[table.place == i].sum())}
            for i, levels in enumerate(_levels(centre, model, table))]  # fmt: skip


def _order(centre: CentreData, model: PooledModel, table: PatternTable) -> dict[str, Any]:
    end, inside = centre.endpoint(model.endpoint), table.place >= 0
    assert end.time is not None
    levels = _levels(centre, model, table)
    events = EventTable.of(end.time[inside], end.event[inside], pattern=table.place[inside], patterns=len(levels))
    return {
        "patterns": [{"levels": own, "patients": n} for own, n in zip(levels, events.sizes.tolist(), strict=True)],
        "events": [{"events": x, "at_risk": n} for x, n in
                   zip(events.events.tolist(), events.at_risk.tolist(), strict=True)],
    }  # fmt: skip


@dataclass(frozen=True)
class NamelessPatients:
    """Patients who have the table that a centre told: nobody knows more of them.

    Attributes
    ----------
    groups
        Places of the levels of each factor, shape (n, factors).
    event, time
        Shape (n,); times are places in the order of the events, None for a binary endpoint.
    """

    groups: Integers = field(repr=False)
    event: Floats = field(repr=False)
    time: Floats | None = field(default=None, repr=False)

    @classmethod
    def of(cls, study: PooledStudy, model: PooledModel, tables: Mapping[str, Any]) -> NamelessPatients:
        """Read a model's table.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is none.
        """
        key = model.without_products.key
        if study.kind_of(model.endpoint) == "time":
            order = tables["orders"][key]
            places, sizes = _places(study, model, order["patterns"])
            shape = (-1, len(sizes))
            events, at_risk = (_whole([row[name] for row in order["events"]]).reshape(shape)
                               for name in ("events", "at_risk"))  # fmt: skip
            time, event, pattern = EventTable(events, at_risk, sizes).patients()
            return cls(places[pattern], event, time)
        rows = tables["patterns"][key]
        places, sizes = _places(study, model, rows)
        events = _whole([row["events"] for row in rows])
        if (events > sizes).any() or (events < 0).any():
            raise ValueError("more events than patients")
        counts = np.column_stack([events, sizes - events]).ravel()
        outcomes, patterns = np.tile([1.0, 0.0], len(sizes)), np.repeat(np.arange(len(sizes)), 2)
        return cls(places[np.repeat(patterns, counts)], np.repeat(outcomes, counts))

    def columns(self, study: PooledStudy, model: PooledModel) -> Floats:
        """Return the model's design, the intercept of a logistic one last."""
        parts = {
            name: (self.groups[:, [f]] == np.arange(1, len(study.levels_of(name)))).astype(np.float64)
            for f, name in enumerate(model.factors)
        }
        ends = [np.ones(len(self.event))] if self.time is None else []
        return np.column_stack([*parts.values(), *products_of([parts[name] for name in model.pair]), *ends])


def _places(study: PooledStudy, model: PooledModel, rows: list[dict[str, Any]]) -> tuple[Integers, Integers]:
    """Return the place of each pattern's levels, and its number of patients."""
    names = [study.levels_of(factor) for factor in model.factors]
    places = [[own.index(level) for own, level in zip(names, row["levels"], strict=True)] for row in rows]
    if len({tuple(p) for p in places}) < len(places) or not places:
        raise ValueError("a pattern stands twice, or none")
    return np.array(places, dtype=np.int64), _whole([row["patients"] for row in rows])


def _whole(values: Any) -> Integers:
    numbers = np.array(values)
    if numbers.size and (numbers.dtype.kind != "i" or (numbers < 0).any()):
        raise ValueError("no whole numbers")
    return numbers.astype(np.int64)

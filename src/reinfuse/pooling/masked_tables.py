"""Counts and sums of masked mode: what each centre adds, in which order, and what a centre holds back.

Of curves and worst grades a centre may have to hold something back: a month at which few of its patients are at risk, a
toxicity that it has not recorded. It then adds a random number there, so that the total is random too, and 1 to the
count of centres that hold back: nobody learns which centre it was, or what the others have.

A total hides what each centre adds only where many sets of centres have the same total. Counts have. Quotients by a
centre's own number of patients, such as the sums of Mantel and Haenszel or the terms of a test of homogeneity, have
not: of few centres the fourfold table of each follows from them by trying. So they are not asked for, survival is told
at half-years to a tenth of a patient, and the information of strata in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reinfuse.pooling.centre_data import CentreData
from reinfuse.pooling.centre_tables import tables_of
from reinfuse.pooling.descriptive_tables import HALF_YEAR, HELD_BACK, KINDS, PARTITIONS
from reinfuse.pooling.exchange import Request
from reinfuse.pooling.pooled_study import PooledStudy
from reinfuse.statistics.information_kept import information_of

HALF_YEARS = 20
"""Curves end here at the latest."""


def asked_tables(request: Request) -> dict[str, Any]:
    """Return the tables with 0 everywhere that a request asks for: the second, all; others, none."""
    if request.number != 2:
        return {}
    requested = [m for m in request.study.models if m.key in request.points]
    return zeros(request.study, list(dict.fromkeys(m.endpoint for m in requested)), [m.key for m in requested])


def zeros(study: PooledStudy, ends: list[str], models: list[str]) -> dict[str, Any]:
    """Return the tables with 0 everywhere, which gives their numbers an order."""
    factors = {}
    for name in study.factors:
        levels = study.levels_of(name)
        own: dict[str, Any] = {"levels": dict.fromkeys(levels, 0)} if levels else \
            {"n": 0, "sum": 0.0, "sum_of_squares": 0.0}  # fmt: skip
        factors[name] = {**own, "missing": 0}
    times = [name for name in ends if study.kind_of(name) == "time"]
    single = {m.key: (m.endpoint, len(study.levels_of(m.factors[0]))) for m in study.models
              if m.key in models and len(m.factors) == 1 and study.levels_of(m.factors[0])}  # fmt: skip
    fourfold = [key for key, (end, levels) in single.items() if end not in times and levels == 2]
    times_told, grades = [0] * HALF_YEARS, dict.fromkeys(PARTITIONS[0], 0)
    return {
        "flow": {"patients": 0, "analysed": 0}, "factors": factors,
        "endpoints": {name: {"n": 0, "events": 0, **({"days": 0.0, "information": 0} if name in times else {})}
                      for name in ends},
        "models": {key: {"n": 0, "events": 0, "left_out": 0} for key in models},
        "fourfold": {key: [0] * 4 for key in fourfold},
        "log_rank": {key: {"observed": [0.0] * levels, "expected": [0.0] * levels,
                           "covariance": [[0.0] * levels for _ in range(levels)]}
                     for key, (end, levels) in single.items() if end in times},
        "curves": {name: {HELD_BACK: times_told, "survival": [0.0] * HALF_YEARS, "variance": [0.0] * HALF_YEARS}
                   for name in times if study.has_curve(name)},
        "toxicity": {kind: {HELD_BACK: 0, "n": 0, "grades": grades} for kind in KINDS},
    }  # fmt: skip


def tables_under_masks(centre: CentreData, request: Request) -> dict[str, Any]:
    """Return what a centre adds to the tables that a request asks for; None where it holds a number back."""
    order = asked_tables(request)
    if not order:
        return {}
    shown = {*request.points, *order["endpoints"]}
    hidden = dict.fromkeys({*centre.study.endpoints, *(m.key for m in centre.study.models)} - shown, "")
    tables = tables_of(centre, hidden)
    ends = {name: {**end, "information": round(information_of(end["n"], end["events"]))}
            for name, end in tables["endpoints"].items()}  # fmt: skip
    return {**tables, "endpoints": ends,
            "curves": {name: _curve(tables["curves"].get(name)) for name in order["curves"]},
            "toxicity": {kind: _grades(tables["toxicity"].get(kind)) for kind in order["toxicity"]}}  # fmt: skip


def _curve(curve: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return patients times survival and the square of patients times standard error, at half-years, to a tenth."""
    shown = [(curve["n"] * s, (curve["n"] * e) ** 2)
             for m, s, e in zip(curve["months"], curve["survival"], curve["se"], strict=True)
             if m and m % HALF_YEAR == 0][:HALF_YEARS] if curve else []  # fmt: skip
    lacking: list[None] = [None] * (HALF_YEARS - len(shown))
    return {HELD_BACK: [0] * len(shown) + [1] * len(lacking),
            "survival": [*(round(s, 1) for s, _ in shown), *lacking],
            "variance": [*(round(v, 1) for _, v in shown), *lacking]}  # fmt: skip


def _grades(table: Mapping[str, Any] | None) -> dict[str, Any]:
    if table is None or table["grades"] is None:
        return {HELD_BACK: 1, "n": None, "grades": dict.fromkeys(PARTITIONS[0])}
    return {HELD_BACK: 0, **table}


def numbers_of(tables: Any, order: Any) -> Iterator[float | None]:
    """Yield the numbers of tables in the order of those with 0 everywhere; None where one is held back.

    Raises
    ------
    ValueError
        If they have other parts.
    """
    if isinstance(order, dict):
        for name in order:
            yield from numbers_of(tables[name], order[name])
    elif isinstance(order, list):
        for one, zero in zip(tables, order, strict=True):
            yield from numbers_of(one, zero)
    else:
        yield None if tables is None else float(tables)


def filled(order: Any, numbers: Iterator[float]) -> Any:
    """Return tables of numbers in this order; where 0 is whole, so is the number."""
    if isinstance(order, dict):
        return {name: filled(part, numbers) for name, part in order.items()}
    if isinstance(order, list):
        return [filled(part, numbers) for part in order]
    return round(next(numbers)) if isinstance(order, int) else next(numbers)

"""The estimates of a pooled study as records of the contract."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from reinfuse.analyses.association import infinite, ratio
from reinfuse.analyses.hierarchy import adjusted_tests
from reinfuse.analyses.interactions import RATIO
from reinfuse.analyses.proportion import proportion
from reinfuse.analyses.small_groups import FEWEST_EVENTS_A_PARAMETER
from reinfuse.cohort.strata import Combination, Stratum
from reinfuse.pooling.combining import ModelResult, PooledResults
from reinfuse.pooling.exchange import Answer
from reinfuse.pooling.pooled_descriptions import centre_averaged, permutations, price, toxicity
from reinfuse.pooling.pooled_study import FEWEST_CENTRES, Mode
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics import firth, stratified_log_rank, stratified_tables
from reinfuse.statistics.pooled_firth import PooledFit

STRATIFIED = {"logistic": firth.METHODS["logistic"],
              "cox": "Firth Cox stratified by centre, penalised likelihood ratio, profile CI"}  # fmt: skip
WITHOUT = "leave-one-centre-out"
CENTRE = "centre"
SMALL = "not shown: a small number of some centre would follow"
BY_OUTCOME = f"{NOT_ESTIMABLE}: the other centres alone would be chosen by their outcome"


def estimates(results: PooledResults) -> list[Estimate]:
    """Return the records, in the order of a report."""
    effects = list(_effects(results))
    return [*_flow(results), *_baseline(results), *_endpoints(results), *effects, *_tables(results),
            *_log_rank(results), *_homogeneity(results), *_without_a_centre(results), *toxicity(results),
            *centre_averaged(results), *permutations(results), *price(results),
            *adjusted_tests(results.study.plan, effects)]  # fmt: skip


def _flow(results: PooledResults) -> Iterator[Estimate]:
    for population, answers in _populations(results):
        for what in ("patients", "analysed"):
            count = total(a.tables["flow"][what] for a in answers)
            value = None if count is None else float(count)
            yield Estimate("flow", None, "count", population, term=what, estimate=value, unit="patients",
                           method="count", n=count, note=_hidden(count))  # fmt: skip


def total(numbers: Iterable[int | None]) -> int | None:
    """Return the sum of numbers of all centres; None where one of them is hidden."""
    every = list(numbers)
    return None if None in every else sum(n for n in every if n is not None)


def _hidden(number: float | None) -> str | None:
    return SMALL if number is None else None


def _populations(results: PooledResults) -> Iterator[tuple[str, list[Answer]]]:
    """Yield all centres together, then each, unless masked."""
    yield "all", list(results.first.values())
    if results.study.mode == "masked":
        return
    for centre, answer in results.first.items():
        yield Stratum(CENTRE, centre), [answer]


def _baseline(results: PooledResults) -> Iterator[Estimate]:
    for name in results.study.factors:
        parts = [a.tables["factors"][name] for a in results.first.values()]
        missing = total(f["missing"] for f in parts)
        levels = results.study.levels_of(name)
        everybody = sum(a.tables["flow"]["analysed"] for a in results.first.values())
        n = None if missing is None else everybody - missing
        for level in levels:
            x = total(f["levels"][level] for f in parts)
            share = x / n if x is not None and n else None
            numbers = (("count", None if x is None else float(x), "patients"), ("proportion", share, "fraction"))
            for statistic, value, unit in numbers:
                yield Estimate("baseline", None, statistic, term=Stratum(name, level), estimate=value, unit=unit,
                               method="count", n=n, events=x, note=_hidden(x))  # fmt: skip
        if not levels:
            yield from _mean(results, name, parts, n=n)
        yield Estimate("baseline", None, "missing", term=name, estimate=None if missing is None else float(missing),
                       unit="patients", method="count", n=everybody, note=_hidden(missing))  # fmt: skip


def _mean(results: PooledResults, name: str, parts: list[Mapping[str, Any]], *, n: int | None) -> Iterator[Estimate]:
    measurement = results.study.measurement_of(name)
    unit = None if measurement is None else measurement.unit
    mean = spread = None
    if n:
        summed, squares = sum(f["sum"] for f in parts), sum(f["sum_of_squares"] for f in parts)
        mean = summed / n
        spread = math.sqrt(max(squares - summed**2 / n, 0.0) / (n - 1)) if n > 1 else None
    for statistic, value in (("mean", mean), ("sd", spread)):
        yield Estimate("baseline", None, statistic, term=name, estimate=value, unit=unit,
                       method="from sums of the centres", n=n,
                       note=NOT_ESTIMABLE if value is None else None)  # fmt: skip


def _endpoints(results: PooledResults) -> Iterator[Estimate]:
    for name in results.study.endpoints:
        binary = results.study.kind_of(name) == "binary"
        for population, answers in _populations(results):
            parts = [a.tables["endpoints"][name] for a in answers if name in a.tables["endpoints"]]
            x, n = sum(t["events"] for t in parts), sum(t["n"] for t in parts)
            hidden = [a.centre for a in answers if name not in a.tables["endpoints"]]
            note = f"not told by {', '.join(hidden)}" if hidden else None
            records = proportion(x, n, results.study.plan.confidence, analysis="response" if binary else "survival",
                                 endpoint=name, population=population)  # fmt: skip
            for record in records if binary else records[:1]:
                if note and record.statistic == "proportion":
                    record = replace(record, estimate=None, lower=None, upper=None, note=BY_OUTCOME)
                yield replace(record, note=joined([record.note, note]))


def _size(results: PooledResults, one: ModelResult) -> tuple[int, int, int]:
    """Return patients, events, and patients left out of a model for want of a factor."""
    parts = [results.first[centre].tables["models"][one.model.key] for centre in one.centres]
    return sum(t["n"] for t in parts), sum(t["events"] for t in parts), sum(t["left_out"] for t in parts)


def _effects(results: PooledResults) -> Iterator[Estimate]:
    """Yield the effects of each model; of one with a pair that may act together, those of the products alone."""
    study = results.study
    for one in results.models:
        kind, pair = study.firth_kind(one.model), one.model.pair
        n, events, left_out = _size(results, one)
        absent = [c for c in study.centres if one.centres and c not in one.centres]
        remarks = [f"without {', '.join(absent)}: too few patients or events there" if absent else None,
                   _excluded(left_out, study.mode)]  # fmt: skip
        terms, units = study.terms(one.model), study.units(one.model)
        few = _too_few(kind, n, events, effects=len(terms)) if pair else None
        for j in range(len(terms) - len(study.products(one.model)) if pair else 0, len(terms)):
            statistic = RATIO if pair else "odds_ratio" if kind == "logistic" else "hazard_ratio"
            record = Estimate("interaction" if pair else "association", one.model.endpoint, statistic,
                              model=one.model.adjustment, term=terms[j], confidence=study.plan.confidence,
                              unit="ratio", method=STRATIFIED[kind], n=n, events=events)  # fmt: skip
            why = one.why or few or (one.fit and one.fit.reasons.get(j))
            if one.fit is None or why or not one.fit.fit.converged:
                reason = f"{NOT_ESTIMABLE}: {why or 'the fit did not converge'}"
                yield replace(record, note=joined([reason, *remarks]))
                continue
            yield _with_numbers(record, one.fit, j, unit=units[j],
                                remarks=[_separated(results, one, kind=kind), *remarks])  # fmt: skip


def _too_few(kind: firth.Kind, n: int, events: int, *, effects: int) -> str | None:
    """Return why an interaction is not estimated, as in one cohort: too few events for the effects of its model."""
    fewer, what = (n - events, "patients without the event") if kind == "logistic" and n - events < events else \
        (events, "events")  # fmt: skip
    if fewer >= FEWEST_EVENTS_A_PARAMETER * effects:
        return None
    return f"{fewer} {what} for {effects} parameters, fewer than {FEWEST_EVENTS_A_PARAMETER} for each"


def _excluded(patients: int, mode: Mode) -> str | None:
    why = "factor missing" if mode != "tables" else "factor missing or level too small to be told"
    return f"{patients} patient{'s' if patients > 1 else ''} excluded, {why}" if patients else None


def _with_numbers(record: Estimate, fit: PooledFit, j: int, *, unit: float, remarks: list[str | None]) -> Estimate:
    values = [ratio(float(v[j]) * unit) for v in (fit.fit.coef, fit.fit.lower, fit.fit.upper)]
    p = finite(float(fit.fit.p_value[j]))
    lacking = ["a limit is not estimable"] if None in values[1:] else []
    lacking += ["the p-value is not estimable"] if p is None else []
    return replace(record, estimate=values[0], lower=values[1], upper=values[2], p_value=p,
                   note=joined([*lacking, *remarks]))  # fmt: skip


def _separated(results: PooledResults, one: ModelResult, *, kind: firth.Kind) -> str | None:
    """Return the remark on a fourfold table of all centres with an empty cell; sums of other models do not tell."""
    if kind == "cox":
        return None
    parts = [results.first[c].tables["fourfold"].get(one.model.key) for c in one.centres]
    if not parts or None in parts:
        return None
    cells = [sum(t[i] for t in parts) for i in range(4)]
    return infinite(kind) if 0 in cells else None


def _of_all_centres(results: PooledResults, table: str) -> Iterator[tuple[ModelResult, list[Any]]]:
    """Yield each model of which enough centres, and all of them, sent a table, with these tables."""
    for one in results.models:
        parts = [results.first[c].tables[table].get(one.model.key) for c in one.centres]
        if len(parts) >= FEWEST_CENTRES and None not in parts:
            yield one, parts


def _tables(results: PooledResults) -> Iterator[Estimate]:
    """Yield the common odds ratio of each fourfold table, strata the centres: Mantel-Haenszel's and the exact one."""
    if results.study.mode == "masked":
        return
    confidence = results.study.plan.confidence
    for one, parts in _of_all_centres(results, "fourfold"):
        for method, estimate in ((stratified_tables.MANTEL_HAENSZEL, stratified_tables.mantel_haenszel),
                                 (stratified_tables.EXACT, stratified_tables.exact_conditional)):  # fmt: skip
            yield _common_odds(results, one, method, estimate(np.array(parts, dtype=np.float64), confidence))


def _common_odds(
    results: PooledResults, one: ModelResult, method: str, common: stratified_tables.CommonOddsRatio
) -> Estimate:  # fmt: skip
    n, events, _ = _size(results, one)
    numbers = [finite(v) for v in (common.estimate, common.lower, common.upper)]
    note = None if None not in numbers else f"{NOT_ESTIMABLE} where no number stands: empty cells in all centres"
    return Estimate("association", one.model.endpoint, "odds_ratio", model=one.model.adjustment,
                    term=one.model.factors[0], estimate=numbers[0], lower=numbers[1], upper=numbers[2],
                    confidence=results.study.plan.confidence, p_value=finite(common.p_value), unit="ratio",
                    method=method, n=n, events=events, note=note)  # fmt: skip


def _log_rank(results: PooledResults) -> Iterator[Estimate]:
    for one, parts in _of_all_centres(results, "log_rank"):
        n, events, _ = _size(results, one)
        test = stratified_log_rank.stratified_log_rank([stratified_log_rank.LogRankSums.of(t) for t in parts])
        p = None if test is None else finite(test[0])
        yield Estimate("survival", one.model.endpoint, "p_value", term=one.model.factors[0], estimate=p, p_value=p,
                       method=stratified_log_rank.METHOD, n=n, events=events,
                       note=f"{NOT_ESTIMABLE}: no event compares the groups" if p is None else None)  # fmt: skip


def _homogeneity(results: PooledResults) -> Iterator[Estimate]:
    """Yield for each model the test that all centres have the same coefficients."""
    for one in results.models:
        if one.homogeneity is not None:
            p, df = one.homogeneity
            n, events, _ = _size(results, one)
            yield Estimate("heterogeneity", one.model.endpoint, "p_value", model=one.model.adjustment,
                           term=Combination(one.model.factors, " + "), estimate=p, p_value=p, n=n, events=events,
                           method=f"score test of homogeneity between centres, {df} df")  # fmt: skip


def _without_a_centre(results: PooledResults) -> Iterator[Estimate]:
    """Yield each effect without each centre."""
    study = results.study
    for one in results.models:
        kind = study.firth_kind(one.model)
        for centre, fit in one.without.items():
            for j, (term, unit) in enumerate(zip(study.terms(one.model), study.units(one.model), strict=True)):
                value = ratio(float(fit.fit.coef[j]) * unit)
                yield Estimate("influence", one.model.endpoint, "odds_ratio" if kind == "logistic" else "hazard_ratio",
                               population=Stratum(CENTRE, f"all but {centre}"), model=one.model.adjustment, term=term,
                               estimate=value, unit="ratio", method=f"{STRATIFIED[kind]}; {WITHOUT}",
                               note=None if value is not None else NOT_ESTIMABLE)  # fmt: skip

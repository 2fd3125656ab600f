"""Synthesis and borrowing as records: one row a number, under the names of every other analysis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from scipy.special import expit

from reinfuse.evidence.borrowing import Borrowing, RateEstimate
from reinfuse.evidence.synthesis import FLOORED, TAU_SCALES, StudyProportion, Synthesis, bayesian_method
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite

SYNTHESIS, BORROWING = "evidence_synthesis", "evidence_borrowing"
EXACT = "proportion, Clopper-Pearson CI"
PROFILE = "binomial-normal model, profile likelihood"
COMMON = "one common proportion, likelihood ratio"
HARTUNG_KNAPP = "REML on log odds, Hartung-Knapp"
MODIFIED = "REML on log odds, modified Hartung-Knapp"
Limits = tuple[float, float]


def synthesis_records(synthesis: Synthesis) -> list[Estimate]:
    """Return each study, the mean and prediction by each method, heterogeneity, leave-one-out and the own cohort."""
    return [*_studies(synthesis), *_means(synthesis), *_heterogeneity(synthesis), *_without_one(synthesis),
            *_placed(synthesis)]  # fmt: skip


def _record(
    synthesis: Synthesis, statistic: str, method: str, *, estimate: float | None, limits: Limits | None = None,
    rows: Sequence[StudyProportion] = (), unit: str = "fraction", note: str | None = None,
) -> Estimate:  # fmt: skip
    """Return a record of a synthesis; with the patients and events of these rows, and the name of a single one."""
    lower, upper = limits or (None, None)
    value = finite(estimate)
    return Estimate(
        SYNTHESIS, synthesis.endpoint, statistic, synthesis.disease or "all", rows[0].label if len(rows) == 1 else None,
        estimate=value, lower=finite(lower), upper=finite(upper),
        confidence=synthesis.confidence if limits else None, unit=unit, method=method,
        n=sum(r.n for r in rows) if rows else None, events=sum(r.events for r in rows) if rows else None,
        note=note or (NOT_ESTIMABLE if value is None and not limits else None),
    )  # fmt: skip


def _studies(synthesis: Synthesis) -> Iterator[Estimate]:
    for row in synthesis.rows:
        yield _record(
            synthesis, "proportion", EXACT, estimate=row.proportion, limits=(row.lower, row.upper), rows=[row]
        )


def _means(synthesis: Synthesis) -> Iterator[Estimate]:
    pooled, mixed, normal, rows = synthesis.pooled, synthesis.mixed, synthesis.normal, synthesis.rows
    if pooled is None or mixed is None:
        return

    def mean(method: str, estimate: float | None, limits: Limits | None, note: str | None = None) -> Estimate:
        record = _record(synthesis, "pooled_proportion", method, estimate=estimate, limits=limits, rows=rows, note=note)
        return replace(record, group=None)

    def prediction(method: str, estimate: float | None, limits: Limits) -> Estimate:
        record = _record(synthesis, "prediction", method, estimate=estimate, limits=limits, rows=rows)
        return replace(record, group=None)

    yield mean(pooled.method, pooled.estimate, pooled.interval, pooled.reason)
    if pooled.method != FLOORED:
        yield mean(FLOORED, float(expit(mixed.mean)), _natural(mixed.interval))
    yield mean(PROFILE, float(expit(mixed.mean)), _natural(mixed.profile))
    yield mean(COMMON, pooled.events / pooled.n, _natural(mixed.common))
    if normal is not None:
        for ends, method in ((normal.interval, HARTUNG_KNAPP), (normal.modified, MODIFIED)):
            yield mean(method, float(expit(normal.mean)), _natural(ends))
        yield prediction(HARTUNG_KNAPP, None, _natural(normal.prediction))
    for scale, prior in zip(TAU_SCALES, synthesis.bayesian, strict=True):
        average = prior.average(confidence=synthesis.confidence)
        predicted = prior.predicted(confidence=synthesis.confidence)
        if bayesian_method(scale) != pooled.method:
            yield mean(bayesian_method(scale), average.median, (average.lower, average.upper))
        yield prediction(bayesian_method(scale), predicted.median, (predicted.lower, predicted.upper))


def _natural(limits: Limits) -> Limits:
    lower, upper = expit(limits).tolist()
    return lower, upper


def _heterogeneity(synthesis: Synthesis) -> Iterator[Estimate]:
    mixed, normal = synthesis.mixed, synthesis.normal
    if mixed is None or mixed.studies < 2:
        return
    note = "boundary: heterogeneity is not excluded" if mixed.at_boundary else None
    tau = _record(synthesis, "tau", "binomial-normal model", estimate=mixed.tau, unit="log odds", note=note)
    yield replace(tau, p_value=finite(mixed.p_value))
    if normal is not None:
        lower, upper = (math.sqrt(x) if x >= 0 else math.nan for x in normal.tau2_interval)
        tau = _record(synthesis, "tau", "REML, Q profile", estimate=math.sqrt(normal.tau2), limits=(lower, upper),
                      unit="log odds")  # fmt: skip
        yield replace(tau, p_value=finite(normal.p_value))
        yield _record(synthesis, "i_squared", "REML", estimate=normal.i_squared)
    for scale, prior in zip(TAU_SCALES, synthesis.bayesian, strict=True):
        spread = prior.heterogeneity(confidence=synthesis.confidence)
        yield _record(synthesis, "tau", bayesian_method(scale), estimate=spread.median,
                      limits=(spread.lower, spread.upper), unit="log odds")  # fmt: skip


def _without_one(synthesis: Synthesis) -> Iterator[Estimate]:
    for one in synthesis.without_one:
        pooled, rows = one.pooled, [r for r in synthesis.rows if r.label != one.label]
        record = _record(synthesis, "leave_one_out", pooled.method, estimate=pooled.estimate, limits=pooled.interval,
                         rows=rows, note=pooled.reason)  # fmt: skip
        yield replace(record, group=one.label)


def _placed(synthesis: Synthesis) -> Iterator[Estimate]:
    if synthesis.placed is None:
        return
    own = synthesis.placed.own
    low, high = synthesis.placed.expected
    yield _record(
        synthesis, "own_proportion", EXACT, estimate=own.proportion, limits=(own.lower, own.upper), rows=[own]
    )
    yield _record(synthesis, "predicted_count", bayesian_method(TAU_SCALES[0]), estimate=None,
                  limits=(float(low), float(high)), rows=[own], unit="patients")  # fmt: skip


def borrowing_records(borrowing: Borrowing) -> list[Estimate]:
    """Return the own rate without and with borrowing, what the studies are worth, and the check for conflict."""
    records = [_rate(borrowing, one) for one in (*borrowing.alone, *borrowing.borrowed)]
    patients = sum(r.n for r in borrowing.synthesis.rows)
    for worth in borrowing.worth:
        for name, size in (("moments", worth.moment), ("ELIR", worth.elir)):
            method = f"predictive prior, tau HN({worth.tau_scale:g}), {name}"
            record = _rate_record(borrowing, "effective_sample_size", method=method)
            records.append(replace(record, estimate=finite(size), unit="patients", n=patients, events=None,
                                   note=None if size is not None else NOT_ESTIMABLE))  # fmt: skip
    if borrowing.conflict is not None:
        check = _rate_record(borrowing, "prior_data_conflict", method="prior predictive check (Box)")
        records.append(replace(check, p_value=borrowing.conflict))
    if borrowing.vague_after is not None:
        weight = _rate_record(borrowing, "vague_weight", method=f"robust prior; before {borrowing.vague_before:g}")
        records.append(replace(weight, estimate=borrowing.vague_after))
    return records


def _rate_record(borrowing: Borrowing, statistic: str, *, method: str) -> Estimate:
    synthesis, own = borrowing.synthesis, borrowing.own
    return Estimate(BORROWING, synthesis.endpoint, statistic, synthesis.disease or "all", own.label, method=method,
                    unit="fraction", n=own.n, events=own.events)  # fmt: skip


def _rate(borrowing: Borrowing, one: RateEstimate) -> Estimate:
    record = _rate_record(borrowing, "own_rate", method=one.method)
    return replace(record, estimate=one.mean, lower=one.lower, upper=one.upper, confidence=borrowing.confidence)

"""Fits of tables mode: from the integers of all centres, in one exchange, by the same statistics as elsewhere.

A centre that tells no table for its sizes is left out whatever its outcomes were. One that tells none because some
level has few patients with or without the event (`table_choice`, rule 2) would be left out for its outcomes, mostly
where the factor and the outcome go together: an estimate from the others would be drawn to no effect. So there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.pooling.combining import (
    MOST_PATIENTS,
    ModelResult,
    PooledResults,
    begun,
    check_answers,
    contributing,
    patients_of,
    result_of,
)
from reinfuse.pooling.exchange import Answer
from reinfuse.pooling.exchange_folder import Exchanges
from reinfuse.pooling.integer_tables import NamelessPatients
from reinfuse.pooling.pooled_model import PooledModel
from reinfuse.pooling.pooled_study import FEWEST_CENTRES, FEWEST_IN_ALL, PooledStudy
from reinfuse.pooling.table_choice import A_NUMBER, for_order, for_outcome
from reinfuse.statistics.likelihood_sums import LikelihoodSums, cox_sums, logistic_sums
from reinfuse.statistics.permutation_within_strata import log_rank_scores, permutation_test
from reinfuse.statistics.pooled_firth import PooledFit
from reinfuse.statistics.stratified_log_rank import log_rank_sums

OTHERWISE = "use rounds or masked mode"
Patients = Mapping[str, NamelessPatients]


def combine_tables(exchanges: Exchanges, confirmed: Sequence[str] = ()) -> PooledResults:
    """Return the results of a study in tables mode.

    Parameters
    ----------
    confirmed
        Centres whose times are right though they differ much from those of the others.

    Raises
    ------
    PoolRefused
        If there are too few patients in all, or a centre's times seem to be in another unit.
    """
    check_answers(exchanges, confirmed)
    study, first = exchanges.study, exchanges.answers[0]
    patients = {model.key: {centre: NamelessPatients.of(study, model, answer.tables) for centre, answer in first.items()
                            if model.without_products.key in (*answer.tables["patterns"], *answer.tables["orders"])}
                for model in study.models}  # fmt: skip
    counted = {centre: replace(answer, tables=_with_counts(study, centre, answer=answer, patients=patients))
               for centre, answer in first.items()}  # fmt: skip
    return PooledResults(exchanges, tuple(_models(study, counted, patients)), counted)


def _with_counts(
    study: PooledStudy, centre: str, *, answer: Answer, patients: Mapping[str, Patients]
) -> dict[str, Any]:
    """Return a centre's tables with the counts and sums that rounds mode tells."""
    sent = [(m, patients[m.key][centre]) for m in study.models if centre in patients[m.key]]
    evaluated = {name: end["n"] for name, end in answer.tables["endpoints"].items()}
    models = {m.key: {"n": len(p.event), "events": int(p.event.sum()), "left_out": evaluated[m.endpoint] - len(p.event)}
              for m, p in sent}  # fmt: skip
    single = [(m, p, len(study.levels_of(m.factors[0]))) for m, p in sent if len(m.factors) == 1]
    fourfold = {m.key: [int(((p.groups[:, 0] == g) & (p.event == e)).sum()) for g in (1, 0) for e in (1, 0)]
                for m, p, levels in single if p.time is None and levels == 2}  # fmt: skip
    log_rank = {m.key: log_rank_sums(p.time, p.event, p.groups[:, 0], groups=levels).record
                for m, p, levels in single if p.time is not None}  # fmt: skip
    return {**answer.tables, "models": models, "fourfold": fourfold, "log_rank": log_rank}


def _models(study: PooledStudy, first: Mapping[str, Answer], patients: Mapping[str, Patients]) -> Iterator[ModelResult]:
    running = list(begun(study, first))
    for model in study.models:
        centres, own = contributing(model, first), patients[model.key]
        if why := _why_none(study, model, first=first):
            yield ModelResult(model, centres, why=why)
            continue
        fits: dict[str | None, PooledFit | None] = {}
        for one in (r for r in running if r.model == model):
            while one.points is not None:
                one.take(LikelihoodSums.total([_sums(study, model, own[c], points=one.points) for c in one.centres]))
            fits[one.left_out] = one.fit
        yield result_of(model, centres, fits, summit=_summit(study, model, patients=own, fit=fits[None]),
                        permutation=_permutation(study, model, patients=own))  # fmt: skip


def _why_none(study: PooledStudy, model: PooledModel, *, first: Mapping[str, Answer]) -> str | None:
    """Return why a model has no estimate, or None."""
    k, centres = study.threshold, contributing(model, first)
    reasons = {centre: answer.withheld.get(model.without_products.key) for centre, answer in first.items()}
    by_outcome = [centre for centre, why in reasons.items() if why == for_outcome(k)]
    if by_outcome:
        return (f"in tables mode at threshold {k}, as {', '.join(by_outcome)} would tell of fewer than {k} patients, "
                f"and the other centres would be chosen by their outcomes; {OTHERWISE}")  # fmt: skip
    if for_order(k) in reasons.values():
        return f"in tables mode at threshold {k}, as the study keeps the order of events; {OTHERWISE}"
    if A_NUMBER in reasons.values():
        return f"in tables mode, as {A_NUMBER}; {OTHERWISE}"
    if len(centres) < FEWEST_CENTRES:
        return f"told by {len(centres)} centres, fewer than {FEWEST_CENTRES}, at threshold {k}; {OTHERWISE}"
    if patients_of(model, centres, first) < FEWEST_IN_ALL:
        return f"fewer than {FEWEST_IN_ALL} patients in all centres that tell of it"
    return None


def _sums(study: PooledStudy, model: PooledModel, patients: NamelessPatients, *, points: Floats) -> LikelihoodSums:
    X = patients.columns(study, model)
    if patients.time is None:
        return logistic_sums(X, patients.event, points=points)
    return cox_sums(X, patients.time, patients.event, points=points)


def _summit(
    study: PooledStudy, model: PooledModel, *, patients: Patients, fit: PooledFit | None
) -> tuple[list[LikelihoodSums], Floats] | None:
    """Return each centre's sums at the maximum, and the maximum."""
    if fit is None or fit.summit is None or model.pair:
        return None
    k, columns = study.size(model), list(fit.columns)
    at = np.zeros((1, k))
    at[0, columns] = fit.summit.at
    return [_sums(study, model, own, points=at).of_columns(columns, k) for own in patients.values()], fit.summit.at


def _permutation(study: PooledStudy, model: PooledModel, *, patients: Patients) -> float | None:
    """Test a factor by permutation within centres; with many patients the other tests need no such calibration."""
    if (
        not study.plan.analyses.permutation
        or len(model.factors) > 1
        or sum(len(p.event) for p in patients.values()) > MOST_PATIENTS
    ):
        return None
    scores = [p.event if p.time is None else log_rank_scores(p.time, p.event) for p in patients.values()]
    groups = [p.groups[:, 0] for p in patients.values()]
    return permutation_test(scores, groups, levels=len(study.levels_of(model.factors[0])), seed=study.plan.seed)

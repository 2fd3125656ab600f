"""Patients split into centres, and their answers in tables mode: what the tests of it share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.declarations import BUILT_IN_FACTORS
from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.plan.analysis_plan import Plan
from reinfuse.pooling.centre_data import CentreData
from reinfuse.pooling.combining import first_request
from reinfuse.pooling.exchange import Answer
from reinfuse.pooling.exchange_folder import Exchanges
from reinfuse.pooling.integer_tables import integer_tables
from reinfuse.pooling.pooled_estimates import estimates
from reinfuse.pooling.pooled_study import PooledStudy
from reinfuse.pooling.table_choice import TableChoice
from reinfuse.pooling.table_combining import combine_tables
from reinfuse.statistics import firth, firth_left_truncated


def study_of(names, levels, ends, *, models=(), pairs=(), hierarchy=None, **settings):
    """Return a study of these centres, of factors with levels, of endpoints (name -> binary or time)."""
    own = [{"name": e, "time": f"{e}_t", "event": f"{e}_e"} if kind == "time" else {"name": e, "value": f"{e}_e"}
           for e, kind in ends.items() if e not in ENDPOINTS]  # fmt: skip
    factors = [{"name": f} | ({} if f in BUILT_IN_FACTORS else {"column": f}) for f in levels]
    several = [{"endpoint": e, "factors": list(f), "interactions": [list(p) for p in pairs]} for e, f in models]
    plan = Plan.of({"subgroups": [], "endpoints": own, "factors": factors, "models": several,
                    "hierarchy": hierarchy or {}})  # fmt: skip
    return PooledStudy(title="Split", centres=names, endpoints=tuple(ends), levels=levels, plan=plan,
                       **{"small_cells": 0, **settings})  # fmt: skip


def centre_of(study, values, ends, grades=None):
    """Return a centre's patients: factor -> places of levels (-1 missing), endpoint -> (event, time or None)."""
    n = len(next(iter(values.values())))
    frame = pl.DataFrame({"patient_id": [f"P{i}" for i in range(n)], **(grades or {})})
    factors = []
    for name, places in values.items():
        levels = study.levels_of(name)
        texts = [None if p < 0 else levels[p] for p in places]
        factors.append(FactorColumn(name, name, "category", pl.Series(texts, dtype=pl.String), levels))
    endpoints = tuple(
        EndpointColumn(name, name, "binary" if time is None else "time", np.asarray(event, dtype=float),
                       None if time is None else np.asarray(time, dtype=float))
        for name, (event, time) in ends.items()
    )  # fmt: skip
    flow = frame.select("patient_id", status=pl.lit("analysed"), reason=pl.lit(None, dtype=pl.String))
    everybody = {"all": np.ones(n, dtype=bool)}
    return CentreData.of(study, AnalysisSet(frame, flow, endpoints, tuple(factors), everybody, ()))


def answer_of(study, name, centre):
    request, choice = first_request(study), TableChoice(centre)
    return Answer(study.digest, name, 1, request.digest, "", integer_tables(centre, choice), {}, choice.withheld)


def pooled(study, centres):
    """Return the results and their records, by files' contents."""
    answers = {name: Answer.of(answer_of(study, name, c).contents, study) for name, c in centres.items()}
    results = combine_tables(Exchanges(study, (first_request(study),), (answers,)))
    return results, estimates(results)


def split(study, values, ends, site, grades=None):
    """Return the centres of patients in one table; site holds the place of each patient's centre."""
    centres = {}
    for i, name in enumerate(study.centres):
        own = site == i
        parts = {e: (event[own], None if time is None else time[own]) for e, (event, time) in ends.items()}
        some = {c: np.asarray(g)[own] for c, g in (grades or {}).items()}
        centres[name] = centre_of(study, {f: p[own] for f, p in values.items()}, parts, some)
    return centres


def in_one_table(study, model, values, ends, site):
    """Return the fit of all patients in one table, of a time with each centre as a stratum; complete cases.

    NaN where a column is a sum of others within the strata, as a product is where a combination has no patient.
    """
    event, time = ends[model.endpoint]
    complete = np.all([values[f] >= 0 for f in model.factors], axis=0) & ~np.isnan(event)
    coded = {f: (values[f][:, None] == np.arange(1, len(study.levels_of(f)))) * 1.0 for f in model.factors}
    products = [a * b for a in coded[model.pair[0]].T for b in coded[model.pair[1]].T] if model.pair else []
    X = np.column_stack([*coded.values(), *products])
    X, event, site = X[complete], event[complete], site[complete]
    kept = identified(X, np.zeros_like(site) if time is None else site)
    if not kept.any():
        nothing = np.full(X.shape[1], np.nan)
        return firth.FirthFit(nothing, nothing, nothing, nothing, np.zeros(X.shape[1], dtype=bool), False)
    if time is None:
        fit = firth.fit("logistic", X[:, kept], event)
    else:
        entry = site * 1e5
        fit = firth_left_truncated.fit(X[:, kept], entry, entry + time[complete], event, 0.95)
    return fit if kept.all() else replace(fit, **{name: spread(getattr(fit, name), kept) for name in NUMBERS})


NUMBERS = ("coef", "lower", "upper", "p_value")


def identified(X, strata):
    """Tell which columns are no sum of the others within the strata."""
    within = np.vstack([X[strata == s] - X[strata == s].mean(axis=0) for s in np.unique(strata)])
    rank = np.linalg.matrix_rank(within)
    return np.array([np.linalg.matrix_rank(np.delete(within, j, axis=1)) < rank for j in range(X.shape[1])])


def spread(values, kept):
    """Return values of the columns that were kept, NaN at the others."""
    whole = np.full(len(kept), np.nan)
    whole[kept] = values
    return whole

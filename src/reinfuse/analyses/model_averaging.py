"""Which factors belong in a model? Bayesian model averaging over every subset of the factors.

Each subset has a Firth fit; its weight is exp(-BIC / 2) with BIC = -2 l + p log N, l the log-likelihood without the
penalty at the Firth estimate (the penalty depends on the columns and cannot be compared between subsets), p the number
of columns, N the patients of a logistic and the events of a Cox model (Raftery, Sociol Methodol 1995;25:111-163;
Volinsky and Raftery, Biometrics 2000;56:256-262). Every subset is as likely beforehand. A category's levels come and go
together.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from reinfuse.analyses.association import ratio
from reinfuse.analyses.base import NO_MODEL, Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.arrays import Bools, Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.strata import Combination
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, joined
from reinfuse.statistics import firth_batch

METHOD = "Bayesian model averaging over all subsets, Firth, BIC"
MOST_FACTORS = 12
MOST_PATIENTS = 3000
BEST_MODELS = 5


def averaged(endpoint: EndpointColumn, factors: Sequence[FactorColumn]) -> list[Estimate]:
    """Return inclusion probabilities, effects averaged over the models that hold them, and the best models."""
    design = design_of(endpoint, factors)
    usable = [f for f in factors if design.columns_of(f)]
    if not usable or len(usable) > MOST_FACTORS or design.n > MOST_PATIENTS:
        why = design.impossible or "no factor can be used"
        why = why if not usable else f"over {MOST_FACTORS} factors or {MOST_PATIENTS} patients: not run"
        return [_record(design, "inclusion_probability", None, value=None, note=f"{NOT_ESTIMABLE}: {why}")]
    subsets = np.array(list(itertools.product((False, True), repeat=len(usable))))
    used = np.zeros((len(subsets), len(design.terms)), dtype=np.bool_)
    for i, factor in enumerate(usable):
        used[:, design.columns_of(factor)] = subsets[:, [i]]
    weight, coef, failed = weights(design, used)
    note = joined([f"{failed} of {len(subsets)} subsets did not converge and are left out" if failed else None,
                   *[f"{f.name} cannot be used" for f in factors if f not in usable], *design.notes])  # fmt: skip
    included = weight @ subsets
    records = [_record(design, "inclusion_probability", f.name, value=float(p), note=note)
               for f, p in zip(usable, included, strict=True)]  # fmt: skip
    for i, factor in enumerate(usable):
        for j in design.columns_of(factor):
            mean = float(weight @ coef[:, j] / included[i])
            records.append(
                _record(
                    design,
                    design.statistic,
                    design.terms[j],
                    value=ratio(mean),
                    note="conditional on inclusion in the model",
                )
            )
    for m in np.argsort(-weight, kind="stable")[:BEST_MODELS]:
        names = Combination((f.name for f, inside in zip(usable, subsets[m], strict=True) if inside), " + ")
        records.append(_record(design, "model_probability", names or "no factor", value=float(weight[m]), note=None))
    return records


def weights(design: DesignMatrix, used: Bools) -> tuple[Floats, Floats, int]:
    """Return the posterior probability and the effects of each subset, and how many did not converge.

    Parameters
    ----------
    used
        Columns of each subset, shape (subsets, k).
    """
    middle, scale = design.X.mean(axis=0), np.maximum(design.X.std(axis=0), 1e-300)
    X = (design.X - middle) / scale
    X[:, [j for j in range(X.shape[1]) if j not in design.usable]] = 0.0
    event = np.tile(design.event, (len(used), 1))
    columns = used
    if design.time is None:
        X, columns = np.column_stack([X, np.ones(len(X))]), np.column_stack([used, np.ones(len(used), dtype=np.bool_)])
        fits = firth_batch.logistic(X, event, used=columns)
    else:
        fits = firth_batch.cox(X, np.tile(design.time, (len(used), 1)), event, used=columns)
    size = design.n if design.time is None else design.events
    bic = -2 * firth_batch.plain_value(fits, columns) + used.sum(axis=1) * np.log(size)
    good = fits.converged & np.isfinite(bic)
    weight = np.where(good, np.exp(-(np.where(good, bic, np.inf) - bic[good].min()) / 2), 0.0)
    coef = np.where(used & good[:, None], fits.coef[:, : used.shape[1]] / scale, 0.0)
    return weight / weight.sum(), coef, int((~good).sum())


def _record(
    design: DesignMatrix, statistic: str, term: str | None, *, value: float | None, note: str | None
) -> Estimate:
    unit = "ratio" if statistic.endswith("ratio") else "fraction"
    return Estimate("averaging", design.endpoint.name, statistic, model="averaged", term=term, estimate=value,
                    unit=unit, method=METHOD, n=design.n, events=design.events, note=note)  # fmt: skip


def _steps(inputs: Inputs) -> Iterator[Step]:
    for end in inputs.main_endpoints:
        yield of_endpoint("model averaging", end, work=partial(averaged, end, inputs.data.factors))


ANALYSIS = Analysis(
    "model averaging",
    records="averaging",
    section="sure",
    steps=_steps,
    what="Bayesian model averaging: posterior inclusion probabilities",
    method=(
        "all subsets of up to 12 factors, Firth fits, BIC without the penalty, N = events for times "
        "(Biometrics 2000;56:256)"
    ),
    lacking=NO_MODEL,
    switches=("averaging",),
)

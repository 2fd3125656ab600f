"""Which single patient would change the conclusion? Every model is fitted again without each patient in turn.

Effects and p-values are Firth's, as in the model of all patients. A patient changes the conclusion where the p-value
without that patient is on the other side of 1 - confidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.special import chdtrc

from reinfuse.analyses.association import ratio
from reinfuse.analyses.base import NO_MODEL, Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.arrays import Floats
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.strata import Stratum
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite
from reinfuse.statistics import firth, firth_batch

MOST_PATIENTS = 1000
SHOWN = 8
"""Most influential patients of each term that have a record; those who change the conclusion all have one."""
METHOD = {kind: f"{text.split(',')[0]}, penalised likelihood ratio, one patient left out"
          for kind, text in firth.METHODS.items()}  # fmt: skip


def influence(endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str, confidence: float,
              patients: Sequence[str]) -> list[Estimate]:  # fmt: skip
    """Return for each term how many single patients change its conclusion, the range, and the most influential ones.

    Parameters
    ----------
    patients
        Ids of all analysed patients, in their order.
    """
    design = design_of(endpoint, factors)
    if not design.usable or not 2 < design.n <= MOST_PATIENTS:
        size = f"over {MOST_PATIENTS} patients: not run" if design.n > MOST_PATIENTS else "fewer than 3 patients"
        return [_record(design, j, model, note=f"{NOT_ESTIMABLE}: {size if design.usable else design.why(j)}")
                for j in range(len(design.terms))]  # fmt: skip
    coef, p = left_out(design)
    records: list[Estimate] = []
    for place, j in enumerate(design.usable):
        records += _of_term(
            design, j, model, confidence=confidence, coef=coef[:, place], p=p[:, place], patients=patients
        )
    return records


def left_out(design: DesignMatrix) -> tuple[Floats, Floats]:
    """Return effects and p-values of the usable columns: first of all patients, then without each; NaN = no fit."""
    X = design.X[:, design.usable]
    scale = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / scale
    k, n = Z.shape[1], design.n
    weights = np.vstack([np.ones((1, n)), 1 - np.eye(n)])
    event = np.tile(design.event, (n + 1, 1))
    held = [None, *((j, np.zeros(n + 1)) for j in range(k))]
    if design.time is None:
        Z = np.column_stack([Z, np.ones(n)])
        fits = [firth_batch.logistic(Z, event, weights=weights, held=h) for h in held]
    else:
        time = np.tile(design.time, (n + 1, 1))
        fits = [firth_batch.cox(Z, time, event, weights=weights, held=h) for h in held]
    coef = np.where(fits[0].converged[:, None], fits[0].coef[:, :k] / scale, np.nan)
    ratios = np.column_stack([np.where(f.converged, 2 * (fits[0].value - f.value), np.nan) for f in fits[1:]])
    return coef, np.where(np.isnan(coef), np.nan, chdtrc(1, np.maximum(ratios, 0)))


def _of_term(design: DesignMatrix, j: int, model: str, *, confidence: float, coef: Floats, p: Floats,
             patients: Sequence[str]) -> list[Estimate]:  # fmt: skip
    own = _record(design, j, model, note=None)
    if np.isnan(coef[0]):
        return [replace(own, note=f"{NOT_ESTIMABLE}: the fit did not converge")]
    alpha = 1 - confidence
    without, converged = coef[1:], ~np.isnan(coef[1:])
    changes = converged & ((p[1:] < alpha) != (p[0] < alpha))
    lost = int((~converged).sum())
    note_of_all = f"of {int(converged.sum())} patients left out in turn" + (
        f"; without {lost} of them {NOT_ESTIMABLE}" if lost else ""
    )
    records = [replace(own, estimate=float(changes.sum()), unit="patients", confidence=confidence, note=note_of_all)]
    moved = np.abs(np.where(converged, without - coef[0], 0)).round(9)  # rounded: equals stay in the patients' order
    order = np.argsort(-moved, kind="stable")
    shown = [i for i in order if changes[i]] + [i for i in order[:SHOWN] if converged[i] and not changes[i]]
    for i in shown:
        records.append(replace(own, statistic=design.statistic, group=Stratum("without", patients[design.rows[i]]),
                               unit="ratio", estimate=ratio(float(without[i])), p_value=finite(float(p[1 + i])),
                               n=design.n - 1, events=design.events - int(design.event[i]),
                               note="changes the conclusion" if changes[i] else None))  # fmt: skip
    return records


def _record(design: DesignMatrix, j: int, model: str, *, note: str | None) -> Estimate:
    return Estimate("influence", design.endpoint.name, "patients_changing", model=model, term=design.terms[j],
                    method=METHOD[design.kind], n=design.n, events=design.events, note=note)  # fmt: skip


def _steps(inputs: Inputs) -> Iterator[Step]:
    ids = inputs.data.frame["patient_id"].to_list()
    for model in inputs.main:
        yield of_endpoint("influence", model[0], work=partial(influence, *model, inputs.plan.confidence, ids))


ANALYSIS = Analysis(
    "influence",
    records="influence",
    section="sure",
    steps=_steps,
    what="leave-one-out analysis",
    method="Firth; patients whose exclusion moves p across 1 - confidence",
    lacking=NO_MODEL,
    switches=("influence",),
)

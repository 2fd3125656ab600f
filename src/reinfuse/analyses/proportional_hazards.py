"""Do hazard ratios stay the same over time? Test by scaled Schoenfeld residuals, and what the ratio does if not.

Test: Grambsch and Therneau, Biometrika 1994;81:515-526, of the unpenalised Cox model, time as 1 - Kaplan-Meier. Where
it says no, the model is fitted with the factor and its product with log2(time / the median event time), by Firth's
likelihood in counting-process form: the ratio at the median event time, and the factor by which it changes with each
doubling of time. One hazard ratio then sums up nothing: of a factor with groups the difference of restricted mean
survival times stands beside it (`rmst`), unadjusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from reinfuse.analyses.association import ratio
from reinfuse.analyses.base import Analysis, Inputs, Step, of_endpoint
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.analyses.rmst import by_group, contrasts_of_enough
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.strata import Stratum
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite
from reinfuse.statistics import firth, firth_left_truncated
from reinfuse.statistics.schoenfeld import schoenfeld

TEST = "scaled Schoenfeld residuals, 1 - Kaplan-Meier scale"
TIME = f"{firth_left_truncated.METHOD}, interaction with log2 time"
BY_TIME = " x doubling of time"
VIOLATED = 0.05
MOST_PATIENTS = 500
"""Beyond it the ratio over time is not fitted."""
MOST_TESTED = 5000


def proportional(endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str,
                 confidence: float) -> list[Estimate]:  # fmt: skip
    """Return the test of each term and of all together, and the time-dependent ratio of terms that fail it."""
    design = design_of(endpoint, factors)
    usable = design.usable
    base = Estimate(
        "proportional", endpoint.name, "p_value", model=model, method=TEST, n=design.n, events=design.events
    )
    if design.time is None or design.entry is not None:
        return []
    if not usable:
        return [replace(base, term=t, note=f"{NOT_ESTIMABLE}: {design.why(j)}") for j, t in enumerate(design.terms)]
    if design.n > MOST_TESTED:
        return [replace(base, term=design.terms[j], note=f"{NOT_ESTIMABLE}: over {MOST_TESTED} patients: not run")
                for j in usable]  # fmt: skip
    X = design.X[:, usable]
    infinite = firth.monotone(X, design.event, time=design.time)
    tested = None if infinite.any() else schoenfeld((X - X.mean(axis=0)) / X.std(axis=0), design.time,
                                                                  design.event, transform="km")  # fmt: skip
    if tested is None:
        why = "monotone likelihood" if infinite.any() else "the unpenalised model has no finite estimate"
        return [replace(base, term=design.terms[j], note=f"{NOT_ESTIMABLE}: {why}") for j in usable]
    records = []
    for place, j in enumerate(usable):
        p = finite(float(tested[1][place]))
        records.append(
            replace(base, term=design.terms[j], estimate=p, p_value=p, note=None if p is not None else NOT_ESTIMABLE)
        )
        if p is not None and p < VIOLATED:
            records += _over_time(design, usable, place, base=base, confidence=confidence)
    if len(usable) > 1:
        p = finite(float(tested[1][-1]))
        records.append(
            replace(base, term="all terms", estimate=p, p_value=p, note=None if p is not None else NOT_ESTIMABLE)
        )
    return records


def means_instead(
    endpoint: EndpointColumn, factors: Sequence[FactorColumn], tests: Sequence[Estimate], *, confidence: float
) -> list[Estimate]:
    """Return restricted means and their differences by each factor with groups whose hazards are not proportional."""
    failing = {e.term for e in tests if e.statistic == "p_value" and e.p_value is not None and e.p_value < VIOLATED}
    records = [e for f in factors if f.name in failing and f.kind != "number"
               for e in contrasts_of_enough(by_group(endpoint, f, confidence, horizon=None))]  # fmt: skip
    return [replace(e, analysis="proportional") for e in records if e.statistic != "restricted_mean_ratio"]


def _with_means(
    endpoint: EndpointColumn, factors: Sequence[FactorColumn], model: str, *, confidence: float
) -> list[Estimate]:
    tests = proportional(endpoint, factors, model, confidence)
    means = means_instead(endpoint, factors, tests, confidence=confidence)
    return [*tests, *(replace(e, model=model) for e in means)]


def _over_time(
    design: DesignMatrix, usable: list[int], place: int, *, base: Estimate, confidence: float
) -> list[Estimate]:
    """Cut every patient's time at the event times and fit the product with log2 time."""
    X, time, term = design.X[:, usable], np.asarray(design.time), design.terms[usable[place]]
    if design.n > MOST_PATIENTS:
        note = f"{NOT_ESTIMABLE}: over {MOST_PATIENTS} patients: the ratio over time is not fitted"
        return [replace(base, statistic="hazard_ratio", method=TIME, unit="ratio", term=term, note=note)]
    cuts = np.unique(time[(design.event == 1) & (time > 0)])
    middle = float(np.median(time[design.event == 1]))
    at_zero = int(((design.event == 1) & (time <= 0)).sum())
    if at_zero and middle <= 0:
        note = f"{NOT_ESTIMABLE}: {at_zero} of the events are on day 0, which has no logarithm"
        return [replace(base, statistic="hazard_ratio", method=TIME, unit="ratio", term=term, note=note)]
    if len(cuts) < 2:
        return []
    patient, cut = np.nonzero((np.append(0.0, cuts[:-1])[None, :] < time[:, None]) & (cuts[None, :] <= time[:, None]))
    start, stop = np.append(0.0, cuts[:-1])[cut], cuts[cut]
    event = ((design.event[patient] == 1) & (time[patient] == stop)).astype(np.float64)
    rows = X[patient]
    product = rows[:, place] * np.log2(stop / middle)
    fit = firth_left_truncated.fit(np.column_stack([rows, product]), start, stop, event, confidence)
    common: dict[str, Any] = {"statistic": "hazard_ratio", "method": TIME, "unit": "ratio", "confidence": confidence}
    records = []
    for j, name, meaning in ((place, term, f"at day {middle:g}, the median event time"),
                             (len(usable), _by_time(term), "by which the ratio changes")):  # fmt: skip
        value, lower, upper = (ratio(float(v[j])) for v in (fit.coef, fit.lower, fit.upper))
        note = meaning + (f"; {at_zero} events on day 0 left out" if at_zero else "")
        note = note if fit.converged else f"{NOT_ESTIMABLE}: the fit did not converge"
        records.append(replace(base, term=name, estimate=value, lower=lower, upper=upper,
                               p_value=finite(float(fit.p_value[j])), note=note, **common))  # fmt: skip
    return records


def _by_time(term: str) -> str:
    """Return the term of a product with time: the factor's name says so, its level stays."""
    return Stratum(f"{term.factor}{BY_TIME}", term.level) if isinstance(term, Stratum) else f"{term}{BY_TIME}"


def _steps(inputs: Inputs) -> Iterator[Step]:
    ends = {end.name for end, _, _ in inputs.main_multivariable}
    alone = [m for m in inputs.univariable if m[0].name in ends]
    for model in (m for m in (*alone, *inputs.main) if m[0].kind == "time"):
        yield of_endpoint(
            "proportional hazards", model[0], work=partial(_with_means, *model, confidence=inputs.plan.confidence)
        )


ANALYSIS = Analysis(
    "proportional hazards",
    records="proportional",
    section="sure",
    steps=_steps,
    what="proportional hazards",
    method=(
        "scaled Schoenfeld residuals on the 1 - Kaplan-Meier scale; where p < 0.05 the product with log2 "
        "time, Firth in counting-process form (Biometrika 1994;81:515), and of the plan's models restricted mean "
        "survival times by group"
    ),
    lacking="no multivariable model of a time-to-event endpoint",
    switches=("proportional_hazards",),
)

"""Associations that allow for centres: by strata, by errors robust to clusters, or by a shared frailty.

Patients of one centre resemble each other, and centres differ in whom they treat how. *Stratum*: patients are compared
within centres only; nothing is assumed of the centres, and what does not differ within them is not estimated. *Robust*:
the model ignores centres, its errors do not; effects stay those of all patients, what differs between centres included.
*Frailty*: a normal effect of each centre on the log hazard; of binary endpoints on the log odds, a random intercept. A
plan names the column, and the way or ``auto``: strata where the median centre has five patients or more and two centres
each have an event to compare, else robust errors. Type I errors of each: benchmarks/results/centres.csv.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal, cast, get_args

import numpy as np
from pydantic import AfterValidator
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from reinfuse.analyses.association import infinite, ratio
from reinfuse.analyses.base import Analysis, Inputs, Model, Step, of_endpoint
from reinfuse.analyses.design_matrix import DesignMatrix, design_of
from reinfuse.analyses.small_groups import events_for_normal, withheld
from reinfuse.arrays import Floats, Integers
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.baseline_columns import unfit_values
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.raw_tables import DERIVED
from reinfuse.exceptions import Problem, nearest
from reinfuse.plan.analysis_plan import Plan
from reinfuse.plan.switches import Switch
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined
from reinfuse.statistics import cluster_robust, firth_strata, frailty, random_intercept
from reinfuse.statistics.firth import FirthFit

Way = Literal["stratum", "robust", "frailty"]
RECORDS = "centres"
AUTO = "auto"
USUAL = ("centre", "center", "site")
"""Columns that are taken where a plan says `true`."""
FEWEST_A_CENTRE, FEWEST_CENTRES, FEWEST_RANDOM = 5, 2, 5
_FEWEST_DF = 4.0
METHODS: dict[tuple[str, Way], str] = {
    ("logistic", "stratum"): "Firth logistic, an intercept for each centre, penalised likelihood ratio, profile CI",
    ("cox", "stratum"): "Firth Cox, stratified by centre, penalised likelihood ratio, profile CI",
    ("logistic", "robust"): "logistic, CR2 robust by centre, Satterthwaite t",
    ("cox", "robust"): "Firth Cox, jackknife over centres, t",
    ("cox", "frailty"): "Cox with a normal frailty of each centre, normal CI",
    ("logistic", "frailty"): "logistic with a normal random intercept of each centre, softly penalised, normal CI",
}


@dataclass(frozen=True)
class Centres:
    """The centres of the analysed patients.

    Attributes
    ----------
    column, way
        As the plan says; the way may be ``auto``.
    place
        A number for each patient's centre, -1 where it is missing.
    """

    column: str
    way: str
    place: Integers


def setting_of(value: Any) -> bool | dict[str, str]:
    """Return a setting of the plan: false, or the column (empty: a usual one) and the way."""
    if value is False:
        return False
    given = {"column": ""} if value is True else {"column": value} if isinstance(value, str) else value
    ways = (AUTO, *get_args(Way))
    if not isinstance(given, dict) or not given.keys() <= {"column", "way"} or not isinstance(given.get("column"), str):
        raise ValueError('is neither false, true, a column nor a table of column and way: { column = "site" }')
    if given.get("way", AUTO) not in ways:
        raise ValueError(f"way {given['way']!r} is not one of {', '.join(ways)}")
    return {"column": given["column"], "way": given.get("way", AUTO)}


def centres_of(plan: Plan, data: AnalysisSet) -> Centres | None:
    """Return the centres that a plan asks for; None where it asks for none, or the data lack the column."""
    setting = setting_of(plan.analyses.value("centres"))
    if isinstance(setting, bool):
        return None
    names = [setting["column"]] if setting["column"] else [n for n in USUAL if n in data.frame.columns]
    if not names or names[0] not in data.frame.columns:
        return None
    texts = [None if v is None else str(v).strip() for v in data.frame[names[0]].to_list()]
    order = {name: i for i, name in enumerate(sorted({t for t in texts if t}))}
    return Centres(names[0], setting["way"], np.array([order.get(t or "", -1) for t in texts], dtype=np.int64))


def lacking_centres(plan: Plan, data: AnalysisSet) -> Iterator[Problem]:
    """Yield why a plan's column of centres cannot be used."""
    setting = setting_of(plan.analyses.value("centres"))
    if isinstance(setting, bool):
        return
    column, place = setting["column"], "analyses.centres"
    centres = centres_of(plan, data)
    if centres is None:
        near = nearest(column, [c for c in data.frame.columns if DERIVED not in c]) if column else None
        remedy = f"did you mean {near!r}?" if near else "name the column that holds each patient's centre"
        rule = "is no column of these data" if column else f"these data have no column {', '.join(USUAL)}"
        yield Problem(table="plan", column=place, value=column or None, rule=rule, remedy=remedy)
    elif why := unfit_values(data.frame[centres.column]):
        yield Problem(table="plan", column=place, value=centres.column, rule=why, remedy="name another column")


def chosen(way: str, design: DesignMatrix, place: Integers) -> tuple[Way, str]:
    """Return the way for one model, and why; `place` is the centre of each of its patients."""
    binary = design.kind == "logistic"
    if way != AUTO:
        return cast(Way, way), "as the plan says"
    sizes = np.unique(place, return_counts=True)[1]
    counts = [design.event[place == c].sum() for c in np.unique(place)]
    telling = sum(0 < e < n for e, n in zip(counts, sizes, strict=True)) if binary else sum(e > 0 for e in counts)
    middle = float(np.median(sizes))
    sentence = f"{len(sizes)} centres, median {middle:g} patients"
    if middle >= FEWEST_A_CENTRE and telling >= FEWEST_CENTRES:
        return "stratum", f"strata by the rule: {sentence}, {FEWEST_A_CENTRE} or more"
    return "robust", f"robust errors by the rule: {sentence}, too few for strata"


_Numbers = tuple[Floats, Floats, Floats, Floats, list[str | None]]
"""Effects on the log scale, limits and p-values of the usable columns; a remark on each."""


def effects(end: EndpointColumn, model: Model, centres: Centres, *, confidence: float) -> list[Estimate]:
    """Return the effects of one model, allowing for centres; one a term."""
    here = replace(end, event=np.where(centres.place < 0, np.nan, end.event))
    design = design_of(here, model[1])
    place = centres.place[design.rows]
    way, why = chosen(centres.way, design, place)
    statistic = design.statistic
    missing = int((end.known & (centres.place < 0)).sum())
    left = f"{missing} patient{'' if missing == 1 else 's'} excluded, centre missing" if missing else None
    own = Estimate(RECORDS, end.name, statistic, group=way, model=model[2], confidence=confidence, unit="ratio",
                   method=METHODS[design.kind, way], n=design.n, events=design.events)  # fmt: skip
    several = len(np.unique(place))
    rough = f"{several} centres, fewer than {FEWEST_RANDOM}: their SD is rough" if several < FEWEST_RANDOM else None
    notes = [why, rough if way == "frailty" else None, left, *design.notes]
    reasons = {j: design.why(j) for j in range(len(design.terms)) if j not in design.usable}
    if design.usable and len(np.unique(place)) < FEWEST_CENTRES:
        reasons |= dict.fromkeys(design.usable, "one centre only")
    if way == "stratum":
        reasons |= _between(design, place, [j for j in design.usable if j not in reasons])
    columns = [j for j in design.usable if j not in reasons]
    numbers = _fitted(design, columns, place, way=way, confidence=confidence) if columns else None
    few = None
    if way != "stratum":
        few = events_for_normal(design.telling, len(columns))
    records = []
    for j, term in enumerate(design.terms):
        if numbers is None or j not in columns:
            reason = reasons.get(j, "the likelihood has no maximum (separation), or a centre's refit none")
            records.append(replace(own, term=term, note=joined([f"{NOT_ESTIMABLE}: {reason}", *notes])))
            continue
        i = columns.index(j)
        coef, lower, upper, p = (float(v[i]) for v in numbers[:4])
        record = replace(own, term=term, estimate=ratio(coef), lower=ratio(lower), upper=ratio(upper),
                         p_value=finite(p), note=joined([numbers[4][i], *notes]))  # fmt: skip
        records.append(withheld(record, few))
    return records


def _between(design: DesignMatrix, place: Integers, columns: Sequence[int]) -> dict[int, str]:
    """Return columns that do not vary within centres, with the reason."""
    X = design.X[:, list(columns)]
    means = np.array([X[place == c].mean(axis=0) for c in np.unique(place)])
    within = X - means[np.searchsorted(np.unique(place), place)]
    flat = {j: "the same in all patients of each centre" for j, column in zip(columns, within.T, strict=True)
            if np.abs(column).max(initial=0) < 1e-12}  # fmt: skip
    rest = [i for i, j in enumerate(columns) if j not in flat]
    if rest and np.linalg.matrix_rank(within[:, rest] / within[:, rest].std(axis=0), tol=1e-6) < len(rest):
        flat |= {columns[i]: "collinear within centres" for i in rest}
    return flat


def _fitted(design: DesignMatrix, columns: list[int], place: Integers, *, way: Way,
            confidence: float) -> _Numbers | None:  # fmt: skip
    """Return effects, limits and p-values; None where there are none."""
    X, event = design.X[:, columns], design.event
    if design.time is None:
        if way == "stratum":
            return _of_profile(firth_strata.logistic(X, event, strata=place, confidence=confidence), "logistic")
        if way == "robust":
            return _of_t(cluster_robust.logistic(np.column_stack([X, np.ones(len(X))]), event, place), len(columns),
                         confidence=confidence)  # fmt: skip
        own = random_intercept.fit(X, event, place)
        spread = f"SD of the centres' log odds {own.deviation:.2f}"
        return _of_normal(own.coef, own.error, spread, confidence=confidence) if own.converged else None
    time = np.asarray(design.time)
    if way == "stratum":
        return _of_profile(firth_strata.cox(X, time, event, strata=place, confidence=confidence), "cox")
    if way == "robust":
        return _of_t(cluster_robust.cox(X, time, event, place), len(columns), confidence=confidence)
    shared = frailty.fit(X, time, event, place)
    deviation = f"SD of the centres' log hazards {shared.variance**0.5:.2f}"
    spread = deviation if shared.variance else "SD of the centres' log hazards estimated as 0: as without centres"
    return _of_normal(shared.coef, shared.error, spread, confidence=confidence) if shared.converged else None


def _of_normal(coef: Floats, error: Floats, spread: str, *, confidence: float) -> _Numbers:
    z = float(ndtri(0.5 + confidence / 2))
    return coef, coef - z * error, coef + z * error, 2 * ndtr(-np.abs(coef / error)), [spread] * len(coef)


def _of_profile(fit: FirthFit, kind: Literal["logistic", "cox"]) -> _Numbers | None:
    if not fit.converged:
        return None
    return fit.coef, fit.lower, fit.upper, fit.p_value, [infinite(kind) if i else None for i in fit.infinite]


def _of_t(fit: cluster_robust.RobustFit, many: int, *, confidence: float) -> _Numbers | None:
    """Return limits and p-values of t; with few degrees of freedom they are rough, which is said."""
    coef, error, df = fit.coef[:many], fit.error[:many], fit.df[:many]
    if not fit.converged or not np.isfinite(error).all() or (error <= 0).any():
        return None
    t = stdtrit(df, 0.5 + confidence / 2)
    notes = [f"t on {d:.1f} df" + (", fewer than 4: rough" if d < _FEWEST_DF else "") for d in df]
    return coef, coef - t * error, coef + t * error, 2 * stdtr(df, -np.abs(coef / error)), list(notes)


def _models(inputs: Inputs) -> list[Model]:
    """Return the plan's models, and each factor of them alone."""
    alone = {(end.name, f.name): (end, [f], "univariable") for end, factors, _ in inputs.main for f in factors}
    return [*alone.values(), *inputs.main_multivariable]


def _of(end: EndpointColumn, models: Sequence[Model], centres: Centres, *, confidence: float) -> list[Estimate]:
    return [e for model in models for e in effects(end, model, centres, confidence=confidence)]


def _steps(inputs: Inputs) -> Iterator[Step]:
    centres = centres_of(inputs.plan, inputs.data)
    if centres is None:
        return
    models = _models(inputs)
    for end in inputs.main_endpoints:
        own = [m for m in models if m[0].name == end.name]
        yield of_endpoint("centres", end, work=partial(_of, end, own, centres, confidence=inputs.plan.confidence))


ANALYSIS = Analysis(
    "centres",
    records=RECORDS,
    section="sure",
    steps=_steps,
    what="the associations of the plan's models, allowing for centres",
    method=(
        "strata: Firth Cox stratified by centre, Firth logistic with an intercept for each; robust: CR2 with "
        "Satterthwaite degrees of freedom (J Bus Econ Stat 2018;36:672), for times a jackknife over centres "
        "(Biometrics 1994;50:842); frailty: normal, restricted likelihood (Biometrics 2000;56:1016), of binary "
        "endpoints a normal random intercept, softly penalised likelihood (Stat Comput 2023;33:53). By default strata "
        "where the median centre has 5 patients or more and two centres have events to compare, else robust errors"
    ),
    lacking="no endpoint and factor that can be modelled, or one centre",
    own_switch=Switch(
        "centres",
        Annotated[Any, AfterValidator(setting_of)],
        "allow for centres: the column that holds them, true for `centre`, `center` or `site`, or a table of `column` "
        "and `way` (`auto`, `stratum`, `robust`, or `frailty`, which of binary endpoints is a random intercept)",
    ),
)

"""What a plan asks of the CAR-T counts, in order: exposure, persistence, what goes with them, and outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from reinfuse.analyses import association, landmark, mediation, mixed_model, weibull_aft
from reinfuse.analyses.descriptive_steps import Step, random
from reinfuse.arrays import Floats
from reinfuse.cohort.analysis_set import ID, Analysed
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.post_baseline import at_landmark
from reinfuse.cohort.raw_tables import TIME
from reinfuse.kinetics import loss_incidence, persistence
from reinfuse.kinetics.cohort_kinetics import Counted
from reinfuse.kinetics.day_28 import WINDOW
from reinfuse.kinetics.exposure import MEASURES, summaries
from reinfuse.kinetics.extrapolation import within_reach
from reinfuse.kinetics.infusion_factors import declared, factors, label
from reinfuse.kinetics.nca import persistence as interval
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.estimate import Estimate, joined

COMPARED = ("auc_0_28", "cmax")
"""Measures whose ratios between infusions are estimated."""
PREDICTORS = {"log10_auc_0_28": "auc_0_28", "log10_cmax": "cmax_28"}
"""Factors of outcome, per tenfold, and the measures they come from."""
AMONG_REPEATS = ("cart1_cy_flu", "log2_dose_ratio")
"""Factors that only a repeat infusion has."""
ADJUSTED = ("repeat", "cy_flu", "cart1_cy_flu", "log10_dose", "log2_dose_ratio")
"""Factors of the multivariable model of exposure."""
SAME_WEEKS = "counts and response are seen over the same weeks: an association, no prediction"


def steps(data: Analysed, counts: Counted, *, plan: Plan) -> Iterator[Step]:
    """Yield the steps of the counts."""
    members = [(None, None), *_groups(data, plan)]
    yield "exposure", lambda _: (list(_summaries(counts, members)), {})
    for infusion in sorted({p.infusion for p in counts.profiles}):
        for group, ids in members:
            name = f"persistence, CART{infusion}" + (f", {group}" if group else "")
            yield name, lambda _, i=infusion, g=group, m=ids: (_persistence(counts, g, m, plan=plan, infusion=i), {})  # type: ignore[misc]
    for name, ratios in (("factors of exposure", _effects), ("factors of persistence", _times),
                         ("exposure and outcome", _outcome)):  # fmt: skip
        yield name, lambda _, ratios=ratios: ([within_reach(e) for e in ratios(counts, data, plan)], {})  # type: ignore[misc]
    if plan.analyses.bootstraps:
        yield "direct and indirect effects", lambda _: (_mediated(counts, data, plan=plan), {})


Members = list[tuple[str | None, set[str] | None]]


def _groups(data: Analysed, plan: Plan) -> Members:
    """Return name and patients of each level of the factors by which counts are compared."""
    chosen = dict.fromkeys(f for m in plan.models for f in m.factors)
    made: Members = []
    for factor in data.factors:
        if factor.kind != "number" and (factor.name in chosen or factor.name in plan.subgroups):
            pairs = list(zip(data.frame[ID].to_list(), factor.values.to_list(), strict=True))
            made += [(f"{factor.name}={level}", {i for i, v in pairs if v == level}) for level in factor.levels]
    return made


def _summaries(counts: Counted, members: Members) -> Iterator[Estimate]:
    for infusion in counts.exposures["infusion"].unique().sort().to_list():
        rows = counts.exposures.filter(pl.col("infusion") == infusion)
        for group, ids in members:
            here = rows if ids is None else rows.filter(pl.col(ID).is_in(list(ids)))
            for measure, (_, unit) in MEASURES.items():
                known = here[measure].drop_nulls()
                if (measure == "fold" and infusion == 1) or not len(here):
                    continue
                own = Estimate("kinetics", measure, "median", group=group, term=f"infusion={infusion}",
                               unit=_unit(measure, unit, counts.unit), n=len(known), method="median and quartiles",
                               note=None if len(known) == len(here) else
                               f"not known in {len(here) - len(known)} of {len(here)} infusions")  # fmt: skip
                if not len(known):
                    yield replace(own, note=joined(["not estimable", own.note]))
                for statistic, value in summaries(known) if len(known) else ():
                    yield replace(own, statistic=statistic, estimate=value)


def _unit(measure: str, unit: str, of_counts: str) -> str:
    return unit or (f"{of_counts} x days" if measure.startswith("auc") else of_counts)


def _persistence(counts: Counted, group: str | None, ids: set[str] | None, *, plan: Plan,
                 infusion: int) -> list[Estimate]:  # fmt: skip
    own = [p for p in counts.profiles if p.infusion == infusion and (ids is None or p.patient_id in ids)]
    if not own:
        return []
    rng, (deaths, alive) = random(plan, "persistence", infusion, group), _ends(counts.cohort, infusion)
    return [
        *persistence.estimates(own, infusion, group, confidence=plan.confidence, random=rng),
        *loss_incidence.estimates(
            own, infusion, group, deaths=deaths, alive=alive, confidence=plan.confidence, random=rng
        ),
    ]


def _ends(cohort: Cohort, infusion: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return patient -> day of death, and -> last day known alive, since an infusion."""
    patients, infusions = cohort.tables["patients"], cohort.tables["infusions"]
    began = dict(infusions.filter(pl.col("infusion") == infusion).select(ID, TIME).iter_rows())
    ends: list[dict[str, float]] = []
    for column in ("death", "last_contact"):
        pairs = patients.select(ID, column).drop_nulls().iter_rows() if column in patients.columns else ()
        ends.append({i: float(day - began[i]) for i, day in pairs if i in began})
    return ends[0], ends[1]


def columns(values: Mapping[str, Floats], rows: np.ndarray | None = None) -> dict[str, FactorColumn]:
    """Return factors of infusions as factor columns; those with two values 0 and 1 as yes/no."""
    made = {}
    for name, value in values.items():
        value = value if rows is None else np.where(rows, value, np.nan)
        known = set(value[~np.isnan(value)].tolist())
        if known <= {0.0, 1.0}:
            words = pl.Series(name, [None if np.isnan(v) else "yes" if v else "no" for v in value], dtype=pl.String)
            made[name] = FactorColumn(name, label(name), "binary", words, ("no", "yes"))
        else:
            numbers = pl.Series(name, value).fill_nan(None)
            made[name] = FactorColumn(name, label(name), "number", numbers)
    return made


def _effects(counts: Counted, data: Analysed, plan: Plan) -> list[Estimate]:
    ordered = sorted(counts.profiles, key=lambda p: (p.patient_id, p.infusion))
    values = factors(counts.cohort, ordered) | declared(data, ordered)
    patient = [p.patient_id for p in ordered]
    repeat = np.array([p.infusion > 1 for p in ordered])
    alone = columns(values) | columns({n: v for n, v in values.items() if n in AMONG_REPEATS}, repeat)
    varied = {n for n, v in values.items() if n in ADJUSTED and len(set(v[~np.isnan(v)])) > 1}
    together = [c for n, c in columns(values).items() if n in varied]
    made = []
    for measure in COMPARED:
        log = np.log(counts.exposures[measure].fill_null(float("nan")).to_numpy())
        found = [
            e
            for f in alone.values()
            for e in mixed_model.effects(
                measure, log, patient, factors=[f], model="univariable", confidence=plan.confidence
            )
        ]
        if len(together) > 1:
            found += mixed_model.effects(
                measure, log, patient, factors=together, model="multivariable", confidence=plan.confidence
            )
        said = _halved(counts, measure)
        made += [replace(e, note=joined([e.note, said])) for e in found]
    return made


def _halved(counts: Counted, measure: str) -> str | None:
    """Say how many infusions enter with half the limit."""
    by, none = (f" by day {WINDOW:g}", pl.col("low") | pl.col("late")) if measure != "cmax" else ("", pl.col("low"))
    many = counts.exposures.filter(none & pl.col(measure).is_not_null()).height
    return (
        f"{many} infusion{'' if many == 1 else 's'} with no count above the limit{by}: half the limit" if many else None
    )


def _times(counts: Counted, data: Analysed, plan: Plan) -> list[Estimate]:
    """Return the time ratios of persistence after the index infusion."""
    of = {p.patient_id: p for p in counts.profiles if p.infusion == plan.index_infusion}
    rows = [i for i, patient in enumerate(data.frame[ID].to_list()) if patient in of]
    if not rows:
        return []
    between = [interval(of[data.frame[ID][i]]) for i in rows]
    left, right = [a for a, _ in between], [b for _, b in between]
    chosen = {f.name: replace(f, values=f.values[rows]) for f in data.factors}
    made = []
    for factor in chosen.values():
        made += weibull_aft.effects(left, right, [factor], model="univariable", confidence=plan.confidence)
    named = dict.fromkeys(f for m in plan.models for f in m.factors if f in chosen)
    if len(named) > 1:
        made += weibull_aft.effects(
            left, right, [chosen[f] for f in named], model="multivariable", confidence=plan.confidence
        )
    return made


def _predictors(counts: Counted, data: Analysed, *, plan: Plan) -> list[FactorColumn]:
    """Return log10 exposures after the index infusion as factors of the analysed patients."""
    rows = counts.exposures.filter(pl.col("infusion") == plan.index_infusion)
    joined_rows = data.frame.select(ID).join(rows, on=ID, how="left", maintain_order="left")
    made = []
    for name, measure in PREDICTORS.items():
        label = (
            f"{MEASURES[measure.removesuffix('_28')][0] if measure == 'cmax_28' else MEASURES[measure][0]}, per tenfold"
        )
        made.append(FactorColumn(name, label, "number", joined_rows[measure].log10().alias(name)))
    return made


def _outcome(counts: Counted, data: Analysed, plan: Plan) -> list[Estimate]:
    made: list[Estimate] = []
    response, pfs = data.endpoint("response"), data.endpoint("pfs")
    for factor, measure in zip(_predictors(counts, data, plan=plan), PREDICTORS.values(), strict=True):
        if response is not None:
            said = _lacking(counts, data, plan, measure=measure, asked=response.known)
            made += [
                replace(e, analysis="kinetics", note=joined([e.note, said, SAME_WEEKS]))
                for e in association.associations(response, [factor], "univariable", confidence=plan.confidence)
            ]
        if pfs is not None and pfs.entry is None:
            said = _lacking(counts, data, plan, measure=measure, asked=at_landmark(pfs, WINDOW)[0].known)
            records, _ = landmark.landmark(pfs, factor, [], day=WINDOW, confidence=plan.confidence, ticks=[])
            made += [replace(e, analysis="kinetics", note=joined([e.note, said])) for e in records]
    return made


def _lacking(counts: Counted, data: Analysed, plan: Plan, *, measure: str, asked: np.ndarray) -> str | None:
    """Say why patients who are asked for lack an exposure, and how many of them progressed or died by day 28."""
    rows = counts.exposures.filter(pl.col("infusion") == plan.index_infusion)
    reasons = dict(rows.select(ID, f"why_{measure}").iter_rows())
    ids, pfs = data.frame[ID].to_list(), data.endpoint("pfs")
    lacking = {i: why for i, one in enumerate(ids) if asked[i] and (why := reasons.get(one, "no count"))}
    if not lacking:
        return None
    said = ", ".join(f"{many} with {why}" for why, many in sorted(Counter(lacking.values()).items()))
    early = 0
    if pfs is not None and pfs.time is not None:
        early = sum(bool(pfs.event[i] == 1 and pfs.time[i] <= WINDOW) for i in lacking)
    gone = f" ({early} of these {len(lacking)} progressed or died by day {WINDOW:g})" if early else ""
    return f"left out: {said}{gone}"


def _mediated(counts: Counted, data: Analysed, *, plan: Plan) -> list[Estimate]:
    end = data.endpoint("response")
    named = dict.fromkeys(f for m in plan.models for f in m.factors)
    wanted = [f for f in data.factors if f.name in named and f.kind == "binary"]
    if end is None or not wanted:
        return []
    mediator = _predictors(counts, data, plan=plan)[0].values.fill_null(float("nan")).to_numpy()
    others = [f.columns for f in data.factors if f.name in plan.standardise.confounders]
    confounders = np.column_stack(others) if others else np.empty((data.frame.height, 0))
    made = []
    for factor in wanted:
        made += mediation.mediation(
            end.name,
            factor.name,
            end.event,
            x=factor.columns[:, 0],
            m=mediator,
            confounders=confounders,
            confidence=plan.confidence,
            draws=plan.analyses.bootstraps,
            random=random(plan, "mediation", factor.name),
        )
    said = _lacking(counts, data, plan, measure="auc_0_28", asked=end.known)
    return [replace(e, note=joined([e.note, said])) for e in made]

"""The analysed patients: who is in and who is out, with endpoints and factors side by side, dated or wide alike."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reinfuse.cohort import endpoints, factors
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declared import LABELS, EndpointColumn, from_columns
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.interpret import CLASS_SUFFIX
from reinfuse.cohort.notes import filled, rule_notes
from reinfuse.cohort.raw import ROW
from reinfuse.cohort.wide import is_grade
from reinfuse.errors import CohortRefused, PlanRefused, Problem
from reinfuse.plan import Plan, Rules

ID = endpoints.ID
Floats = NDArray[np.float64]
COMPETING = {"relapse": "nrm", "nrm": "relapse"}
TIMED = ("pfs", "os", "dor", "ttnt", "relapse", "nrm")


@dataclass(frozen=True)
class Analysed:
    """The analysed patients of a cohort under a plan.

    Attributes
    ----------
    frame
        One row a patient, sorted by id: standard names, sources, and the input's other columns.
    flow
        Every patient of the input once: `patient_id`, `status` (``analysed``, ``excluded``), `reason`.
    endpoints, factors
        Columns in the order of `frame`.
    populations
        Name -> mask; ``all`` first.
    notes
        What the data lack or what a rule did, in words, for the report's warnings.
    """

    frame: pl.DataFrame = field(repr=False)
    flow: pl.DataFrame = field(repr=False)
    endpoints: tuple[EndpointColumn, ...]
    factors: tuple[FactorColumn, ...]
    populations: dict[str, NDArray[np.bool_]] = field(repr=False)
    notes: tuple[str, ...]

    def endpoint(self, name: str) -> EndpointColumn | None:
        """Return the endpoint of that name, if the data hold it."""
        return next((e for e in self.endpoints if e.name == name), None)

    def factor(self, name: str) -> FactorColumn | None:
        """Return the factor of that name, if the data hold it."""
        return next((f for f in self.factors if f.name == name), None)

    @property
    def grades(self) -> tuple[str, ...]:
        """Columns of worst grades."""
        return tuple(c for c in self.frame.columns if is_grade(c))


def analysed(cohort: Cohort, plan: Plan) -> Analysed:
    """Derive endpoints and factors of the patients that the plan analyses.

    Raises
    ------
    CohortRefused
        If no patient had the index infusion.
    PlanRefused
        If a declared factor, endpoint or subgroup needs a column that is not there, with all such problems.
    """
    frame, flow = _wide(cohort) if cohort.wide else _dated(cohort, plan)
    if frame.is_empty():
        rule, remedy = f"no patient has an infusion {plan.index_infusion}", "choose another index_infusion in the plan"
        raise CohortRefused([Problem("infusions", None, "infusion", None, rule, remedy)])
    frame = frame.sort(ID)
    made, left_out, problems = factors.build(plan.factors, frame)
    ends = _built_in_endpoints(frame, plan.rules)
    for declared in plan.endpoints:
        one, wrong = from_columns(declared, frame)
        problems += wrong
        ends += [one] if one else []
    populations, missing, wrong = _populations(frame, made, plan)
    if problems + wrong:
        raise PlanRefused(problems + wrong)
    notes = [f"factor {n} left out: the data do not hold what it needs" for n in left_out]
    notes += [f"subgroup {n} left out: the data do not hold it" for n in missing]
    notes += rule_notes(frame, plan)
    return Analysed(frame, flow.sort(ID), tuple(ends), tuple(made), populations, tuple(notes))


def _wide(cohort: Cohort) -> tuple[pl.DataFrame, pl.DataFrame]:
    frame = cohort.tables["sheet"]
    flow = frame.select(ID, status=pl.lit("analysed"), reason=pl.lit(None, dtype=pl.String))
    return frame, flow


def _dated(cohort: Cohort, plan: Plan) -> tuple[pl.DataFrame, pl.DataFrame]:
    index = plan.index_infusion
    derived = endpoints.derive(cohort, index, plan.rules)
    patients = cohort.tables["patients"]
    kept = [c for c in patients.columns if c not in (ROW, "last_contact", "death", "death_cause")]
    frame = _baseline(cohort, index).join(patients.select(kept), on=ID, how="inner", suffix="_patients")
    frame = frame.join(derived, on=ID, how="inner")
    status = pl.col(ID).is_in(derived[ID].implode())
    treated = pl.col(ID).is_in(cohort.tables["infusions"][ID].implode())
    reason = pl.when(~treated).then(pl.lit("no CAR-T infusion")).otherwise(pl.lit(f"no infusion {index}"))
    flow = patients.select(
        ID,
        status=pl.when(status).then(pl.lit("analysed")).otherwise(pl.lit("excluded")),
        reason=pl.when(~status).then(reason),
    )
    return frame, flow


def _baseline(cohort: Cohort, index: int) -> pl.DataFrame:
    """Return what the infusions up to the index one tell: regimens, doses, interval, and the index row's columns."""
    infusions = cohort.tables["infusions"]
    own = ["lymphodepletion", "lymphodepletion" + CLASS_SUFFIX, "dose_cells_per_kg"]
    skipped = {*own, ROW, "_time", "infusion", "date", "day"}
    frame = infusions.filter(pl.col("infusion") == index).select([c for c in infusions.columns if c not in skipped])
    times = {}
    for number in range(1, index + 1):
        one = infusions.filter(pl.col("infusion") == number)
        named = [pl.col(c).alias(f"cart{number}_{c}") for c in own]
        frame = frame.join(one.select(ID, *named, pl.col("_time").alias(f"_day{number}")), on=ID, how="left")
        times[number] = f"_day{number}"
    if index > 1:
        frame = frame.with_columns(interval_days=(pl.col("_day2") - pl.col("_day1")).cast(pl.Float64))
    return frame.drop(times.values())


def _flag(frame: pl.DataFrame, column: str) -> Floats:
    """Return a yes/no column as 1, 0 and NaN."""
    return (frame[column] == "yes").cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)


def _built_in_endpoints(frame: pl.DataFrame, rules: Rules) -> list[EndpointColumn]:
    ends = []
    if filled(frame, "response"):
        with_diagnosis = (
            frame if "diagnosis" in frame.columns else frame.with_columns(diagnosis=pl.lit(None, pl.String))
        )
        responded = with_diagnosis.select(r=endpoints.is_responder(rules))["r"]
        complete = frame.select(r=pl.col("response").is_in(list(rules.complete)).fill_null(False))["r"]
        for name, series in (("response", responded), ("cr", complete)):
            event = series.cast(pl.Float64).to_numpy().astype(np.float64)
            ends.append(EndpointColumn(name, LABELS[name], "binary", event))
    if filled(frame, "umrd_day28"):
        ends.append(EndpointColumn("umrd_day28", LABELS["umrd_day28"], "binary", _flag(frame, "umrd_day28")))
    for name in TIMED:
        if filled(frame, f"{name}_days", f"{name}_event"):
            time = frame[f"{name}_days"].fill_null(float("nan")).to_numpy().astype(np.float64)
            ends.append(EndpointColumn(name, LABELS[name], "time", _flag(frame, f"{name}_event"), time))
    have = {e.name: e for e in ends}
    return [replace(e, competing=have[COMPETING[e.name]].event) if COMPETING.get(e.name) in have else e for e in ends]


def _populations(frame: pl.DataFrame, made: list[FactorColumn],
                 plan: Plan) -> tuple[dict[str, NDArray[np.bool_]], list[str], list[Problem]]:  # fmt: skip
    """Return all patients and each level of each subgroup; a subgroup of numbers is refused."""
    masks = {"all": np.ones(frame.height, dtype=np.bool_)}
    missing: list[str] = []
    problems: list[Problem] = []
    by_name = {f.name: f for f in made if f.kind != "number"}
    for name in plan.subgroups:
        column = by_name[name].values if name in by_name else frame[name] if name in frame.columns else None
        if column is None and name not in ("diagnosis", *factors.LABELS):
            rule = "the plan's subgroup is no factor and no column"
            problems.append(Problem("plan", None, name, None, rule, "correct the plan"))
            continue
        if column is None or column.null_count() == frame.height:
            missing.append(name)
            continue
        levels = sorted({str(v) for v in column.drop_nulls()})
        if len(levels) > factors.MAX_LEVELS:
            rule = f"the plan's subgroup has {len(levels)} different values, more than {factors.MAX_LEVELS}"
            problems.append(Problem("plan", None, name, None, rule, "declare it as a factor with above"))
            continue
        texts = column.cast(pl.String)
        masks |= {f"{name}={level}": (texts == level).fill_null(False).to_numpy() for level in levels}
    return masks, missing, problems

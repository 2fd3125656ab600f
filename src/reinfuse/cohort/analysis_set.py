"""The analysed patients: who is in and who is out, with endpoints and factors side by side, dated or wide alike."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from reinfuse.arrays import Bools, Floats
from reinfuse.cohort import endpoint_derivation as endpoints
from reinfuse.cohort import factors, study_days
from reinfuse.cohort.baseline_columns import unfit_values
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.data_notes import filled, rule_notes
from reinfuse.cohort.declarations import Design, Rules
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, declaration
from reinfuse.cohort.endpoints import EndpointColumn, from_columns
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.level_groups import group_notes
from reinfuse.cohort.raw_tables import ROW, TIME
from reinfuse.cohort.responders import BEST_RESPONSES
from reinfuse.cohort.schema import PATIENTS, WIDE
from reinfuse.cohort.split_doses import with_whole_doses
from reinfuse.cohort.strata import Stratum
from reinfuse.cohort.typed_table import CLASS_SUFFIX
from reinfuse.cohort.wide_format import is_grade
from reinfuse.exceptions import CohortRefused, PlanRefused, Problem
from reinfuse.tabular.cell_parsing import Dialect
from reinfuse.texts import LONGEST_NAME

ID = study_days.ID


@dataclass(frozen=True)
class AnalysisSet:
    """The analysed patients of a cohort under a design.

    Attributes
    ----------
    frame
        One row a patient, sorted by id: standard names, sources, and the input's other columns.
    flow
        Every patient of the input once: `patient_id`, `status` (``analysed``, ``excluded``), `reason`.
    endpoints, factors
        Columns in the order of `frame`; factors that were known by the index infusion.
    later
        Post-baseline factors, for landmark analyses.
    populations
        Name -> mask; ``all`` first.
    notes
        What the data lack or what a rule did, in words, for the report's warnings.
    """

    frame: pl.DataFrame = field(repr=False)
    flow: pl.DataFrame = field(repr=False)
    endpoints: tuple[EndpointColumn, ...]
    factors: tuple[FactorColumn, ...]
    populations: dict[str, Bools] = field(repr=False)
    notes: tuple[str, ...]
    later: tuple[FactorColumn, ...] = ()

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


def analysis_set(cohort: Cohort, design: Design) -> AnalysisSet:
    """Derive endpoints and factors of the patients that the plan analyses.

    Raises
    ------
    CohortRefused
        If no patient had the index infusion, or a sheet holds nothing that the plan analyses.
    PlanRefused
        If a declared factor, endpoint or subgroup needs a column that is not there, with all such problems.
    """
    cohort = with_whole_doses(cohort, design.rules)
    frame, flow, renamed = _wide(cohort) if cohort.wide else _dated(cohort, design)
    if frame.is_empty():
        rule, remedy = (
            f"no patient has an infusion {design.index_infusion}",
            "choose another index_infusion in the plan",
        )
        raise CohortRefused([Problem(table="infusions", column="infusion", rule=rule, remedy=remedy)])
    frame = frame.sort(ID)
    dialect: Dialect = "either" if any(t.dialect == "either" for t in cohort.raw.tables.values()) else "point"
    columns, left_out, problems = factors.build(design.all_factors, frame, dialect=dialect)
    ends = built_in_endpoints(frame, design.rules)
    derived = {e.name for e in ends}
    for declared in design.endpoints:
        if declared.name in derived:
            rule = f"endpoint {declared.name}: the cohort holds an endpoint of this name already"
            problems.append(
                Problem(
                    table="plan", column=declared.name, rule=rule, remedy="give the plan's own endpoint another name"
                )
            )
            continue
        one, wrong = from_columns(declared, frame, dialect=dialect)
        problems += wrong
        ends += [one] if one else []
    populations, missing, wrong = _populations(frame, columns, design=design)
    if problems + wrong:
        raise PlanRefused(problems + wrong)
    if not any(e.known.any() for e in ends) and not any(is_grade(c) for c in frame.columns):
        raise CohortRefused([_without_outcome(cohort), *cohort.warnings])
    notes = [f"factor {n} omitted: its data are not available" for n in left_out]
    notes += [f"subgroup {n} omitted: not in the data" for n in missing]
    notes += [f"{e.label}: missing in {n} of {frame.height} patients, who are excluded from it" for e in ends
              if _is_noted(e) and (n := int((~e.known).sum()))]  # fmt: skip
    notes += group_notes(design, frame)
    notes += [*renamed, *rule_notes(frame, design, cohort=cohort)]
    at_zero = tuple(f for f in columns if f.known_at is None)
    return AnalysisSet(frame, flow.sort(ID), tuple(ends), at_zero, populations, tuple(notes),
                       tuple(f for f in columns if f.known_at is not None))  # fmt: skip


def _without_outcome(cohort: Cohort) -> Problem:
    """Tell that no endpoint and no toxicity of the plan is there."""
    table = "sheet" if cohort.wide else None
    names = ", ".join(c for e in ENDPOINTS.values() if e.kind == "time" and not e.among for c in e.columns[:1])
    rule = f"holds no outcome that the plan analyses: no response, time to event ({names}) or grade of toxicity"
    remedy = "use the standard names, map them under [columns] of the plan, or let `reinfuse map` propose a map"
    return Problem(table=table, rule=rule, remedy=remedy)


def _wide(cohort: Cohort) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    frame = cohort.tables["sheet"]
    flow = frame.select(ID, status=pl.lit("analysed"), reason=pl.lit(None, dtype=pl.String))
    return frame, flow, []


def _dated(cohort: Cohort, design: Design) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """Return the analysed patients, the flow, and which columns of the input were renamed."""
    index = design.index_infusion
    derived = endpoints.derive(cohort, index, rules=design.rules)
    infusions, patients = cohort.tables["infusions"], cohort.tables["patients"]
    given = _given(infusions, index)
    at_index = _without(infusions.filter(pl.col("infusion") == index), ROW, TIME, "infusion", "date", "day", *_OWN)
    people = _without(patients, ROW, "last_contact", "death", "death_cause")
    taken = {*WIDE.names, *derived.columns, *given.columns} - {ID, *_BASELINE}
    owned = {c for c in PATIENTS.names if c in people.columns} - {ID}
    at_index, renamed = _apart(at_index, taken | owned, table="infusions")
    people, more = _apart(people, taken | set(at_index.columns) - {ID}, table="patients")
    frame = given.join(at_index, on=ID, how="inner").join(people, on=ID, how="inner").join(derived, on=ID, how="inner")
    status = pl.col(ID).is_in(derived[ID].implode())
    treated = pl.col(ID).is_in(infusions[ID].implode())
    reason = pl.when(~treated).then(pl.lit("no CAR-T infusion")).otherwise(pl.lit(f"no infusion {index}"))
    if cohort.split_doses is not None:
        parts = pl.col(ID).is_in(cohort.split_doses[ID].unique().implode())
        part = pl.lit(f"no infusion {index}: a planned part (split dose) is none of its own")
        reason = pl.when(parts).then(part).otherwise(reason)
    flow = patients.select(
        ID,
        status=pl.when(status).then(pl.lit("analysed")).otherwise(pl.lit("excluded")),
        reason=pl.when(~status).then(reason),
    )
    return frame, flow, renamed + more


_OWN = ("lymphodepletion", "lymphodepletion" + CLASS_SUFFIX, "dose_cells_per_kg")
_BASELINE = frozenset({"diagnosis", "sex", "age_years", "prior_lines", "bulky"})
"""Standard names that the input's own columns bear by right."""


def _without(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return frame.drop(columns, strict=False)


def _apart(frame: pl.DataFrame, taken: set[str], *, table: str) -> tuple[pl.DataFrame, list[str]]:
    """Rename columns of the input that bear the name of a derived one, or of one that another table declares."""
    names: dict[str, str] = {}
    for column in (c for c in frame.columns if c in taken or is_grade(c)):
        name = f"{column}_{table}"
        while name in frame.columns or name in taken:
            name += "_"
        names[column] = name
    apart = {old: "" if old in _BASELINE else f", apart from the derived {old}" for old in names}
    sentences = [f"column {old} of the table {table} is kept as {new}{apart[old]}" for old, new in names.items()]
    return frame.rename(names), sentences


def _given(infusions: pl.DataFrame, index: int) -> pl.DataFrame:
    """Return regimen and dose of each infusion up to the index one, and the interval from the first to the second."""
    frame = infusions.filter(pl.col("infusion") == index).select(ID)
    for number in range(1, index + 1):
        one = infusions.filter(pl.col("infusion") == number)
        frame = frame.join(one.select(ID, *(pl.col(c).alias(f"cart{number}_{c}") for c in _OWN)), on=ID, how="left")
    if index == 1:
        return frame
    first, second = (pl.col(TIME).filter(pl.col("infusion") == number).first() for number in (1, 2))
    days = infusions.group_by(ID).agg(interval_days=(second - first).cast(pl.Float64))
    return frame.join(days, on=ID, how="left")


def _flag(frame: pl.DataFrame, column: str) -> Floats:
    """Return a yes/no column as 1, 0 and NaN."""
    return (frame[column] == "yes").cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)


def _is_noted(endpoint: EndpointColumn) -> bool:
    """Tell whether patients in whom an endpoint is not known are noted: not of one that has a note of its own."""
    if endpoint.kind == "binary":
        return endpoint.name not in ENDPOINTS
    return declaration(endpoint.name).among is None


def built_in_endpoints(frame: pl.DataFrame, rules: Rules) -> list[EndpointColumn]:
    """Return the built-in endpoints that the patients' columns hold, each with what competes with it."""
    columns = {name: _built_in(frame, name, rules=rules) for name in ENDPOINTS}
    ends = {name: column for name, column in columns.items() if column is not None}
    rivals = {name: ends.get(ENDPOINTS[name].competes_with or "") for name in ends}
    return [end if (rival := rivals[name]) is None else replace(end, competing=rival.event)
            for name, end in ends.items()]  # fmt: skip


def _built_in(frame: pl.DataFrame, name: str, *, rules: Rules) -> EndpointColumn | None:
    endpoint = ENDPOINTS[name]
    if not filled(frame, *(("response",) if endpoint.of_best_response else endpoint.columns)):
        return None
    if endpoint.of_best_response:
        if "diagnosis" not in frame.columns:
            frame = frame.with_columns(diagnosis=pl.lit(None, pl.String))
        event = frame.select(e=BEST_RESPONSES[name](rules))["e"].cast(pl.Float64).to_numpy()
        return EndpointColumn(name, endpoint.label, "binary", event.astype(np.float64))
    if endpoint.kind == "binary":
        return EndpointColumn(name, endpoint.label, "binary", _flag(frame, name))
    days, event_column = endpoint.columns
    time = frame[days].fill_null(float("nan")).to_numpy().astype(np.float64)
    return EndpointColumn(name, endpoint.label, "time", _flag(frame, event_column), time)


def _populations(frame: pl.DataFrame, columns: list[FactorColumn],
                 *, design: Design) -> tuple[dict[str, Bools], list[str], list[Problem]]:  # fmt: skip
    """Return all patients and each level of each subgroup; a subgroup of numbers is refused."""
    masks = {"all": np.ones(frame.height, dtype=np.bool_)}
    missing: list[str] = []
    problems: list[Problem] = []
    by_name = {f.name: f for f in columns if f.kind != "number"}
    for name in design.subgroups:
        column = by_name[name].values if name in by_name else frame[name] if name in frame.columns else None
        if column is None and name not in ("diagnosis", *factors.LABELS):
            rule = "the plan's subgroup is neither a factor nor a column"
            problems.append(Problem(table="plan", column=name, rule=rule, remedy="correct the plan"))
            continue
        if column is None or column.null_count() == frame.height:
            missing.append(name)
            continue
        levels = sorted({str(v) for v in column.drop_nulls()})
        if len(levels) > factors.MAX_LEVELS:
            rule = f"the plan's subgroup has {len(levels)} different values, more than {factors.MAX_LEVELS}"
            problems.append(Problem(table="plan", column=name, rule=rule, remedy=factors.TOO_MANY_LEVELS))
            continue
        if any(len(level) > LONGEST_NAME for level in levels):
            rule = f"the plan's subgroup has a value of more than {LONGEST_NAME} characters"
            problems.append(
                Problem(table="plan", column=name, rule=rule, remedy="shorten it, or leave the subgroup out")
            )
            continue
        if name not in factors.LABELS and (why := unfit_values(column)):
            problems.append(
                Problem(table="plan", column=name, rule=f"the plan's subgroup {why}", remedy="correct the plan")
            )
            continue
        texts = column.cast(pl.String)
        masks |= {Stratum(name, level): (texts == level).fill_null(False).to_numpy() for level in levels}
    return masks, missing, problems

"""What `reinfuse kinetics` writes: the parameters of every profile, and the counts drawn by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from reinfuse.analysis.estimate import Estimate
from reinfuse.cohort.analysed import ID, Analysed
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.factors import FactorColumn
from reinfuse.errors import CohortRefused, Problem
from reinfuse.kinetics.curves import median_curve
from reinfuse.kinetics.nca import NcaRules
from reinfuse.kinetics.persistence import estimates
from reinfuse.kinetics.profiles import Profile, Profiles, profiles
from reinfuse.kinetics.table import parameters
from reinfuse.plan import Plan
from reinfuse.report.figures.spaghetti import Group, spaghetti
from reinfuse.report.figures.theme import Columns, Drawn
from reinfuse.report.labels import lowered
from reinfuse.report.write import in_place, write_figures

GRID = tuple(float(d) for d in (*range(1, 29), *range(35, 366, 7)))
SUBSET = "total"


def write_kinetics(cohort: Cohort, data: Analysed, plan: Plan, directory: Path, above: float | None = None) -> Profiles:
    """Write kinetics.csv, persistence.csv and figures into a folder.

    Parameters
    ----------
    above
        Level for the time above it.

    Returns
    -------
    Profiles
        What was read.

    Raises
    ------
    CohortRefused
        If the cohort holds no count after an infusion.
    OutputRefused
        If the folder cannot be written.
    """
    found = profiles(cohort)
    if not found.profiles:
        rule, remedy = "holds no count after an infusion", "add a table counts (`reinfuse schema` tells its columns)"
        raise CohortRefused([Problem("counts", None, None, None, rule, remedy)])

    def write(draft: Path) -> None:
        parameters(found, NcaRules(above=above)).write_csv(draft / "kinetics.csv")
        rows = [{"unit_of_counts": unit, **e.as_dict()} for unit, e in _persistence(found, data, plan)]
        pl.DataFrame(rows, infer_schema_length=None).write_csv(draft / "persistence.csv")
        write_figures(list(drawings(found, data, plan, cohort.about.synthetic)), draft / "figures")

    in_place(directory, write)
    return found


def _persistence(found: Profiles, data: Analysed, plan: Plan) -> Iterator[tuple[str, Estimate]]:
    """Yield the persistence after each infusion, of all patients and by factor, a unit each."""
    random = np.random.default_rng(plan.seed)
    for unit in sorted({p.unit for p in found.profiles if p.subset == SUBSET}):
        mine = [p for p in found.profiles if p.unit == unit and p.subset == SUBSET]
        groups = [(None, {p.patient_id for p in mine}), *_groups(data, plan)]
        for infusion in sorted({p.infusion for p in mine}):
            for group, ids in groups:
                own = [p for p in mine if p.patient_id in ids]
                yield from ((unit, e) for e in estimates(own, infusion, group, plan.confidence, random))


def _groups(data: Analysed, plan: Plan) -> Iterator[tuple[str, set[str]]]:
    """Yield name and patients of each level of the factors by which counts are drawn."""
    for factor in _factors(data, plan):
        pairs = list(zip(data.frame[ID].to_list(), factor.values.to_list(), strict=True))
        for level in factor.levels:
            yield f"{factor.name}={level}", {i for i, v in pairs if v == level}


def _factors(data: Analysed, plan: Plan) -> list[FactorColumn]:
    chosen = dict.fromkeys(f for m in plan.models for f in m.factors)
    return [f for f in data.factors if f.kind != "number" and (f.name in chosen or f.name in plan.subgroups)]


def drawings(found: Profiles, data: Analysed, plan: Plan, synthetic: bool, columns: Columns = 2) -> Iterator[Drawn]:
    """Yield the counts of all patients, and by each factor of the plan's models that has levels; a unit each."""
    units = Counter(p.unit for p in found.profiles if p.subset == SUBSET)
    for unit, _ in units.most_common():
        mine = [p for p in found.profiles if p.unit == unit and p.subset == SUBSET]
        ending = unit.replace("/", "_per_")
        title = f"CAR-T cells after each infusion ({unit})"
        yield _drawn(f"counts_{ending}", title, mine, {"All patients": {p.patient_id for p in mine}}, unit, synthetic,
                     columns)  # fmt: skip
        for factor in _factors(data, plan):
            level_of = dict(zip(data.frame[ID].to_list(), factor.values.to_list(), strict=True))
            members = {level: {i for i, v in level_of.items() if v == level} for level in factor.levels}
            by = f"{title}, by {lowered(factor.label)}"
            yield _drawn(f"counts_{ending}_by_{factor.name}", by, mine, members, unit, synthetic, columns)


def _drawn(name: str, title: str, mine: list[Profile], members: dict[str, set[str]], unit: str, synthetic: bool,
           columns: Columns) -> Drawn:  # fmt: skip
    panels: dict[str, list[Group]] = {}
    for infusion in sorted({p.infusion for p in mine}):
        groups = []
        for label, ids in members.items():
            own = [p for p in mine if p.infusion == infusion and p.patient_id in ids]
            if own:
                groups.append(Group(label, own, median_curve(own, GRID)))
        if groups:
            panels[f"CART{infusion}"] = groups
    return spaghetti(name, title, panels, unit, synthetic, columns)

"""Bundled cohorts, each with its source (`about.toml`) and plan (`plan.toml`), one with what was published."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from reinfuse.exceptions import PlanRefused, Problem

if TYPE_CHECKING:
    from reinfuse.plan.analysis_plan import Plan
    from reinfuse.study import Findings

DEMO = "synthetic_gauthier_2021"


@dataclass(frozen=True)
class Published:
    """A published number beside the one that the report gives."""

    quantity: str
    population: str
    published: float
    here: float | None
    unit: str
    where: str


@dataclass(frozen=True)
class Dataset:
    """A bundled cohort."""

    name: str
    title: str
    synthetic: bool
    source: str
    path: Path

    @property
    def plan(self) -> Plan:
        """The plan that goes with it."""
        from reinfuse.plan.analysis_plan import Plan

        own = self.path / "plan.toml"
        return Plan.load(own) if own.is_file() else Plan.built_in()

    def compare(self, findings: Findings) -> list[Published]:
        """Return what was published beside what the findings say; empty where nothing was."""
        table = self.path / "published.csv"
        if not table.is_file():
            return []
        records = {(e.analysis, e.endpoint or "", e.population, e.term or "", e.level or "", e.statistic): e.estimate
                   for e in findings.estimates if e.group is None and e.model is None}  # fmt: skip
        with table.open(encoding="utf-8", newline="") as file:
            return [
                Published(row["quantity"], row["population"], float(row["published"]),
                          records.get((row["analysis"], row["endpoint"], row["population"], row["term"],
                                       row["level"], row["statistic"])), row["unit"], row["where"])
                for row in csv.DictReader(file)
            ]  # fmt: skip


def dataset(name: str) -> Dataset:
    """Return a bundled cohort.

    Raises
    ------
    PlanRefused
        If none has the name.
    """
    bundled = datasets()
    if name not in bundled:
        remedy = f"use one of: {', '.join(bundled)}"
        raise PlanRefused([Problem(value=name, rule="is not a bundled cohort", remedy=remedy)])
    return bundled[name]


def datasets() -> dict[str, Dataset]:
    """Return the bundled cohorts by name."""
    cohorts = {}
    root = Path(str(files(__name__)))
    for about in sorted(root.glob("*/about.toml")):
        declared = tomllib.loads(about.read_text(encoding="utf-8"))
        name = about.parent.name
        cohorts[name] = Dataset(
            name, declared["title"], declared.get("synthetic") is True, declared["source"], about.parent
        )
    return cohorts

"""Exposure in the report: counts over time, and each patient's exposure to two infusions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, partial

import polars as pl

from reinfuse.cohort.analysis_set import ID, AnalysisSet
from reinfuse.cohort.factors import FactorColumn
from reinfuse.kinetics.cohort_kinetics import CohortKinetics, cohort_kinetics
from reinfuse.kinetics.day_28 import LAST_VISIT
from reinfuse.kinetics.exposure import MEASURES, of_unit
from reinfuse.kinetics.median_curves import median_curve
from reinfuse.kinetics.profiles import Profile
from reinfuse.report.analyses.base import Cite, Part, Shown
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.pairs import pairs
from reinfuse.report.figures.spaghetti import Group, spaghetti
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.labels import lowered
from reinfuse.results.findings import Findings

_GRID = tuple(float(d) for d in (*range(1, 29), *range(35, 366, 7)))
_PAIRED = ("cmax", "auc_0_28", "tlast")
_FEWEST_PAIRS = 2
_RESPONSES = {True: "Response", False: "No response", None: "Response missing"}


def _methods(findings: Findings, _: Cite) -> Iterator[str]:
    if findings.kinetics is not None:
        yield (
            "CAR-T counts after an infusion, up to the next one, were summarised by non-compartmental analysis. "
            "AUC0-28 and the peak by day 28 use counts by day 28 only: trapezoidal area "
            f"{findings.kinetics['rules']['area']}, counts below the limit of quantification set to half the limit, "
            f"the last count (day {LAST_VISIT:g} or later) carried forward to day 28."
        )


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield Part("kinetics_exposure", "Exposure", tables=(tables.exposure(),))


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    """Yield the counts, of all or by factors; of findings that were read back, which hold no single patient, none."""
    findings = inputs.findings
    if findings.kinetics is None or findings.cohort is None or findings.data is None:
        return
    drawing = _Counts(inputs, findings.data)
    factors = [f for f in drawing.factors if inputs.counts_alone or f.name in inputs.modelled]
    if inputs.counts_alone or not factors:
        yield "kinetics_exposure", "counts", drawing.of_all
    for factor in factors:
        yield "kinetics_exposure", f"counts_by_{factor.name}", partial(drawing.by, factor)
    if inputs.counts_alone:
        yield "kinetics_exposure", "exposure_pairs", drawing.pairs
    for unit in findings.kinetics["other_units"]:
        yield "kinetics_exposure", f"counts_{_in_names(unit)}", partial(drawing.of_all, unit)


def _in_names(unit: str) -> str:
    return unit.replace("/", "_per_")


class _Counts:
    """The counts of one study, and how they are drawn."""

    def __init__(self, inputs: FigureInputs, data: AnalysisSet) -> None:
        self.inputs, self.data = inputs, data
        self.unit = str((inputs.findings.kinetics or {})["unit"])

    @cached_property
    def counted(self) -> CohortKinetics | None:
        cohort, settings = self.inputs.findings.cohort, self.inputs.findings.plan.kinetics
        return None if cohort is None else cohort_kinetics(cohort, settings.unit, rules=settings.rules)

    @property
    def factors(self) -> list[FactorColumn]:
        """Factors of the plan's models, and subgroups, by which counts are drawn."""
        return [f for f in self.data.factors if f.kind != "number" and len(f.levels) > 1
                and (f.name in self.inputs.modelled or f.name in self.inputs.findings.plan.subgroups)]  # fmt: skip

    def of_all(self, other: str | None = None) -> Drawn | None:
        """Draw the counts of all; in another unit than the one that is compared, if named."""
        if self.counted is None:
            return None
        members = {"All patients": {p.patient_id for p in self.counted.all_profiles.profiles}}
        name = f"counts_{_in_names(other)}" if other else "counts"
        return self._spaghetti(name, _title(other or self.unit), members, unit=other or self.unit)

    def by(self, factor: FactorColumn) -> Drawn | None:
        """Draw the counts of each level of a factor."""
        of = dict(zip(self.data.frame[ID].to_list(), factor.values.to_list(), strict=True))
        named = self.inputs.tables.labels.level_label
        members = {named(factor.name, level): {i for i, v in of.items() if v == level} for level in factor.levels}
        title = f"{_title(self.unit)}, by {lowered(factor.label)}"
        return self._spaghetti(f"counts_by_{factor.name}", title, members, unit=self.unit)

    def _spaghetti(self, name: str, title: str, members: Mapping[str, set[str]], *, unit: str) -> Drawn | None:
        profiles = of_unit(self.counted.all_profiles, unit) if self.counted else []
        panels: dict[str, list[Group]] = {}
        for infusion in sorted({p.infusion for p in profiles}):
            groups = [_group(label, [p for p in profiles if p.infusion == infusion and p.patient_id in ids])
                      for label, ids in members.items()]  # fmt: skip
            if any(g.profiles for g in groups):
                panels[f"CART{infusion}"] = [g for g in groups if g.profiles]
        if not panels:
            return None
        inputs = self.inputs
        return spaghetti(name, title, panels, unit=unit, synthetic=inputs.synthetic, columns=inputs.two)

    def pairs(self) -> Drawn | None:
        """Draw each patient's index infusion against the one before."""
        inputs, index = self.inputs, self.inputs.findings.plan.index_infusion
        panels = self._pairs(index) if index > 1 else {}
        if not panels:
            return None
        groups = [n for n in _RESPONSES.values() if any((f["group"] == n).any() for f in panels.values())]
        title = f"Exposure after CART{index - 1} and CART{index}, one line a patient"
        ends = (f"CART{index - 1}", f"CART{index}")
        return pairs("exposure_pairs", title, panels, ends=ends, groups=groups, synthetic=inputs.synthetic,
                     columns=inputs.two)  # fmt: skip

    def _pairs(self, index: int) -> dict[str, pl.DataFrame]:
        """Return label of a measure -> patients with it after both infusions, by response."""
        if self.counted is None:
            return {}
        rows = self.counted.exposures
        both = rows.filter(pl.col("infusion") == index - 1).join(rows.filter(pl.col("infusion") == index), on=ID)
        end = self.data.endpoint("response")
        responses = [] if end is None else [None if v != v else bool(v) for v in end.event]
        of = dict(zip(self.data.frame[ID].to_list(), responses, strict=False))
        named = [_RESPONSES[of.get(i)] for i in both[ID].to_list()]
        both = both.with_columns(group=pl.Series(named, dtype=pl.String))
        panels = {}
        for measure in _PAIRED:
            unit = MEASURES[measure][1] or (f"{self.unit} x days" if measure == "auc_0_28" else self.unit)
            frame = both.select(ID, "group", before=measure, after=f"{measure}_right").drop_nulls()
            if frame.height >= _FEWEST_PAIRS:
                panels[f"{MEASURES[measure][0]}, {unit}"] = frame
        return panels


def _title(unit: str) -> str:
    return f"CAR-T cells after each infusion ({unit})"


def _group(label: str, own: list[Profile]) -> Group:
    return Group(label, own, median_curve(own, _GRID))


SHOWN = Shown(_methods, figures=_figures, parts=_parts, tables_named=("exposure",))

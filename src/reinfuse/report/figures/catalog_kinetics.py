"""Which figures the CAR-T counts have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial

import polars as pl

from reinfuse.cohort.analysis_set import ID
from reinfuse.cohort.factors import FactorColumn
from reinfuse.kinetics.cohort_kinetics import CohortKinetics, cohort_kinetics
from reinfuse.kinetics.exposure import MEASURES, of_unit
from reinfuse.kinetics.infusion_factors import label
from reinfuse.kinetics.median_curves import median_curve
from reinfuse.kinetics.population.parameters import ACTED_ON, PARAMETERS
from reinfuse.kinetics.profiles import Profile
from reinfuse.report.figures.figure_spec import Planned
from reinfuse.report.figures.forest import forest
from reinfuse.report.figures.pairs import pairs
from reinfuse.report.figures.priors import Pair, priors
from reinfuse.report.figures.spaghetti import Group, spaghetti
from reinfuse.report.figures.theme import Columns, Drawn
from reinfuse.report.tables.kinetics import KineticTables
from reinfuse.report.text.labels import lowered
from reinfuse.results.findings import Findings

GRID = tuple(float(d) for d in (*range(1, 29), *range(35, 366, 7)))
PAIRED = ("cmax", "auc_0_28", "tlast")
FEWEST_PAIRS = 2


def kinetic_figures(findings: Findings, columns: Columns | None, *, every: bool = True) -> Iterator[Planned]:
    """Yield the figures of the counts: of findings that were read back, those without single patients.

    Parameters
    ----------
    every
        False: those that a report on all of a study has; counts by the factors of its models, and areas.
    """
    if findings.kinetics is None:
        return
    drawing = _Counts(findings, columns or 2)
    if findings.cohort is not None and findings.data is not None:
        shown = [f for f in drawing.factors if every or f.name in drawing.modelled]
        if every or not shown:
            yield "kinetics_exposure", "counts", partial(drawing.counts, None)
        for factor in shown:
            yield "kinetics_exposure", f"counts_by_{factor.name}", partial(drawing.counts, factor)
        if every:
            yield "kinetics_exposure", "exposure_pairs", drawing.pairs
        for unit in findings.kinetics["other_units"]:
            yield "kinetics_exposure", f"counts_{unit.replace('/', '_per_')}", partial(drawing.counts, None, unit)
    for measure in ("auc_0_28", "cmax", "persistence") if every else ("auc_0_28",):
        yield "kinetics_factors", f"forest_{measure}", partial(drawing.forest, measure)
    yield "kinetics_population", "population_priors", drawing.priors


class _Counts:
    """The counts of one study, and how they are drawn."""

    def __init__(self, findings: Findings, columns: Columns) -> None:
        self.findings, self.columns = findings, columns
        self.tables = KineticTables(findings)
        self.synthetic = bool(findings.provenance["synthetic"])
        self.unit = str((findings.kinetics or {})["unit"])

    @cached_property
    def counted(self) -> CohortKinetics | None:
        settings = self.findings.plan.kinetics
        return (
            None
            if self.findings.cohort is None
            else cohort_kinetics(self.findings.cohort, settings.unit, rules=settings.rules)
        )

    @property
    def factors(self) -> list[FactorColumn]:
        """Factors of the plan's models, and subgroups, by which counts are drawn."""
        data = self.findings.data
        return [f for f in (data.factors if data else ()) if f.kind != "number" and len(f.levels) > 1
                and (f.name in self.modelled or f.name in self.findings.plan.subgroups)]  # fmt: skip

    @property
    def modelled(self) -> set[str]:
        """Names of the factors of the plan's models."""
        return {f for m in self.findings.plan.models for f in m.factors}

    def counts(self, factor: FactorColumn | None, other: str | None = None) -> Drawn | None:
        """Draw the counts of all, or by a factor; in another unit than the one that is compared, if named."""
        if self.counted is None or self.findings.data is None:
            return None
        title = f"CAR-T cells after each infusion ({other or self.unit})"
        if factor is None:
            members = {"All patients": {p.patient_id for p in self.counted.all_profiles.profiles}}
            name = f"counts_{other.replace('/', '_per_')}" if other else "counts"
            return self._spaghetti(name, title, members, other=other)
        of = dict(zip(self.findings.data.frame[ID].to_list(), factor.values.to_list(), strict=True))
        members = {level: {i for i, v in of.items() if v == level} for level in factor.levels}
        return self._spaghetti(f"counts_by_{factor.name}", f"{title}, by {lowered(factor.label)}", members)

    def _spaghetti(self, name: str, title: str, members: dict[str, set[str]],
                   *, other: str | None = None) -> Drawn | None:  # fmt: skip
        unit = other or self.unit
        profiles = of_unit(self.counted.all_profiles, unit) if self.counted else []
        panels: dict[str, list[Group]] = {}
        for infusion in sorted({p.infusion for p in profiles}):
            groups = [_group(label, [p for p in profiles if p.infusion == infusion and p.patient_id in ids])
                      for label, ids in members.items()]  # fmt: skip
            if any(g.profiles for g in groups):
                panels[f"CART{infusion}"] = [g for g in groups if g.profiles]
        return (
            spaghetti(name, title, panels, unit=unit, synthetic=self.synthetic, columns=self.columns)
            if panels
            else None
        )

    def pairs(self) -> Drawn | None:
        """Draw each patient's index infusion against the one before."""
        data, index = self.findings.data, self.findings.plan.index_infusion
        if self.counted is None or data is None or index < 2:
            return None
        rows = self.counted.exposures
        both = rows.filter(pl.col("infusion") == index - 1).join(rows.filter(pl.col("infusion") == index), on=ID)
        end = data.endpoint("response")
        responses = [] if end is None else [None if v != v else bool(v) for v in end.event]
        groups = dict(zip(data.frame[ID].to_list(), responses, strict=False))
        names = {True: "Response", False: "No response", None: "Response missing"}
        both = both.with_columns(group=pl.Series([names[groups.get(i)] for i in both[ID].to_list()], dtype=pl.String))
        panels = {}
        for measure in PAIRED:
            unit = MEASURES[measure][1] or (f"{self.unit} x days" if measure == "auc_0_28" else self.unit)
            frame = both.select(ID, "group", before=measure, after=f"{measure}_right").drop_nulls()
            if frame.height >= FEWEST_PAIRS:
                panels[f"{MEASURES[measure][0]}, {unit}"] = frame
        present = [n for n in names.values() if any((f["group"] == n).any() for f in panels.values())]
        title = f"Exposure after CART{index - 1} and CART{index}, one line a patient"
        ends = (f"CART{index - 1}", f"CART{index}")
        return (
            pairs(
                "exposure_pairs",
                title,
                panels,
                ends=ends,
                groups=present,
                synthetic=self.synthetic,
                columns=self.columns,
            )
            if panels
            else None
        )

    def forest(self, measure: str) -> Drawn | None:
        """Draw the factors of one measure."""
        records = [e for e in self.tables.ratios() if e.endpoint == measure]
        if not any(e.estimate is not None for e in records):
            return None
        times = measure == "persistence"
        title = "Factors associated with " + ("persistence" if times else lowered(MEASURES[measure][0]))
        what = "Time ratio" if times else "Ratio"
        return forest(
            f"forest_{measure}",
            title,
            records,
            labels=self.tables.labels,
            synthetic=self.synthetic,
            columns=self.columns,
            what=what,
            named=None if times else label,
            counted="Losses / n" if times else "Patients / infusions",
        )

    def priors(self) -> Drawn | None:
        """Draw prior beside posterior of the population model."""
        posteriors: list[Pair] = []
        for p in PARAMETERS:
            for statistic, what in (("typical", p.label), ("total_sd", f"{p.label}: SD")):
                posteriors += self._pair(p.name, statistic, what)
        posteriors += self._pair("counts", "residual_sd", "Residual SD of a log count")
        for k in ACTED_ON:
            for e in self.tables.look.all("population", PARAMETERS[k].name, "ratio"):
                what = f"{PARAMETERS[k].label}: {lowered(label(e.term or ''))}"
                posteriors += self._pair(PARAMETERS[k].name, "ratio", what, term=e.term)
        title = "Population model: prior and posterior"
        return (
            priors("population_priors", title, posteriors, synthetic=self.synthetic, columns=self.columns)
            if posteriors
            else None
        )

    def _pair(self, endpoint: str, statistic: str, what: str, *, term: str | None = None) -> Sequence[Pair]:
        after = self.tables.look.all("population", endpoint, statistic, term=term)
        before = self.tables.look.all("population", endpoint, f"prior_{statistic}", term=term)
        return [(what, after[0], before[0])] if after and before and after[0].estimate is not None else []


def _group(label: str, own: list[Profile]) -> Group:
    return Group(label, own, median_curve(own, GRID))

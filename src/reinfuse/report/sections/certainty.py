"""How certain the key findings are: power, single patients, hidden confounders, the number of tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.analyses import simulated_inference
from reinfuse.analyses.multiplicity import hypotheses, named_by
from reinfuse.disclosure import SHOWN_FROM
from reinfuse.report.tables.robustness import effect_of
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import listed, lowered
from reinfuse.results.estimate import Estimate

RATIOS = {"odds_ratio": "odds ratio", "hazard_ratio": "hazard ratio"}


class Certainty:
    """Words how certain some effects are.

    Parameters
    ----------
    tables
        Of the study.
    effects
        The effects that are told.
    """

    def __init__(self, tables: StudyTables, effects: Sequence[Estimate]) -> None:
        self.tables = tables
        self.effects = effects
        self.plan = tables.findings.plan
        self.look = tables.look
        self.labels = tables.labels

    def power(self) -> Iterator[str]:
        """Name the smallest effects with 80 % power."""
        texts: dict[str, list[str]] = {}
        for e in self.effects:
            detectable = self._detectable(e)
            if detectable:
                head = f"{self.labels.endpoint(e.endpoint or '')}, {RATIOS[e.statistic]}:"
                texts.setdefault(head, []).append(f"{detectable} for {lowered(self.labels.per_sd(e))}")
        if texts:
            yield "Smallest effects that these patients could show with 80% power."
            yield from (f"{head} {'; '.join(of)}." for head, of in texts.items())
            yield "Weaker associations could have been missed."

    def _detectable(self, e: Estimate) -> str:
        sides = []
        for side, way in (("below 1", "at most"), ("above 1", "at least")):
            records = [r for r in self.look.all("power", e.endpoint, "detectable_ratio", group=side, **effect_of(e))
                       if r.method in simulated_inference.METHODS.values()]  # fmt: skip
            if not records:
                return ""
            if records[0].estimate is not None:
                sides.append(f"{way} {number_format.ratio(records[0].estimate)}")
        return " or ".join(sides) or f"none between {number_format.printed('0.1')} and 10"

    def influence(self) -> Iterator[str]:
        """Tell which associations hang on single patients."""
        records = [r for e in self.effects
                   for r in self.look.all("influence", e.endpoint, "patients_changing", **effect_of(e))]  # fmt: skip
        records = [r for r in records if r.estimate is not None]
        changing = [r for r in records if r.estimate]
        level = number_format.level_of_test(1 - self.plan.confidence)
        for r in changing:
            noun = "patient" if r.estimate == 1 else "patients, each alone,"
            association = lowered(self.tables.named(r))
            yield (
                f"Leaving out {number_format.count(r.estimate)} {noun} moves the association of {association} across "
                f"{level}."
            )
        if records and len(changing) < len(records):
            others = "any other of these associations" if changing else "any of these associations"
            yield f"No single patient moves {others} across {level}."

    def confounding(self) -> Iterator[str]:
        """Tell how strong a hidden confounder would have to be."""
        yield "Clinicians chose regimen and dose for reasons that also affect outcome (confounding by indication)."
        values = []
        for e in self.effects:
            if e.p_value is None or e.p_value >= 1 - (e.confidence or 0):
                continue
            limit = self.look.all("sensitivity", e.endpoint, "e_value_of_limit", **effect_of(e))
            if limit and limit[0].estimate is not None:
                values.append(f"{number_format.ratio(limit[0].estimate)} for {lowered(self.tables.named(e))}")
        if values:
            yield (
                "An unmeasured confounder associated with both factor and outcome by these risk ratios would move the "
                f"confidence limit to 1 (E-values): {listed(values)}."
            )

    def multiplicity(self) -> Iterator[str]:
        """Count the hypotheses tested, and those that the plan names; not of records that lack some of them."""
        tests = hypotheses(self.tables.findings.estimates)
        if not tests or SHOWN_FROM in self.tables.findings.provenance:
            return
        named = sum(named_by(self.plan, t) for t in tests)
        of_plan = number_format.count(named)
        yield f"{number_format.count(len(tests))} hypothes{'is was' if len(tests) == 1 else 'es were'} tested."
        if self.plan.is_built_in:
            yield f"No plan of the authors' own was given: the built-in design names {of_plan} of them."
        else:
            yield (f"The plan names {of_plan} of them; that it preceded the data, its authors must state.")
        yield (
            f"The others are exploratory. At a level of 5%, {number_format.plain(0.05 * len(tests))} p-values below "
            f"{number_format.printed('0.05')} are expected where nothing is associated."
        )

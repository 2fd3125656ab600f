"""How certain the key findings are: power, single patients, hidden confounders, the number of tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.analyses import simulated_inference
from reinfuse.analyses.hierarchy import PRIMARY, SECONDARY
from reinfuse.analyses.multiplicity import hypotheses, named_by
from reinfuse.disclosure import SHOWN_FROM
from reinfuse.report.analyses.hierarchy import WORDS, rejected
from reinfuse.report.tables.robustness import effect_of
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import listed, lowered
from reinfuse.report.text.plan_history import preceded
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate

MOST_TOLD = 4
"""Primary hypotheses that are told one by one; of more, how many."""
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
        yield f"{number_format.count(len(tests))} hypothes{'is was' if len(tests) == 1 else 'es were'} tested."
        if self.plan.hierarchy:
            yield from self._hierarchy()
        else:
            yield self._named(sum(named_by(self.plan, t) for t in tests))
        yield (
            f"The others are exploratory. At a level of 5%, {number_format.plain(0.05 * len(tests))} p-values below "
            f"{number_format.printed('0.05')} are expected where nothing is associated."
        )
        if self.plan.hierarchy:
            when = " ".join(preceded(self.tables.findings.provenance))
            yield when or "That the plan preceded the data, its authors must state."

    def _named(self, tests: int) -> str:
        """Say how many tests the plan names, without a hierarchy, and what is known of when it was written."""
        if self.plan.is_built_in:
            own = "No plan of the authors' own was given: the built-in design names"
            return f"{own} {number_format.count(tests)} of them."
        when = " ".join(preceded(self.tables.findings.provenance))
        stated = f". {when}" if when else "; that it preceded the data, its authors must state."
        return f"The plan names {number_format.count(tests)} of them{stated}"

    def _hierarchy(self) -> Iterator[str]:
        """Tell the primary hypotheses with their adjusted p-values, and how many secondary ones are shown."""
        records = [e for e in self.tables.findings.estimates if e.analysis == "hierarchy"]
        family = [e for e in records if e.group == PRIMARY]
        further = [e for e in records if e.group == SECONDARY]
        level = f"{number_format.plain(100 * (1 - self.plan.confidence))}%"
        if family:
            shown = [self._adjusted(e) for e in family if rejected(e, self.plan.confidence)]
            others = [self._adjusted(e) for e in family if not rejected(e, self.plan.confidence)]
            many = len(family) > MOST_TOLD
            lists = [f"{head} {number_format.count(len(of)) if many else listed(of)}"
                     for head, of in (("shown", shown), ("not shown", others)) if of]  # fmt: skip
            words = WORDS[self.plan.hierarchy.method]
            yield (
                f"Primary ({number_format.count(len(family))}; {words}, family-wise level {level}): {'; '.join(lists)}."
            )
        if further:
            number = sum(rejected(e, self.plan.confidence) for e in further)
            yield (
                f"Secondary (Benjamini-Hochberg): {number_format.count(number)} of {number_format.count(len(further))} "
                "shown."
            )

    def _adjusted(self, e: Estimate) -> str:
        """Name a hypothesis with its adjusted p-value."""
        value = NOT_ESTIMABLE if e.p_value is None else number_format.p_equals(e)
        return f"{lowered(self.tables.named(e))} ({value})"

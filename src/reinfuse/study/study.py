"""A plan applied to a cohort: what is to be estimated, and the findings."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self

from reinfuse.analyses import population_steps, power
from reinfuse.analyses.base import Inputs, Step
from reinfuse.analyses.centres import lacking_centres
from reinfuse.analyses.execution import Piece, Shared, StepResults, not_run, pieces, run_steps
from reinfuse.analyses.registry import analysis_of, steps
from reinfuse.analyses.report_names import lacking_in_data, report_notes
from reinfuse.cohort.analysis_set import analysis_set
from reinfuse.cohort.cohort import Cohort, examine
from reinfuse.cohort.cohort_summary import described
from reinfuse.cohort.patient_rows import patients_frame
from reinfuse.cohort.post_baseline import landmark_notes
from reinfuse.cohort.raw_tables import CohortInput
from reinfuse.cohort.split_doses import with_whole_doses
from reinfuse.cohort.study_days import calendar
from reinfuse.exceptions import CohortRefused, PlanRefused, Problem
from reinfuse.kinetics.cohort_kinetics import CohortKinetics, cohort_kinetics
from reinfuse.messages import grouped, rows_in_words
from reinfuse.plan.analysis_plan import Plan
from reinfuse.plan.plan_record import PlanHistory
from reinfuse.results.findings import Findings
from reinfuse.runtime.boundary import Boundary
from reinfuse.runtime.extras import require
from reinfuse.runtime.progress import Progress
from reinfuse.runtime.second_process import SecondProcess, worth_a_copy
from reinfuse.study import cohort_reading
from reinfuse.version import __version__

if TYPE_CHECKING:
    import polars as pl

    from reinfuse.analyses.population_steps import Sampled
    from reinfuse.cohort.cohort_summary import Described
    from reinfuse.tabular.frames import AnyFrame

LIBRARIES = ("numpy", "scipy", "polars", "matplotlib")


class Study:
    """A plan applied to a cohort.

    Parameters
    ----------
    cohort
        From `read_cohort`. The columns that the plan maps are read again under their standard names.
    plan
        Default: the design of the reference study.
    history
        When the plan was locked, and what was changed since.

    Raises
    ------
    CohortRefused, PlanRefused
        With every problem.
    """

    def __init__(self, cohort: Cohort, plan: Plan | None = None, *, history: PlanHistory | None = None) -> None:
        self.plan, self.history = plan or Plan.built_in(), history
        if not isinstance(cohort, Cohort):
            rule = f"is of type {type(cohort).__name__}, no cohort"
            raise CohortRefused([Problem(rule=rule, remedy="read_cohort(...) makes one; analyze(...) takes either")])
        self.cohort = cohort
        if cohort.read_with != (self.plan.columns, self.plan.used_columns):
            again, problems = examine(cohort.raw, self.plan.columns, used=self.plan.used_columns,
                                      confirmed=self.plan.confirmed)  # fmt: skip
            if again is None:
                raise CohortRefused(problems)
            self.cohort = again
        self.cohort = with_whole_doses(self.cohort, self.plan.rules)
        self.data = analysis_set(self.cohort, self.plan)
        lacking = (*lacking_in_data(self.plan.report, self.data), *lacking_centres(self.plan, self.data))
        wrong = [*lacking, *self._wrong_choices()]
        if wrong:
            raise PlanRefused(wrong)

    @classmethod
    def read(cls, cohort: CohortInput | AnyFrame, plan: Plan, *, history: PlanHistory | None = None) -> Self:
        """Read a cohort with the columns of a plan, and apply the plan to it.

        Raises
        ------
        CohortRefused, PlanRefused
            With every problem.
        """
        accepted, problems = cohort_reading.examine(cohort, plan)
        if accepted is None:
            raise CohortRefused(problems)
        return cls(accepted, plan, history=history)

    def _wrong_choices(self) -> Iterator[Problem]:
        """Yield what the plan chooses for the report and there cannot be."""
        if self.plan.report.chosen:
            from reinfuse.report.sections.choices import wrong_choices  # slow to import, and few plans choose

            counts = self._counted(Boundary())
            yield from wrong_choices(self._holding(StepResults(), counts=counts))

    def prepare(self) -> list[Step]:
        """Return what is to be estimated, and so refuse all that `run` would refuse."""
        return self._todo(self._counted(Boundary()))

    def run(self, progress: Progress | None = None, second: SecondProcess | None = None, *,
            only: Collection[str] = (), first: Callable[[Findings], None] | None = None) -> Findings:  # fmt: skip
        """Estimate what the plan asks for.

        Parameters
        ----------
        progress
            Called with what is done, how many steps are done, and how many there are.
        second
            Another process that takes its part of the steps of a cohort that is not large.
        only
            Names of analyses (`Analysis.name`) to estimate; empty: all. The findings say that there are others.
        first
            Given the main results as soon as they are there; the others are still to come.
        """
        boundary = Boundary()
        counts = self._counted(boundary)
        others = None
        if second is not None and worth_a_copy(*self.data.frame.shape):
            others = partial(second.results, pieces_of, self)
        return self._findings(self._todo(counts), progress, counts=counts, boundary=boundary, whole=True, others=others,
                              only=only, first=first)  # fmt: skip

    def only(self, *analyses: str) -> Findings:
        """Estimate what some analyses alone give.

        Parameters
        ----------
        analyses
            Their names, as `Analysis.name` holds them.
        """
        todo = [step for step in self._todo(None) if analysis_of(step.name).name in analyses]
        return self._findings(todo, None)

    def _todo(self, counts: CohortKinetics | None) -> list[Step]:
        return list(steps(self._inputs(counts)))

    def _inputs(self, counts: CohortKinetics | None = None) -> Inputs:
        return Inputs(self.data, self.plan, self.cohort, counts)

    def _counted(self, boundary: Boundary) -> CohortKinetics | None:
        """Return the counts if the plan asks for them and there are any."""
        if not self.plan.analyses.kinetics:
            return None
        return boundary.attempt("CAR-T counts", "kinetics", lambda: self.counts, otherwise=None)

    def kinetics(self, sampling: bool = True, draws: int | None = None,
                 progress: Progress | None = None) -> tuple[Findings, Sampled | None]:  # fmt: skip
        """Analyse the CAR-T counts alone, with the sampled models.

        Parameters
        ----------
        sampling
            Population model and joint models too; minutes.
        draws
            Draws of each of their chains, rounded to 25; default: enough for this size.

        Raises
        ------
        CohortRefused
            If the cohort holds no count after an infusion, in the plan's unit.
        ExtraMissing
            If the libraries that sample are not installed.
        """
        if self.counts is None:
            rule, remedy = (
                "holds no count after an infusion",
                "add a table counts (`reinfuse schema` tells its columns)",
            )
            wanted = self.plan.kinetics.unit
            raise CohortRefused(
                [Problem(table="counts", rule=rule + (f" in {wanted}" if wanted else ""), remedy=remedy)]
            )
        if sampling:
            require("kinetics", "sample nothing (--no-sampling)")
        findings = self._findings(
            list(steps(self._inputs(self.counts), section="kinetics")), progress, counts=self.counts
        )
        if not sampling:
            return findings, None
        boundary, counts = Boundary(), self.counts
        more = boundary.attempt(
            "Population and joint models",
            "kinetics",
            lambda: population_steps.sampled(self.data, counts, self.plan, draws=draws, progress=progress),
            otherwise=population_steps.Sampled(()),
        )
        return replace(findings, estimates=(*findings.estimates, *more.estimates),
                       warnings=(*boundary.warnings, *findings.warnings)), more  # fmt: skip

    @cached_property
    def counts(self) -> CohortKinetics | None:
        """The CAR-T counts; None where the cohort holds none."""
        return cohort_kinetics(self.cohort, self.plan.kinetics.unit, rules=self.plan.kinetics.rules)

    def power(self, draws: int = 2000, progress: Progress | None = None) -> Findings:
        """Estimate power of the plan's models, and of each factor alone.

        Parameters
        ----------
        draws
            Simulated outcomes for each size of each effect.
        """
        plan = self.plan.model_copy(update={"analyses": self.plan.analyses.model_copy(update={"power": draws})})
        study = Study(self.cohort, plan)
        return study._findings(list(power.in_full(study._inputs())), progress)

    def _findings(self, todo: list[Step], progress: Progress | None, *, counts: CohortKinetics | None = None,
                  boundary: Boundary | None = None, whole: bool = False, others: Shared | None = None,
                  only: Collection[str] = (),
                  first: Callable[[Findings], None] | None = None) -> Findings:  # fmt: skip
        """Take the steps; where they are a whole study, say what is not run."""
        boundary = boundary or Boundary()
        provenance = {**self._provenance(), **({"only": list(only)} if only else {})}
        holding = partial(self._holding, counts=counts, provenance=provenance)
        results = run_steps(todo, boundary, progress=progress, others=others, only=only,
                            first=None if first is None else lambda early: first(holding(early)))  # fmt: skip
        idle = not_run(todo, results, inputs=self._inputs(counts), only=only) if whole else ()
        return holding(results, (*boundary.warnings, *self._warnings(), *idle))

    def _holding(self, results: StepResults, warnings: Sequence[dict[str, str]] = (), *, counts: CohortKinetics | None,
                 provenance: dict[str, Any] | None = None) -> Findings:  # fmt: skip
        """Return results with all that was known before them."""
        return Findings(tuple(results.estimates), self.data.flow, tuple(warnings), provenance or self._provenance(),
                        results.curves, self._patients, self.plan, self._about,
                        None if counts is None else counts.as_dict(), self.cohort, self.data)  # fmt: skip

    @cached_property
    def _patients(self) -> pl.DataFrame:
        return patients_frame(self.data, self.plan)

    @cached_property
    def _about(self) -> Described:
        return described(self.cohort, self.data)

    def _warnings(self) -> Iterator[dict[str, str]]:
        landmarks = landmark_notes(self.plan.landmarks, self.data, rules=self.plan.rules)
        for note in (*self.data.notes, *landmarks, *report_notes(self.plan.report, self.data)):
            yield {"about": "rules and data", "text": note}
        for text in _grouped(self.cohort.warnings):
            yield {"about": "check", "text": text}
        for r in self.cohort.readings:
            where = ".".join(x for x in (r.table, r.column) if x)
            examples = f" ({'; '.join(r.examples)})" if r.examples else ""
            yield {
                "about": "reading",
                "text": f"{where}: {r.what}{f', {r.count} times' if r.count > 1 else ''}{examples}",
            }

    def _provenance(self) -> dict[str, Any]:
        plan, about = self.plan, self.cohort.about
        return {
            "title": plan.title, "cohort": self.cohort.name, "synthetic": about.synthetic, "source": about.source,
            "inputs": dict(self.cohort.sources), "plan": plan.digest, "index_infusion": plan.index_infusion,
            "confidence": plan.confidence, "seed": plan.seed, "rules": json.loads(plan.rules.model_dump_json()),
            "declared": plan.model_dump(mode="json"), "described": self._about.as_dict(),
            "wide": self.cohort.wide, "reinfuse": __version__, "python": platform.python_version(),
            "packages": {name: version(name) for name in LIBRARIES}, "date": date.today().isoformat(),
            **({} if self.history is None else {"plan_history": self._beside_the_data(self.history).as_dict()}),
        }  # fmt: skip

    def _beside_the_data(self, history: PlanHistory) -> PlanHistory:
        """Return when the plan was locked, seen from the dates of the data."""
        dates = calendar(self.cohort, self.plan.index_infusion)
        return history if dates is None else history.beside(*dates)


def pieces_of(study: Study) -> list[Callable[[], Piece]]:
    """Return the steps of a study as pieces of work."""
    return pieces(study.prepare())


def _grouped(problems: Sequence[Problem]) -> Iterator[str]:
    """Say each kind of problem once, with the first rows that have it."""
    for group in grouped(problems):
        where, rows = ", ".join(x for x in (group[0].table, group[0].column) if x), rows_in_words(group)
        yield f"{where}: {group[0].rule}{f' ({rows})' if rows else ''}"

"""The folder of results: a cohort analysed into one, findings written to one, and what is shown of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reinfuse.exceptions import Problem, RequestRefused
from reinfuse.output import Destination
from reinfuse.runtime.boundary import Boundary, failed
from reinfuse.runtime.progress import Progress
from reinfuse.runtime.second_process import SecondProcess, second_process
from reinfuse.study.plans import PlanOrPath, history_of, plan_of

if TYPE_CHECKING:
    from reinfuse.cohort.raw_tables import CohortInput
    from reinfuse.plan.analysis_plan import Plan
    from reinfuse.plan.plan_record import PlanHistory
    from reinfuse.results.findings import Findings

FirstResults = Callable[[list[tuple[str, str]]], None]
_BOTH_NEED = ("reinfuse.study.study",)
"""Imported by the second process while this one imports them and reads."""
_BOTH_WRITE_WITH = ("reinfuse.report.export.results_folder",)
"""Imported by the second process while this one imports them, once nothing is left to be estimated."""


@dataclass(frozen=True)
class WrittenResults:
    """The results of a cohort, as written.

    Attributes
    ----------
    failures
        What failed and was left out, each in a sentence.
    """

    findings: Findings
    failures: tuple[str, ...]


def analyze(cohort: CohortInput, plan: PlanOrPath = None, *, place: Destination, progress: Progress | None = None,
            only: Sequence[str] = (), first: FirstResults | None = None) -> WrittenResults:  # fmt: skip
    """Analyse a cohort and write its results, a second process helping.

    Parameters
    ----------
    place
        The folder to write; refused before anything is computed.
    progress
        Called with what is done, how many steps are done, and how many there are.
    only
        Names of the analyses to run and of the parts to write (`study.selection`); empty: all.
    first
        Given the main results in words, each with its heading, while the other analyses go on; not of a part.

    Raises
    ------
    CohortRefused, PlanRefused, RequestRefused
        With every problem.
    OutputRefused
        If the folder cannot be written.
    """
    place.check()
    chosen, history = plan_of(plan), history_of(plan)
    with second_process(_BOTH_NEED) as second:
        return _analyze(cohort, chosen, place, history=history, progress=progress, second=second, only=only,
                        first=first)  # fmt: skip


def _analyze(
    cohort: CohortInput, plan: Plan, place: Destination, *, history: PlanHistory | None, progress: Progress | None,
    second: SecondProcess | None, only: Sequence[str], first: FirstResults | None,
) -> WrittenResults:  # fmt: skip
    from reinfuse.study.study import Study

    boundary, study = Boundary(), Study.read(cohort, plan, history=history)
    if not only:
        early = None if first is None else lambda findings: first(_in_words(findings))
        findings, parts = study.run(progress, second, first=early), None
    else:
        from reinfuse.study.selection import selection

        chosen = selection(only, plan)
        findings, parts = study.run(progress, second, only=chosen.analyses), chosen.parts
        place = replace(place, only=chosen.names)
    if second is not None:
        second.prepare(*_BOTH_WRITE_WITH)
    from reinfuse.report.export.results_folder import PARTS, write

    write(findings, place, progress=progress, boundary=boundary, second=second, parts=parts or PARTS)
    return WrittenResults(findings, tuple(failed((*findings.warnings, *boundary.warnings))))


def _in_words(findings: Findings) -> list[tuple[str, str]]:
    """Return headings and statements of the main results."""
    from reinfuse.report.sections.key_findings import first_findings

    return first_findings(findings)


def save(findings: Findings, directory: str | Path, *, progress: Progress | None = None, force: bool = False) -> Path:
    """Write report, findings, estimates, patients and figures; nothing is left half-written.

    Parameters
    ----------
    directory
        The folder: new, empty, or with the results of an earlier analysis, which are replaced.
    progress
        Called with what is done, how many steps are done, and how many there are.
    force
        Move a folder with other files aside, to ``<directory>-replaced-<date>``.

    Raises
    ------
    OutputRefused
        If the folder cannot be written, is the cohort's or in it, or holds files of somebody else (without force).
    """
    from reinfuse.report.export.results_folder import write
    from reinfuse.results.findings import Findings

    if not isinstance(findings, Findings):
        rule = f"is of type {type(findings).__name__}, not the findings of an analysis"
        remedy = "give what analyze(cohort, plan) returns; a Report holds it as report.findings"
        raise RequestRefused([Problem(table="save", column="findings", rule=rule, remedy=remedy)])
    return write(findings, Destination(Path(directory), "analyze", findings.reads, force), progress=progress)


def main_tables(findings: Findings) -> str:
    """Return the summary and the main tables as HTML: a notebook shows them, anything else reads them as a text."""
    from reinfuse.report.export import notebook

    return notebook.main_tables(findings)


def bibliography(results: str | Path | None = None) -> str:
    """Return as BibTeX what report and supplement in a folder of results cite; without a folder, all references.

    Raises
    ------
    CohortRefused
        If the folder holds no results.
    """
    from reinfuse.report.analyses.registry import references
    from reinfuse.report.sections.contents import SUPPLEMENT, documents
    from reinfuse.report.text import bibtex
    from reinfuse.results.findings import Findings

    keys = tuple(references()) if results is None else documents(Findings.load(results), ())[SUPPLEMENT].cited
    return bibtex.bibliography(keys)

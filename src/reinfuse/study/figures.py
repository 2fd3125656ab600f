"""One figure alone, of a cohort or of results that are there already."""

from __future__ import annotations

from pathlib import Path

from reinfuse.output import Destination
from reinfuse.report.export import single_figure
from reinfuse.report.figures.theme import Columns
from reinfuse.results.findings import Findings
from reinfuse.runtime.progress import Progress
from reinfuse.study.plans import PlanOrPath, plan_of
from reinfuse.study.study import Study


def figure_names(source: Path, plan: PlanOrPath = None, *, progress: Progress | None = None) -> list[str]:
    """Return the names of all figures that can be drawn of a cohort, or of a folder of results.

    Raises
    ------
    CohortRefused, PlanRefused
        With every problem.
    """
    if _holds_results(source):
        return single_figure.names(Findings.load(source))
    return single_figure.names(Study.read(source, plan_of(plan)).run(progress))


def draw_figure(name: str, source: Path, plan: PlanOrPath = None, *, place: Destination, columns: Columns = 2,
                progress: Progress | None = None) -> list[Path]:  # fmt: skip
    """Draw one figure with its data, and return the files.

    Parameters
    ----------
    source
        A folder of results, for which no plan is needed; or a cohort, of which what the figure needs is estimated.
    columns
        Its width, in columns of a journal.

    Raises
    ------
    CohortRefused, PlanRefused, FigureRefused
        With every problem.
    OutputRefused
        If the folder cannot be written, or holds files of these names.
    """
    place.check_files(single_figure.files_of(name))
    if _holds_results(source):
        findings = Findings.load(source)
    else:
        findings = Study.read(source, single_figure.enough(plan_of(plan), name)).run(progress)
    return single_figure.write(single_figure.one(findings, name, columns=columns), place)


def _holds_results(folder: Path) -> bool:
    return (folder / "findings.json").is_file()

"""How far a project's analysis is: its plan's text, whether it is locked, and what a job of it reads."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from reinfuse.app.project import Project
from reinfuse.app.state import corrections_of, has_meaning, map_of
from reinfuse.exceptions import Refused

if TYPE_CHECKING:
    from reinfuse.app.tasks import Task
    from reinfuse.study.plan_lock import LockedPlan


def plan_text(project: Project) -> str:
    """Return the text of a project's plan: its own, else the one that came with the data; empty: the built-in one."""
    place = plan_file(project)
    return "" if place is None else place.read_text(encoding="utf-8-sig")


def plan_file(project: Project) -> Path | None:
    """Return the file of a project's plan: its own, else one in the folder of the data; none beside a file."""
    places = (project.plan, project.cohort / "plan.toml", project.source / "plan.toml")
    return next((place for place in places if place.is_file()), None)


def locked(project: Project) -> LockedPlan | None:
    """Return how the plan stands to its record; None: it was never locked."""
    from reinfuse.study.plan_lock import locked_plan

    return locked_plan(project.plan) if project.plan.is_file() else None


def is_locked(project: Project) -> bool:
    """Tell whether a project can be analysed: its plan is locked."""
    from reinfuse.study.plan_lock import record_file

    return has_meaning(project) and project.plan.is_file() and record_file(project.plan).is_file()


def has_results(project: Project) -> bool:
    """Tell whether there is a report that may be shown: not of a plan that is not locked."""
    return (project.results / "findings.json").is_file() and is_locked(project)


def inputs(project: Project) -> dict[str, str | None]:
    """Return what a job reads of a project, by the name of its argument."""
    paths = {"source": project.source, "map": map_of(project), "corrections": corrections_of(project),
             "plan": project.plan if project.plan.is_file() else None}  # fmt: skip
    return {name: None if path is None else str(path) for name, path in paths.items()}


def in_folder(project: Project, *words: str) -> str:
    """Return a command of reinfuse, run in the project's folder."""
    return f"cd {quote(str(project.folder))}\n{' '.join(quote(w) for w in ('reinfuse', *words))}"


def note_shown(task: Task, kind: str) -> None:
    """Note, before results of an analysis are shown, that later changes of its plan are made after they were seen."""
    if task.job == "analysis" and kind in ("first", "done"):
        note_seen(Path(task.arguments["plan"]))


def note_seen(plan: Path) -> None:
    """Note that results of a plan are shown; a record that cannot be written or read is told where it is needed."""
    from reinfuse.study.plan_lock import note_results

    with suppress(Refused):
        note_results(plan)

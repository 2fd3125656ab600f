"""Run: the analysis in a process of its own, how far it is, its first results, and a way to stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reinfuse.app.analysis_state import has_results, inputs, is_locked, locked, note_shown
from reinfuse.app.screen import Screen, Visit
from reinfuse.app.state import command

if TYPE_CHECKING:
    from starlette.responses import Response


def _show(visit: Visit) -> Response:
    project = visit.open_project
    about = None
    if has_results(project):
        from reinfuse.study.results_folder import about_results

        about = about_results(project.results, project.plan)
    return visit.page(task=visit.services.tasks.get(project.task("analysis")), about=about, state=locked(project),
                      command=command(project, "analyze", "--plan", "plan.toml", "--out", "results"))  # fmt: skip


def _start(visit: Visit) -> Response:
    project = visit.open_project
    visit.services.tasks.begin(project.task("analysis"), "analysis", {"out": str(project.results), **inputs(project)},
                               told=note_shown)  # fmt: skip
    return visit.go()


def _stop(visit: Visit) -> Response:
    visit.services.tasks.stop(visit.open_project.task("analysis"))
    return visit.go()


def _progress(visit: Visit) -> Response:
    return visit.fragment("progress.html", task=visit.services.tasks.get(visit.open_project.task("analysis")))


SCREEN = Screen(name="run", show=_show, actions={"start": _start}, anytime={"stop": _stop},
                parts={"progress": _progress}, reachable=is_locked)  # fmt: skip

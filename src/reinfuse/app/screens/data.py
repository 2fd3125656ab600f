"""Data: a file or folder is dropped, a bundled cohort or an earlier project is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reinfuse.app.project import Project, open_project, project_of, project_of_files
from reinfuse.app.recent import recent_projects
from reinfuse.app.screen import Screen, Visit
from reinfuse.app.uploads import is_table, plain_file_name, refuse_same_names
from reinfuse.data import dataset, datasets
from reinfuse.exceptions import Problem, SourceRefused

if TYPE_CHECKING:
    from starlette.responses import Response


def _show(visit: Visit) -> Response:
    visit.services.warm_up()
    if visit.project is None:
        return visit.page("data.html", cohorts=list(datasets().values()), recent=recent_projects())
    left = visit.query.get("left", "")
    return visit.page("source.html", files=_files(visit.project.source), left=int(left) if left.isdecimal() else 0)


def _files(source: Path) -> list[tuple[str, int]]:
    """Return name and bytes of each file of the data."""
    places = sorted(source.iterdir()) if source.is_dir() else [source]
    return [(p.name, p.stat().st_size) for p in places if p.is_file()]


def _receive(visit: Visit) -> Response:
    """Take files that were dropped or chosen."""
    if not visit.files:
        remedy = "choose a file or folder first, or drop it on the page"
        raise SourceRefused([Problem(rule="no file was sent", remedy=remedy)])
    tables = [(name, content) for name, content in visit.files if is_table(name)] or visit.files
    received = [visit.services.uploads.receive(name, content) for name, content in tables]
    refuse_same_names([name for name, _ in received])
    name = (
        Path(received[0][0]).stem if len(received) == 1 else plain_file_name(visit.form.get("folder", "") or "cohort")
    )
    left = len(visit.files) - len(received)
    project = visit.services.opened(project_of_files(name, dict(received)))
    return visit.open(project, "data", left=str(left)) if left else visit.open(project)


def _bundled(visit: Visit) -> Response:
    """Open a cohort of the package: among the user's own projects, since nothing is written into the package."""
    chosen = dataset(visit.form.get("name", ""))
    return _opened(visit, project_of(chosen.path, beside=False))


def _recent(visit: Visit) -> Response:
    """Open an earlier project."""
    project = visit.services.project(visit.form.get("id", ""))
    if project is None:
        raise SourceRefused([Problem(rule="this project is not there any more", remedy="choose its data again")])
    return _opened(visit, open_project(project.folder))


def _opened(visit: Visit, project: Project) -> Response:
    visit.services.opened(project)
    return visit.open(project)


SCREEN = Screen(name="data", show=_show, openings={"files": _receive, "bundled": _bundled, "recent": _recent},
                reachable=lambda _: True)  # fmt: skip

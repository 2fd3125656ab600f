"""What all pages of one start of the app share."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from reinfuse.app.access import Access
from reinfuse.app.activity import Activity
from reinfuse.app.project import Project, is_project
from reinfuse.app.recent import note_recent, recent_projects
from reinfuse.app.tasks import Tasks
from reinfuse.app.uploads import Uploads

_AFTER_SECONDS = 0.3
_NEXT = ("reinfuse.study.columns", "reinfuse.study.data_review", "reinfuse.study.intake")


@dataclass
class Services:
    """Access, clock, uploads, jobs and the projects that were opened."""

    access: Access = field(default_factory=Access)
    activity: Activity = field(default_factory=Activity)
    uploads: Uploads = field(default_factory=Uploads)
    tasks: Tasks = field(init=False)
    _opened: dict[str, Path] = field(default_factory=dict)
    _warm: threading.Event = field(default_factory=threading.Event)

    def warm_up(self) -> None:
        """Import what the next screens need as soon as the first page has gone out, once."""
        if not self._warm.is_set():
            self._warm.set()
            later = threading.Timer(_AFTER_SECONDS, _import_all)
            later.daemon = True
            later.start()

    def __post_init__(self) -> None:
        self.tasks = Tasks(self.activity)

    def opened(self, project: Project) -> Project:
        """Note a project as open: its pages have addresses from now on, and it is the first of the recent ones."""
        self._opened[project.id] = project.folder
        note_recent(project)
        return project

    def project(self, name: str) -> Project | None:
        """Return an open or recent project by the name that addresses give it; None if there is none."""
        folder = self._opened.get(name)
        if folder is not None:
            return Project(folder) if is_project(folder) else None
        return next((p for p in recent_projects() if p.id == name), None)


def _import_all() -> None:
    for name in _NEXT:
        with suppress(ImportError):  # whoever needs it is told
            import_module(name)

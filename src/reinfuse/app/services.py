"""What all pages of one start of the app share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reinfuse.app.access import Access
from reinfuse.app.activity import Activity
from reinfuse.app.project import Project, is_project
from reinfuse.app.recent import note_recent, recent_projects
from reinfuse.app.uploads import Uploads


@dataclass
class Services:
    """Access, clock, uploads and the projects that were opened."""

    access: Access = field(default_factory=Access)
    activity: Activity = field(default_factory=Activity)
    uploads: Uploads = field(default_factory=Uploads)
    _opened: dict[str, Path] = field(default_factory=dict)

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

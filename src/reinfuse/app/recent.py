"""The list of projects that were open last: their folders, in a private file of the user's own."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from reinfuse.app.project import Project, is_project

_MOST = 20


def recent_file() -> Path:
    """Return where the list is kept."""
    state = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".local" / "state"
    return Path(state) / "reinfuse" / "recent.json"


def recent_projects() -> list[Project]:
    """Return the projects that were open last and are still there, the last one first."""
    return [Project(folder) for folder in _listed() if is_project(folder)]


def note_recent(project: Project) -> None:
    """Put a project first; a list that cannot be written is not kept."""
    folders = [project.folder, *(f for f in _listed() if f != project.folder)][:_MOST]
    place = recent_file()
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = place.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps([str(f) for f in folders]), encoding="utf-8")
        draft.replace(place)


def _listed() -> list[Path]:
    try:
        folders = json.loads(recent_file().read_text(encoding="utf-8"))
        return [Path(str(f)) for f in folders]
    except (OSError, ValueError, TypeError):
        return []

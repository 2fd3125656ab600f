"""How far a project is, read off its folder by the service layer: what may be opened, and what is analysed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from reinfuse.app.project import Project
from reinfuse.exceptions import Refused, SourceRefused
from reinfuse.output import Destination

if TYPE_CHECKING:
    from reinfuse.plan.analysis_plan import Plan
    from reinfuse.study.cohorts import CohortInput


FileState = tuple[int, int, int]


def _state(path: Path) -> FileState:
    """Return what changes when a file does: time, size and number."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=64)
def _is_cohort(path: Path, state: FileState) -> bool:
    from reinfuse.study.intake import is_cohort

    del state
    return is_cohort(path)


def needs_map(project: Project) -> bool:
    """Tell whether the data are a centre's own, and no cohort of the contract yet."""
    source = project.source
    return source.exists() and not _is_cohort(source, _state(source))


@lru_cache(maxsize=64)
def _open_questions(path: Path, state: FileState) -> int:
    from reinfuse.study.sources import map_questions

    del state
    return len(map_questions(path))


def has_meaning(project: Project) -> bool:
    """Tell whether every column has its meaning: the data are a cohort, or nothing in the map is open."""
    if not project.source.exists():
        return False
    if not needs_map(project):
        return True
    try:
        return project.map.is_file() and not _open_questions(project.map, _state(project.map))
    except Refused:
        return False


def map_of(project: Project) -> Path | None:
    """Return the map with which the data are read; None of a cohort."""
    return project.map if needs_map(project) else None


def corrections_of(project: Project) -> Path | None:
    """Return the ledger of corrections; None where nothing was decided."""
    return project.corrections if project.corrections.is_file() else None


def imported(project: Project) -> bool:
    """Write the cohort of a source beside it, in place of an earlier one; tell whether nothing is wrong with it."""
    from reinfuse.study.sources import import_folder

    map_path, corrections = map_of(project), corrections_of(project)
    if map_path is None:
        return True
    reads = tuple(p for p in (project.source, map_path, corrections) if p is not None)
    try:
        import_folder(project.source, map_path, Destination(project.cohort, "import", reads), corrections=corrections)
    except SourceRefused:
        return False
    return True


def analysed(project: Project) -> tuple[CohortInput, Plan | Path | None]:
    """Return the cohort of a project as an analysis takes it, and its plan: as `command` says it."""
    from reinfuse.study.intake import cohort_and_plan

    plan = project.plan if project.plan.is_file() else None
    return cohort_and_plan(project.source, map_path=map_of(project), plan=plan, corrections=corrections_of(project))


def command(project: Project, name: str, *more: str) -> str:
    """Return the command that does the same, run in the project's folder."""
    source = project.source
    inside = source.relative_to(project.folder) if source.is_relative_to(project.folder) else source
    words = ["reinfuse", name, str(inside)]
    if map_of(project) is not None:
        words += ["--map", "map.toml"]
    if corrections_of(project) is not None:
        words += ["--corrections", "corrections.csv"]
    return f"cd {quote(str(project.folder))}\n" + " ".join(quote(w) for w in (*words, *more))

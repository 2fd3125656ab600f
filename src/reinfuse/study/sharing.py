"""A folder of results made into one that may leave the centre."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reinfuse.disclosure import Removed
from reinfuse.report.export import shared_folder
from reinfuse.report.export.shared_folder import SMALLEST


@dataclass(frozen=True)
class SharedResults:
    """The folder that may leave the centre, and what was taken away."""

    path: Path
    removed: tuple[Removed, ...]


def share(results: Path, out: Path | None = None, *, smallest: int = SMALLEST, force: bool = False,
          again: bool = False) -> SharedResults:  # fmt: skip
    """Write what may leave the centre; default: beside the results, under their name with `-shared`.

    Parameters and errors are those of `shared_folder.share`.
    """
    whole = results.resolve()
    path = out or whole.with_name(f"{whole.name}-shared")
    return SharedResults(path, shared_folder.share(results, path, smallest=smallest, force=force, again=again))


@dataclass(frozen=True)
class SharePreview:
    """What would be taken away, and how many estimates would be hidden, of how many."""

    removed: tuple[Removed, ...]
    hidden: int
    estimates: int


def preview(results: Path, *, smallest: int = SMALLEST) -> SharePreview:
    """Return what `share` would take away; nothing is written or noted as released.

    Errors are those of `shared_folder.preview`.
    """
    return SharePreview(*shared_folder.preview(results, smallest=smallest))

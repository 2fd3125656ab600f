"""What the tests of output share: a small study with its cohort and plan, folders, and how commands are run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import QUICK, write_folder
from test_cli import GOOD

MANIFEST = "reinfuse.manifest.json"
posix = pytest.mark.skipif(os.name == "nt", reason="signals and modes of POSIX")


def write_study(folder: Path) -> Path:
    """Return a folder with a cohort, links to and from it, and a plan."""
    cohort = write_folder(folder, **GOOD).rename(folder / "eight")
    (folder / "link").symlink_to(cohort, target_is_directory=True)
    (folder / "plans").mkdir()
    (folder / "plans" / "plan.toml").write_text(f'title = "ours"\n{QUICK}')
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "about.toml").write_text('title = "ours"')
    (cohort / "about.toml").symlink_to(folder / "elsewhere" / "about.toml")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def fill(text: str):
    """Return what writes two small files, one of them in figures/."""

    def write(draft: Path) -> None:
        (draft / "figures").mkdir()
        (draft / "figures" / "km.svg").write_text(text)
        (draft / "patients.csv").write_text(text)

    return write


def replaced(folder: Path) -> list[Path]:
    return sorted(folder.parent.glob(f"{folder.name}-replaced-*"))


def run(*arguments, cwd=None, **env):
    return subprocess.run([sys.executable, "-m", "reinfuse.cli", *map(str, arguments)], capture_output=True, cwd=cwd,
                          env={**os.environ, **env}, check=False)  # fmt: skip

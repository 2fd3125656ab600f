"""The service layer: what command line, Python and an app call; nothing above it reaches past it.

Each module is one task, from what a caller has (paths, a plan, a destination) to what a caller shows. It asks nobody,
prints nothing, and imports what its task needs; so a caller imports it when the task is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reinfuse.results.findings import Findings
    from reinfuse.study.analysis import analyze
    from reinfuse.study.report import Report
    from reinfuse.study.results import main_tables, save
    from reinfuse.study.study import Study

__all__ = ["Findings", "Report", "Study", "analyze", "main_tables", "save"]

_WHERE = {"Findings": "reinfuse.results.findings", "Report": "reinfuse.study.report",
          "Study": "reinfuse.study.study", "analyze": "reinfuse.study.analysis",
          "main_tables": "reinfuse.study.results", "save": "reinfuse.study.results"}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import on first use, so that a task that needs no study starts at once."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'reinfuse.study' has no attribute {name!r}")

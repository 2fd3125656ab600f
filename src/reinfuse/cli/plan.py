"""The command that locks an analysis plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reinfuse.cli import console


def lock(
    plan: Annotated[Path, typer.Argument(help="Analysis plan (TOML).")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why a plan that is locked was changed.")] = "",
) -> None:
    """Lock a plan before results are seen. Time and SHA-256 are kept beside it; reports list later changes."""
    from reinfuse.study.plan_lock import lock_file

    of = lock_file(plan, reason=reason)
    console.say(f"Locked: {of.history.locked}, SHA-256 {of.history.sha256}")
    for change in of.history.changes:
        console.say(f"Changed: {change.time}, SHA-256 {change.sha256}")
    console.say("This is a record, not a proof: who can write the plan can write the record.")

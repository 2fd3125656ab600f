"""Commands that write a cohort in the formats of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reinfuse.cli import console
from reinfuse.cli.console import Commands, ForceOption
from reinfuse.cli.sources import CorrectionsOption, WithMapOption, cohort_of

export = typer.Typer(cls=Commands, no_args_is_help=True, help="Write a cohort in the formats of others.")


@export.callback()
def formats() -> None:
    """Write a cohort in the formats of others."""


@export.command()
def adam(
    cohort: Annotated[Path, typer.Argument(help="Cohort folder, workbook (.xlsx) or wide sheet.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the data sets.")] = Path("adam"),
    *,
    plan: Annotated[Path | None, typer.Option("--plan", help="Analysis plan (TOML).")] = None,
    map_file: WithMapOption = None,
    corrections: CorrectionsOption = None,
    force: ForceOption = False,
) -> None:
    """Write ADSL, ADTTE and ADRS as Dataset-JSON 1.1 and XPT. AVAL counts the day of the infusion as 1."""
    from reinfuse.study.adam import export_adam

    place = console.writable(out, "export", cohort, plan, map_file, corrections, force=force)
    written = export_adam(*cohort_of(cohort, map_file, plan, corrections), place=place)
    console.say(", ".join(f"{name}: {count} records" for name, count in written.records.items()) + ".")
    console.say("AVAL = ADT - STARTDT + 1: days from the index infusion (DOR: from the response); CNSR 0 is an event.")
    for note in written.notes:
        console.say(f"  {note}")
    console.say(f"Data sets: {out.resolve()}")

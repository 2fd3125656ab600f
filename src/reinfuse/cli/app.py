"""The command that opens the app."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reinfuse.runtime import signals


def open_app(
    cohort: Annotated[
        Path | None, typer.Argument(help="Data to open: spreadsheet, cohort folder, or the folder of a project.")
    ] = None,
    *,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser; else its link is printed.")] = True,
    install_shortcut: Annotated[
        bool, typer.Option("--install-shortcut", help="Write an entry of the desktop's menu, and open nothing.")
    ] = False,
) -> None:
    """Open the app in the browser. The page is on this machine alone; nothing is sent."""
    if install_shortcut:
        from reinfuse.app.shortcut import install_shortcut as install

        typer.echo(f"Menu entry: {install()}")
        return
    from reinfuse.runtime.extras import require

    require("app", "use the commands of `reinfuse --help`, which need nothing more")
    from reinfuse.app.server import serve

    try:
        serve(cohort, open_browser=browser, tell=typer.echo)
    except signals.Stopped as stopped:
        if stopped.name != "SIGINT":
            raise
    typer.echo("reinfuse is closed. Projects are on the disk as they were left.")

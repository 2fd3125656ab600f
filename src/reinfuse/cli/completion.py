"""Completion in shells: subcommands, options, names of files, and the names that some options take."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

PROGRAM, _VARIABLE = "reinfuse", "_REINFUSE_COMPLETE"


class Shell(StrEnum):
    """Shells for which typer completes."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="The shell.")]) -> None:
    """Print a completion script. In ~/.bashrc: eval "$(reinfuse completion bash)"; likewise for zsh; fish: | source."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=_VARIABLE, shell=shell.value))


def prepare() -> None:
    """Let typer answer a shell that asks what fits: without it the answer is in another form than the script reads."""
    if os.environ.get(_VARIABLE):
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()


def bundled(incomplete: str) -> list[str]:
    """Return the bundled cohorts whose names begin so."""
    from reinfuse.data import datasets

    return [name for name in datasets() if name.startswith(incomplete)]


def kinds(incomplete: str) -> list[str]:
    """Return the kinds of source whose names begin so."""
    from reinfuse.study.sources import KINDS

    return [name for name in KINDS if name.startswith(incomplete)]


def selectable(incomplete: str) -> list[str]:
    """Return the analyses and parts of results whose names begin so."""
    from reinfuse.study.selection import selectable

    return [name for name in selectable() if name.startswith(incomplete)]

"""What all commands share: streams that take every text, messages, progress, and where results go."""

from __future__ import annotations

import codecs
import io
import json as json_module
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from reinfuse.runtime import signals

if TYPE_CHECKING:
    from rich.table import Table

    from reinfuse.exceptions import Problem
    from reinfuse.output import Destination
    from reinfuse.runtime.progress import Progress

ForceOption = Annotated[bool, typer.Option("--force", help="Move existing files aside; nothing is deleted.")]
_PLAIN = str.maketrans({"→": "->", "–": "-", "—": "-", "≥": ">=", "≤": "<=", "±": "+/-", "×": "x", "·": "-",
                        "“": '"', "”": '"', "‘": "'", "’": "'", "…": "..."})  # fmt: skip


_quiet = False


class Commands(TyperGroup):
    """A group of commands: those that write can be quiet."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; one that has --force has --quiet too."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            names = {param.name for param in command.params}
            if "force" in names and "quiet" not in names:
                command.params.append(_quiet_option())
        return command


@cache
def _quiet_option() -> Any:
    """Return the option, as typer makes it of a function: what it makes options of changes from release to release."""
    with_option = typer.Typer(add_completion=False)

    @with_option.command()
    def any_command(
        quiet: Annotated[bool, typer.Option("--quiet", "-q", callback=_be_quiet, expose_value=False,
                                            help="Print nothing but warnings and errors.")] = False,
    ) -> None:  # fmt: skip
        del quiet

    return typer.main.get_command(with_option).params[0]


def _be_quiet(value: bool) -> bool:
    global _quiet
    _quiet = value
    return value


def quiet() -> bool:
    """Tell whether a command that writes is to print nothing but warnings and errors."""
    return _quiet


def say(text: str) -> None:
    """Print what a command that writes has done, unless it is to be quiet."""
    if not _quiet:
        typer.echo(text)


class _Echo(logging.Handler):
    """Shows what reinfuse itself has to say on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record's sentence."""
        typer.echo(record.getMessage(), err=True)


def set_up() -> None:
    """Let no text stop the program that a console cannot show, and no library write beside our own messages."""
    codecs.register_error("reinfuse", _spelt_out)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="reinfuse")
    own = logging.getLogger("reinfuse")
    if not own.handlers:
        own.addHandler(_Echo())
    if not sys.warnoptions and not os.environ.get("REINFUSE_DEBUG"):
        warnings.simplefilter("ignore")
        if logging.lastResort is not None:  # matplotlib's words on fonts, and all others that nobody asked for
            logging.lastResort.setLevel(logging.ERROR)


def echo_json(value: Any) -> None:
    """Print a value as JSON: valid whatever the console's encoding is."""
    plain = codecs.lookup(getattr(sys.stdout, "encoding", None) or "ascii").name != "utf-8"
    typer.echo(json_module.dumps(value, indent=1, ensure_ascii=plain))


def destination(out: Path, command: str, *reads: Path | None, force: bool = False) -> Destination:
    """Return where a command writes."""
    from reinfuse.output import Destination

    return Destination(out, command, tuple(r for r in reads if r is not None), force)


def writable(out: Path, command: str, *reads: Path | None, force: bool = False) -> Destination:
    """Return where a command writes its folder, or refuse it before anything is computed."""
    place = destination(out, command, *reads, force=force)
    place.check()
    return place


def end(stopped: signals.Stopped) -> NoReturn:
    """Remove what was begun, tell what a signal stopped and what was written, and end; threads are not waited for."""
    from reinfuse.output import discard, published

    discard()
    at = f" at: {signals.step()}" if signals.step() else ""
    wrote = f"Written before that: {', '.join(map(str, published))}" if published else "Nothing was written."
    in_a_group = sys.argv[1:2] in (["virtual"], ["export"], ["evidence"], ["pool"])
    command = " ".join(["reinfuse", *sys.argv[1 : 3 if in_a_group else 2]])
    typer.echo(f"Stopped by {stopped.name}: {command}{at}. {wrote} {signals.remains()}".rstrip(), err=True)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(stopped.status)


def print_table(table: Table, width: int) -> None:
    """Print a table at the terminal's width, or another; square brackets in a text are no mark-up."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else width, markup=False, emoji=False).print(table)


def grid_of(table: Any) -> Table:
    """Return a table of a document for the terminal."""
    from rich.table import Table

    grid = Table(title=table.caption, caption=table.footnote or None)
    for i, head in enumerate(table.head):
        grid.add_column(head, justify="left" if i == 0 else "right")
    for row in table.rows:
        grid.add_row(row.head, *row.cells)
    return grid


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show a progress bar where somebody looks; remember the step everywhere."""
    if _quiet or not sys.stderr.isatty():
        yield signals.note_step
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task("reading", total=None)

        def show(name: str, finished: int, total: int) -> None:
            signals.note_step(name, finished, total)
            bar.update(task, description=name, completed=finished, total=total)

        yield show


def _spelt_out(error: UnicodeError) -> tuple[str | bytes, int]:
    """Spell marks that an encoding lacks in plain letters, and show all else by its number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    shown = error.object[error.start : error.end].translate(_PLAIN)
    return shown.encode("ascii", "backslashreplace").decode("ascii"), error.end


def show(problems: tuple[Problem, ...], json: bool) -> None:
    """Print problems: as JSON to standard output, or in words to standard error."""
    if json:
        echo_json({"problems": [p.as_dict() for p in problems]})
        return
    from reinfuse.messages import lines

    for line in lines(problems):
        typer.echo(line, err=True)

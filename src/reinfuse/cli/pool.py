"""One analysis of several centres by files: `reinfuse pool ...`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from reinfuse.cli import console
from reinfuse.cli.console import Commands, ForceOption
from reinfuse.messages import counted

pool = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    help="Pool centres by files: sums travel, patients do not. Nothing is sent by itself.",
)  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Print problems as JSON.")]


@pool.command("plan")
def plan_study(
    study: Annotated[Path, typer.Argument(help="Study of several centres (TOML): centres, endpoints, levels, plan.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the request.")] = Path("reinfuse-pool"),
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Begin a study of several centres. Writes the first request, for every centre the same."""
    del json
    place = console.destination(out, "pool", study, force=force)
    from reinfuse.study.pooling import begin_pool, prepare_pool

    planned = prepare_pool(study, place)
    for sentence in planned.words:
        console.say(sentence)
    console.say(f"Request: {begin_pool(planned, place).resolve()}")
    console.say("Send it to every centre; gather the answers in its folder; then: reinfuse pool combine " + str(out))


@pool.command("answer")
def answer_request(
    request: Annotated[Path, typer.Argument(help="Request of the coordinating centre (request-N.json).")],
    cohort: Annotated[Path, typer.Argument(help="This centre's cohort: folder, workbook or wide sheet.")],
    *,
    centre: Annotated[
        str | None, typer.Option("--centre", help="This centre's name in the study; needed once.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the answer.")] = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Write the answer without asking.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Answer though few patients differ from those of an earlier release.")
    ] = False,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Answer a request. Checks the cohort, shows what would leave the centre, and asks before it writes."""
    del json
    place = console.destination(out, "pool", request, force=force)
    from reinfuse.study.pooling import prepare_answer, write_prepared

    prepared = prepare_answer(request, cohort, centre=centre, again=again, place=place)
    console.show(prepared.warnings, json=False)
    for line in prepared.draft.words:
        typer.echo(line, err=True)
    if not yes and not _agreed():
        from reinfuse.exceptions import PoolRefused, Problem

        rule, remedy = "nobody has agreed that these numbers leave the centre", "answer yes, or use --yes"
        raise PoolRefused([Problem(rule=rule, remedy=remedy)])
    console.say(f"Answer: {write_prepared(prepared, place).resolve()}")


def _agreed() -> bool:
    """Ask whether the answer is to be written; no answer is none."""
    typer.echo("Write this answer? [yes/no] ", nl=False, err=True)
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


@pool.command("combine")
def combine_study(
    folder: Annotated[Path, typer.Argument(help="Folder with all requests and all answers so far.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the report.")] = Path("reinfuse-pooled-report"),
    confirm_unit: Annotated[
        list[str] | None,
        typer.Option("--confirm-unit", help="Centre whose times are right though far from the others'; repeatable."),
    ] = None,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Combine the answers of all centres. Writes the next request, or the report when no more is needed."""
    del json
    place = console.destination(out, "pool", folder, force=force)
    from reinfuse.study.pooling import combine_answers

    combined = combine_answers(folder, place, confirmed=tuple(confirm_unit or ()), force=force)
    if combined.request is not None:
        console.say(f"{counted(combined.exchanges, 'request')} answered; {counted(combined.open, 'model')} still open.")
        console.say(f"Next request: {combined.request.resolve()}")
    elif combined.report is not None:
        console.say(f"{counted(combined.exchanges, 'request')} answered, and no more needed.")
        console.say(f"Report: {(combined.report / 'report.html').resolve()} (also .docx, .pdf)")


@pool.command("end")
def end_key(
    request: Annotated[Path, typer.Argument(help="Any request of the masked study (request-N.json).")],
    *,
    centre: Annotated[str | None, typer.Option("--centre", help="This centre's name in the study.")] = None,
    json: JsonOption = False,
) -> None:
    """End this centre's part in a masked study. Deletes its private key, after which nothing is answered."""
    del json
    from reinfuse.study.pooling import end_study

    ended = end_study(request, centre)
    console.say("The private key of this study was deleted." if ended else "There is no private key of this study.")

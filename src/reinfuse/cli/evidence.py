"""Commands on published studies of repeat infusions: `reinfuse evidence ...`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reinfuse.cli import console, synthesis
from reinfuse.cli.console import Commands, ForceOption

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reinfuse.study.evidence import ListedStudy

evidence = typer.Typer(
    cls=Commands, invoke_without_command=True, add_completion=False, rich_markup_mode=None,
    help="Published repeat infusions: list, search, update. Nothing is asked of a network.",
)  # fmt: skip
evidence.command("synthesis")(synthesis.synthesis)
evidence.command("borrow")(synthesis.borrow)
evidence.command("hazard")(synthesis.hazard)
RegisterOption = Annotated[
    list[Path] | None, typer.Option("--register", help="Further folder of published studies; repeatable.")
]


@evidence.callback()
def list_evidence(
    context: typer.Context,
    *,
    study: Annotated[str | None, typer.Option("--study", help="Show one study, by its name in the register.")] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", help="Endpoint (cr, response, pfs, ...) or toxicity (CRS, ICANS, NT).")
    ] = None,
    disease: Annotated[str | None, typer.Option("--disease", help="Diagnosis: ALL, CLL, NHL, ...")] = None,
    construct: Annotated[str | None, typer.Option("--construct", help="Part of the construct's name.")] = None,
    register: RegisterOption = None,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print BibTeX instead.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """List published repeat infusions. With their figures, how they are known, and which are stale."""
    if context.invoked_subcommand is not None:
        return
    from reinfuse.study.evidence import list_studies, studies_as_bibtex

    listed = list_studies(register or (), name=study, endpoint=endpoint, disease=disease, construct=construct)
    if bibtex:
        typer.echo(studies_as_bibtex([one.study for one in listed]), nl=False)
    elif json:
        console.echo_json([one.as_dict() for one in listed])
    else:
        in_full = study is not None or endpoint is not None
        typer.echo("\n".join([*_alarms(listed), *_lines(listed, in_full=in_full), *_totals(listed)]))


@evidence.command("search")
def print_search(register: RegisterOption = None) -> None:
    """Print the search strategy. Texts to paste into PubMed and Embase."""
    from reinfuse.study.evidence import search_texts

    typer.echo(search_texts(register or ()), nl=False)


@evidence.command("update")
def update_evidence(
    exports: Annotated[
        list[Path], typer.Argument(metavar="EXPORT...", help="Export of a search: .nbib, PubMed's .txt, or .ris.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for notices, screening list and flow.")] = Path(
        "reinfuse-evidence"
    ),
    register: RegisterOption = None,
    searched_on: Annotated[
        datetime | None, typer.Option("--searched-on", formats=["%Y-%m-%d"], help="Day of the search; default: today.")
    ] = None,
    force: ForceOption = False,
) -> None:
    """Compare a search with the register. Raises retractions and corrections; lists records to be screened."""
    place = console.writable(out, "evidence", *exports, *(register or ()), force=force)
    from reinfuse.study.evidence import update_register

    day = None if searched_on is None else searched_on.date()
    update = update_register(exports, register or (), place=place, searched_on=day)
    for notice in update.notices:
        if notice.is_alarm:
            typer.echo(f"ALARM: {notice.kind} of {notice.study}: {notice.reference}", err=True)
    for step in update.flow:
        console.say(f"{step.step}: {step.records}{f' ({step.note})' if step.note else ''}")
    if update.missed:
        console.say(f"Registered studies that the search does not find: {', '.join(s.label for s in update.missed)}.")
    console.say(f"Written: {out.resolve()}; as --register it brings its notices to every command.")


def _alarms(listed: Sequence[ListedStudy]) -> Iterator[str]:
    for one in listed:
        for notice in one.study.alarms:
            left_out = "; its figures are left out of every synthesis" if notice.kind == "retraction" else ""
            yield f"ALARM: {notice.kind} of {one.study.label} ({notice.reference}){left_out}."


def _lines(listed: Sequence[ListedStudy], *, in_full: bool) -> Iterator[str]:
    for one in listed:
        study = one.study
        comparable = "comparable" if study.is_comparable else "not comparable"
        yield f"{study.label} ({study.name}): {', '.join(study.diseases)}; {study.construct}"
        yield f"  {comparable}: {study.reason}"
        stale = "STALE, was to be read again by" if one.is_stale else "to be read again by"
        yield f"  read as {study.read_as} on {study.read_on} by {study.read_by}; {stale} {study.review_by}"
        if in_full:
            identifiers = [study.doi and f"doi:{study.doi}", study.pmid and f"PMID {study.pmid}", study.trial]
            about = [study.reference, *identifiers, study.address, study.patients, study.note]
            yield from (f"  {text}" for text in about if text)
            yield from (f"    {text}" for text in one.figure_lines)
        else:
            yield f"  {len(one.figures)} figures"


def _totals(listed: Sequence[ListedStudy]) -> Iterator[str]:
    comparable = sum(one.study.is_comparable for one in listed)
    stale = [one.study.label for one in listed if one.is_stale]
    yield f"{len(listed)} studies, {comparable} comparable; {sum(len(one.figures) for one in listed)} figures."
    yield f"Stale: {', '.join(stale) if stale else 'none'}."

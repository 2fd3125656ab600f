"""What published studies say together, and what they are worth: `reinfuse evidence synthesis`, `... borrow`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reinfuse.cli import console
from reinfuse.cli.console import ForceOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from reinfuse.study.synthesis import BorrowedRate, PublishedRates

EndpointOption = Annotated[
    str, typer.Option("--endpoint", help="Endpoint (cr, response, ...) or toxicity (CRS, ICANS, NT).")
]
GradeOption = Annotated[str | None, typer.Option("--grade", help="Grade of a toxicity; default: >=3.")]
DiseaseOption = Annotated[str | None, typer.Option("--disease", help="Diagnosis alone: ALL, CLL, NHL, ...")]
AcrossOption = Annotated[
    list[str] | None,
    typer.Option(
        "--across", help="Pool across a difference (antigen, construct, purpose, treatment, infusion); repeatable."
    ),
]
RegisterOption = Annotated[
    list[Path] | None, typer.Option("--register", help="Further folder of published studies; repeatable.")
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder for page, numbers and figures.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON instead.")]
_WIDTH = 160


class Division(StrEnum):
    """What subgroups are made by."""

    disease = "disease"
    construct = "construct"


def synthesis(
    *,
    endpoint: EndpointOption,
    grade: GradeOption = None,
    disease: DiseaseOption = None,
    by: Annotated[Division | None, typer.Option("--by", help="Compare subgroups.")] = None,
    across: AcrossOption = None,
    events: Annotated[int | None, typer.Option("--events", help="Own cohort: patients with the event.")] = None,
    n: Annotated[int | None, typer.Option("--n", help="Own cohort: patients.")] = None,
    register: RegisterOption = None,
    out: OutOption = None,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Pool published rates. Mean, prediction for a further study, and where the own cohort lies."""
    from reinfuse.study.synthesis import RateRequest, synthesize_published

    place = None if out is None else console.writable(out, "evidence", *(register or ()), force=force)
    request = RateRequest(endpoint=endpoint, grade=grade, disease=disease, across=tuple(across or ()),
                          events=events, n=n, folders=tuple(register or ()))  # fmt: skip
    pooled = synthesize_published(request, by=None if by is None else by.value)
    _show(pooled, as_json=json)
    if place is not None:
        console.say(f"Written: {pooled.write(place).resolve()}")


def borrow(
    *,
    endpoint: EndpointOption,
    events: Annotated[int, typer.Option("--events", help="Own cohort: patients with the event.")],
    n: Annotated[int, typer.Option("--n", help="Own cohort: patients.")],
    grade: GradeOption = None,
    disease: DiseaseOption = None,
    across: AcrossOption = None,
    vague: Annotated[float, typer.Option("--vague", help="Weight of the vague component of the robust prior.")] = 0.2,
    register: RegisterOption = None,
    out: OutOption = None,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Estimate the own rate without and with published studies. What they are worth in patients, and conflict."""
    from reinfuse.study.synthesis import RateRequest, borrow_published

    place = None if out is None else console.writable(out, "evidence", *(register or ()), force=force)
    request = RateRequest(endpoint=endpoint, grade=grade, disease=disease, across=tuple(across or ()),
                          events=events, n=n, folders=tuple(register or ()))  # fmt: skip
    borrowed = borrow_published(request, vague=vague)
    _show(borrowed, as_json=json)
    if borrowed.borrowing.prior is not None and not json:
        typer.echo(f'Prior for a design: reinfuse design bayes --prior "{borrowed.borrowing.prior_as_text}"')
    if place is not None:
        console.say(f"Written: {borrowed.write(place).resolve()}")


def hazard(
    *,
    events: Annotated[int, typer.Option("--events", help="Own cohort: events.")],
    exposure: Annotated[float, typer.Option("--exposure", help="Own cohort: follow-up, such as patient-months.")],
    study: Annotated[
        list[str], typer.Option("--study", help="Events/exposure of a study, 30/140 or NAME:30/140; repeatable.")
    ],
) -> None:
    """Estimate the own hazard without and with other studies. Events per follow-up, constant hazard."""
    from reinfuse.study.synthesis import borrow_published_hazard

    borrowed = borrow_published_hazard(events=events, exposure=exposure, studies=study)
    typer.echo("\n".join(borrowed.sentences))
    table = borrowed.table
    console.print_table(_grid(table.caption, table.head, rows=[(r.head, *r.cells) for r in table.rows],
                              note=table.footnote), _WIDTH)  # fmt: skip


def _show(shown: PublishedRates | BorrowedRate, *, as_json: bool) -> None:
    if as_json:
        console.echo_json({"sentences": shown.sentences, "cautions": shown.cautions, "estimates": shown.as_dicts()})
        return
    typer.echo("\n".join(shown.sentences))
    for table in shown.tables:
        console.print_table(_grid(table.caption, table.head, rows=[(r.head, *r.cells) for r in table.rows],
                                  note=table.footnote), _WIDTH)  # fmt: skip
    if shown.cautions:
        typer.echo("\n".join(("Cautions:", *(f"- {text}" for text in shown.cautions))))


def _grid(title: str, head: Sequence[str], *, rows: Sequence[Sequence[str]], note: str) -> Table:
    from rich.table import Table

    grid = Table(title=title, caption=note or None, title_justify="left", caption_justify="left")
    for name in head:
        grid.add_column(name, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid

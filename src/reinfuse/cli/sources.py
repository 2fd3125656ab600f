"""Commands for files that are no cohort yet: a map is proposed, a person answers, and it is imported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reinfuse.cli import console
from reinfuse.cli.completion import kinds
from reinfuse.cli.console import ForceOption, echo_json, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reinfuse.plan.analysis_plan import Plan
    from reinfuse.study.cohorts import CohortInput
    from reinfuse.study.sources import Checked, MapQuestion, ReadingRules, SourceKind, SourceMap

SourceArgument = Annotated[
    str,
    typer.Argument(
        help="The centre's own file or folder (spreadsheet, export, data set), or the address of a database."
    ),
]
_RECORDS = "OMOP and FHIR"
SchemaOption = Annotated[
    str, typer.Option("--schema", help="Schema with the tables of OMOP.", rich_help_panel=_RECORDS)
]
InfusionOption = Annotated[
    list[str] | None,
    typer.Option("--infusion", help="Concept or code of CAR-T infusions of your own.", rich_help_panel=_RECORDS),
]
ResponseOption = Annotated[
    list[str] | None,
    typer.Option("--response", help="Concept or code that holds responses.", rich_help_panel=_RECORDS),
]
MrdOption = Annotated[
    list[str] | None,
    typer.Option("--mrd", help="Concept or code of residual disease.", rich_help_panel=_RECORDS),
]
ToxicityOption = Annotated[
    list[str] | None,
    typer.Option("--toxicity", help="Concept or code of a graded toxicity.", rich_help_panel=_RECORDS),
]
MapOption = Annotated[Path, typer.Option("--map", help="Confirmed map (TOML), from `reinfuse map`.")]
WithMapOption = Annotated[Path | None, typer.Option("--map", help="Map (TOML) of a file that is no cohort yet.")]
CorrectionsOption = Annotated[
    Path | None,
    typer.Option("--corrections", help="Corrections of the data (CSV), as the app writes them."),
]


def map_source(
    source: SourceArgument,
    out: Annotated[Path, typer.Option("--out", help="File for the map.")] = Path("map.toml"),
    *,
    kind: Annotated[
        str | None, typer.Option("--kind", autocompletion=kinds, help="Kind of source; default: found out.")
    ] = None,
    preset: Annotated[str, typer.Option("--preset", help="Map of the package for a known export.")] = "",
    schema: SchemaOption = "",
    infusion: InfusionOption = None,
    response: ResponseOption = None,
    mrd: MrdOption = None,
    toxicity: ToxicityOption = None,
    review: Annotated[bool, typer.Option("--review", help="Ask the open questions one by one.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the proposals as JSON.")] = False,
    force: ForceOption = False,
) -> None:
    """Propose how a centre's own file becomes a cohort. Writes a map for a person to confirm; nothing is imported."""
    from reinfuse.study.sources import fitting, go_on_with, headers_of, propose_map, source_place, write_map

    where = source_place(source)
    files = [where] if isinstance(where, Path) else []
    place = console.destination(out.parent, "map", *files, force=force or (review and out.is_file()))
    place.check_files([out.name])
    rules = _rules(schema, infusion=infusion, response=response, mrd=mrd, toxicity=toxicity)
    read, proposed = propose_map(where, kind=_kind(kind), preset=preset, rules=rules)
    source_map = proposed.map
    if review:
        if out.is_file() and (earlier := go_on_with(out, read, proposed=proposed)):
            source_map = earlier.map
        source_map = _reviewed(source_map, list(headers_of(read)))
    written = write_map(source_map, proposed.proposals, place, name=out.name)
    if json:
        echo_json({"proposals": [p.as_dict() for p in proposed.proposals]})
        return
    show(read.problems, json=False)
    ignored = sum(p.target == "ignore" for p in proposed.proposals)
    console.say(f"{len(proposed.proposals)} columns: {len(proposed.proposals) - ignored} proposed, {ignored} left out.")
    for remark in read.seen:
        console.say(f"- {remark}")
    for name in () if preset else fitting(read):
        console.say(
            f"- the headers are those of the preset {name}: --preset {name} brings its map and its open questions"
        )
    _say_open(source_map)
    console.say(f"Map: {written.resolve()}")


def import_source(
    source: SourceArgument, map_file: MapOption,
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the cohort.")] = Path("cohort"),
    corrections: CorrectionsOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print problems as JSON.")] = False,
    force: ForceOption = False,
) -> None:  # fmt: skip
    """Import a centre's own file as its map says. Writes a cohort folder; exit status 2 while anything is open."""
    from reinfuse.study.sources import import_folder, source_place

    where = source_place(source)
    files = [where] if isinstance(where, Path) else []
    place = console.destination(out, "import", *files, map_file, corrections, force=force)
    checked = import_folder(where, map_file, place, corrections=corrections)
    if json:
        show(checked.problems, json)
        return
    _say_imported(checked)
    console.say(f"Cohort: {out.resolve()} (provenance.csv says where each cell is from)")
    if (own := out / "plan.toml").is_file():
        console.say(f"Plan of the trial's own endpoints: reinfuse analyze {out} --plan {own}")


def cohort_of(path: Path, map_file: Path | None, plan: Path | None,
              corrections: Path | None = None) -> tuple[CohortInput, Plan | Path | None]:  # fmt: skip
    """Return a cohort and its plan, corrected; with a map, what it makes of a source, and a trial's own plan."""
    if map_file is None and corrections is None:
        return path, plan
    from reinfuse.study.intake import cohort_and_plan

    return cohort_and_plan(path, map_path=map_file, plan=plan, corrections=corrections)


def _rules(schema: str, **listed: list[str] | None) -> ReadingRules:
    """Return how clinical records are read."""
    from reinfuse.study.sources import ReadingRules

    named: dict[str, Any] = {name: tuple(texts or ()) for name, texts in listed.items()}
    return ReadingRules(schema=schema, **named)


def _kind(kind: str | None) -> SourceKind | None:
    from reinfuse.exceptions import Problem, SourceRefused, nearest
    from reinfuse.study.sources import KINDS

    if kind is None:
        return None
    for choice in KINDS:
        if choice == kind:
            return choice
    near = nearest(kind, KINDS)
    hint = f"did you mean {near}? " if near else ""
    raise SourceRefused([Problem(value=kind, rule="is no kind of source",
                                 remedy=f"{hint}use one of: {', '.join(KINDS)}")])  # fmt: skip


def _say_open(source_map: SourceMap) -> None:
    """List the open questions on standard output."""
    from reinfuse.study.sources import questions

    open_questions = list(questions(source_map))
    if not open_questions:
        console.say("Nothing is open: `reinfuse import` can follow the map once you have looked through it.")
        return
    console.say(f"{_counted(open_questions)}; answer in the map, or with --review:")
    for question in open_questions:
        about = f"\n    {question.about}" if question.about else ""
        console.say(f"  {_place(question)}: {question.text}{_among(question)}{about}")


def _counted(open_questions: Sequence[MapQuestion]) -> str:
    return "1 open question" if len(open_questions) == 1 else f"{len(open_questions)} open questions"


def _place(question: MapQuestion) -> str:
    """Return the line of the map, and of which infusion it is."""
    return f"{question.line} ({question.named})" if question.named else question.line


def _among(question: MapQuestion) -> str:
    return f" [{', '.join(question.choices)}]" if question.choices else ""


def _reviewed(source_map: SourceMap, headers: Sequence[str]) -> SourceMap:
    """Ask the open questions one by one; Enter leaves one open, an end of the input all others."""
    from reinfuse.study.sources import answered, fault, questions

    count, left = len(list(questions(source_map))), set[tuple[str, str]]()
    typer.echo(f'{count} open questions. Enter leaves one open; "" is an empty cell.', err=True)
    number = 0
    while remaining := [q for q in questions(source_map) if (q.line, q.text) not in left]:  # an answer may ask more
        number, question = number + 1, remaining[0]
        total = number + len(remaining) - 1
        about = f"\n   {question.about}" if question.about else ""
        typer.echo(f"{number}/{total} {_place(question)}: {question.text}{_among(question)}{about}", err=True)
        while (answer := _line()) not in (None, "", "later"):
            answer = "" if answer == '""' else answer
            wrong = fault(question, answer, headers, source_map=source_map)
            if wrong is None:
                source_map = answered(source_map, question, answer)
                break
            typer.echo(f"   {wrong}", err=True)
        if answer is None:
            break
        if answer in ("", "later"):
            left.add((question.line, question.text))
    return source_map


def _line() -> str | None:
    """Return what a person typed; None at the end of the input."""
    typer.echo("> ", nl=False, err=True)
    line = sys.stdin.readline()
    return line.strip() if line else None


def _say_imported(checked: Checked) -> None:
    """Say what was imported, what was left out, and what the cohort's check warns of."""
    tables = checked.imported.tables
    console.say(f"Imported: {', '.join(f'{len(t.rows)} {name}' for name, t in tables.items())}.")
    for remark in checked.imported.remarks:
        console.say(f"  {remark}")
    show(checked.problems, json=False)

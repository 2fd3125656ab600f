"""The command line: thin; everything heavy is imported when a command needs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from reinfuse.cli import completion, console, sources
from reinfuse.cli.app import open_app
from reinfuse.cli.console import Commands, ForceOption, progress_bar, show
from reinfuse.cli.curve import curve
from reinfuse.cli.design import design
from reinfuse.cli.ensembles import calibrate, validate
from reinfuse.cli.evidence import evidence
from reinfuse.cli.export import export
from reinfuse.cli.plan import lock
from reinfuse.cli.pool import pool
from reinfuse.cli.simulate import virtual
from reinfuse.cli.workflow import analyse, power_grid, print_comparison, say_written
from reinfuse.runtime import signals
from reinfuse.runtime.boundary import place_of
from reinfuse.runtime.parallel import expect_small_matrices

app = typer.Typer(
    name="reinfuse", cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    add_completion=False, context_settings={"help_option_names": ["-h", "--help"]},
    help="Analyse cohorts of patients with repeat CAR-T infusions. Data stay on this machine.",
)  # fmt: skip

virtual.command()(validate)
virtual.command()(calibrate)
app.add_typer(virtual, name="virtual")
app.add_typer(export, name="export")
app.add_typer(evidence, name="evidence")
app.add_typer(design, name="design")
app.add_typer(pool, name="pool")
app.command("map")(sources.map_source)
app.command("import")(sources.import_source)
app.command("curve")(curve)
app.command("app")(open_app)
app.command("lock")(lock)

CohortArgument = Annotated[Path, typer.Argument(help="Cohort folder, workbook (.xlsx) or wide sheet.")]
PlanOption = Annotated[
    Path | None, typer.Option("--plan", help="Analysis plan (TOML); default: that of the reference study.")
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for the results.")]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset", autocompletion=completion.bundled, help="Bundled cohort; `reinfuse datasets` lists them."
    ),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", autocompletion=completion.selectable,
                 help="Analysis to run, or part to write (report, supplement, brief, figures); repeatable."),
]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Print problems as JSON.")]


def _print_version(value: bool) -> None:
    if value:
        from reinfuse.version import __version__

        typer.echo(f"reinfuse {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", "-V", callback=_print_version, is_eager=True,
                                          help="Print the version and exit.")] = False,
) -> None:  # fmt: skip
    """Analyse cohorts of patients with repeat CAR-T infusions. Data stay on this machine."""
    del version


@app.command()
def analyze(
    cohort: CohortArgument,
    plan: PlanOption = None,
    *,
    out: OutOption = Path("reinfuse-report"),
    map_file: sources.WithMapOption = None,
    corrections: sources.CorrectionsOption = None,
    only: OnlyOption = None,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Analyse a cohort. Writes report (HTML, Word, PDF), patients' brief, estimates and figures."""
    place = console.writable(out, "analyze", cohort, plan, map_file, corrections, force=force)
    findings = analyse(*sources.cohort_of(cohort, map_file, plan, corrections), place=place, only=only or (),
                       silent=json)  # fmt: skip
    if json:
        show(findings.cohort.warnings if findings.cohort else (), json)
    else:
        say_written(findings, out)


@app.command()
def check(cohort: CohortArgument, plan: PlanOption = None, *, map_file: sources.WithMapOption = None,
          corrections: sources.CorrectionsOption = None, json: JsonOption = False) -> None:  # fmt: skip
    """Validate a cohort. Lists every error and warning; exit status 2 if it would be refused."""
    from reinfuse.study import cohorts

    checked = cohorts.check(*sources.cohort_of(cohort, map_file, plan, corrections))
    show(checked.problems, json)
    if not checked.accepted:
        raise typer.Exit(2)
    if not json:
        typer.echo(f"The cohort can be analysed ({len(checked.problems)} warnings).")


@app.command("power")
def what_could_be_seen(
    cohort: CohortArgument,
    plan: PlanOption = None,
    *,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for power.csv and figures.")] = None,
    draws: Annotated[int, typer.Option("--draws", min=40, max=100_000, help="Simulated data sets per effect.")] = 2000,
    map_file: sources.WithMapOption = None,
    corrections: sources.CorrectionsOption = None,
    force: ForceOption = False,
) -> None:
    """Estimate the power of each factor. Also type I error, coverage and smallest detectable effect."""
    place = None if out is None else console.writable(out, "power", cohort, plan, map_file, corrections, force=force)
    from reinfuse.study.power import estimate_power, write_power

    with progress_bar() as progress:
        given = sources.cohort_of(cohort, map_file, plan, corrections)
        results = estimate_power(*given, draws=draws, progress=progress)
    console.print_table(power_grid(results), 150)
    if place is not None:
        write_power(results, place)
        console.say(f"Written: {place.path.resolve()}")


@app.command()
def kinetics(
    cohort: CohortArgument,
    plan: PlanOption = None,
    out: OutOption = Path("reinfuse-kinetics"),
    *,
    above: Annotated[float | None, typer.Option("--above", min=0, help="Report days above this count.")] = None,
    sampling: Annotated[bool, typer.Option(help="Fit population and joint models (minutes).")] = True,
    draws: Annotated[int | None, typer.Option("--draws", min=100, max=100_000, help="Draws per chain.")] = None,
    map_file: sources.WithMapOption = None,
    corrections: sources.CorrectionsOption = None,
    force: ForceOption = False,
) -> None:
    """Analyse CAR-T cell kinetics. Exposure, persistence, associated factors, and population model."""
    place = console.writable(out, "kinetics", cohort, plan, map_file, corrections, force=force)
    from reinfuse.study.kinetics import analyze_counts

    with progress_bar() as progress:
        given = sources.cohort_of(cohort, map_file, plan, corrections)
        results = analyze_counts(*given, place=place, above=above, sampling=sampling, draws=draws, progress=progress)
    notes = " ".join(f"{note}." for note in results.notes)
    console.say(f"{results.profiles} profiles. {notes}".strip())
    if results.population_model is not None:
        console.say(results.population_model)
    console.say(f"Report: {(out / 'report.html').resolve()}")


@app.command("figure")
def one_figure(
    name: Annotated[str, typer.Argument(help="Name of the figure, such as km_pfs; `list` lists all.")],
    cohort: Annotated[Path, typer.Argument(help="Cohort, or a folder of results.")],
    *,
    plan: PlanOption = None,
    columns: Annotated[int, typer.Option("--columns", min=1, max=2, help="Width in journal columns: 1 or 2.")] = 2,
    out: Annotated[Path, typer.Option("--out", help="Folder for SVG, PDF, PNG and CSV.")] = Path(),
    force: ForceOption = False,
) -> None:
    """Draw one figure with its data. The width is that of one or two journal columns."""
    place = console.destination(out, "figure", cohort, plan, force=force)
    from reinfuse.study import figures

    if name == "list":
        with progress_bar() as progress:
            names = figures.figure_names(cohort, plan, progress=progress)
        typer.echo("\n".join(names))
        return
    with progress_bar() as progress:
        files = figures.draw_figure(name, cohort, plan, place=place, columns=1 if columns == 1 else 2,
                                    progress=progress)  # fmt: skip
    for path in files:
        console.say(str(path))


@app.command()
def share(
    results: Annotated[Path, typer.Argument(help="Folder written by `reinfuse analyze`.")],
    out: Annotated[Path | None, typer.Option("--out", help="Output folder; default: RESULTS-shared.")] = None,
    *,
    small_cells: Annotated[int, typer.Option("--small-cells", min=3, help="Smallest count not suppressed.")] = 11,
    again: Annotated[bool, typer.Option("--again", help="Release although few patients are new.")] = False,
    force: ForceOption = False,
) -> None:
    """Write results that may leave the centre. No ids, no dates, no small cells; lists what was removed."""
    from reinfuse.study import sharing

    shared = sharing.share(results, out, smallest=small_cells, force=force, again=again)
    for removed in shared.removed:
        console.say(f"removed: {removed.what} ({removed.why}): {removed.count}")
    console.say(f"Written: {shared.path.resolve()}")


@app.command()
def cite(
    results: Annotated[Path | None, typer.Argument(help="Folder of results; default: all references.")] = None,
) -> None:
    """Print references as BibTeX. Those of the methods used, and of reinfuse."""
    from reinfuse.study.results import bibliography

    typer.echo(bibliography(results), nl=False)


@app.command()
def template(directory: Annotated[Path, typer.Argument(help="Output folder.")],
             force: ForceOption = False) -> None:  # fmt: skip
    """Write an empty cohort. One CSV file per table, a workbook with explanations, a commented plan and map."""
    from reinfuse.study.input_tables import write_template

    written, unchanged = write_template(console.destination(directory, "template", force=force))
    for path in written:
        console.say(str(path))
    for path in unchanged:
        typer.echo(f"{path} exists and was not changed.", err=True)
    if not written:
        typer.echo("Nothing was written; --force moves these files aside and writes empty ones.", err=True)


@app.command()
def demo(out: OutOption = Path("reinfuse-demo"), dataset: DatasetOption = None, *, force: ForceOption = False) -> None:
    """Analyse a bundled cohort. Compares the results with the published ones."""
    from reinfuse.data import DEMO
    from reinfuse.data import dataset as bundled

    chosen = bundled(dataset or DEMO)
    place = console.writable(out, "analyze", chosen.path, force=force)
    findings = analyse(chosen.path, chosen.plan, place=place)
    say_written(findings, out)
    print_comparison(chosen, findings)


@app.command("datasets")
def list_datasets() -> None:
    """List the bundled cohorts and their sources."""
    from reinfuse.data import datasets

    for one in datasets().values():
        kind = "synthetic" if one.synthetic else "real, published"
        typer.echo(f"{one.name} ({kind})\n  {one.title}\n  {one.source}")


@app.command()
def schema(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
           markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False) -> None:  # fmt: skip
    """Print input tables and columns. Gives meaning and permitted values."""
    from reinfuse.study import input_tables

    if markdown:
        typer.echo(input_tables.markdown(), nl=False)
        return
    rows = input_tables.columns()
    if json:
        console.echo_json(rows)
        return
    for name in dict.fromkeys(row["table"] for row in rows):
        typer.echo(f"\n{name}")
        for row in (row for row in rows if row["table"] == name):
            needed = f" [{row['needed']} needed]" if row["needed"] else ""
            typer.echo(f"  {row['column']:<24} {row['meaning']}{needed}")


app.command("completion")(completion.completion)


def main() -> None:
    """Run the command line: exit status 0 done, 2 refused, 1 failed, 128 and its number after a signal."""
    from reinfuse.exceptions import Refused

    expect_small_matrices()
    console.set_up()
    completion.prepare()
    try:
        with signals.heeded(console.end):
            app(prog_name=completion.PROGRAM)
    except signals.Stopped as stopped:
        console.end(stopped)
    except Refused as refused:
        show(refused.problems, json="--json" in sys.argv)
        typer.echo(f"Nothing was written: {refused.summary}.", err=True)
        sys.exit(2)
    except Exception as error:
        if os.environ.get("REINFUSE_DEBUG"):
            raise
        typer.echo(f"reinfuse failed: {place_of(error)}. This is a fault of the program, please report it. "
                   "REINFUSE_DEBUG=1 shows more, patients' values among it.", err=True)  # fmt: skip
        sys.exit(1)

"""Published curves into patients: `reinfuse curve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reinfuse.cli import console
from reinfuse.cli.console import ForceOption


def curve(
    figure: Annotated[Path, typer.Argument(help="Figure (.svg with vector paths), or points (.csv: time, survival).")],
    *,
    at_risk: Annotated[
        list[str] | None,
        typer.Option("--at-risk", help="Numbers at risk: 0:22,6:15, NAME=0:22,6:15, or a CSV file; repeatable."),
    ] = None,
    reading_error: Annotated[
        float | None,
        typer.Option(
            "--reading-error", help="Standard deviation of a height, % of the axis; default: SVG 0.05, CSV 0.5."
        ),
    ] = None,
    time_error: Annotated[
        float | None, typer.Option("--time-error", help="Times that differ by no more are one.")
    ] = None,
    along: Annotated[
        bool, typer.Option("--along", help="Points lie anywhere on the curve, not one at each step.")
    ] = False,
    marks: Annotated[
        bool, typer.Option("--marks", help="A figure's short vertical lines on the curve mark every censoring.")
    ] = False,
    arms: Annotated[str, typer.Option("--arms", help="Names of a figure's curves, in their order: A,B.")] = "",
    curves: Annotated[str, typer.Option("--curves", help="Which step lines of a figure to take: 1,3.")] = "",
    x_axis: Annotated[
        str, typer.Option("--x-axis", help="Two coordinates of the SVG with their times: 50.4=0,410.4=24.")
    ] = "",
    y_axis: Annotated[str, typer.Option("--y-axis", help="Two coordinates of the SVG with their heights.")] = "",
    events: Annotated[
        list[str] | None, typer.Option("--events", help="Printed number of events: 14, or NAME=14; repeatable.")
    ] = None,
    at: Annotated[str, typer.Option("--at", help="Times at which survival is wanted: 6,12.")] = "",
    horizon: Annotated[
        float | None, typer.Option("--horizon", help="Of the restricted mean; default: the shortest curve's end.")
    ] = None,
    confidence: Annotated[float, typer.Option("--confidence", help="Level.")] = 0.95,
    unit: Annotated[str, typer.Option("--unit", help="Unit of the figure's times.")] = "months",
    out: Annotated[Path, typer.Option("--out", help="Folder for tables and page.")] = Path("reinfuse-curve"),
    json: Annotated[bool, typer.Option("--json", help="Print problems as JSON.")] = False,
    force: ForceOption = False,
) -> None:
    """Reconstruct patients from a published Kaplan-Meier curve. All risk tables that agree with it; for local use."""
    del json
    tables = [Path(text) for text in at_risk or () if text.lower().endswith(".csv")]
    place = console.writable(out, "curve", figure, *tables, force=force)
    from reinfuse.study.curve import WARNING, CurveOptions, curve_into_patients, write_patients

    given = curve_into_patients(figure, CurveOptions(
        at_risk=at_risk or (), reading_error=reading_error, time_error=time_error, along=along, marks=marks, arms=arms,
        curves=curves, x_axis=x_axis, y_axis=y_axis, events=events or (), at=at, horizon=horizon,
        confidence=confidence, unit=unit))  # fmt: skip
    write_patients(given, place)
    typer.echo(f"WARNING: {WARNING}", err=True)
    if console.quiet():
        return
    for sentence in given.sentences:
        console.say(sentence)
    console.print_table(console.grid_of(given.table), 130)
    console.say(f"Page: {(out / 'report.html').resolve()}; tables.csv holds every table, patients.csv the most likely.")

"""What several commands show: a cohort analysed with a progress bar, what was written, tables of results."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reinfuse.cli import console
from reinfuse.cli.console import progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from reinfuse.data import Dataset
    from reinfuse.output import Destination
    from reinfuse.plan.analysis_plan import Plan
    from reinfuse.study import Findings
    from reinfuse.study.cohorts import CohortInput
    from reinfuse.study.power import PowerResults

_PAGES = (("Report", "report.html", ".docx, .pdf"), ("Supplement", "supplement.html", ".docx, .pdf"),
          ("Patients' brief", "brief.html", ".pdf"))  # fmt: skip


def analyse(cohort: CohortInput, plan: Plan | Path | None, *, place: Destination, only: Sequence[str] = (),
            silent: bool = False) -> Findings:  # fmt: skip
    """Analyse a cohort and write its results; say the main ones as soon as they are there, and what failed."""
    from reinfuse.study.results import analyze

    with progress_bar() as progress:
        results = analyze(cohort, plan, place=place, progress=progress, only=only,
                          first=None if silent or console.quiet() else _say_first)  # fmt: skip
    for text in results.failures:
        typer.echo(f"WARNING: {text}", err=True)
    return results.findings


def _say_first(statements: list[tuple[str, str]]) -> None:
    console.say("First results; how certain they are is still being estimated:")
    for head, text in statements:
        console.say(f"  {head}: {text}")
    sys.stdout.flush()


def say_written(findings: Findings, out: Path) -> None:
    """Say what was analysed, and where its report is."""
    warnings = len(findings.warnings)
    patients = findings.described.patients
    console.say(f"{patients} patients analysed, {len(findings.estimates)} estimates, {warnings} notes.")
    for what, name, also in _PAGES:
        if (out / name).is_file():
            console.say(f"{what}: {(out / name).resolve()} (also {also})")


def print_comparison(dataset: Dataset, findings: Findings) -> None:
    """Print published numbers beside those of the report."""
    compared = dataset.compare(findings)
    if not compared or console.quiet():
        return
    from rich.table import Table

    table = Table(title="Published margins beside this report")
    for head in ("Quantity", "Patients", "Published", "This report", "Unit"):
        table.add_column(head, justify="right" if head in ("Published", "This report") else "left")
    for one in compared:
        here = "–" if one.here is None else f"{one.here:g}"
        table.add_row(one.quantity, one.population, f"{one.published:g}", here, one.unit)
    console.print_table(table, 110)


def power_grid(results: PowerResults) -> Table:
    """Return the table of power for the terminal."""
    from rich.table import Table

    table = results.table
    grid = Table(title=table.caption if table else "No factor for which power can be simulated",
                 caption="; ".join(table.notes) if table else None)  # fmt: skip
    for i, head in enumerate(table.head if table else ()):
        grid.add_column(head, justify="left" if i == 0 else "right")
    for row in table.rows if table else ():
        grid.add_row(row.head, *row.cells)
    return grid

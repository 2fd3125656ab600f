"""What several commands do: read a plan, analyse and write, and say what was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reinfuse.cli import console
from reinfuse.cli.console import progress_bar

if TYPE_CHECKING:
    from reinfuse.data import Dataset
    from reinfuse.output import Destination
    from reinfuse.plan.analysis_plan import Plan
    from reinfuse.results.findings import Findings
    from reinfuse.runtime.second_process import SecondProcess


def chosen_plan(path: Path | None) -> Plan:
    """Return the plan of a file, or the built-in one."""
    from reinfuse.plan.analysis_plan import Plan

    return Plan.load(path) if path else Plan.built_in()


def findings_for_figure(cohort: Path, plan: Path | None, *, figure: str) -> Findings:
    """Read findings back, or estimate what a figure needs."""
    from reinfuse.report.export import single_figure
    from reinfuse.results.findings import Findings
    from reinfuse.study import Study

    if (cohort / "findings.json").is_file():
        return Findings.load(cohort)
    chosen = single_figure.enough(chosen_plan(plan), figure)
    with progress_bar() as progress:
        return Study.read(cohort, chosen).run(progress)


def analyse(cohort: Path, plan: Plan, *, place: Destination) -> Findings:
    """Analyse a cohort and write its results, a second process helping."""
    from reinfuse.runtime.second_process import second_process

    with second_process(
        ("reinfuse.study", "reinfuse.report.export.results_folder")
    ) as second:  # it gets ready while this one reads
        return _analyse_with(cohort, plan, place, second=second)


def _analyse_with(cohort: Path, plan: Plan, place: Destination, *, second: SecondProcess | None) -> Findings:
    from reinfuse.report.export.results_folder import write
    from reinfuse.runtime.boundary import Boundary, failed
    from reinfuse.study import Study

    boundary = Boundary()
    with progress_bar() as progress:
        study = Study.read(cohort, plan)
        findings = study.run(progress, second)
        write(findings, place, progress=progress, boundary=boundary, second=second)
    for text in failed((*findings.warnings, *boundary.warnings)):
        typer.echo(f"WARNING: {text}", err=True)
    return findings


def say_written(findings: Findings, out: Path) -> None:
    """Say what was analysed, and where its report is."""
    warnings = len(findings.warnings)
    patients = findings.described.patients
    typer.echo(f"{patients} patients analysed, {len(findings.estimates)} estimates, {warnings} notes.")
    typer.echo(f"Report: {(out / 'report.html').resolve()} (also .docx, .pdf)")
    typer.echo(f"Patients' brief: {(out / 'brief.html').resolve()} (also .pdf)")


def print_comparison(dataset: Dataset, findings: Findings) -> None:
    """Print published numbers beside those of the report."""
    compared = dataset.compare(findings)
    if not compared:
        return
    from rich.table import Table

    table = Table(title="Published margins beside this report")
    for head in ("Quantity", "Patients", "Published", "This report", "Unit"):
        table.add_column(head, justify="right" if head in ("Published", "This report") else "left")
    for one in compared:
        here = "–" if one.here is None else f"{one.here:g}"
        table.add_row(one.quantity, one.population, f"{one.published:g}", here, one.unit)
    console.print_table(table, 110)

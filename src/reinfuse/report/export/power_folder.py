"""Power on the terminal and as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from reinfuse.output import Destination, at
from reinfuse.report.export.results_folder import write_figures
from reinfuse.report.figures.catalog import figures
from reinfuse.report.tables.protocols import ProtocolTables
from reinfuse.results.findings import Findings
from reinfuse.tabular.csv_files import write_csv

if TYPE_CHECKING:
    from rich.table import Table as Shown


def shown(findings: Findings) -> Shown:
    """Return the table of power for the terminal."""
    from rich.table import Table as Rich

    table = ProtocolTables(findings).power()
    grid = Rich(title=table.caption if table else "No factor for which power can be simulated",
                caption="; ".join(table.notes) if table else None)  # fmt: skip
    for i, head in enumerate(table.head if table else ()):
        grid.add_column(head, justify="left" if i == 0 else "right")
    for row in table.rows if table else ():
        grid.add_row(row.head, *row.cells)
    return grid


def write_power(findings: Findings, place: Destination | Path) -> None:
    """Write the records as power.csv and the curves as figures.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """

    def write(draft: Path) -> None:
        drawn = [draw() for section, _, draw in figures(findings) if section == "power"]
        write_csv(findings.to_frame().filter(pl.col("analysis") == "power"), draft / "power.csv")
        write_figures([figure for figure in drawn if figure is not None], draft / "figures")

    at(place, "power").write(write)

"""What `reinfuse power` writes."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from reinfuse.output import Destination, at
from reinfuse.report.export.results_folder import write_figures
from reinfuse.report.figures.catalog import figures
from reinfuse.results.findings import Findings
from reinfuse.tabular.csv_files import write_csv


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

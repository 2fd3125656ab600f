"""All screens, in the order of the navigation."""

from __future__ import annotations

from reinfuse.app.screen import Screen
from reinfuse.app.screens import columns, data, kinetics, plan, problems, report, run, virtual

SCREENS: tuple[Screen, ...] = (
    data.SCREEN, columns.SCREEN, problems.SCREEN, plan.SCREEN, run.SCREEN, report.SCREEN, virtual.SCREEN,
    kinetics.SCREEN,
)  # fmt: skip
"""The first one chooses the data, and is the page without a project."""

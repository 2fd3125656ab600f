"""All screens, in the order of the navigation."""

from __future__ import annotations

from reinfuse.app.screen import Screen
from reinfuse.app.screens import columns, data, problems

SCREENS: tuple[Screen, ...] = (data.SCREEN, columns.SCREEN, problems.SCREEN)
"""The first one chooses the data, and is the page without a project."""

"""Baseline characteristics in the report: a table."""

from __future__ import annotations

from reinfuse.report.analyses.base import Shown

SHOWN = Shown()

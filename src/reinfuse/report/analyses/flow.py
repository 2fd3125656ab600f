"""The patients' flow in the report: a figure."""

from __future__ import annotations

from reinfuse.report.analyses.base import Shown

SHOWN = Shown()

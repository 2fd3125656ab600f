"""Exposure and outcome in the report; Firth's models and the landmark are cited with their own analyses."""

from __future__ import annotations

from reinfuse.report.analyses.base import Shown

SHOWN = Shown()

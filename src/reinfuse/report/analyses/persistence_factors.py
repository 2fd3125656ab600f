"""Factors of persistence in the report: the sentence on the factors of exposure says how."""

from __future__ import annotations

from reinfuse.report.analyses.base import Shown

SHOWN = Shown()

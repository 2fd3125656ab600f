"""Exposure in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.kinetics.day_28 import LAST_VISIT
from reinfuse.report.analyses.base import Cite, Shown
from reinfuse.results.findings import Findings


def _methods(findings: Findings, _: Cite) -> Iterator[str]:
    if findings.kinetics is not None:
        yield (
            "CAR-T counts after an infusion, up to the next one, were summarised by non-compartmental analysis. "
            "AUC0-28 and the peak by day 28 use counts by day 28 only: trapezoidal area "
            f"{findings.kinetics['rules']['area']}, counts below the limit of quantification set to half the limit, "
            f"the last count (day {LAST_VISIT:g} or later) carried forward to day 28."
        )


SHOWN = Shown(_methods)

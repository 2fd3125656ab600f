"""Time-dependent factors in the report: they stand in the table of landmarks."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield f"Time-dependent factors were analysed in counting-process form {cite('counting')}."


SHOWN = Shown(_methods, references=cited("counting"), strobe=(Strobe("17", "time_dependent", "time-dependent"),))

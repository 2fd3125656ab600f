"""Bootstrap selection in the report: it stands in the tables of model averaging."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    yield (
        "Stability of forward selection (p below 0.157) and of signs was assessed in "
        f"{findings.plan.analyses.bootstraps} bootstrap samples {cite('stability')}; c-index and calibration slope are "
        f"optimism-corrected {cite('optimism')}."
    )


SHOWN = Shown(
    _methods, references=cited("stability", "optimism"), strobe=(Strobe("17", "stability", "bootstrap selection"),)
)

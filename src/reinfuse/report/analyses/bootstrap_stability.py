"""Bootstrap selection in the report: it stands in the tables of model averaging."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown, Strobe
from reinfuse.report.text.references import Reference, cited
from reinfuse.results.findings import Findings

NOMA = Reference(
    "Noma H, Shinozaki T, Iba K, Teramukai S, Furukawa TA",
    "Confidence intervals of prediction accuracy measures for multivariable prediction models based on the "
    "bootstrap-based optimism correction methods",
    "Stat Med", 2021, "40", "5691-5701", "26", "10.1002/sim.9148")  # fmt: skip


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    yield (
        "Stability of forward selection (p below 0.157) and of signs was assessed in "
        f"{findings.plan.analyses.bootstraps} bootstrap samples {cite('stability')}; c-index and calibration slope are "
        f"optimism-corrected {cite('optimism')}, their intervals those of the apparent numbers shifted by the optimism "
        f"{cite('shifted')}."
    )


SHOWN = Shown(
    _methods,
    references={**cited("stability", "optimism"), "shifted": NOMA},
    strobe=(Strobe("17", "stability", "bootstrap selection"),),
)

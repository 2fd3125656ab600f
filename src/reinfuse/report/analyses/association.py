"""Firth's odds and hazard ratios in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings
from reinfuse.statistics import firth

_MODELS = {
    "logistic": "logistic regression (binary endpoints)",
    "cox": "Cox regression (time-to-event endpoints; Breslow ties)",
}


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    used = {e.method for e in findings.estimates}
    fitted = [kind for kind in ("logistic", "cox") if firth.METHODS[kind] in used]
    if fitted:
        models = " and ".join(_MODELS[kind] for kind in fitted)
        yield (
            f"Associations were estimated by Firth's penalised {models} "
            f"{cite('firth', *(f'firth_{kind}' for kind in fitted))}, univariably and in the multivariable models of "
            "the plan, in complete cases; p-values are from the penalised likelihood-ratio test and confidence "
            "intervals from the profile penalised likelihood."
        )
        if not findings.plan.analyses.sensitivity:
            yield "P-values were not adjusted for multiple testing."


SHOWN = Shown(_methods, references=cited("firth", "firth_logistic", "firth_cox"))

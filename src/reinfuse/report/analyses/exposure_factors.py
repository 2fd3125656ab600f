"""Factors of exposure in the report."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.report.analyses.base import Cite, Shown
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings


def _methods(findings: Findings, cite: Cite) -> Iterator[str]:
    if any((e.analysis, e.endpoint, e.statistic) == ("kinetics", "auc_0_28", "ratio") for e in findings.estimates):
        yield (
            "Log peak and log AUC were compared by a linear mixed model with a random intercept per patient and "
            f"small-sample robust standard errors {cite('cr2')}; persistence by an interval-censored Weibull model "
            "with profile-likelihood intervals."
        )


SHOWN = Shown(_methods, references=cited("cr2"))

"""The methods paragraph on CAR-T counts: a sentence for each analysis that was run, with its references."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reinfuse.kinetics.day_28 import LAST_VISIT
from reinfuse.results.findings import Findings


def kinetic_methods(findings: Findings, cite: Callable[..., str]) -> Iterator[str]:
    """Yield the sentences on what was run, and nothing else.

    Parameters
    ----------
    cite
        Gives the numbers of references.
    """
    if findings.kinetics is None:
        return
    ran = {(e.analysis, e.endpoint, e.statistic) for e in findings.estimates}
    kinds = {analysis for analysis, _, _ in ran}
    yield (
        "CAR-T counts after an infusion, up to the next one, were summarised by non-compartmental analysis. AUC0-28 "
        "and the peak by day 28 use counts by day 28 only: trapezoidal area "
        f"{findings.kinetics['rules']['area']}, counts below the limit of quantification set to half the limit, the "
        f"last count (day {LAST_VISIT:g} or later) carried forward to day 28."
    )
    if ("kinetics", "persistence", "median") in ran:
        yield (
            "Persistence ends with the first of two consecutive counts below the limit of quantification, an "
            f"interval-censored time {cite('turnbull')}. Cumulative incidence of loss was estimated with death and the "
            f"next infusion as competing events {cite('hudgens')}, with bootstrap percentile intervals."
        )
    if ("kinetics", "auc_0_28", "ratio") in ran:
        yield (
            "Log peak and log AUC were compared by a linear mixed model with a random intercept per patient and "
            f"small-sample robust standard errors {cite('cr2')}; persistence by an interval-censored Weibull model "
            "with profile-likelihood intervals."
        )
    if "mediation" in kinds:
        yield f"Natural direct and indirect effects were estimated by g-computation {cite('mediation')}."
    if "population" in kinds and ("population", "cmax", "typical") in ran:
        yield (
            f"The population model describes expansion, contraction and persistence {cite('stein')}, with random "
            "effects of patients and infusions, log-normal residual error, and a left-censored likelihood below the "
            f"limit of quantification {cite('beal')}; priors are centred on published values. It was sampled by the "
            f"no-U-turn sampler {cite('nuts')}; convergence was assessed by rank-normalised R-hat and effective sample "
            f"size {cite('rhat')}. Visual predictive checks include counts below the limit {cite('vpc')}."
        )
    if "joint" in kinds:
        yield f"Counts and progression-free survival were fitted in a joint model {cite('joint')}."

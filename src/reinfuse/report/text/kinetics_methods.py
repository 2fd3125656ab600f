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
        "Counts after an infusion, up to the next one, were summed up without a model. The area of days 0 to 28 and "
        "the peak by day 28 rest on the counts by day 28 alone: area "
        f"{findings.kinetics['rules']['area']}, a count below the limit as half the limit, the last count (of day "
        f"{LAST_VISIT:g} or later) carried on to day 28."
    )
    if ("kinetics", "persistence", "median") in ran:
        yield (
            "Persistence ends with the first of two counts in a row below the limit, known to lie between two visits "
            f"{cite('turnbull')}; its loss was also estimated with death and the next infusion competing "
            f"{cite('hudgens')}, with percentile intervals from patients drawn anew."
        )
    if ("kinetics", "auc_0_28", "ratio") in ran:
        yield (
            "Logs of peak and area were compared by a model with a random intercept of each patient and robust errors "
            f"for few patients {cite('cr2')}; times of persistence by an interval-censored Weibull model with profile "
            "likelihood."
        )
    if "mediation" in kinds:
        yield f"Direct and indirect effects are natural effects by g-computation {cite('mediation')}."
    if "population" in kinds and ("population", "cmax", "typical") in ran:
        yield (
            f"The course of the cells follows the model of expansion, contraction and persistence {cite('stein')}, "
            "with deviations of patients and of infusions, a log-normal residual, and the left-censored likelihood "
            f"below the limit {cite('beal')}; priors are centred on its published values. It was sampled by the "
            f"no-U-turn sampler {cite('nuts')}, and its chains judged by rank-normalised R-hat and effective sizes "
            f"{cite('rhat')}; predictive checks keep counts below the limit {cite('vpc')}."
        )
    if "joint" in kinds:
        yield f"Counts and progression-free survival were fitted at once {cite('joint')}."

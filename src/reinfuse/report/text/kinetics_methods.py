"""The methods paragraph on CAR-T counts: the analyses that were run, and the sampled models, with their references."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reinfuse.report.analyses.registry import methods
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
    records = {(e.analysis, e.endpoint, e.statistic) for e in findings.estimates}
    kinds = {analysis for analysis, _, _ in records}
    yield from methods(findings, cite, section="kinetics")
    if "population" in kinds and ("population", "cmax", "typical") in records:
        yield (
            f"The population model describes expansion, contraction and persistence {cite('stein')}, with random "
            "effects of patients and infusions, log-normal residual error, and a left-censored likelihood below the "
            f"limit of quantification {cite('beal')}; priors are centred on published values. It was sampled by the "
            f"no-U-turn sampler {cite('nuts')}; convergence was assessed by rank-normalised R-hat and effective sample "
            f"size {cite('rhat')}. Visual predictive checks include counts below the limit {cite('vpc')}."
        )
    if "joint" in kinds:
        yield f"Counts and progression-free survival were fitted in a joint model {cite('joint')}."

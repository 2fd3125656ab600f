"""The methods paragraph, second half: a sentence for each further analysis that was run, with its references."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reinfuse.analyses import competing_risks, standardization
from reinfuse.cohort.post_baseline import ASSESSED, FIRST_DAY, LABELS
from reinfuse.report.text.kinetics_methods import kinetic_methods
from reinfuse.report.text.labels import lowered
from reinfuse.results.findings import Findings


def more_methods(findings: Findings, cite: Callable[..., str]) -> Iterator[str]:
    """Yield the sentences on what was run, and nothing else.

    Parameters
    ----------
    cite
        Gives the numbers of references.
    """
    ran = {e.analysis for e in findings.estimates if e.estimate is not None}
    yield from _small_samples(findings, ran, cite=cite)
    yield from _robustness(findings, ran, cite=cite)
    yield from _later(findings, ran, cite=cite)
    yield from kinetic_methods(findings, cite)


def _robustness(findings: Findings, ran: set[str], *, cite: Callable[..., str]) -> Iterator[str]:
    asked = findings.plan.analyses
    if "averaging" in ran:
        yield (f"Models of every subset of the factors were averaged by their Bayesian information criterion, with all "
               f"subsets equally likely beforehand {cite('averaging')}.")  # fmt: skip
    if "stability" in ran:
        yield (
            f"Selection and signs were tried in {asked.bootstraps} bootstrap samples (forward, p below 0.157) "
            f"{cite('stability')}; c-index and calibration slope are corrected for optimism {cite('optimism')}."
        )
    if "influence" in ran:
        yield "Each model was fitted again without each patient in turn."
    if "proportional" in ran:
        yield (
            f"Proportional hazards were tested by scaled Schoenfeld residuals {cite('schoenfeld')}; where p was below "
            "0.05 the model was fitted with an interaction with log time."
        )
    if "sensitivity" in ran:
        yield (
            f"E-values tell how strong a hidden confounder would have to be {cite('e_value')}; BH p is adjusted over "
            f"the univariable tests of an endpoint {cite('bh')}. No other p-value is corrected."
        )
    if "imputation" in ran:
        yield (f"Missing factor values were imputed {asked.imputations} times by chained equations that include the "
               f"outcome {cite('mice', 'mi_survival')}, and results pooled with small-sample degrees of freedom "
               f"{cite('barnard')}.")  # fmt: skip


def _later(findings: Findings, ran: set[str], *, cite: Callable[..., str]) -> Iterator[str]:
    used = {e.method for e in findings.estimates}
    if competing_risks.FINE_GRAY in used:
        yield (
            f"Incidence of competing events was compared by Gray's test {cite('gray')} and Fine and Gray's model with "
            f"robust errors {cite('fine_gray')}."
        )
    if "landmark" in ran:
        days = _days(findings)
        yield f"Factors learnt after time zero were analysed from a landmark day on {cite('landmark')}{days}."
    if "time_dependent" in ran:
        yield f"Response is also a time-dependent factor, in the counting-process form {cite('counting')}."
    if standardization.G_COMPUTATION in used and "standardised" in ran:
        yield (
            f"Expected outcomes under combinations of protocols are from g-computation {cite('g_computation', 'flic')} "
            f"and inverse-probability weighting {cite('weighting')}, with percentile intervals from "
            f"{findings.plan.analyses.bootstraps} bootstrap samples."
        )
    if "paired" in ran:
        yield (f"Both infusions of a patient were compared by the exact McNemar test {cite('mcnemar')} and the growth "
               f"modulation index {cite('gmi')}.")  # fmt: skip


def _days(findings: Findings) -> str:
    """Say from which day on each factor was analysed, and by which rule where the plan names no day."""
    marks = findings.plan.landmarks
    names = {m.factor: lowered(LABELS.get(m.factor, m.factor.replace("_", " "))) for m in marks}
    found = {(e.term, e.at) for e in findings.estimates if e.analysis == "landmark" and e.estimate is not None}
    days = [f"{names[term]} as known by day {day:g}" for term, day in sorted(found, key=str) if term in names and day]
    rule = (
        f"; where the plan names no day, it is day {FIRST_DAY:g}, or later for response (the end of the week by which "
        f"{ASSESSED}% of the patients ever assessed had been) and for what is known later"
    )
    return f" ({', '.join(days)}{rule if any(m.day is None for m in marks) else ''})" if days else ""


def _small_samples(findings: Findings, ran: set[str], *, cite: Callable[..., str]) -> Iterator[str]:
    draws = findings.plan.analyses.draws
    if "calibrated" in ran:
        yield (
            f"Since these tests and intervals are only nearly right in small samples, the likelihood ratio was also "
            f"compared with its distribution in {draws} simulated outcomes of the same patients, at no effect for the "
            f"p-value {cite('bootstrap')} and at each value for the interval {cite('inversion')}."
        )
    if "permutation" in ran:
        yield (
            f"Permutation p-values deal the factor out anew, given the other factors of the model "
            f"{cite('randomisation')}, at least {draws} times or in all possible ways, with a statistic divided by its "
            f"variance {cite('studentised')}."
        )
    if "power" in ran:
        yield f"Power is from {findings.plan.analyses.power} simulated outcomes of these patients for each ratio."

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
        yield (f"Bayesian model averaging over all subsets of the factors used the Bayesian information criterion and "
               f"equal prior probabilities {cite('averaging')}.")  # fmt: skip
    if "stability" in ran:
        yield (
            f"Stability of forward selection (p below 0.157) and of signs was assessed in {asked.bootstraps} bootstrap "
            f"samples {cite('stability')}; c-index and calibration slope are optimism-corrected {cite('optimism')}."
        )
    if "influence" in ran:
        yield "Influence was assessed by leave-one-out analysis."
    if "proportional" in ran:
        yield (
            f"Proportional hazards were tested by scaled Schoenfeld residuals {cite('schoenfeld')}; where p was below "
            "0.05, an interaction with log time was fitted."
        )
    if "sensitivity" in ran:
        yield (
            f"E-values quantify the unmeasured confounding that could explain an association {cite('e_value')}. "
            f"Univariable p-values of each endpoint were adjusted by the Benjamini-Hochberg method {cite('bh')}; no "
            "other p-value was adjusted for multiple testing."
        )
    if "imputation" in ran:
        yield (f"Missing factor values were multiply imputed ({asked.imputations} imputations) by chained equations "
               f"that include the outcome {cite('mice', 'mi_survival')}; results were pooled by Rubin's rules with "
               f"small-sample degrees of freedom {cite('barnard')}.")  # fmt: skip


def _later(findings: Findings, ran: set[str], *, cite: Callable[..., str]) -> Iterator[str]:
    used = {e.method for e in findings.estimates}
    if competing_risks.FINE_GRAY in used:
        yield (
            f"Cumulative incidence was compared by Gray's test {cite('gray')} and the Fine-Gray model with robust "
            f"standard errors {cite('fine_gray')}."
        )
    if "landmark" in ran:
        days = _days(findings)
        yield f"Post-baseline factors were studied by landmark analysis {cite('landmark')}{days}."
    if "time_dependent" in ran:
        yield f"Time-dependent factors were analysed in counting-process form {cite('counting')}."
    if standardization.G_COMPUTATION in used and "standardised" in ran:
        yield (
            f"Outcomes were standardised by protocol with g-computation {cite('g_computation', 'flic')} and "
            f"inverse-probability weighting {cite('weighting')}; percentile intervals are from "
            f"{findings.plan.analyses.bootstraps} bootstrap samples."
        )
    if "paired" in ran:
        yield (f"Both infusions were compared within patients by the exact McNemar test {cite('mcnemar')} and the "
               f"growth modulation index {cite('gmi')}.")  # fmt: skip


def _days(findings: Findings) -> str:
    """State the landmark of each factor, and the rule of the default."""
    marks = findings.plan.landmarks
    names = {m.factor: lowered(LABELS.get(m.factor, m.factor.replace("_", " "))) for m in marks}
    found = {(e.term, e.at) for e in findings.estimates if e.analysis == "landmark" and e.estimate is not None}
    days = [f"{names[term]} at day {day:g}" for term, day in sorted(found, key=str) if term in names and day]
    rule = (
        f"; the default landmark is day {FIRST_DAY:g}, or later for response (the end of the week by which {ASSESSED}% "
        "of assessed patients had their first assessment) and for factors known later"
    )
    return f" ({', '.join(days)}{rule if any(m.day is None for m in marks) else ''})" if days else ""


def _small_samples(findings: Findings, ran: set[str], *, cite: Callable[..., str]) -> Iterator[str]:
    draws = findings.plan.analyses.draws
    if "calibrated" in ran:
        yield (
            f"Because the chi-square approximation is inexact in small samples, the likelihood ratio was also referred "
            f"to its distribution in {draws} parametric bootstrap samples: under no effect for p-values "
            f"{cite('bootstrap')} and by test inversion for intervals {cite('inversion')}."
        )
    if "permutation" in ran:
        yield (
            f"Permutation p-values permute the factor given the other factors of the model {cite('randomisation')}, "
            f"exhaustively or at least {draws} times, with a studentised statistic {cite('studentised')}."
        )
    if "power" in ran:
        yield f"Power was estimated from {findings.plan.analyses.power} simulated data sets per effect size."

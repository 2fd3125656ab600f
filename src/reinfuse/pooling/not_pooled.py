"""What a plan asks for that is no part of a pooled study, in words: nothing of a plan is ignored in silence.

Every setting of a plan stands here once: used, or named in words. `tests/pooling/test_plan_of_a_study.py` walks them.
"""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.plan.analysis_plan import Plan
from reinfuse.pooling.pooled_study import PooledStudy

USED = ("index_infusion", "columns", "factors", "endpoints", "rules", "confirmed", "confidence", "seed", "models",
        "hierarchy", "small_cells", "analyses")  # fmt: skip
"""Settings of a plan that a pooled study uses; of `analyses`, those of `USED_ANALYSES`."""
USED_ANALYSES = ("permutation",)
OUTSIDE = {
    "title": "the plan's title (the study has its own)",
    "subgroups": "analyses of each of their levels",
    "landmarks": "landmark analyses",
    "time_dependent": "time-dependent factors",
    "estimands": "endpoints by other rules side by side",
    "standardise": "standardised outcomes by protocol",
    "kinetics": "CAR-T counts",
    "report": "form, labels and choice of tables and figures",
    "brief": "the patients' brief",
    "languages": "the languages of the patients' brief",
    "evidence": "published studies",
}
OUTSIDE_ANALYSES = {
    "calibrated": "intervals with a simulated reference distribution",
    "draws": "the number of draws (tests by permutation have a fixed one)",
    "averaging": "Bayesian model averaging",
    "bootstraps": "bootstrap: stability, optimism, mediation",
    "influence": "influence of single patients",
    "proportional_hazards": "tests of proportional hazards",
    "sensitivity": "E-values and false discovery rates of each factor alone",
    "imputations": "imputation of missing values",
    "competing": "cumulative incidence, Gray's test and subdistribution hazards",
    "standardise": "standardised outcomes by protocol",
    "paired": "within-patient comparison of two infusions",
    "power": "power",
    "kinetics": "CAR-T counts",
    "endpoint_rules": "endpoints by other rules side by side",
    "evidence": "published studies",
    "bayesian": "Bayesian models",
    "centres": "another way to allow for centres (of hazard ratios each is a stratum, odds ratios have one intercept)",
    "rmst": "restricted mean survival time",
}
ALWAYS = (
    "Of its plan a pooled study holds each factor alone, the models with their interactions, and the hierarchy. No "
    "part of it, whether the plan asks for it or not: subgroups, post-infusion factors (landmark and time-dependent "
    "analyses), splines, tests of all levels of a category, competing risks, standardised outcomes, CAR-T counts, "
    "simulated intervals, bootstrap, imputation, Bayesian models, restricted mean survival time, endpoints by other "
    "rules, published studies, the patients' brief."
)


def not_pooled(study: PooledStudy) -> tuple[str, ...]:
    """Return what the study's plan sets itself and what is no part of the study, in words."""
    return tuple(_in_words(study))


def said_of_plan(study: PooledStudy) -> Iterator[str]:
    """Yield the sentences that are said before a study begins and in its report."""
    yield ALWAYS
    if study.mode != "tables" and study.plan.analyses.permutation:
        yield "Tests by permutation within centres are made in tables mode alone."
    if own := not_pooled(study):
        yield f"The plan sets, and this study leaves out: {'; '.join(own)}."


def _in_words(study: PooledStudy) -> Iterator[str]:
    plan, usual = study.plan, Plan.built_in(study.plan.index_infusion)
    for name, what in OUTSIDE.items():
        if (value := getattr(plan, name)) and value != getattr(usual, name):
            yield f"{name}: {what}"
    for name, what in OUTSIDE_ANALYSES.items():
        if (value := plan.analyses.value(name)) and value not in ("none", usual.analyses.value(name)):
            yield f"analyses.{name}: {what}"
    yield from _of_other_endpoints(study)


def _of_other_endpoints(study: PooledStudy) -> Iterator[str]:
    """Yield what the plan says of endpoints that the study has not, and of competing events."""
    plan = study.plan
    for name in dict.fromkeys(m.endpoint for m in plan.models if m.endpoint not in study.endpoints):
        yield f"models of {name}, which is no endpoint of the study"
    for end in plan.endpoints:
        if end.name not in study.endpoints:
            yield f"endpoint {end.name}, which is not among the endpoints of the study"
        elif end.competing is not None:
            yield (f"the competing event of {end.name}: patients are censored there, hazard ratios are of the "
                   "cause-specific hazard, and no curve is given")  # fmt: skip
    for name in plan.hierarchy.names("endpoints"):
        if name not in study.endpoints:
            yield f"{name} in the hierarchy, which is no endpoint of the study: counted with a p-value of 1"

"""The mathematics of small cohorts: arrays in, results out. Knows no cohort, and can be used by itself.

Modules
-------
firth
    Firth's penalised logistic and Cox models, with likelihood-ratio tests and profile intervals; separation.
firth_batch
    The same models of many data sets at once, for simulation and resampling.
firth_left_truncated
    Firth's Cox model of start-stop rows: delayed entry, time-dependent factors.
fine_gray
    Fine and Gray's model of the subdistribution hazard, as R's ``cmprsk::crr``.
nonparametric
    Kaplan-Meier, log-rank, Aalen-Johansen, Gray's test.
schoenfeld
    Scaled Schoenfeld residuals: proportional hazards.
pooled_firth, stratified_tables, stratified_log_rank, score_homogeneity
    Patients of several centres who stay where they are: estimates from sums of each centre.
turnbull
    Turnbull's estimate of interval-censored times.
binomial_normal, inverse_variance
    Random effects of single-arm proportions, and of effects with known variances.
meta_analytic_predictive, mixture_fit, effective_sample_size, borrowing
    Priors from other studies: predictive distribution, mixtures, what they are worth, power and commensurate priors.
two_stage, beta_rules, dose_boundaries, one_sample_log_rank, precision_size
    Designs of studies: Simon's two stages, Bayesian single arms, BOIN, one-sample log-rank, sizes by precision.
risk_tables, guyot
    Tables of patients that agree with a published curve.

Times are in days in reinfuse, and in any one unit here. Each module names its conventions and sources at its head.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reinfuse.statistics import (
        beta_rules,
        binomial_normal,
        borrowing,
        dose_boundaries,
        effective_sample_size,
        fine_gray,
        firth,
        firth_batch,
        firth_left_truncated,
        guyot,
        inverse_variance,
        meta_analytic_predictive,
        mixture_fit,
        nonparametric,
        one_sample_log_rank,
        pooled_firth,
        precision_size,
        risk_tables,
        schoenfeld,
        score_homogeneity,
        stratified_log_rank,
        stratified_tables,
        turnbull,
        two_stage,
    )

__all__ = [
    "beta_rules", "binomial_normal", "borrowing", "dose_boundaries", "effective_sample_size", "fine_gray", "firth",
    "firth_batch", "firth_left_truncated", "guyot", "inverse_variance", "meta_analytic_predictive", "mixture_fit",
    "nonparametric", "one_sample_log_rank", "pooled_firth", "precision_size", "risk_tables", "schoenfeld",
    "score_homogeneity", "stratified_log_rank", "stratified_tables", "turnbull", "two_stage",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a module on first use."""
    if name in __all__:
        return import_module(f"reinfuse.statistics.{name}")
    raise AttributeError(f"module 'reinfuse.statistics' has no attribute {name!r}; there are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__

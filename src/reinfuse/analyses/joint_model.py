"""The joint model of the CAR-T counts and progression-free survival, declared; `population_steps.py` samples it."""

from __future__ import annotations

from reinfuse.analyses.base import NO_COUNTS, Analysis, not_in_a_study

ANALYSIS = Analysis(
    "joint model",
    records="joint",
    section="kinetics",
    steps=not_in_a_study,
    what="hazard of progression or death by the current count, and by the area under the counts so far",
    method="the population model's curves and the hazard in one Bayesian model, sampled by NUTS (see below)",
    lacking=NO_COUNTS,
    sampled=True,
)

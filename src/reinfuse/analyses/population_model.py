"""The population model of the CAR-T counts, declared; `population_steps.py` samples it."""

from __future__ import annotations

from reinfuse.analyses.base import NO_COUNTS, Analysis, not_in_a_study

ANALYSIS = Analysis(
    "population model",
    records="population",
    section="kinetics",
    steps=not_in_a_study,
    what="curve of the counts of a typical infusion, its variation between patients and infusions, factors of it",
    method=(
        "expansion, contraction and persistence (CPT Pharmacometrics Syst Pharmacol 2019;8:285) with random effects of "
        "patients and infusions, counts below the limit by their probability, sampled by NUTS (see below)"
    ),
    lacking=NO_COUNTS,
    sampled=True,
)

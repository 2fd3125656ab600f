"""Exposures after the index infusion as factors of outcome, and who lacks one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl

from reinfuse.cohort.analysis_set import ID, AnalysisSet
from reinfuse.cohort.factors import FactorColumn
from reinfuse.kinetics.cohort_kinetics import CohortKinetics
from reinfuse.kinetics.day_28 import WINDOW
from reinfuse.kinetics.exposure import MEASURES
from reinfuse.plan.analysis_plan import Plan

PREDICTORS = {"log10_auc_0_28": "auc_0_28", "log10_cmax": "cmax_28"}
"""Factors of outcome, per tenfold, and the measures they come from."""


def predictors(counts: CohortKinetics, data: AnalysisSet, *, plan: Plan) -> list[FactorColumn]:
    """Return log10 exposures after the index infusion as factors of the analysed patients."""
    rows = counts.exposures.filter(pl.col("infusion") == plan.index_infusion)
    joined_rows = data.frame.select(ID).join(rows, on=ID, how="left", maintain_order="left")
    factors = []
    for name, measure in PREDICTORS.items():
        label = (
            f"{MEASURES[measure.removesuffix('_28')][0] if measure == 'cmax_28' else MEASURES[measure][0]}, per tenfold"
        )
        factors.append(FactorColumn(name, label, "number", joined_rows[measure].log10().alias(name)))
    return factors


def lacking(counts: CohortKinetics, data: AnalysisSet, plan: Plan, *, measure: str, eligible: np.ndarray) -> str | None:
    """Say why patients who are eligible lack an exposure, and how many of them progressed or died by day 28."""
    rows = counts.exposures.filter(pl.col("infusion") == plan.index_infusion)
    reasons = dict(rows.select(ID, f"why_{measure}").iter_rows())
    ids, pfs = data.frame[ID].to_list(), data.endpoint("pfs")
    without = {i: why for i, one in enumerate(ids) if eligible[i] and (why := reasons.get(one, "no count"))}
    if not without:
        return None
    reasons_counted = ", ".join(f"{many} with {why}" for why, many in sorted(Counter(without.values()).items()))
    early = 0
    if pfs is not None and pfs.time is not None:
        early = sum(bool(pfs.event[i] == 1 and pfs.time[i] <= WINDOW) for i in without)
    lost = f" ({early} of these {len(without)} progressed or died by day {WINDOW:g})" if early else ""
    return f"left out: {reasons_counted}{lost}"

"""What was known of each infusion when it was given: the factors of exposure, one row an infusion.

The factors that describe a change from the infusion before are 0 at a first infusion, where `repeat` is 0 too: their
effects are those among repeat infusions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from reinfuse.arrays import Floats
from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.cohort.cohort import Cohort
from reinfuse.cohort.declarations import BUILT_IN_FACTORS
from reinfuse.cohort.strata import Stratum, factor_of, level_of
from reinfuse.cohort.typed_table import CLASS_SUFFIX
from reinfuse.kinetics.profiles import ID, Profile

REGIMEN = "lymphodepletion" + CLASS_SUFFIX
DOSE = "dose_cells_per_kg"
LABELS = {
    "repeat": "Second or later infusion", "cy_flu": "Cy-Flu before this infusion",
    "cart1_cy_flu": "Cy-Flu before CART1, at a later infusion", "log10_dose": "Dose, per tenfold",
    "log2_dose_ratio": "Dose relative to the previous infusion, per doubling", "bulky": "Bulky disease",
    "diagnosis": "Diagnosis",
}  # fmt: skip


def factors(cohort: Cohort, profiles: Sequence[Profile]) -> dict[str, Floats]:
    """Return the factors of each profile's infusion.

    Returns
    -------
    dict
        Name -> one value a profile: 1 yes, 0 no, numbers as they are, NaN missing. A diagnosis gives one column a level
        but the most frequent one, named ``diagnosis=CLL``. What the tables do not hold is left out.
    """
    rows = _rows(cohort)
    keys = pl.DataFrame({ID: [p.patient_id for p in profiles], "infusion": [p.infusion for p in profiles]},
                        schema={ID: pl.String, "infusion": pl.Int64})  # fmt: skip
    joined = keys.join(rows, on=[ID, "infusion"], how="left", maintain_order="left")
    numbers = [n for n in LABELS if n in joined.columns and n != "diagnosis"]
    columns: dict[str, Floats] = {n: joined[n].cast(pl.Float64).fill_null(float("nan")).to_numpy() for n in numbers}
    if "diagnosis" in joined.columns:
        texts = joined["diagnosis"].to_list()
        levels = sorted({t for t in texts if t is not None}, key=lambda t: (-texts.count(t), t))
        missing = np.array([t is None for t in texts])
        for level in levels[1:]:
            columns[Stratum("diagnosis", level)] = np.where(
                missing, np.nan, np.array([t == level for t in texts], dtype=float)
            )
    return columns


def declared(data: AnalysisSet, profiles: Sequence[Profile]) -> dict[str, Floats]:
    """Return the plan's own factors of patients for each profile, one array a term; NaN where missing."""
    row = {patient: i for i, patient in enumerate(data.frame[ID].to_list())}
    at = np.array([row.get(p.patient_id, -1) for p in profiles])
    columns = {}
    for factor in (f for f in data.factors if f.name not in BUILT_IN_FACTORS):
        for j, term in enumerate(factor.terms):
            columns[term] = np.where(at < 0, np.nan, factor.columns[at, j])
    return columns


def _rows(cohort: Cohort) -> pl.DataFrame:
    infusions, patients = cohort.tables["infusions"], cohort.tables["patients"]
    own = infusions.select(c for c in (ID, "infusion", REGIMEN, DOSE, "bulky") if c in infusions.columns)
    have = set(own.columns)
    frame = own.sort(ID, "infusion").with_columns(repeat=pl.col("infusion") > 1)
    if REGIMEN in have:
        frame = frame.with_columns(cy_flu=pl.col(REGIMEN) == "Cy-Flu")
        first = frame.filter(pl.col("infusion") == 1).select(ID, _first="cy_flu")
        later = pl.when(pl.col("repeat")).then(pl.col("_first")).otherwise(pl.lit(False))
        frame = frame.join(first, on=ID, how="left").with_columns(cart1_cy_flu=later)
    if DOSE in have:
        change = (pl.col(DOSE) / pl.col(DOSE).shift(1).over(ID)).log(2)
        frame = frame.with_columns(
            log10_dose=pl.col(DOSE).log10(), log2_dose_ratio=pl.when(pl.col("repeat")).then(change).otherwise(0.0)
        )
    if "bulky" in have:
        frame = frame.with_columns(bulky=pl.when(pl.col("bulky").is_not_null()).then(pl.col("bulky") == "yes"))
    if "diagnosis" in patients.columns:
        frame = frame.join(patients.select(ID, "diagnosis"), on=ID, how="left")
    return frame.select(ID, "infusion", *(n for n in LABELS if n in frame.columns))


def label(term: str) -> str:
    """Return a factor of exposure in words."""
    name, level = factor_of(term), level_of(term)
    return f"{LABELS.get(name, name)}: {level}" if level else LABELS.get(name, name)

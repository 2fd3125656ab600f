"""How much CAR-T there was after each infusion: the numbers that are compared between infusions and with outcome.

An infusion whose counts are all below the limit had little exposure, not an unknown one: it counts with half the limit
as its peak, and half the limit on every day as its area, where counts were taken until three quarters of the window.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from reinfuse.kinetics.nca import LATEST_START, NcaRules, nca
from reinfuse.kinetics.profiles import ID, Profile, Profiles

SUBSET = "total"
WINDOW = 28.0
"""Days of the area, and of the peak that is compared with outcome."""
MEASURES = {
    "cmax": ("Peak", ""), "tmax": ("Day of the peak", "days"), "auc_0_28": ("Area under the counts, days 0 to 28", ""),
    "tlast": ("Day of the last count above the limit", "days"), "half_life": ("Terminal half-life", "days"),
    "fold": ("Peak, times that of the infusion before", "ratio"),
}  # fmt: skip
"""Name -> label and unit; "" = that of the counts."""
_CODES = {"CMAX": "cmax", "TMAX": "tmax", "AUCINT28": "auc_0_28", "TLST": "tlast", "LAMZHL": "half_life"}
SCHEMA = {ID: pl.String, "infusion": pl.Int64, **dict.fromkeys((*MEASURES, "cmax_28"), pl.Float64), "low": pl.Boolean}


def main_unit(found: Profiles, wanted: str | None = None) -> str | None:
    """Return the unit that is analysed: the wanted one, or that of most profiles; None of no profile."""
    units = [p.unit for p in found.profiles if p.subset == SUBSET]
    if wanted is not None:
        return wanted if wanted in units else None
    return max(sorted(set(units)), key=units.count) if units else None


def of_unit(found: Profiles, unit: str | None) -> list[Profile]:
    """Return the profiles of all cells in one unit."""
    return [p for p in found.profiles if p.subset == SUBSET and p.unit == unit]


def exposures(profiles: list[Profile], rules: NcaRules) -> pl.DataFrame:
    """Return one row a profile: the `MEASURES`, `cmax_28` (peak up to day 28), `low` (all below the limit)."""
    rules = NcaRules(rules.below, (WINDOW,), None, rules.least_r2, rules.least_span)
    frame = pl.DataFrame([_row(p, rules) for p in profiles], schema=SCHEMA, orient="row").sort(ID, "infusion")
    before = pl.col("cmax").shift(1).over(ID)
    follows = pl.col("infusion").shift(1).over(ID) == pl.col("infusion") - 1
    return frame.with_columns(fold=pl.when(follows).then(pl.col("cmax") / before))


def _row(profile: Profile, rules: NcaRules) -> tuple[object, ...]:
    found = {_CODES[v.code]: v.value for v in nca(profile, rules) if v.code in _CODES}
    early = profile.counted & (profile.day <= WINDOW)
    peak = float(profile.value[early].max()) if early.any() else None
    low = not profile.counted.any()
    if low:
        known = profile.value[np.isfinite(profile.value)]
        half = float(np.median(known)) / 2 if known.size else None
        long = float(profile.day[-1]) >= LATEST_START * WINDOW
        found |= {"cmax": half, "auc_0_28": half * WINDOW if half is not None and long else None}
    elif peak is None:  # the limit was passed only later
        limits = profile.value[profile.below & (profile.day <= WINDOW)]
        peak = float(limits.min()) / 2 if limits.size and np.isfinite(limits).any() else None
    return (
        profile.patient_id,
        profile.infusion,
        *(found.get(m) for m in MEASURES),
        found["cmax"] if low else peak,
        low,
    )


def summaries(values: pl.Series) -> Iterator[tuple[str, float]]:
    """Yield median and quartiles by name, of at least one value."""
    for name, share in (("median", 0.5), ("iqr_low", 0.25), ("iqr_high", 0.75)):
        found = values.quantile(share, "linear")
        if found is not None:
            yield name, float(found)

"""How much CAR-T there was after each infusion: the numbers that are compared between infusions and with outcome.

Peak and area are those of `landmark`: each is above 0, or not known for a reason that stands beside it, so that its
logarithm exists. An infusion without a count above the limit had little exposure, not an unknown one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import polars as pl

from reinfuse.kinetics.day_28 import WINDOW, area_by, least_limit, peak_by
from reinfuse.kinetics.nca import nca
from reinfuse.kinetics.profiles import ID, Profile, Profiles
from reinfuse.plan.kinetics_rules import NcaRules

SUBSET = "total"
MEASURES = {
    "cmax": ("Peak", ""), "tmax": ("Time to peak", "days"), "auc_0_28": ("AUC0-28", ""),
    "tlast": ("Last quantifiable count", "days"), "half_life": ("Terminal half-life", "days"),
    "fold": ("Peak relative to the previous infusion", "ratio"),
}  # fmt: skip
"""Name -> label and unit; "" = that of the counts."""
LOGGED = ("cmax", "auc_0_28", "cmax_28")
"""What goes into a logarithm; `why_cmax` and so on tell why one is not known."""
_CODES = {"TMAX": "tmax", "TLST": "tlast", "LAMZHL": "half_life"}
SCHEMA = {
    ID: pl.String, "infusion": pl.Int64, **dict.fromkeys((*MEASURES, "cmax_28"), pl.Float64),
    "low": pl.Boolean, "late": pl.Boolean, **{f"why_{m}": pl.String for m in LOGGED},
}  # fmt: skip


def main_unit(profiles: Profiles, wanted: str | None = None) -> str | None:
    """Return the unit that is analysed: the wanted one, or that of most profiles; None of no profile."""
    units = [p.unit for p in profiles.profiles if p.subset == SUBSET]
    if wanted is not None:
        return wanted if wanted in units else None
    return max(sorted(set(units)), key=units.count) if units else None


def of_unit(profiles: Profiles, unit: str | None) -> list[Profile]:
    """Return the profiles of all cells in one unit."""
    return [p for p in profiles.profiles if p.subset == SUBSET and p.unit == unit]


def exposures(profiles: list[Profile], rules: NcaRules) -> pl.DataFrame:
    """Return one row a profile of one unit.

    Returns
    -------
    polars.DataFrame
        The `MEASURES`; `cmax_28` (peak by day 28); `low` (no count above the limit), `late` (none by day 28, but one
        after it); the reasons of those of `LOGGED` that are not known.
    """
    rules = NcaRules(rules.below, (), None, rules.least_r2, rules.least_span)
    limits = least_limit(profiles), least_limit(profiles, WINDOW)
    rows = [_row(p, rules, *limits) for p in profiles]
    frame = pl.DataFrame(rows, schema=SCHEMA).sort(ID, "infusion")
    before = pl.col("cmax").shift(1).over(ID)
    follows = pl.col("infusion").shift(1).over(ID) == pl.col("infusion") - 1
    return frame.with_columns(fold=pl.when(follows).then(pl.col("cmax") / before))


def _row(profile: Profile, rules: NcaRules, limit: float | None, early_limit: float | None) -> dict[str, object]:
    row: dict[str, object] = {_CODES[v.code]: v.value for v in nca(profile, rules) if v.code in _CODES}
    logged = (peak_by(profile, math.inf, limit=limit), area_by(profile, early_limit),
              peak_by(profile, WINDOW, limit=early_limit))  # fmt: skip
    for measure, (value, why) in zip(LOGGED, logged, strict=True):
        row |= {measure: value, f"why_{measure}": why}
    above = profile.day[profile.counted]
    low = not above.size
    return {ID: profile.patient_id, "infusion": profile.infusion, "low": low,
            "late": bool(not low and above[0] > WINDOW), **row}  # fmt: skip


def summaries(values: pl.Series) -> Iterator[tuple[str, float]]:
    """Yield median and quartiles by name, of at least one value."""
    for name, share in (("median", 0.5), ("iqr_low", 0.25), ("iqr_high", 0.75)):
        quantile = values.quantile(share, "linear")
        if quantile is not None:
            yield name, float(quantile)

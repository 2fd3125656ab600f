"""The parameters of all profiles as a table, under the names of the CDISC PP domain."""

from __future__ import annotations

import polars as pl

from reinfuse.kinetics.day_28 import WINDOW, area_by, least_limit, peak_by
from reinfuse.kinetics.nca import folds, nca
from reinfuse.kinetics.profiles import Profiles
from reinfuse.plan.kinetics_rules import NcaRules

NAMES = {
    "CMAX": "Max Conc", "TMAX": "Time of CMAX", "CLST": "Last Nonzero Conc", "TLST": "Time of Last Nonzero Conc",
    "AUCLST": "AUC to Last Nonzero Conc", "AUCINT": "AUC from T1 to T2", "LAMZHL": "Half-Life Lambda z",
    "LAMZ": "Lambda z", "LAMZNPT": "Number of Points for Lambda z", "LAMZLL": "Lambda z Lower Limit",
    "LAMZUL": "Lambda z Upper Limit", "R2ADJ": "R Squared Adjusted",
    "TBLQ": "Day of the First of Two Counts Below the Limit",
    "TABOVE": "Days above the Level", "CFOLD": "Peak, Times That of the Infusion Before",
    "RESIDUE": "Count Left of Earlier Infusions", "CMAXBY28": "Max Conc by Day 28, as Compared",
    "AUCBY28": "AUC to Day 28, as Compared",
}  # fmt: skip
OWN = ("TBLQ", "TABOVE", "CFOLD", "RESIDUE", "CMAXBY28", "AUCBY28")
"""Parameters that the CDISC terminology does not name."""
SCHEMA = {
    "patient_id": pl.String, "infusion": pl.Int64, "subset": pl.String, "PPTESTCD": pl.String, "PPTEST": pl.String,
    "PPSTINT": pl.String, "PPENINT": pl.String, "PPSTRESN": pl.Float64, "PPSTRESU": pl.String, "PPSTAT": pl.String,
    "PPREASND": pl.String, "note": pl.String, "unit": pl.String,
}  # fmt: skip


def parameters(profiles: Profiles, rules: NcaRules | None = None) -> pl.DataFrame:
    """Return one row a parameter of each profile.

    Parameters
    ----------
    profiles
        The profiles of a cohort.
    rules
        How they are summed up.

    Returns
    -------
    polars.DataFrame
        `PPSTRESN` in `PPSTRESU`; where it is missing, `PPSTAT` is NOT DONE and `PPREASND` says why; `note` tells what
        a value rests on; `unit` is that of the counts. AUCINT goes from `PPSTINT` to `PPENINT` (ISO 8601 durations).
    """
    parameters_of = [(p, nca(p, rules)) for p in profiles.profiles]
    fold = folds(parameters_of)
    kinds = {(p.subset, p.unit) for p in profiles.profiles}
    limits = {k: least_limit((p for p in profiles.profiles if (p.subset, p.unit) == k), WINDOW) for k in kinds}
    rows = []
    for profile, values in parameters_of:
        own = (profile.patient_id, profile.infusion, profile.subset)
        for v in values:
            rows.append((*own, *_row(v.code, v.value, v.unit, reason=v.reason), profile.unit))
        limit = limits[profile.subset, profile.unit]
        for code, (value, why), unit in (("CMAXBY28", peak_by(profile, WINDOW, limit=limit), profile.unit),
                                         ("AUCBY28", area_by(profile, limit), f"{profile.unit} x days")):  # fmt: skip
            rows.append((*own, *_row(code, value, unit, reason=why), profile.unit))
        key = (profile.patient_id, profile.infusion, profile.subset, profile.unit)
        if key in fold:
            rows.append((*own, *_row("CFOLD", fold[key], "ratio", reason=None), profile.unit))
        if profile.infusion > 1:
            why = None if profile.residue is not None else "no count in the two weeks before the infusion"
            rows.append((*own, *_row("RESIDUE", profile.residue, profile.unit, reason=why), profile.unit))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _row(code: str, value: float | None, unit: str, *, reason: str | None) -> tuple[object, ...]:
    """Return code, name, interval, value, unit, status, reason and note."""
    interval: tuple[str | None, str | None] = (None, None)
    if code.startswith("AUCINT"):
        code, interval = "AUCINT", ("P0D", f"P{code.removeprefix('AUCINT')}D")
    measured = value is not None
    return (code, NAMES[code], *interval, value, unit, None if measured else "NOT DONE", None if measured else reason,
            reason if measured else None)  # fmt: skip

"""What reads without a fault and yet cannot be: totals among patients, doses not per kg, times not in days, flags.

Each suspicion is an error with its remedy, until a plan's ``confirmed`` says that somebody looked (Kahn et al., eGEMs
2016;4:1244, call this plausibility, beside conformance and completeness).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, get_args

import polars as pl

from reinfuse.cohort.endpoint_catalog import ENDPOINTS, wholes
from reinfuse.cohort.listed import listed
from reinfuse.cohort.raw_tables import ROW
from reinfuse.exceptions import Problem
from reinfuse.tabular.summaries import BESIDE, COUNTED, SUMMARY

Confirmable = Literal["totals", "doses", "times", "events"]
CONFIRMABLE: tuple[str, ...] = get_args(Confirmable)

_AFTER = r"(?:[\s(:=].*)?"
_TOTAL = re.compile(rf"(?:{SUMMARY}|{COUNTED}){_AFTER}", re.IGNORECASE)
_BESIDE_TOTALS = re.compile(rf"(?:{BESIDE}){_AFTER}", re.IGNORECASE)
_TOTAL_DOSE = 3e7
"""Doses per kg above it are not used (trials gave 2e5 to 2e7); products of fixed dose hold 4e7 to 6e8 cells."""
_CLUSTERS = 30
_FEWEST = 3
_FOLLOWED = 8
_LONGEST_IN_MONTHS = 60
_WITH_FRACTION = 200
_LONGEST = 7305
"""20 years; the first patients with CAR-T cells against CD19 were reported in 2010."""
_TESTED = 20


def implausible(tables: Mapping[str, pl.DataFrame], *, confirmed: Collection[str] = ()) -> Iterator[Problem]:
    """Yield what cannot be as it stands.

    Parameters
    ----------
    tables
        Typed tables by name.
    confirmed
        Kinds of suspicion (`CONFIRMABLE`) that a person has looked at and dismissed.
    """
    searches = {"totals": _totals, "doses": _doses, "times": _times, "events": _events}
    for kind, search in searches.items():
        if kind not in confirmed:
            yield from search(tables)


def _remedy(mend: str, kind: Confirmable) -> str:
    return f'{mend}; if all is right as it stands, write confirmed = ["{kind}"] in the plan'


def _totals(tables: Mapping[str, pl.DataFrame]) -> Iterator[Problem]:
    """Rows that sum the others up: by their id, or because every number is the sum or the mean of the others."""
    remedy = _remedy("take the row out", "totals")
    for table in (t for t in ("sheet", "patients") if t in tables):
        frame = tables[table]
        if "patient_id" not in frame.columns:
            continue
        ids = [(row, name) for row, name in frame.select(ROW, "patient_id").iter_rows() if name]
        named = [(row, name) for row, name in ids if _TOTAL.fullmatch(name)]
        beside = [(row, name) for row, name in ids if _BESIDE_TOTALS.fullmatch(name)] if named else []
        named = sorted({*named, *beside})
        rule = "is named as a row of totals, not as a patient"
        each = (Problem(table=table, row=row, column="patient_id", value=name, rule=rule, remedy=remedy)
                for row, name in named)  # fmt: skip
        yield from listed(each, len(named))
        for row in set(_sums(frame)) - {row for row, _ in named}:
            rule = "every number of this row is the sum, or the mean, of the other rows"
            yield Problem(table=table, row=row, rule=rule, remedy=remedy)


def _sums(frame: pl.DataFrame) -> list[int]:
    """Return the rows of which every number is the sum of the others, in two columns, or their mean, in three."""
    numbers = [c for c, kind in frame.schema.items() if kind in (pl.Float64, pl.Int64) and c != ROW]
    if frame.height <= _FEWEST or len(numbers) < 2:
        return []
    values = frame.select(pl.col(numbers).cast(pl.Float64))
    filled = values.select(pl.sum_horizontal(pl.all().is_not_null()).alias("filled"))["filled"]
    rows: set[int] = set()
    for total, fewest in (((pl.all().sum() / 2), 2), (pl.all().mean(), 3)):
        near = (pl.all() - total).abs() <= 1e-9 * total.abs()
        telling = values.select(near & (pl.all().n_unique() > 2) & (pl.all() != 0))
        hits = telling.select(pl.sum_horizontal(pl.all().fill_null(False)).alias("hits"))["hits"]
        rows |= set(frame.filter((hits == filled) & (hits >= fewest))[ROW].to_list())
    return sorted(rows)


def _doses(tables: Mapping[str, pl.DataFrame]) -> Iterator[Problem]:
    """Total numbers of cells where cells per kg are expected."""
    for table, frame in tables.items():
        columns = [c for c in frame.columns if c.endswith("dose_cells_per_kg") and frame.schema[c] == pl.Float64]
        doses = pl.concat([frame[c].drop_nulls().rename("dose") for c in columns]).sort() if columns else pl.Series()
        bound = _least_total(doses.to_list())
        if bound is None:
            continue
        total = [(row, c, v) for c in columns for row, v in frame.filter(pl.col(c) >= bound).select(ROW, c).iter_rows()]
        rule = f"looks like a total number of cells, not cells per kg: so are {len(total)} of {len(doses)} doses"
        remedy = _remedy("divide by the body weight in kg, or empty the cell", "doses")
        each = (Problem(table=table, row=row, column=c, value=f"{v:g}", rule=rule, remedy=remedy)
                for row, c, v in total)  # fmt: skip
        yield from listed(each, len(total))


def _least_total(doses: list[float]) -> float | None:
    """Return the least dose that is a total: where most are, or above a gap; `doses` are in order."""
    high = [d for d in doses if d >= _TOTAL_DOSE]
    if not high:
        return None
    if 2 * len(high) > len(doses):
        return _TOTAL_DOSE
    below = doses[-len(high) - 1]
    return _TOTAL_DOSE if len(high) > 1 and high[len(high) // 2] >= _CLUSTERS * below else None


def _times(tables: Mapping[str, pl.DataFrame]) -> Iterator[Problem]:
    """Months or years where days are expected."""
    if "sheet" not in tables:
        return
    frame = tables["sheet"]
    ends = [e.columns[0] for e in ENDPOINTS.values() if e.kind == "time" and e.columns[0] in frame.columns]
    remedy = _remedy("give the time in days (a month has 30.4375)", "times")
    for column in ends:
        times = frame[column].drop_nulls().to_list()
        if rule := _hardly_days(times, survival=column == "os_days"):
            yield Problem(table="sheet", column=column, rule=rule, remedy=remedy)
    if {"umrd_day28", "os_days"} <= set(frame.columns):
        tested = frame.drop_nulls(["umrd_day28", "os_days"])
        early = tested.filter(pl.col("os_days") < _TESTED).height
        if early >= _FEWEST and 5 * early > tested.height:
            rule = f"{early} patients have MRD of day 28, but are followed for less than {_TESTED}: hardly days"
            yield Problem(table="sheet", column="os_days", rule=rule, remedy=remedy)


def _hardly_days(times: Sequence[float], *, survival: bool) -> str:
    """Return why times cannot be days, or nothing."""
    longest = max(times, default=0.0)
    if longest > _LONGEST:
        return f"holds {longest:g}, which are {longest / 365.25:.0f} years: hardly days"
    broken = [t for t in times if t != round(t)]
    if len(broken) >= _FEWEST and 5 * len(broken) > len(times) and longest < _WITH_FRACTION:
        return f"holds fractions, such as {broken[0]:g}, and nothing above {longest:g}: hardly days"
    if survival and len(times) >= _FOLLOWED and longest <= _LONGEST_IN_MONTHS:
        return f"nobody of {len(times)} patients is followed for longer than {longest:g}: hardly days"
    return ""


def _events(tables: Mapping[str, pl.DataFrame]) -> Iterator[Problem]:
    """Times and flags of endpoints that contradict each other."""
    if "sheet" in tables:
        yield from _orders(tables["sheet"])
        if {"pfs_days", "pfs_event", "os_days", "os_event"} <= set(tables["sheet"].columns):
            yield from _flags(tables["sheet"])


def _orders(frame: pl.DataFrame) -> Iterator[Problem]:
    """An endpoint ends no later than what is a part of it: progression-free survival no later than survival."""
    plain = [e for e in ENDPOINTS.values() if e.kind == "time" and not e.among and not e.competes_with]
    for inner, outer in ((e, ENDPOINTS[w]) for e in plain for w in wholes(e.name)):
        short, long = outer.columns[0], inner.columns[0]
        if outer in plain and {short, long} <= set(frame.columns):
            longer = frame.filter(pl.col(short) > pl.col(long)).select(ROW, short)
            rule = f"{outer.duration} is longer than {inner.duration}"
            each = (Problem(table="sheet", row=row, column=short, value=f"{value:g}", rule=rule,
                            remedy=_remedy("correct one of the two", "events"))
                    for row, value in longer.iter_rows())  # fmt: skip
            yield from listed(each, longer.height)


def _flags(frame: pl.DataFrame) -> Iterator[Problem]:
    """1 and 0 exchanged, as in ADaM's CNSR: deaths have no event of PFS then, and no progression comes before them."""
    died, free, same = pl.col("os_event") == "yes", pl.col("pfs_event") == "no", pl.col("pfs_days") == pl.col("os_days")
    remedy = _remedy("1 is an event and 0 censored (ADaM's CNSR is the other way round): correct the flag", "events")
    wrong = frame.filter(died & free & same).select(ROW)
    rule = "no event of PFS on the day on which the patient died"
    each = (Problem(table="sheet", row=row, column="pfs_event", value="no", rule=rule, remedy=remedy)
            for (row,) in wrong.iter_rows())  # fmt: skip
    yield from listed(each, wrong.height)
    deaths, events = frame.filter(died), frame.filter(pl.col("pfs_event") == "yes")
    without, on_last_day = deaths.filter(free).height, events.filter(died & same).height
    if without >= _FEWEST and 2 * without > deaths.height and on_last_day >= 2 and 2 * on_last_day > events.height:
        rule = f"{without} of {deaths.height} patients who died had no event of PFS, not even death"
        yield Problem(table="sheet", column="pfs_event", rule=rule, remedy=remedy)

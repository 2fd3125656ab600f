"""One record as a sentence holds it: the estimate, its interval, and how many patients and events are behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.report.text import number_format
from reinfuse.results.estimate import NOT_ESTIMABLE, NOT_REACHED, Estimate


def sentence(record: Estimate, estimates: Sequence[Estimate], *, unit: Literal["days", "months"]) -> str:
    """Return a record in words.

    Parameters
    ----------
    estimates
        Those of its study, where its quartiles stand.
    unit
        Of times.
    """
    if hidden := number_format.hidden(record):
        return hidden
    if record.unit == "days" and record.confidence is not None:
        return _time(record, unit=unit)
    if record.estimate is None:
        return NOT_ESTIMABLE
    if record.unit == "fraction":
        return _share(record)
    if record.unit == "ratio":
        return _with(
            number_format.ratio(record.estimate), _interval(record), number_format.p_equals(record), _size(record)
        )
    if record.unit == "patients":
        return number_format.count(record.estimate)
    shown = number_format.plain(record.estimate, record.unit)
    own_unit = "" if record.unit is None else f" {record.unit}"
    return _with(f"{shown}{own_unit}", _quartiles(record, estimates=estimates), f"n = {number_format.count(record.n)}")


def _with(text: str, *more: str) -> str:
    inside = "; ".join(m for m in more if m)
    return f"{text} ({inside})" if inside else text


def _size(record: Estimate) -> str:
    if record.n is None:
        return ""
    events = (
        ""
        if record.events is None
        else f", {number_format.count(record.events)} event{'' if record.events == 1 else 's'}"
    )
    return f"n = {number_format.count(record.n)}{events}"


def _interval(record: Estimate) -> str:
    inside = number_format.interval(record)
    return "" if inside == NOT_ESTIMABLE else number_format.level_before(record.confidence, inside)


def _share(record: Estimate) -> str:
    """Return a proportion with its patients, a probability at a time with n and events."""
    percent = number_format.percent(record.estimate or 0, record.n or 0)
    if record.at is not None:
        return _with(percent, _interval(record), _size(record))
    behind = f"{number_format.count(record.events)} of {number_format.count(record.n)} patients"
    return _with(percent, _interval(record), behind)


def _time(record: Estimate, *, unit: Literal["days", "months"]) -> str:
    note = record.note or ""
    if record.estimate is None and note.startswith(NOT_ESTIMABLE):
        return _with(NOT_ESTIMABLE, _size(record))

    def shown(value: float | None) -> str:
        if value is None:
            return NOT_REACHED
        return number_format.plain(value if unit == "days" else value / DAYS_A_MONTH)

    median = NOT_REACHED if record.estimate is None else f"{shown(record.estimate)} {unit}"
    limits = ""
    if record.lower is not None or record.upper is not None:
        inside = number_format.limits(shown(record.lower), shown(record.upper))
        limits = number_format.level_before(record.confidence, inside)
        limits += f" {unit}" if record.estimate is None else ""
    return _with(median, limits, _size(record))


def _quartiles(record: Estimate, *, estimates: Sequence[Estimate]) -> str:
    """Return the quartiles beside a median of a baseline value."""
    if record.statistic != "median":
        return ""
    wanted = [replace(record, statistic=s, estimate=None) for s in ("iqr_low", "iqr_high")]
    values = [next((e.estimate for e in estimates if replace(e, estimate=None) == w), None) for w in wanted]
    if None in values:
        return ""
    return f"quartiles {number_format.limits(*(number_format.plain(v, record.unit) for v in values))}"

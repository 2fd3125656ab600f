"""Numbers as a journal prints them (SAMPL guidelines; Lang and Altman 2013): x of n, exact p, no false precision."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.results.estimate import LIMIT_NOT_SHOWN, NOT_ESTIMABLE, NOT_REACHED, ROUNDED, SUPPRESSED, Estimate

NOT_SHOWN = "–"
UNTOLD = "not shown"
"""In place of a number that was suppressed where not even its being small is told."""
FEW = 100
"""Percentages of fewer patients than this are printed without decimals."""


def count(value: float | None) -> str:
    """Return a whole number with thousands set apart: 12,345; one that is not shown is a dash."""
    return NOT_SHOWN if value is None else f"{value:,.0f}"


def hidden(record: Estimate) -> str | None:
    """Return what stands in place of a number of patients that was suppressed; None if it was not.

    `fewer than 11`, or `not shown`.
    """
    note = record.note or ""
    if not note.startswith(SUPPRESSED):
        return None
    instead = note.removeprefix(SUPPRESSED)
    return instead if instead.startswith("fewer than") else UNTOLD


def rounding(records: Iterable[Estimate | None]) -> tuple[str, ...]:
    """Return the note that a table needs where values of it were rounded to hide single patients'."""
    return (f"{ROUNDED[0].upper()}{ROUNDED[1:]}.",) if any(r and ROUNDED in (r.note or "") for r in records) else ()


def hundredths(share: float, *, decimals: int = 0) -> str:
    """Return a share as so many of 100, rounded half away from zero: 1 of 8 is 13, with one decimal 12.5.

    Halves are those of the decimal number that is meant: 0.285 is 29, although its binary value lies below.
    """
    return str(Decimal(f"{100 * share:.9f}").quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def percent(share: float, n: int) -> str:
    """Return a share as a percentage, without decimals where fewer than 100 patients are behind it."""
    return f"{hundredths(share, decimals=0 if n < FEW else 1)}%"


def ratio(value: float | None) -> str:
    """Return an odds or hazard ratio with two decimals, fewer where it is large."""
    if value is None:
        return NOT_ESTIMABLE
    if value < 0.01:
        return "<0.01"
    if value > 9999:
        return ">9999"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def p_value(value: float | None) -> str:
    """Return a p-value to two significant digits."""
    if value is None:
        return "–"
    if value < 0.001:
        return "<0.001"
    if value > 0.99:
        return ">0.99"
    return f"{value:.3f}" if value < 0.0995 else f"{value:.2f}"


def p_equals(record: Estimate) -> str:
    """Return a record's p-value as a sentence holds it: `p = 0.017`, `p < 0.001`."""
    p = p_value(record.p_value)
    return f"p {p[0]} {p[1:]}" if p[0] in "<>" else f"p = {p}"


def months(days: float | None) -> str:
    """Return days as months with one decimal; None was not reached."""
    return NOT_REACHED if days is None else f"{days / DAYS_A_MONTH:.1f}"


def level(confidence: float | None) -> str:
    """Return the level of an interval: `95% CI`."""
    return f"{confidence_level(confidence)} CI"


def confidence_level(confidence: float | None) -> str:
    """Return a level of confidence: `95%`."""
    return f"{100 * (confidence or 0):g}%"


def dose(value: float) -> str:
    """Return cells per kg as a factor and a power of ten: 2 × 10⁶."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
    return f"{mantissa.removesuffix('.0')} × 10{raised}"


def plain(value: float | None, unit: str | None = None) -> str:
    """Return a measured value with one decimal at most."""
    if value is None:
        return "–"
    if unit == "cells/kg":
        return dose(value)
    return f"{value:,.1f}".removesuffix(".0")


def measured(value: float | None) -> str:
    """Return a number of any size to three significant digits: 0.00791, 8,227."""
    if value is None:
        return NOT_ESTIMABLE
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def of(record: Estimate) -> str:
    """Return a proportion as `17 of 44 (39%)`; one that was suppressed as `fewer than 11 of 44` or `not shown`."""
    instead = hidden(record)
    if instead is not None:
        return f"{instead} of {count(record.n)}" if record.n and instead != UNTOLD else instead
    if record.estimate is None:
        return f"0 of {record.n or 0}"
    return f"{count(record.events or 0)} of {count(record.n or 0)} ({percent(record.estimate, record.n or 0)})"


def interval(record: Estimate) -> str:
    """Return the interval of a share or of a time in months, `24% to 55%`."""
    if hidden(record):
        return UNTOLD
    if record.unit == "fraction":
        if record.lower is None or record.upper is None:
            return NOT_ESTIMABLE
        n = record.n or 0
        return f"{percent(record.lower, n)} to {percent(record.upper, n)}"
    if record.unit == "days":
        if _no_estimate(record):
            return NOT_ESTIMABLE
        low, high = (UNTOLD if mark in (record.note or "") else months(value) for mark, value in
                     ((LIMIT_NOT_SHOWN["lower"], record.lower), (LIMIT_NOT_SHOWN["upper"], record.upper)))  # fmt: skip
        return UNTOLD if low == high == UNTOLD else f"{low} to {high}"
    if record.lower is None and record.upper is None:
        return NOT_ESTIMABLE
    return f"{ratio(record.lower)} to {ratio(record.upper)}"


def share(record: Estimate) -> str:
    """Return a rate with its interval, `39% (24% to 55%)`."""
    if record.estimate is None:
        return UNTOLD if hidden(record) else NOT_ESTIMABLE
    inside = interval(record)
    shown = percent(record.estimate, record.n or 0)
    return shown if inside == NOT_ESTIMABLE else f"{shown} ({inside})"


def _no_estimate(record: Estimate) -> bool:
    """Tell a median that is not estimable from one that was not reached."""
    return record.n == 0 or (record.estimate is None and (record.note or "").startswith(NOT_ESTIMABLE))


def time(record: Estimate) -> str:
    """Return a median in months with its interval."""
    if hidden(record):
        return UNTOLD
    if _no_estimate(record):
        return NOT_ESTIMABLE
    if record.estimate is None and record.lower is None and record.upper is None:
        return NOT_REACHED
    return f"{months(record.estimate)} ({interval(record)})"

"""Numbers as a journal prints them (SAMPL guidelines; Lang and Altman 2013): x of n, exact p, no false precision."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.report.text.journal_style import in_force
from reinfuse.results.estimate import LIMIT_NOT_SHOWN, NOT_ESTIMABLE, NOT_REACHED, ROUNDED, SUPPRESSED, Estimate

NOT_SHOWN = "–"
UNTOLD = "not shown"
"""In place of a number that was suppressed where not even its being small is told."""
FEW = 100
"""Percentages of fewer patients than this are printed without decimals."""


def printed(number: str, *, size: float = 0) -> str:
    """Return a number, written as `1,234.5`, as the journal prints it.

    Parameters
    ----------
    size
        Its value, where it may be large enough for a separator of thousands.
    """
    style = in_force()
    apart = style.thousands if abs(size) >= style.thousands_from else ""
    whole, point, decimals = number.partition(".")
    return f"{whole.replace(',', apart)}{style.decimal if point else ''}{decimals}"


def _decimals(value: float, decimals: int) -> str:
    return printed(f"{value:,.{decimals}f}", size=value)


def _below(limit: float) -> str:
    """Return a limit of a p-value: `0.001`, `.001`."""
    return _of_p(f"{limit:.4f}".rstrip("0"))


def _of_p(number: str) -> str:
    """Return the number of a p-value, with the zero before its point or without."""
    shown = printed(number)
    return shown if in_force().p_zero else shown.removeprefix("0")


def limits(low: str, high: str) -> str:
    """Return the limits of an interval: `24% to 55%`; a journal's dash stands between plain positive numbers alone."""
    style = in_force()
    plain_numbers = all(text[:1].isdigit() for text in (low, high))
    if not style.percent_twice and low.endswith("%") and high.endswith("%"):
        low, high = low[:-1], high[:-1]
    return f"{low}{style.between if plain_numbers else ' to '}{high}"


def count(value: float | None) -> str:
    """Return a whole number with thousands set apart: 12,345; one that is not shown is a dash."""
    return NOT_SHOWN if value is None else _decimals(value, 0)


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
    own = in_force().digits.percent
    decimals = (0 if n < FEW else 1) if own is None else own
    return f"{printed(hundredths(share, decimals=decimals))}%"


def ratio(value: float | None) -> str:
    """Return an odds or hazard ratio with two decimals, fewer where it is large."""
    if value is None:
        return NOT_ESTIMABLE
    own = in_force().digits.ratio
    if own is not None:
        return f"<{_decimals(10.0**-own, own)}" if own and value < 10.0**-own else _decimals(value, own)
    if value < 0.01:
        return f"<{printed('0.01')}"
    if value > 9999:
        return ">9999"
    return _decimals(value, 2 if value < 10 else 1 if value < 100 else 0)


def difference(value: float) -> str:
    """Return a standardised difference with two decimals, or those of ratios."""
    own = in_force().digits.ratio
    return _decimals(value, 2 if own is None else own)


def p_value(value: float | None) -> str:
    """Return a p-value: two significant digits, or what the journal asks for."""
    if value is None:
        return "–"
    style = in_force()
    if value < style.p_smallest:
        return f"<{_below(style.p_smallest)}"
    if value > style.p_largest:
        return f">{_below(style.p_largest)}"
    decimals = next((d for limit, d in style.p_decimals if value < limit), style.p_decimals[-1][1])
    return _of_p(f"{value:.{decimals}f}")


def p_letter() -> str:
    """Return the letter of a p-value, for the head of a column: `p`, `P`."""
    return in_force().p


def p_equals(record: Estimate) -> str:
    """Return a record's p-value as a sentence holds it: `p = 0.017`, `p < 0.001`."""
    return p_is(record.p_value)


def p_is(value: float | None) -> str:
    """Return a p-value as a sentence holds it: `p = 0.017`, `p < 0.001`."""
    style, shown = in_force(), p_value(value)
    if shown[0] in "<>":
        return f"{style.p}{style.p_equals.replace('=', shown[0])}{shown[1:]}"
    return f"{style.p}{style.p_equals}{shown}"


def level_of_test(alpha: float) -> str:
    """Return the level of a test as a sentence holds it: `p = 0.05`."""
    style = in_force()
    return f"{style.p}{style.p_equals}{_of_p(f'{alpha:.2g}')}"


def months(days: float | None) -> str:
    """Return days as months with one decimal; None was not reached."""
    if days is None:
        return NOT_REACHED
    own = in_force().digits.months
    return _decimals(days / DAYS_A_MONTH, 1 if own is None else own)


def month(days: float | None) -> str:
    """Return a day that is meant as a month, such as the horizon of a rate: `6`, `1.5`."""
    return NOT_REACHED if days is None else printed(f"{days / DAYS_A_MONTH:.1f}".removesuffix(".0"))


def level(confidence: float | None) -> str:
    """Return the level of an interval: `95% CI`."""
    return f"{confidence_level(confidence)} CI"


def level_before(confidence: float | None, inside: str) -> str:
    """Return an interval with its level as a sentence holds it: `95% CI 24% to 55%`, `95% CI, 1.2-3.4`."""
    return f"{level(confidence)}{in_force().after_ci}{inside}"


def confidence_level(confidence: float | None) -> str:
    """Return a level of confidence: `95%`."""
    return f"{100 * (confidence or 0):g}%"


def dose(value: float) -> str:
    """Return cells per kg as a factor and a power of ten: 2 × 10⁶."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
    return f"{printed(mantissa.removesuffix('.0'))} × 10{raised}"


def plain(value: float | None, unit: str | None = None) -> str:
    """Return a measured value with one decimal at most."""
    if value is None:
        return "–"
    if unit == "cells/kg":
        return dose(value)
    own = in_force().digits.number
    return printed(f"{value:,.1f}".removesuffix(".0"), size=value) if own is None else _decimals(value, own)


def mean(value: float | None, unit: str | None = None) -> str:
    """Return a mean or a standard deviation with one decimal, so that both have as many."""
    if value is None or unit == "cells/kg":
        return plain(value, unit)
    own = in_force().digits.number
    return _decimals(value, 1 if own is None else own)


def measured(value: float | None) -> str:
    """Return a number of any size to three significant digits: 0.00791, 8,227."""
    if value is None:
        return NOT_ESTIMABLE
    return _decimals(value, 0) if abs(value) >= 1000 else printed(f"{value:.3g}")


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
        return limits(percent(record.lower, n), percent(record.upper, n))
    if record.unit == "days":
        if _no_estimate(record):
            return NOT_ESTIMABLE
        low, high = (UNTOLD if mark in (record.note or "") else months(value) for mark, value in
                     ((LIMIT_NOT_SHOWN["lower"], record.lower), (LIMIT_NOT_SHOWN["upper"], record.upper)))  # fmt: skip
        return UNTOLD if low == high == UNTOLD else limits(low, high)
    if record.lower is None and record.upper is None:
        return NOT_ESTIMABLE
    return limits(ratio(record.lower), ratio(record.upper))


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

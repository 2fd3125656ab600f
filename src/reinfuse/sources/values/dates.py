"""Dates as centres write them: an order of day and month is never guessed, a date without a day is never filled in."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from reinfuse.sources.values.understood import plain, unaccented
from reinfuse.tabular.cell_parsing import EXCEL_EPOCH, YEARS

ORDERS = ("dmy", "mdy", "ymd")
"""Orders of day, month and year in a text of numbers."""
PARTIALS = ("refuse", "first", "middle", "last")
"""What may become of a date without its day, or without day and month."""
BY_YEAR = "year"
"""What may become of a date of birth without its day: the age is the difference of the calendar years."""
BIRTH_PARTIALS = (*PARTIALS, BY_YEAR)
EARLIEST_BIRTH = 1900
_LAST_TWO_DIGIT = 49
"""Two-digit years up to it are of this century."""
_MIDDLE_DAY, _MIDDLE_MONTH = 15, 7

_TIME = re.compile(r"[t ,]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:z|[ap]\.?m\.?|uhr|h)?$")
_NUMBERS = re.compile(r"(\d{1,4})\s*([./-])\s*(\d{1,2})\s*\2\s*(\d{1,4})\.?")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_SIX = re.compile(r"(\d{2})(\d{2})(\d{2})")
_SERIAL = re.compile(r"[2-7]\d{4}(?:\.\d+)?")
_EARLY_SERIAL = re.compile(r"1\d{4}(?:\.\d+)?")
"""Days of 1927 to 1954, in a column of dates of birth."""
_DAY_FIRST = re.compile(
    r"(\d{1,2})(?:\.|st|nd|rd|th|er)?[ .-]*(?:of |de )?([^\W\d_]{3,10})\.?[ ,./-]*(?:de )?(\d{4}|\d{2})"
)
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,10})\.?[ -](\d{1,2})(?:st|nd|rd|th)?(?:, ?| )(\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[ -]([^\W\d_]{3,10})[ -](\d{1,2})")
_NO_DAY = re.compile(r"(?:x{1,2}|u{1,2}|unk?|\?{1,2}|00|_{2}|-{2})[./ -]+(?=\S)")
_NO_MONTH = re.compile(r"(?:(?:x{1,2}|u{1,2}|unk?|\?{1,2}|00|_{2}|-{2})[./ -]+){1,2}(\d{4})")
_LATE_BLANKS = re.compile(r"(\d{4}(?:-\d{2})?)(?:-(?:xx|uu|unk?|\?\?|00|__|--)){1,2}")
_MONTH_YEAR = re.compile(r"(\d{1,2})[./-](\d{4})")
_YEAR_MONTH = re.compile(r"(\d{4})[./-](\d{1,2})")
_NAMED_MONTH = re.compile(r"([^\W\d_]{3,10})\.?[ /-]*(?:de )?(\d{4})")
_YEAR = re.compile(r"(?:19|20)\d{2}")

_MONTHS = tuple(
    tuple(names.split())
    for names in (
        "january januar janvier enero gennaio jaenner", "february februar fevrier febrero feber febbraio",
        "march marz maerz mrz mars marzo", "april avril abril aprile", "may mai mayo maggio",
        "june juni juin junio giugno", "july juli juillet julio luglio", "august aout agosto",
        "september septembre septiembre settembre", "october oktober octobre octubre ottobre",
        "november novembre noviembre", "december dezember decembre diciembre dicembre",
    )
)  # fmt: skip
_NAMED = rf"(?:{'|'.join(sorted({name[:3] for names in _MONTHS for name in names}))})[a-z]{{0,7}}"
DATES = (
    rf"\d{{1,4}}\s?[./-]\s?\d{{1,2}}\s?[./-]\s?\d{{1,4}}|\d{{1,2}}\.? ?-?{_NAMED}\.?,? ?-?\d{{2,4}}\b|"
    rf"{_NAMED}\.? \d{{1,2}}, ?\d{{4}}|\b{_NAMED}\.? (?:19|20)\d{{2}}\b|\b\d{{1,2}}[./](?:19|20)\d{{2}}\b"
)
"""Pattern of what may be a date within a text in lower case."""


@dataclass(frozen=True, slots=True)
class SourceDate:
    """A date as far as a text tells it.

    Attributes
    ----------
    iso
        ``2019-03-15``; ``2019-03`` or ``2019`` where the rest is not told.
    how
        How it was read, in words; empty for ISO dates.
    """

    iso: str
    how: str = ""

    @property
    def is_partial(self) -> bool:
        """Whether the day, or day and month, are not told."""
        return len(self.iso) < len("2019-03-15")


def read_source_date(text: str, order: str = "", *, earliest: int = YEARS[0]) -> SourceDate | None:
    """Read a date, or as much of one as the text tells.

    Parameters
    ----------
    text
        One cell: ``15.03.2019``, ``15 March 2019``, ``15-Mar-19``, ``15MAR2019``, ``03/2019``, ``Mar 2019``, ``2019``,
        ``UN-MAR-2019``, Excel's day number; English, German, French, Spanish and Italian months; a time of day is
        dropped.
    order
        One of `ORDERS`, for texts of numbers that do not begin with a year of four digits. Empty: such a text is read
        only where it has one reading.
    earliest
        Year before which no date lies: `EARLIEST_BIRTH` for dates of birth.

    Returns
    -------
    SourceDate or None
        None where the text is no date, has two readings, or contradicts `order`.

    Examples
    --------
    >>> read_source_date("12/11/2019"), read_source_date("12/11/2019", "dmy").iso, read_source_date("03/2019").iso
    (None, '2019-11-12', '2019-03')
    """
    low = _TIME.sub("", unaccented(plain(text)))
    possible = readings(text, earliest=earliest)
    if not possible:
        return _in_words(low, earliest) or _partial(low, earliest)
    days = set(possible.values())
    if _begins_with_year(low):
        order = "ymd"
    day = possible.get(order) if order else (days.pop() if len(days) == 1 else None)
    return None if day is None else _whole(day, low, "date by the order of its numbers")


def readings(text: str, *, earliest: int = YEARS[0]) -> Mapping[str, date]:
    """Return the dates that a text of numbers can mean, by the order that is assumed; empty for all other texts.

    Examples
    --------
    >>> sorted(readings("12/11/2019")), sorted(readings("25.12.2019")), sorted(readings("2019-12-25"))
    (['dmy', 'mdy'], ['dmy'], ['ymd'])
    """
    low = _TIME.sub("", unaccented(plain(text)))
    match = _NUMBERS.fullmatch(low)
    compact = _SIX.fullmatch(low)
    if match:
        first, middle, last = match[1], match[3], match[4]
    elif compact:
        first, middle, last = compact[1], compact[2], compact[3]
    else:
        return {}
    days: dict[str, date] = {}
    candidates = {"ymd": (first, middle, last)}
    if len(first) <= 2:
        candidates |= {"dmy": (last, middle, first), "mdy": (last, first, middle)}
    for order, (year, month, day) in candidates.items():
        if (
            len(year) in (2, 4)
            and len(day) <= 2
            and (day_read := _calendar(_year(year), int(month), day=int(day), earliest=earliest))
        ):
            days[order] = day_read
    return days


def date_orders(texts: Iterable[str], *, latest: date) -> tuple[str, ...]:
    """Return the orders in which every text of numbers can be read, in the order of `ORDERS`.

    Parameters
    ----------
    texts
        Cells of one or several columns; those that are no dates, or begin with a year of four digits, decide nothing.
    latest
        A day, such as today's, after which no cell can lie: ``28.11.19`` cannot be of 2028.

    Returns
    -------
    tuple of str
        All of `ORDERS` where no text decides; empty where the texts contradict each other.

    Examples
    --------
    >>> date_orders(["12/11/2019", "25/11/2019"], latest=date(2026, 1, 1))
    ('dmy',)
    """
    possible = set(ORDERS)
    for text in texts:
        orders = {order for order, day in readings(text).items() if day <= latest}
        if orders and not _begins_with_year(plain(text)):
            possible &= orders
    return tuple(order for order in ORDERS if order in possible)


def depends_on_order(text: str) -> bool:
    """Tell whether a text is a date of numbers that means different days in different orders."""
    return len(set(readings(text).values())) > 1


def dates_within(text: str) -> list[str]:
    """Return the texts that may be dates in a cell: the cell itself, or what stands in its sentence.

    Examples
    --------
    >>> dates_within("died 3/4/21, PD"), dates_within("3.4.21")
    (['3/4/21'], ['3.4.21'])
    """
    low = unaccented(plain(text))
    return [low] if readings(low) else [m.strip() for m in re.findall(DATES, low)]


def without_date(text: str, *, order: str) -> tuple[str, str]:
    """Return a text without the one date that stands in it, and that date; both empty where there is not just one.

    Examples
    --------
    >>> without_date("neg (22/10/21)", order="dmy"), without_date("neg (02/10/21)", order="")
    (('neg', '2021-10-22'), ('', ''))
    """
    low = unaccented(plain(text))
    matches = list(re.finditer(DATES, low))
    day = read_source_date(matches[0][0], order) if len(matches) == 1 else None
    if day is None:
        return "", ""
    rest = f"{low[: matches[0].start()]} {low[matches[0].end() :]}"
    return " ".join(re.sub(r"\(\s*\)|\[\s*\]", " ", rest).split()).strip(" ,;:-"), day.iso


def completed(iso: str, partial: str) -> str | None:
    """Return the day that stands for a date cut short.

    Parameters
    ----------
    iso
        ``2019-03`` or ``2019``; a whole date is returned as it is.
    partial
        One of `BIRTH_PARTIALS`.

    Returns
    -------
    str or None
        None for ``refuse``; the date as it is for `BY_YEAR`.

    Examples
    --------
    >>> completed("2019-02", "last"), completed("2019", "middle"), completed("2019-03", "refuse")
    ('2019-02-28', '2019-07-01', None)
    """
    pieces = [int(p) for p in iso.split("-")]
    if len(pieces) == 3 or partial == BY_YEAR:
        return iso
    year = pieces[0]
    if partial == "first":
        return date(year, pieces[1] if len(pieces) > 1 else 1, 1).isoformat()
    if partial == "middle":
        return (date(year, pieces[1], _MIDDLE_DAY) if len(pieces) > 1 else date(year, _MIDDLE_MONTH, 1)).isoformat()
    if partial == "last":
        month = pieces[1] if len(pieces) > 1 else 12
        return date(year, month, calendar.monthrange(year, month)[1]).isoformat()
    return None


def _begins_with_year(low: str) -> bool:
    return bool(re.match(r"\d{4}", low))


def _year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    return int(text) + (2000 if int(text) <= _LAST_TWO_DIGIT else 1900)


def _calendar(year: int, month: int, *, day: int, earliest: int) -> date | None:
    if not earliest <= year <= YEARS[1]:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _whole(day: date, low: str, how: str) -> SourceDate:
    return SourceDate(day.isoformat(), "" if low == day.isoformat() else how)


def _month(word: str) -> int | None:
    """Return the month that a word names or begins to name, in one of five languages."""
    hits = {k for k, names in enumerate(_MONTHS, 1) for name in names if name.startswith(word)}
    return hits.pop() if len(hits) == 1 else None


def _in_words(low: str, earliest: int) -> SourceDate | None:
    """Read a date with the month's name, eight digits, or the day number of a spreadsheet program."""
    for pattern, places in ((_DAY_FIRST, (3, 2, 1)), (_MONTH_FIRST, (3, 1, 2)), (_YEAR_FIRST, (1, 2, 3))):
        match = pattern.fullmatch(low)
        month = _month(match[places[1]]) if match else None
        if match and month:
            day = _calendar(_year(match[places[0]]), month, day=int(match[places[2]]), earliest=earliest)
            return SourceDate(day.isoformat(), "date with the month's name") if day else None
    if compact := _COMPACT.fullmatch(low):
        day = _calendar(int(compact[1]), int(compact[2]), day=int(compact[3]), earliest=earliest)
        return SourceDate(day.isoformat(), "date of eight digits") if day else None
    if _SERIAL.fullmatch(low) or (earliest < YEARS[0] and _EARLY_SERIAL.fullmatch(low)):
        return SourceDate((EXCEL_EPOCH + timedelta(days=int(float(low)))).isoformat(), "Excel day number as a date")
    return None


def _partial(low: str, earliest: int) -> SourceDate | None:
    """Read a month or a year alone."""
    if match := _NO_MONTH.fullmatch(low):
        return _cut(match[1], "", how="year alone", earliest=earliest)
    if match := _LATE_BLANKS.fullmatch(low):
        low = match[1]
    low = _NO_DAY.sub("", low, count=1)
    if _YEAR.fullmatch(low):
        return _cut(low, "", how="year alone", earliest=earliest)
    if match := _MONTH_YEAR.fullmatch(low):
        return _cut(match[2], match[1], how="month without a day", earliest=earliest)
    if match := _YEAR_MONTH.fullmatch(low):
        return _cut(match[1], match[2], how="month without a day", earliest=earliest)
    if (match := _NAMED_MONTH.fullmatch(low)) and (month := _month(match[1])):
        return _cut(match[2], str(month), how="month without a day", earliest=earliest)
    return None


def _cut(year: str, month: str, *, how: str, earliest: int) -> SourceDate | None:
    if _calendar(int(year), int(month or 1), day=1, earliest=earliest) is None:
        return None
    return SourceDate(f"{year}-{int(month):02d}" if month else year, how)

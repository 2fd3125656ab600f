"""Units of times, fractions and counts, alone or in a header, and the factor to the contract's unit."""

from __future__ import annotations

import re
from types import MappingProxyType

from reinfuse.cohort.endpoints import UNIT_DAYS
from reinfuse.sources.values.understood import plain, unaccented

DAYS = MappingProxyType({**UNIT_DAYS, "weeks": 7.0})
"""Days in one of each."""
_TIMES = MappingProxyType({
    "days": "days day d tage tag jours jour dias dia", "weeks": "weeks week wk wks w wochen woche semaines",
    "months": "months month mo mos mon m monate monat mois meses mes",
    "years": "years year y yr yrs jahre jahr j ans anos",
})  # fmt: skip
_SAFE = 2
"""Letters from which on a unit of time is understood outside brackets."""


def time_unit(text: str) -> str | None:
    """Return the unit of time that a header names: ``PFS (mo)``, ``pfs_days``, ``OS [Monate]``; None if none.

    Examples
    --------
    >>> time_unit("PFS (mo)"), time_unit("os_days"), time_unit("PFS"), time_unit("MRD day 28")
    ('months', 'days', None, 'days')
    """
    low = unaccented(plain(text)).replace("_", " ")
    bracketed = [w for inner in re.findall(r"[(\[]([^)\]]*)[)\]]", low) for w in re.findall(r"[a-z]+", inner)]
    for words, least in ((bracketed, 1), (re.findall(r"[a-z]+", low), _SAFE)):
        for unit, spelt in _TIMES.items():
            if any(len(word) >= least and word in spelt.split() for word in words):
                return unit
    return None


def days_in(unit: str) -> float | None:
    """Return the days in a unit of time, None for other units."""
    return DAYS.get(unit)

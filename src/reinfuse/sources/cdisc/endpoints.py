"""ADTTE: which columns of a wide sheet its parameters fill, and from when their days count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.sources.cdisc.infusion_dates import INDEX, infusion_of
from reinfuse.sources.cdisc.variables import Variables
from reinfuse.sources.source_map import FIRST_DAYS, OPEN, Field
from reinfuse.sources.values.dates import read_source_date
from reinfuse.sources.values.units import time_unit
from reinfuse.tabular.cell_parsing import read_number

_STANDARD = {"RSD": "dor", "DOR": "dor"}
"""Codes of the standard's own that are not the endpoint's name."""
READERS = ("PARCAT1", "PARCAT2", "PARCAT3", "RSEVAL", "EVAL", "AEVAL", "PARCAT")
"""Variables that tell the investigator's assessment from an independent one."""
OWN_ORIGIN = ("dor",)
"""Endpoints whose days count from the response, not from the infusion."""
EVENT, CENSORED = "1", "0"


def endpoint_name(code: str) -> str:
    """Return an endpoint's name: a built-in one, or that of the parameter in lower case.

    Examples
    --------
    >>> endpoint_name("OS"), endpoint_name("RSD"), endpoint_name("TTDE"), endpoint_name("CR")
    ('os', 'dor', 'ttde', 'cr_time')
    """
    plain = "".join(c if c.isalnum() else "_" for c in code.casefold())
    name = _STANDARD.get(code.upper(), plain)
    built_in = ENDPOINTS.get(name)
    if (built_in is not None and built_in.kind != "time") or name in ("cr",):
        return f"{name}_time"
    return name if name[:1].isalpha() else f"t_{name}"


@dataclass(frozen=True)
class Clock:
    """How the days of one parameter are read; `asks`: the number of the first day is a question."""

    filled: Field
    asks: bool
    since: str = ""


def clock(data: Variables, rows: Sequence[int], *, name: str) -> Clock:
    """Return how the days of a parameter's records are read: from AVAL, or as ADT - the date of their start."""
    unit, why = _unit(data, rows)
    origin, origin_why, sure = _origin(data, rows, name=name)
    counted = _from_first_day(data, rows, origin, unit=unit)
    aval = data.first("AVAL")
    unit = "days" if counted in FIRST_DAYS else unit
    if aval and unit == "days" and counted in FIRST_DAYS and sure and origin == data.first("STARTDT"):
        reason = f"AVAL = ADT - STARTDT{' + 1' if counted == '1' else ''} in every record; {origin_why}"
        return Clock(Field(column=aval, first=counted, reason=reason), counted == "1")
    if origin and data.first("ADT"):
        doubt = "" if counted or not aval else f"; AVAL ({unit or 'no unit'}) is neither ADT - STARTDT nor a day more"
        guess = not sure or bool(doubt and unit == "days")
        return Clock(Field(column=data.header("ADT"), since=origin, confirm=guess, confidence=None if sure else 0.6,
                           reason=f"ADT - {origin}: {origin_why}{doubt}"), counted != "0", origin)  # fmt: skip
    written = unit or OPEN
    reason = f"no dates stand beside AVAL{f' ({why})' if why else ''}: its first day is taken to be 1, as in ADaM"
    return Clock(Field(column=aval or OPEN, unit="" if written == "days" else written, first="1", confirm=True,
                       confidence=0.7, reason=reason), True)  # fmt: skip


def _unit(data: Variables, rows: Sequence[int]) -> tuple[str, str]:
    """Return the unit of AVAL, from AVALU or from PARAM, and where it stands."""
    for name in ("AVALU", "PARAM"):
        units = {time_unit(text) for text in data.distinct(name, rows)} - {None}
        if len(units) == 1:
            unit = str(units.pop())
            return unit, f"{name} says {unit}"
    return "", "neither AVALU nor PARAM says its unit"


def _origin(data: Variables, rows: Sequence[int], *, name: str) -> tuple[str, str, bool]:
    """Return from which date days count, why, and whether that is sure."""
    start = data.first("STARTDT")
    if name in OWN_ORIGIN:
        return start, "counts from the response", bool(start)
    infusions = sorted(((k, c.header) for c in data.table.columns if (k := infusion_of(c.header)) is not None
                        and any(data.texts(c.header)[r] for r in rows)), key=_last_first)  # fmt: skip
    if not infusions:
        return start, "no variable says whether it is the day of the infusion", False
    number, index = infusions[0]
    differ = [r for r in rows if data.texts(index)[r] != data.texts("STARTDT")[r]]
    if not differ:
        return start, f"STARTDT is {index} in every record", True
    what = f"{index} is the date of {'the index infusion' if index.endswith(INDEX) else f'infusion {number}'}"
    if not start:
        return index, f"{what}; there is no STARTDT", False
    return index, f"{what}, and STARTDT is another day in {len(differ)} of {len(rows)} records", False


def _last_first(one: tuple[int, str]) -> tuple[int, bool, str]:
    """Order infusions by number, the last one first, names of treatment in general last."""
    number, header = one
    if header.upper().endswith(INDEX):
        return -99, False, header
    return -number, header.upper().endswith("TRTSDT"), header


def _from_first_day(data: Variables, rows: Sequence[int], origin: str, *, unit: str) -> str:
    """Return which number the first day has in AVAL, judged by the dates; empty where records differ, or have none."""
    if unit not in ("days", "") or not origin:
        return ""
    differences: Counter[float] = Counter()
    for row in rows:
        if not data.texts("AVAL")[row]:
            continue
        value = read_number(data.texts("AVAL")[row]).value
        days = [read_source_date(data.texts(n)[row], "") for n in (origin, "ADT")]
        if not isinstance(value, float) or any(d is None or len(d.iso) < len("2020-01-01") for d in days):
            return ""
        first, last = (date.fromisoformat(d.iso) for d in days if d is not None)
        differences[value - (last - first).days] += 1
    return f"{next(iter(differences)):g}" if len(differences) == 1 else ""

"""A map proposed for ADaM: times to events as a wide sheet, or dated tables where there is no ADTTE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reinfuse.sources.cdisc.dated_tables import propose_dated
from reinfuse.sources.cdisc.drafts import Draft
from reinfuse.sources.cdisc.endpoints import CENSORED, EVENT, READERS, clock, endpoint_name
from reinfuse.sources.cdisc.variables import Variables
from reinfuse.sources.proposal import Proposed
from reinfuse.sources.source_map import FIRST_DAY, OPEN, WIDE_SHEET, Answer, Field
from reinfuse.sources.source_table import Source
from reinfuse.tabular.cell_parsing import read_number

ARMS = ("TRT01P", "TRTP", "TRT01A", "TRTA", "ARM", "ACTARM")
_FLAGS = ("ANL01FL",)
_OVERALL = ("BOR", "CBOR", "OVRLRESP", "BESTRESP")
_IN_ADTTE = "the times are in ADTTE, which is read; take ADTTE away to derive them from dates"
_DEATHS = ("DTHFL", "DTHDT", "DTHCAUS", "LSTALVDT")


def propose_adam(source: Source) -> Proposed:
    """Propose how data sets of ADaM become a cohort."""
    tables = [Variables(t) for t in source.tables]
    times = next((t for t in tables if t.has("PARAMCD", "CNSR", "AVAL")), None)
    if times is None:
        return propose_dated(source, tables)
    draft = Draft(source)
    subjects = next((t for t in tables if t.table.name == "ADSL"), None)
    codes = _codes(draft, times)
    _baseline(draft, subjects or times)
    names = list(dict.fromkeys(endpoint_name(c) for c in codes))
    clocks = {code: clock(times, rows, name=endpoint_name(code)) for code, rows in codes.items()}
    if any(one.asks for one in clocks.values()):
        draft.questions[FIRST_DAY] = OPEN
    for code, rows in codes.items():
        name, one = endpoint_name(code), clocks[code]
        shared = f"; also {', '.join(n for n in names if n != name)}" if len(names) > 1 else ""
        days = replace(one.filled, reason=f"{code}: {one.filled.reason}{shared}")
        event = Field(column=times.header("CNSR"), values="cnsr", since=one.since, reason=_of_cnsr(times, rows))
        where, why = _rows(times, code, rows=rows)
        draft.add(WIDE_SHEET, times, {f"{name}_days": days, f"{name}_event": event}, where=where, reason=why)
    _checked(draft, times)
    _best_response(draft, tables)
    used = {b.sheet for b in draft.blocks}
    return draft.proposed(whole=[(t.table.name, _IN_ADTTE) for t in tables if t.table.name not in used])


def _codes(draft: Draft, times: Variables) -> dict[str, list[int]]:
    """Return the records of each parameter; those without a code are told by `follow`."""
    codes: dict[str, list[int]] = {}
    for row, code in enumerate(times.texts("PARAMCD")):
        if code:
            codes.setdefault(code, []).append(row)
    words: dict[str, Answer] = {}
    for text in times.distinct("CNSR"):
        value = read_number(text).value
        words[text] = OPEN if not isinstance(value, float) or value < 0 else EVENT if value == 0 else CENSORED
    draft.values["cnsr"] = words
    return codes


def _of_cnsr(times: Variables, rows: list[int]) -> str:
    codes = times.distinct("CNSR", rows)
    more = [c for c in codes if c not in ("0", "1")]
    return f"CNSR: 0 is an event, {', '.join(more) if more else '1'} censored"


def _rows(times: Variables, code: str, *, rows: list[int]) -> tuple[dict[str, tuple[str, ...]], str]:
    """Return which records of a parameter are read, and why: of several readers one, of flagged records those."""
    where: dict[str, tuple[str, ...]] = {times.header("PARAMCD"): (code,)}
    subjects = [times.texts("USUBJID")[r] for r in rows]
    if len(set(subjects)) == len(subjects):
        return where, ""
    for name in _FLAGS:
        flagged = [r for r in rows if times.texts(name)[r] == "Y"]
        if flagged and len(flagged) < len(rows):
            where[times.header(name)], rows = ("Y",), flagged
    for name in READERS:
        texts = times.distinct(name, rows)
        pairs = {(times.texts("USUBJID")[r], times.texts(name)[r]) for r in rows}
        if len(texts) > 1 and len(pairs) > len({s for s, _ in pairs}):
            return {**where, times.header(name): (OPEN,)}, f"{name} is one of: {', '.join(texts)}"
    return where, "a subject has several records"


def _baseline(draft: Draft, data: Variables) -> None:
    """Propose what is known at the infusion: sex, age and arms."""
    fields = dict(baseline(data))
    arms = [data.header(n) for n in ARMS if data.has(n) and any(data.texts(n))]
    kept: list[str] = []
    for arm in arms:
        same = next((k for k in kept if data.texts(k) == data.texts(arm)), None)
        if same:
            draft.note(data, [arm], f"the same as {same} in every record")
        else:
            kept.append(arm)
            fields[arm.casefold()] = Field(column=arm, reason="treatment arm, kept as a factor")
    draft.note(data, _DEATHS, _IN_ADTTE)
    if fields:
        draft.add(WIDE_SHEET, data, fields)


def baseline(data: Variables) -> Iterator[tuple[str, Field]]:
    """Yield sex and age."""
    if data.first("SEX"):
        yield "sex", Field(column=data.header("SEX"))
    if data.first("AGE"):
        units = data.distinct("AGEU")
        guess = bool(units) and [u.upper() for u in units] != ["YEARS"]
        why = f"AGEU says {', '.join(units)}" if units else "age in years, as ADaM has it"
        yield "age_years", Field(column=data.header("AGE"), confirm=guess, reason=why)


def _checked(draft: Draft, times: Variables) -> None:
    """Say of the variables behind AVAL and CNSR what they were looked at for."""
    draft.note(times, ["ADT", "STARTDT"], "AVAL was compared with ADT - STARTDT")
    draft.note(times, ["AVAL"], "days are counted from the dates ADT and STARTDT")
    draft.note(times, ["PARAMCD", *_FLAGS, *READERS], "chooses the records (where = ...)")
    draft.note(times, ["EVNTDESC", "CNSDTDSC"], "describes the event or censoring in words")


def _best_response(draft: Draft, tables: list[Variables]) -> None:
    """Propose best overall response from ADRS, beside the times."""
    for data in tables:
        codes = [c for c in data.distinct("PARAMCD") if c.upper() in _OVERALL]
        if data.has("CNSR") or not codes or not data.first("AVALC"):
            continue
        code = next((c for c in _OVERALL if c in codes), codes[0])
        rows = [r for r, c in enumerate(data.texts("PARAMCD")) if c == code]
        where, why = _rows(data, code, rows=rows)
        several = f"{code} is taken, not {', '.join(c for c in codes if c != code)}" if len(codes) > 1 else ""
        filled = Field(column=data.header("AVALC"), confirm=bool(several), reason=several or f"best response ({code})")
        draft.add(WIDE_SHEET, data, {"response": filled}, where=where, reason=why)
        draft.note(data, ["PARAMCD", *_FLAGS, *READERS], "chooses the records (where = ...)")
        return

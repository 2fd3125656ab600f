"""A map proposed for ADaM without ADTTE: dated tables from ADSL, ADRS, ADLB and counts."""

from __future__ import annotations

from collections.abc import Sequence

from reinfuse.sources.cdisc.drafts import Draft
from reinfuse.sources.cdisc.endpoints import READERS
from reinfuse.sources.cdisc.infusion_dates import infusion_of
from reinfuse.sources.cdisc.laboratory import NAME as LABORATORY
from reinfuse.sources.cdisc.laboratory import laboratory, unit_of
from reinfuse.sources.cdisc.variables import Variables
from reinfuse.sources.proposal import Proposed
from reinfuse.sources.source_map import OPEN, Field
from reinfuse.sources.source_table import Source

_RESPONSES = ("OVR", "OVRLRESP", "OVRRESP")
_COUNTS = ("ADPC", "ADCK", "ADCM")
_NOT_READ = "not a data set of subjects, responses, laboratory values or counts"
_NO_DIAGNOSIS = "no variable holds the diagnosis: write ALL, CLL, NHL or another text"


def propose_dated(source: Source, tables: Sequence[Variables]) -> Proposed:
    """Propose dated tables from data sets of ADaM."""
    draft = Draft(source)
    for data in tables:
        if data.table.name == "ADSL":
            _patients(draft, data)
            _infusions(draft, data)
        elif data.has("PARAMCD", "AVALC") and set(data.distinct("PARAMCD")) & set(_RESPONSES):
            _responses(draft, data)
        elif data.table.name in _COUNTS and data.has("AVAL"):
            _counts(draft, data)
        elif data.table.name == LABORATORY and data.has("PARAMCD", "AVAL"):
            laboratory(draft, data)
    used = {b.sheet for b in draft.blocks}
    left = [(t.table.name, _NOT_READ) for t in tables if t.table.name not in used]
    return draft.proposed(whole=left)


def _patients(draft: Draft, data: Variables) -> None:
    """Propose the patients: death and last contact are dates, and an empty date of death means alive."""
    fields: dict[str, Field] = {}
    last = data.first("LSTALVDT")
    other = data.first("EOSDT", "RFENDT", "TRTEDT")
    fields["last_contact"] = Field(column=last) if last else Field(
        column=other or OPEN, confirm=bool(other), confidence=0.4,
        reason=f"there is no LSTALVDT{f'; {other} may be earlier than the last contact' if other else ''}")  # fmt: skip
    fields["death"] = death_field(data, "DTHDT", flag="DTHFL")
    if cause := data.first("DTHCGR1", "DTHCAUS"):
        fields["death_cause"] = Field(column=cause, reason=f"{cause} is the cause of death")
    diagnosis = data.first("DIAG", "DIAGNOS", "PRIMDIAG", "DISEASE", "MHDIAG")
    fields["diagnosis"] = (
        Field(column=diagnosis, confirm=True, confidence=0.6, reason=f"{diagnosis} may be the diagnosis")
        if diagnosis else Field(const=OPEN, reason=_NO_DIAGNOSIS)
    )  # fmt: skip
    if sex := data.first("SEX"):
        fields["sex"] = Field(column=sex)
    if age := data.first("AGE"):
        units = data.distinct("AGEU")
        fields["age_years"] = Field(column=age, confirm=bool(units) and [u.upper() for u in units] != ["YEARS"],
                                    reason=f"AGEU says {', '.join(units) or 'nothing'}")  # fmt: skip
    draft.add("patients", data, fields)


def death_field(data: Variables, day: str, *, flag: str) -> Field:
    """Return how the date of death is filled: empty means alive, unless the flag of death says otherwise."""
    texts, flags = data.texts(day), data.texts(flag)
    undated = sum(f == "Y" and not t for f, t in zip(flags, texts, strict=True))
    if data.first(day):
        why = f"{day}: empty means alive"
        if undated:
            why += f"; {flag} = Y in {undated} records without that date"
        return Field(column=data.header(day), confirm=bool(undated), confidence=0.5 if undated else None, reason=why)
    if undated or not data.has(flag):
        return Field(column=OPEN, reason=f"{day} holds no date, and {flag} says Y in {undated} records")
    return Field(const="", reason=f"nobody died: {day} is empty, and {flag} never says Y")


def _infusions(draft: Draft, data: Variables) -> None:
    """Propose an infusion for each date of one; the variable of treatment in general is asked about."""
    dates: dict[int, str] = {}
    for column in data.table.columns:
        number = infusion_of(column.header)
        if number is not None and any(data.texts(column.header)):
            general = column.header.upper() == "TRTSDT"
            if number not in dates or (data.header("TRTSDT") if data.has("TRTSDT") else "") == dates[number]:
                dates[number] = column.header
            elif general or data.texts(dates[number]) == data.texts(column.header):
                draft.note(data, [column.header], f"{dates[number]} holds the infusion's date")
    for number, header in sorted(dates.items()):
        general = header.upper() == "TRTSDT"
        why = "the first day of any treatment: perhaps lymphodepletion" if general else f"date of infusion {number}"
        date = Field(column=header, confirm=general, confidence=0.5 if general else None, reason=why)
        fields = {"infusion": Field(const=str(number)), "date": date}
        if product := data.first(f"TRT{number:02d}A", f"TRT{number:02d}P"):
            fields["product"] = Field(column=product, reason=f"treatment of period {number}")
        draft.add("infusions", data, fields, number=str(number) if len(dates) > 1 else "")


def _responses(draft: Draft, data: Variables) -> None:
    code = next(c for c in _RESPONSES if c in data.distinct("PARAMCD"))
    rows = [r for r, c in enumerate(data.texts("PARAMCD")) if c == code]
    where, why = {data.header("PARAMCD"): (code,)}, "response by visit"
    for name in READERS:
        texts = data.distinct(name, rows)
        if len(texts) > 1:
            where[data.header(name)], why = (OPEN,), f"{name} is one of: {', '.join(texts)}"
            break
    date = data.first("ADT")
    fields = {"date": Field(column=date or OPEN), "response": Field(column=data.header("AVALC"))}
    draft.note(data, ["PARAMCD", *READERS], "chooses the records (where = ...)")
    draft.add("responses", data, fields, where=where, reason=why)


def _counts(draft: Draft, data: Variables) -> None:
    """Propose counts of CAR-T cells: which parameter they are is for a person to say where there are several."""
    codes = data.distinct("PARAMCD")
    where, why = {}, ""
    if codes:
        where = {data.header("PARAMCD"): tuple(codes) if len(codes) == 1 else (OPEN,)}
        why = "" if len(codes) == 1 else f"which parameter is the count of CAR-T cells: one of {', '.join(codes)}"
    texts = " ".join([*data.distinct("AVALU"), *data.distinct("PARAM")])
    fields = {"date": Field(column=data.first("ADT") or OPEN), "value": Field(column=data.header("AVAL")),
              "unit": Field(const=unit_of(texts), reason="from PARAM or AVALU")}  # fmt: skip
    draft.add("counts", data, fields, where=where, reason=why)

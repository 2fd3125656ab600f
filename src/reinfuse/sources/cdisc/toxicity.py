"""CRS and ICANS of AE, with the ASTCT grades that stand in SUPPAE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reinfuse.sources.cdisc.drafts import Draft
from reinfuse.sources.cdisc.variables import Variables
from reinfuse.sources.source_map import OPEN, Field
from reinfuse.sources.source_table import SourceColumn, SourceTable
from reinfuse.sources.values import understand

_KINDS = ("CRS", "ICANS", "NT")
_ASTCT = "ASTCT"
BESIDE = "SUPPAE."
"""Before the name of a qualifier that stands beside a record of AE."""


def with_qualifiers(tables: Sequence[SourceTable]) -> tuple[SourceTable, ...]:
    """Return domains with the qualifiers of SUPPAE beside the records of AE, as columns ``SUPPAE.ASTCTGR``."""
    named = {t.name: Variables(t) for t in tables}
    events, more = named.get("AE"), named.get("SUPPAE")
    if events is None or more is None or not more.has("QNAM", "QVAL", "IDVAR", "IDVARVAL"):
        return tuple(tables)
    return tuple(_joined(events, more) if t.name == "AE" else t for t in tables)


def _joined(events: Variables, more: Variables) -> SourceTable:
    values: dict[str, dict[tuple[str, str], str]] = {}
    columns_of = ("USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
    for subject, by, number, name, value in zip(*map(more.texts, columns_of), strict=True):
        if by.upper() == "AESEQ":
            values.setdefault(name, {})[subject, _plain(number)] = value
    keys = list(zip(events.texts("USUBJID"), map(_plain, events.texts("AESEQ")), strict=True))
    columns = (*events.table.columns, *(SourceColumn(header=f"{BESIDE}{n}", place=n, form="SUPPAE") for n in values))
    rows = tuple(replace(row, texts=(*row.texts, *(by_key.get(key, "") for by_key in values.values())))
                 for row, key in zip(events.table.rows, keys, strict=True))  # fmt: skip
    return replace(events.table, columns=columns, rows=rows)


def _plain(number: str) -> str:
    return number.strip().removesuffix(".0")


def toxicities(draft: Draft, data: Variables, supplement: Variables | None) -> str:
    """Propose CRS and ICANS; the answer says why AE is not read, or is empty."""
    term = data.first("AEDECOD", "AETERM")
    kinds = _by_kind(data.distinct(term)) if term else {}
    if not kinds:
        return "holds no CRS, ICANS or neurotoxicity"
    headers = (c.header for c in data.table.columns)
    astct = next((h for h in headers if h.startswith(BESIDE) and _ASTCT in h.upper()), "")
    grade = astct or data.first("AETOXGR", "AESEV")
    partly = bool(astct) and any(not g for g, t in zip(data.texts(astct), data.texts(term), strict=True)
                                 if any(t in texts for texts in kinds.values()))  # fmt: skip
    why = "grade by ASTCT" if astct else f"{grade} may be graded by CTCAE, not by ASTCT"
    if partly:
        why += "; empty in some of these records, whose AETOXGR is another scale"
    for kind, texts in kinds.items():
        fields = {
            "infusion": Field(const=OPEN, reason="AE does not say after which infusion it was: write its number"),
            "kind": Field(const=kind, reason=f"{term} says {', '.join(texts)}"),
            "grade": Field(column=grade or OPEN, confirm=bool(grade) and (not astct or partly), reason=why,
                           confidence=None if astct and not partly else 0.5),
        }  # fmt: skip
        if date := data.first("AESTDTC"):
            fields["date"] = Field(column=date)
        draft.add("toxicities", data, fields, where={data.header(term): tuple(texts)})
    draft.note(data, [term], "chooses the records (where = ...)")
    if supplement is not None:
        draft.note(supplement, ["QNAM", "QVAL", "IDVAR", "IDVARVAL"], "stands beside the records of AE, as SUPPAE.QNAM")
    return ""


def _by_kind(texts: Sequence[str]) -> Mapping[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for text in texts:
        meaning = understand("toxicities.kind", text)
        if meaning is not None and meaning.parts.get("kind") in _KINDS:
            kinds.setdefault(meaning.parts["kind"], []).append(text)
    return kinds

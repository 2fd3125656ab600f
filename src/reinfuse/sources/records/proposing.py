"""The map that is proposed for a cohort read from clinical records: what was found, for a person to confirm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from reinfuse.sources.proposal import IGNORE, Proposal, Proposed
from reinfuse.sources.records.answers import ANSWERS
from reinfuse.sources.source_map import OPEN, Answer, Block, Field, SourceMap
from reinfuse.sources.source_table import Source, SourceTable
from reinfuse.sources.values import understand

_DATA_END = 0.5
"""Share of observation periods that end on one day, from which that day is taken for the end of the data."""
_FEWEST = 4
_LEFT: Mapping[str, str] = {
    "patients.condition": "the diagnosis as the source spells it; to keep it: histology = \"condition\"",
    "infusions.found_by": "by what the infusion was found: drug, procedure, text",
    "infusions.records": "records that were taken together as one infusion",
    "responses.coding": "concept or code of the record", "mrd.coding": "concept or code of the record",
    "toxicities.coding": "concept or code of the record",
}  # fmt: skip
LACKING: Mapping[str, str] = {
    "responses": "no concept is named in [reading] response: response, PFS and duration of response are not reported",
    "mrd": "no concept is named in [reading] mrd: measurable residual disease is not reported",
    "toxicities": "no concept is named in [reading] toxicity: grades of toxicity are not reported",
    "therapies": "no later cancer drug, transplant or radiotherapy is recorded",
}


def propose_records(source: Source) -> Proposed:
    """Propose how the patients found in clinical records become a cohort."""
    tables = {t.name: t for t in source.tables}
    blocks = [_patients(tables["patients"]), _infusions(source, tables["infusions"])]
    values: dict[str, dict[str, Answer]] = {ANSWERS: dict(source.answers)}
    for name in ("responses", "mrd", "toxicities"):
        if tables[name].rows:
            blocks.append(_valued(name))
            column = _OF[name]
            words = dict.fromkeys(t for t in tables[name].texts("value") if t)
            values[column] = {w: OPEN for w in words if understand(f"{name}.{column}", w) is None or _is_judged(w)}
    if tables["therapies"].rows:
        blocks.append(_therapies(tables["therapies"]))
    source_map = SourceMap(
        source.kind, source.fingerprint, tuple(blocks), ids="number", values={n: w for n, w in values.items() if w},
        ignored=dict(_ignored(tables)), reading=source.reading,
    )  # fmt: skip
    return Proposed(source_map, tuple(_proposals(source, blocks)))


def _ignored(tables: Mapping[str, SourceTable]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the columns that are left out, with the reason."""
    for name, table in tables.items():
        whole = {table.columns[-1].header: LACKING[name]} if name in LACKING and not table.rows else {}
        left = whole or {h: why for c in table.columns if (why := _LEFT.get(f"{name}.{(h := c.header)}", ""))}
        if left:
            yield name, left


_OF: Mapping[str, str] = {"responses": "response", "mrd": "result", "toxicities": "grade"}


def _is_judged(word: str) -> bool:
    """Tell whether a text is one of mCODE's, which judges a course and no response by criteria."""
    return any(t in word.casefold() for t in ("improved", "stable", "worsened", "undetermined", "remission"))


def _patients(table: SourceTable) -> Block:
    return Block("patients", table.name, {
        "patient_id": Field(column="patient"),
        "last_contact": _last_contact(table),
        "death": Field(column="death", reason="empty: no death is recorded, which a registry without linked deaths "
                                              "may miss", confirm=True),
        "diagnosis": Field(column="diagnosis", confidence=0.8, confirm=True,
                           reason=f"last recorded before the first infusion: {_counted(table, 'diagnosis')}"),
        "sex": Field(column="sex", confidence=0.99),
        "age_years": Field(column="birth", until="infusion 1", partial="year", confidence=0.9,
                           reason="from the date of birth; where only its year is told, the difference of years"),
    })  # fmt: skip


def _last_contact(table: SourceTable) -> Field:
    ends = [t for t in table.texts("observation_end") if t]
    if not ends:
        reason = "day of the last record of the patient; there are no observation periods"
        return Field(column="last_record", confirm=True, confidence=0.6, reason=reason)
    day, count = Counter(ends).most_common(1)[0]
    if count >= _FEWEST and count / len(ends) >= _DATA_END:
        reason = (f"{count} of {len(ends)} observation periods end on {day}, as if there the data ended: "
                  "observation_end, or last_record (day of the last record of the patient)")  # fmt: skip
        return Field(column=OPEN, reason=reason)
    reason = "end of the last observation period; the other choice is last_record (day of the last record)"
    return Field(column="observation_end", confirm=True, confidence=0.7, reason=reason)


def _infusions(source: Source, table: SourceTable) -> Block:
    summary = next((r for r in source.remarks if " more than one; found: " in r), f"{len(table.rows)} infusions")
    return Block("infusions", table.name, {
        "patient_id": Field(column="patient"),
        "infusion": Field(column="infusion", confidence=0.9, reason="numbered in the order of their days"),
        "date": Field(column="date", confirm=True, confidence=0.8, reason=summary),
        "product": Field(column="product", confidence=0.9),
        "lymphodepletion": Field(column="lymphodepletion", confirm=True, confidence=0.7,
                                 reason=f"drugs recorded in the days before: {_counted(table, 'lymphodepletion')}"),
    })  # fmt: skip


def _valued(name: str) -> Block:
    fields = {"patient_id": Field(column="patient"), "date": Field(column="date"),
              _OF[name]: Field(column="value", confirm=True, confidence=0.7,
                               reason="values of the records named in [reading]")}  # fmt: skip
    if name == "toxicities":
        fields |= {"infusion": Field(column="infusion", reason="the last infusion before it"),
                   "kind": Field(column="kind")}  # fmt: skip
    return Block(name, name, fields)


def _therapies(table: SourceTable) -> Block:
    drugs = Counter(table.texts("therapy"))
    reason = (f"drugs and transplants after the first infusion that are no lymphodepletion; take away what is none: "
              f"{_counted(table, 'therapy')}")  # fmt: skip
    fields = {"patient_id": Field(column="patient"), "date": Field(column="date"), "kind": Field(column="kind"),
              "therapy": Field(column="therapy", confirm=True, confidence=0.7, reason=reason)}  # fmt: skip
    return Block("therapies", table.name, fields, {"therapy": tuple(sorted(drugs))}, "therapies that are meant")


def _counted(table: SourceTable, header: str) -> str:
    return ", ".join(f"{text or 'not recorded'} {count}" for text, count in Counter(table.texts(header)).most_common())


def _proposals(source: Source, blocks: list[Block]) -> Iterator[Proposal]:
    by_table = {b.sheet: b for b in blocks}
    for table in source.tables:
        block = by_table.get(table.name)
        for column in table.columns:
            lines = {c: f for c, f in block.fields.items() if column.header in f.headers} if block else {}
            if block and lines:
                name, line = next(iter(lines.items()))
                yield Proposal(source=f"{table.name} | {column.header}", target=f"{block.table}.{name}",
                               confidence=line.confidence or 0.99, reason=line.reason or "by its name",
                               open=line.is_open)  # fmt: skip
            else:
                why = _LEFT.get(f"{table.name}.{column.header}", "" if block else LACKING.get(table.name, "no records"))
                yield Proposal(source=f"{table.name} | {column.header}", target=IGNORE, confidence=0.9,
                               reason=why or "another column is read in its place", open=False)  # fmt: skip

"""Flattened FHIR resources as a store of clinical records."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reinfuse.sources.records.clinical import CandidateGroup, Domain, Person, Record, RecordCoding
from reinfuse.sources.records.concept_sets import RXNORM, Role, matches, plain_code

Row = Mapping[str, str]
_SEX: Mapping[str, str] = {"male": "M", "female": "F", "other": "other"}
_WHOLE_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DOMAINS: Mapping[str, Domain] = {"medication_administration": "drug", "medication_request": "order",
                                  "procedure": "procedure", "condition": "condition", "observation": "value",
                                  "adverse_event": "value"}  # fmt: skip
_WORDS: Mapping[str, str] = {"medication_administration": "drug", "medication_request": "order",
                             "procedure": "procedure", "condition": "condition", "observation": "observation",
                             "adverse_event": "adverse event"}  # fmt: skip

_GIVEN = ("medication_administration", "medication_request", "procedure")


class FhirStore:
    """The records of a set of FHIR resources.

    Parameters
    ----------
    rows
        View -> its rows; a resource has a row for each of its codings.
    hashes
        File -> SHA-256.

    Attributes
    ----------
    records
        View -> its records, of all patients.
    """

    def __init__(self, name: str, rows: Mapping[str, Sequence[Row]], hashes: Mapping[str, str]) -> None:
        self.name, self._hashes = name, hashes
        self._persons = rows["person"]
        self._drugs_by_key = _by_key(rows["medication"])
        self.records = {view: list(self._of_view(view, rows[view])) for view in _DOMAINS}
        self._people: set[str] = set()

    def _of_view(self, view: str, rows: Iterable[Row]) -> Iterator[Record]:
        for own in _by_key(rows).values():
            first = own[0]
            named = self._drugs_by_key.get(first.get("medication", ""), ())
            coding = _coding(_DOMAINS[view], [*own, *named])
            day = first["day"] or first.get("start", "")
            value = next((v for c in ("value", "value_display", "value_text", "value_number", "value_code")
                          if (v := first.get(c, ""))), "")  # fmt: skip
            yield Record(patient=first["patient"], day=day[:10] if _WHOLE_DAY.match(day) else "", coding=coding,
                         value=value)  # fmt: skip

    def candidates(self, own: Sequence[str]) -> Sequence[CandidateGroup]:
        """Return what may be infusions, counted by coding."""
        codes = {plain_code(w) for w in own}
        groups: dict[RecordCoding, list[Record]] = {}
        for view in _GIVEN:
            records = [_of_the_site(r, codes) for r in self.records[view]]
            self.records[view] = records
            for record in records:
                groups.setdefault(record.coding, []).append(record)
        return [CandidateGroup(coding=c, records=len(rs), patients=len({r.patient for r in rs}),
                               last_day=max(r.day for r in rs))
                for c, rs in groups.items() if c.own or _is_candidate(c)]  # fmt: skip

    def records_of(self, groups: Collection[RecordCoding]) -> Sequence[Record]:
        """Return the records with these codings."""
        wanted = set(groups)
        records = [r for view in _GIVEN for r in self.records[view] if r.coding in wanted]
        self._people = {r.patient for r in records}
        return sorted(records, key=lambda r: (r.patient, r.day))

    def persons(self) -> Sequence[Person]:
        """Return the patients of the last `records_of`."""
        last: dict[str, tuple[str, str]] = {}
        for view, word in _WORDS.items():
            for record in self.records[view]:
                if record.patient in self._people and record.day:
                    last[record.patient] = max(last.get(record.patient, ("", "")), (record.day, word))
        return [
            Person(patient=r["patient"], sex=_SEX.get(r["sex"], ""), birth=r["birth"][:10], death=_death(r),
                   last_record=last.get(r["patient"], ("", ""))[0],
                   last_record_kind=last.get(r["patient"], ("", ""))[1])
            for r in sorted(self._persons, key=lambda row: row["patient"]) if r["patient"] in self._people
        ]  # fmt: skip

    def drugs(self) -> Sequence[Record]:
        """Return the cancer drugs that were given; those that were ordered, of patients without any given."""
        given = self._of_roles("medication_administration", "lymphodepletion", "anticancer")
        recorded = {r.patient for r in given}
        ordered = self._of_roles("medication_request", "lymphodepletion", "anticancer")
        return [*given, *(r for r in ordered if r.patient not in recorded)]

    def procedures(self) -> Sequence[Record]:
        """Return transplants and radiotherapies."""
        return self._of_roles("procedure", "transplant")

    def conditions(self) -> Sequence[Record]:
        """Return diagnoses of a disease treated with CAR-T cells."""
        return self._of_roles("condition", "disease")

    def _of_roles(self, view: str, *roles: Role) -> list[Record]:
        return [r for r in self.records[view] if r.patient in self._people
                and any(True for role in roles for _ in _matches(role, r.coding))]  # fmt: skip

    def values(self, wanted: Iterable[str]) -> Sequence[Record]:
        """Return observations and adverse events with one of some codes, or with a text in their name."""
        codes = {plain_code(w) for w in wanted}
        texts = [w.casefold() for w in wanted if " " in w]
        return [r for view in ("observation", "adverse_event") for r in self.records[view] if r.patient in self._people
                and (any(plain_code(c) in codes for c in r.coding.codes)
                     or any(t in r.coding.name.casefold() for t in texts))]  # fmt: skip

    def remarks(self) -> Sequence[str]:
        """Return what the resources lack."""
        counts = Counter({view: len(records) for view, records in self.records.items()})
        listed = ", ".join(f"{view.replace('_', ' ')} {count:,}" for view, count in counts.items() if count)
        yielded = [f"resources read: {listed or 'none that is looked at'}"]
        if counts["medication_request"] and not counts["medication_administration"]:
            yielded.append("drugs are told by orders alone: their day is that of the order")
        yielded.append("FHIR has no observation periods: last contact is the day of the last resource that was read")
        return yielded

    def fingerprints(self) -> Mapping[str, str]:
        """Return the hashes of the files."""
        return self._hashes


def _by_key(rows: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for number, row in enumerate(rows):
        grouped.setdefault(row["key"] or f"row {number}", []).append(row)  # without an id: a resource of its own
    return grouped


def _coding(domain: Domain, rows: Sequence[Row]) -> RecordCoding:
    codes = (f"{RXNORM} {r['code']}" if r["system"].endswith("rxnorm") else r["code"] for r in rows if r["code"])
    names = dict.fromkeys(t for r in rows for t in (r["text"], r["display"]) if t)
    return RecordCoding(domain=domain, codes=tuple(dict.fromkeys(codes)), name=", ".join(names))


def _of_the_site(record: Record, codes: Collection[str]) -> Record:
    if codes and any(plain_code(c) in codes for c in record.coding.codes):
        return replace(record, coding=replace(record.coding, own=True))
    return record


def _matches(role: Role, coding: RecordCoding) -> Iterator[object]:
    return iter(list(matches(role, (), coding.codes, coding.name)))


def _is_candidate(coding: RecordCoding) -> bool:
    by_code = any(route == "code" for _, route in matches("not_infusion", (), coding.codes, coding.name))
    return by_code or any(True for _ in _matches("infusion", coding))


def _death(row: Row) -> str:
    """Return the day of death; the dead without a whole date are dead."""
    if row["death"]:
        return row["death"][:10] if _WHOLE_DAY.match(row["death"]) else row["death"]
    return "dead" if row["is_dead"] == "true" else ""

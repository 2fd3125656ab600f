"""An OMOP database as a store of clinical records: it is read, and nothing is written into it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from reinfuse.sources.omop import queries
from reinfuse.sources.omop.concepts import ConceptIndex
from reinfuse.sources.omop.tables import bound
from reinfuse.sources.records.clinical import CandidateGroup, Domain, Person, Record, RecordCoding
from reinfuse.sources.records.concept_sets import Role, all_codes, all_texts, plain_code

_SEX: Mapping[int, str] = {8507: "M", 8532: "F", 8521: "other"}
"""Gender concepts of OMOP."""
_LITERALS = 5_000
"""Persons that are named one by one in a query; of more, their records stand for them."""
_WORDS: Mapping[str, Domain] = {"drug_exposure": "drug", "procedure_occurrence": "procedure",
                                "condition_occurrence": "condition"}  # fmt: skip
_DEPENDING: tuple[Role, ...] = ("lymphodepletion", "anticancer")


class OmopStore:
    """The records of an OMOP database.

    Parameters
    ----------
    tables
        Name -> Ibis table, as the database has them.
    rows
        Runs an expression and returns its rows.
    hashes
        File -> SHA-256, where the database is files.

    Raises
    ------
    StoreUnreadable
        If tables lack.
    """

    def __init__(self, name: str, tables: Mapping[str, Any], rows: Callable[[Any], Sequence[tuple[Any, ...]]], *,
                 hashes: Mapping[str, str]) -> None:  # fmt: skip
        self.name, self._rows, self._hashes = name, rows, hashes
        self.tables = bound(tables)
        self._index = ConceptIndex(self.tables, rows, "infusion", listed_alone=("not_infusion",))
        self._keys: dict[RecordCoding, list[tuple[str, int, int, str]]] = {}
        self._people: Any = ()

    def candidates(self, own: Sequence[str]) -> Sequence[CandidateGroup]:
        """Return what may be infusions, counted by coding; the texts of what is none alone are not looked for."""
        index, groups = self._index, []
        numbers, codes = [int(w) for w in own if w.isdigit()], [plain_code(w) for w in own]
        index.own = frozenset((*numbers, *codes))
        codes += all_codes("infusion", "not_infusion")
        for name in ("drug_exposure", "procedure_occurrence"):
            if name not in self.tables:
                continue
            records = queries.holding(queries.events(self.tables, name), [*index.concepts, *numbers], codes,
                                      all_texts("infusion"))  # fmt: skip
            counts = self._rows(queries.counted(records))
            index.learn([c for concept, source, *_ in counts for c in (concept, source)])
            for concept, source_concept, source, count, persons, last in sorted(counts, key=lambda c: c[:3]):
                coding = index.coding(_WORDS[name], concept, source_concept, source)
                self._keys.setdefault(coding, []).append((name, concept, source_concept, source))
                groups.append(CandidateGroup(coding=coding, records=count, patients=persons, last_day=_iso(last)))
        return groups

    def records_of(self, groups: Collection[RecordCoding]) -> Sequence[Record]:
        """Return the records with these codings; their persons are those that all else is read of."""
        by_table: dict[str, list[tuple[int, int, str]]] = {}
        for coding in groups:
            for name, concept, source_concept, source in self._keys.get(coding, ()):
                by_table.setdefault(name, []).append((concept, source_concept, source))
        parts = [(n, queries.of_codings(queries.events(self.tables, n), keys)) for n, keys in by_table.items()]
        records = [r for name, part in parts for r in self._records(_WORDS[name], part, self._index)]
        persons = sorted({int(r.patient) for r in records})
        self._people = persons
        if len(persons) > _LITERALS:
            ids = [part.select("person") for _, part in parts]
            self._people = ids[0].union(*ids[1:]).distinct() if len(ids) > 1 else ids[0].distinct()
        return records

    def _records(self, domain: Domain, part: Any, index: ConceptIndex) -> Iterator[Record]:
        codings: dict[tuple[int, int, str], RecordCoding] = {}
        columns = part.select("person", "day", "concept", "source_concept", "source")
        for person, day, *key in self._rows(columns.distinct()):
            whole = (key[0], key[1], key[2])
            if whole not in codings:
                codings[whole] = index.coding(domain, *whole)
            yield Record(patient=str(person), day=_iso(day), coding=codings[whole])

    def _own(self, name: str) -> Any:
        return queries.of_people(queries.events(self.tables, name), self._people)

    def persons(self) -> Sequence[Person]:
        """Return the patients of the last `records_of`, with death, observation end and last record."""
        tables = self.tables
        deaths: dict[int, str] = {}
        if "death" in tables:
            own = queries.of_people(tables["death"], self._people, "person_id")
            for person, day in self._rows(own.select("person_id", "death_date")):
                deaths[person] = min(filter(None, (deaths.get(person), _iso(day) or "dead")))
        ends, types = self._ends()
        last = self._last()
        rows = self._rows(queries.of_people(tables["person"], self._people, "person_id"))
        return [
            Person(patient=str(p), sex=_SEX.get(gender or 0, _letter(source)), birth=_birth(year, month, day),
                   death=deaths.get(p, ""), observation_end=ends.get(p, ""), observation_type=types.get(p, ""),
                   last_record=last.get(p, ("", ""))[0], last_record_kind=last.get(p, ("", ""))[1])
            for p, gender, source, year, month, day in sorted(rows, key=lambda row: row[0])
        ]  # fmt: skip

    def _ends(self) -> tuple[dict[int, str], dict[int, str]]:
        ends: dict[int, str] = {}
        types: dict[int, int] = {}
        if "observation_period" in self.tables:
            own = queries.of_people(self.tables["observation_period"], self._people, "person_id")
            for person, day, kind in self._rows(own):
                if (text := _iso(day)) > ends.get(person, ""):
                    ends[person], types[person] = text, kind or 0
        self._index.learn(list(types.values()))
        return ends, {p: self._index.names.get(k) or (f"type {k}" if k else "") for p, k in types.items()}

    def _last(self) -> dict[int, tuple[str, str]]:
        last: dict[int, tuple[str, str]] = {}
        for name, word in queries.EVENTS.items():
            if name in self.tables:
                for person, day in self._rows(queries.last_day(self._own(name))):
                    last[person] = max(last.get(person, ("", "")), (_iso(day), word))
        return last

    def drugs(self) -> Sequence[Record]:
        """Return the cancer drugs of the persons."""
        return self._of_roles("drug_exposure", *_DEPENDING)

    def procedures(self) -> Sequence[Record]:
        """Return the transplants and radiotherapies of the persons."""
        return self._of_roles("procedure_occurrence", "transplant")

    def conditions(self) -> Sequence[Record]:
        """Return the diagnoses of the persons that are of a disease treated with CAR-T cells."""
        return self._of_roles("condition_occurrence", "disease")

    def _of_roles(self, name: str, *roles: Role) -> list[Record]:
        if name not in self.tables:
            return []
        index = ConceptIndex(self.tables, self._rows, *roles)
        disease = "disease" in roles
        part = queries.holding(self._own(name), index.concepts, () if disease else all_codes(*roles),
                               all_texts(*roles), all_codes(*roles) if disease else ())  # fmt: skip
        return list(self._records(_WORDS[name], part, index))

    def values(self, wanted: Iterable[str]) -> Sequence[Record]:
        """Return the measurements, observations and conditions of the persons with one of some concepts or codes."""
        chosen = list(wanted)
        concepts = [int(w) for w in chosen if w.isdigit()]
        codes = [plain_code(w) for w in chosen]
        records: list[Record] = []
        for name, text in (("measurement", "value_source_value"), ("observation", "value_as_string"),
                           ("condition_occurrence", "")):  # fmt: skip
            if name not in self.tables:
                continue
            more = ("value_as_number", "value_as_concept_id", text) if text else ()
            own = queries.of_people(queries.events(self.tables, name, *more), self._people)
            rows = self._rows(queries.holding(own, concepts, codes, ()))
            self._index.learn([c for row in rows for c in (row[2], row[3], row[6] if text else 0)])
            records += [self._valued(row) for row in rows]
        return sorted(records, key=lambda r: (r.patient, r.day, r.coding.wording))

    def _valued(self, row: tuple[Any, ...]) -> Record:
        person, day, concept, source_concept, source, *more = row
        number, answer, text = more or (None, None, "")
        named = self._index.names.get(answer or 0, "")
        value = named or (f"{number:g}" if number is not None else "") or (text or "")
        return Record(patient=str(person), day=_iso(day), value=value,
                      coding=self._index.coding("value", concept, source_concept, source))  # fmt: skip

    def remarks(self) -> Sequence[str]:
        """Return what the database lacks."""
        lacking = [n for n in ("concept", "concept_ancestor", "death", "observation_period", "procedure_occurrence",
                               "condition_occurrence") if n not in self.tables]  # fmt: skip
        if not lacking:
            return ()
        more = ": descendants of concepts are not looked for" if "concept_ancestor" in lacking else ""
        return (f"the database has no table {', '.join(lacking)}{more}",)

    def fingerprints(self) -> Mapping[str, str]:
        """Return the hashes of files."""
        return self._hashes


def _iso(day: Any) -> str:
    return "" if day is None else str(day)[:10]


def _birth(year: int | None, month: int | None, day: int | None) -> str:
    if not year:
        return ""
    return f"{year:04d}-{month:02d}-{day:02d}" if month and day else f"{year:04d}"


def _letter(source: str | None) -> str:
    return {"m": "M", "f": "F"}.get((source or "").strip().casefold()[:1], "")

"""An OMOP database as a store of clinical records: it is read, and nothing is written into it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from reinfuse.sources.omop import queries
from reinfuse.sources.omop.concepts import ConceptIndex
from reinfuse.sources.omop.tables import bound
from reinfuse.sources.records.clinical import CandidateGroup, Domain, Person, Record, RecordCoding
from reinfuse.sources.records.concept_sets import RXNORM, Role, all_codes, all_concepts, all_texts, plain_code

_SEX: Mapping[int, str] = {8507: "M", 8532: "F", 8521: "other"}
"""Gender concepts of OMOP."""
_WORDS: Mapping[str, Domain] = {"drug_exposure": "drug", "procedure_occurrence": "procedure",
                                "condition_occurrence": "condition"}  # fmt: skip
_MOST_LISTED = 5_000
"""Concepts or texts that are told by a list; more are a subquery."""
_MOST_PERSONS = 200_000
"""Persons that are told by a list, which then has 2 MB."""
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
    functions
        The engine knows regular expressions, and splits texts.

    Raises
    ------
    StoreUnreadable
        If tables lack.
    """

    def __init__(self, name: str, tables: Mapping[str, Any], rows: Callable[[Any], Sequence[tuple[Any, ...]]], *,
                 hashes: Mapping[str, str], functions: bool = True) -> None:  # fmt: skip
        self.name, self._rows, self._hashes, self._functions = name, rows, hashes, functions
        self.tables = bound(tables)
        self._index = ConceptIndex(self.tables, rows)
        self._keys: dict[RecordCoding, list[tuple[str, int, int, str]]] = {}
        self._people: Any = None

    def candidates(self, own: Sequence[str]) -> Sequence[CandidateGroup]:
        """Return what may be infusions, counted by coding; the texts of what is none alone are not looked for."""
        numbers = [int(w) for w in own if w.isdigit()]
        codes = [plain_code(w) for w in own]
        self._index.own = frozenset((*numbers, *codes))
        signs = self._candidate_signs(numbers, codes)
        groups = []
        for name in ("drug_exposure", "procedure_occurrence"):
            if name not in self.tables:
                continue
            records = queries.events(self.tables, name)
            counts: dict[tuple[int, int, str], list[Any]] = {}
            for sign in signs(records):  # one by one: all records of a coding have it, and one column is read
                rows = self._rows(queries.counted(records.filter(sign)))
                counts |= {(c, sc, s): rest for c, sc, s, *rest in rows}
            for key, coding in self._index.codings(_WORDS[name], counts).items():
                count, persons, last = counts[key]
                self._keys.setdefault(coding, []).append((name, *key))
                groups.append(CandidateGroup(coding=coding, records=count, patients=persons, last_day=_iso(last)))
        return sorted(groups, key=lambda g: g.coding.wording)

    def _candidate_signs(self, numbers: Sequence[int], codes: Sequence[str]) -> Callable[[Any], list[Any]]:
        """Return what gives the signs by which records of a whole table may be infusions.

        Concepts are looked up first, once for all tables, and a table's source values once each, before its records.
        """
        by_number: tuple[Role, ...] = ("infusion", "not_infusion")
        listed, sets = [*all_concepts(*by_number), *numbers], []
        for column in queries.concepts_of(self.tables, listed, all_texts("infusion"), patterns=self._functions):
            short = self._if_short(column)
            listed += short or ()
            sets += [column] if short is None else []
        if self._functions:
            listed, sets = [], [queries.listed_numbers(listed), *sets]

        def signs(records: Any) -> list[Any]:
            sources = queries.sources_with(
                records, lambda s: self._source_conditions(s, ("infusion",), by_number, codes=codes)
            )
            texts = self._if_short(sources)
            in_texts = [records.source.isin(sources.source if texts is None else texts)] if texts != [] else []
            return queries.signs(records, listed=listed, sets=sets, texts=in_texts)

        return signs

    def _holding(self, records: Any, roles: Sequence[Role]) -> Any:
        """Return the records of some roles, by their texts, concepts and codes."""
        listed = all_concepts(*roles)
        sets = queries.concepts_of(self.tables, listed, all_texts(*roles), patterns=self._functions)
        texts = self._source_conditions(records.source, roles, roles)
        return queries.holding(records, queries.signs(records, listed=listed, sets=sets, texts=texts))

    def _source_conditions(self, source: Any, by_name: Sequence[Role], by_number: Sequence[Role],
              *, codes: Sequence[str] = ()) -> list[Any]:  # fmt: skip
        """Return conditions on a source value, one of which holds for some roles: texts of these, codes of those."""
        own = [*(c for c in all_codes(*by_number) if not c.startswith(RXNORM)), *codes]
        texts = queries.has_text(source.lower(), all_texts(*by_name), patterns=self._functions)
        if "disease" in by_number:
            return [*texts, *queries.has_text(queries.plain(source), own, patterns=self._functions, begins=True)]
        return [*texts, queries.plain(source).isin(sorted(own))] if own else texts

    def _if_short(self, column: Any) -> list[Any] | None:
        """Return the values of an expression of one column; None if there are many."""
        values = self._rows(column.as_table().limit(_MOST_LISTED + 1))
        return [value for (value,) in values] if len(values) <= _MOST_LISTED else None

    def records_of(self, groups: Collection[RecordCoding]) -> Sequence[Record]:
        """Return the records with these codings; their persons are those that all else is read of."""
        by_table: dict[str, list[tuple[int, int, str]]] = {}
        for coding in groups:
            for name, concept, source_concept, source in self._keys.get(coding, ()):
                by_table.setdefault(name, []).append((concept, source_concept, source))
        parts = {n: queries.of_codings(queries.events(self.tables, n), keys) for n, keys in by_table.items()}
        records = [r for name, part in parts.items() for r in self._records(_WORDS[name], part)]
        persons = sorted({int(r.patient) for r in records})
        listed = self._functions and 0 < len(persons) <= _MOST_PERSONS
        self._people = queries.listed_numbers(persons) if listed else queries.people_of(list(parts.values()))
        return records

    def _records(self, domain: Domain, part: Any) -> Iterator[Record]:
        chosen = queries.filled(part)
        rows = self._rows(chosen.select("person", "day", "concept", "source_concept", "source").distinct())
        codings = self._index.codings(domain, {(c, sc, s) for _, _, c, sc, s in rows})
        for person, day, *key in rows:
            yield Record(patient=str(person), day=_iso(day), coding=codings[key[0], key[1], key[2]])

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
        self._index.learn(types.values())
        return ends, {p: self._index.name(k) or (f"type {k}" if k else "") for p, k in types.items()}

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
        return list(self._records(_WORDS[name], self._holding(self._own(name), roles)))

    def values(self, wanted: Iterable[str]) -> Sequence[Record]:
        """Return the measurements, observations, conditions and terms of notes with one of some concepts or codes."""
        chosen = list(wanted)
        concepts = [int(w) for w in chosen if w.isdigit()]
        codes = [plain_code(w) for w in chosen]
        records: list[Record] = []
        for events in self._valued_tables():
            own = queries.of_people(events, self._people)
            chosen_own = queries.holding(own, queries.signs(own, listed=concepts, codes=codes))
            rows = self._rows(queries.filled(chosen_own))
            codings = self._index.codings("value", {(row[2], row[3], row[4]) for row in rows})
            self._index.learn(row[6] for row in rows if len(row) > 6)
            records += [self._valued(row, codings[row[2], row[3], row[4]]) for row in rows]
        return sorted(records, key=lambda r: (r.patient, r.day, r.coding.wording))

    def _valued_tables(self) -> Iterator[Any]:
        """Yield what may hold responses, residual disease and toxicities, with number, answer and text where it has."""
        for name, text in (("measurement", "value_source_value"), ("observation", "value_as_string")):
            if name in self.tables:
                yield queries.events(self.tables, name, "value_as_number", "value_as_concept_id", text)
        if "condition_occurrence" in self.tables:
            yield queries.events(self.tables, "condition_occurrence")
        if {"note", "note_nlp"} <= set(self.tables):
            yield queries.note_terms(self.tables)

    def _valued(self, row: tuple[Any, ...], coding: RecordCoding) -> Record:
        person, day, _, _, _, *more = row
        number, answer, text = more or (None, None, "")
        value = self._index.name(answer) or (f"{number:g}" if number is not None else "") or (text or "")
        return Record(patient=str(person), day=_iso(day), value=value, coding=coding)

    def remarks(self) -> Sequence[str]:
        """Return what the database lacks, and which terms of its notes are read."""
        notes = ("note_nlp: terms are read where term_exists is Y",) if "note_nlp" in self.tables else ()
        lacking = [n for n in ("concept", "concept_ancestor", "death", "observation_period", "procedure_occurrence",
                               "condition_occurrence") if n not in self.tables]  # fmt: skip
        if not lacking:
            return notes
        more = ": descendants of concepts are not looked for" if "concept_ancestor" in lacking else ""
        return (f"the database has no table {', '.join(lacking)}{more}", *notes)

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

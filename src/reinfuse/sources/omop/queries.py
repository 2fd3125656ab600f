"""What is asked of an OMOP database: one Ibis expression a question, the same on every engine.

No temporary table and no table in memory takes part, so that a session that may only read can run them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

EVENTS: Mapping[str, str] = {
    "drug_exposure": "drug", "procedure_occurrence": "procedure", "condition_occurrence": "condition",
    "measurement": "measurement", "observation": "observation",
}  # fmt: skip
"""Table -> the word before its columns."""
_DAYS: Mapping[str, str] = {"drug_exposure": "drug_exposure_start_date", "procedure_occurrence": "procedure_date",
                            "condition_occurrence": "condition_start_date", "measurement": "measurement_date",
                            "observation": "observation_date"}  # fmt: skip


def events(tables: Mapping[str, Any], name: str, *more: str) -> Any:
    """Return the records of a table as person, day, concept, source concept and source value."""
    table, word = tables[name], EVENTS[name]
    return table.select(
        person=table.person_id, day=table[_DAYS[name]], concept=table[f"{word}_concept_id"].fill_null(0),
        source_concept=table[f"{word}_source_concept_id"].fill_null(0),
        source=table[f"{word}_source_value"].fill_null(""), **{c: table[c] for c in more},
    )  # fmt: skip


def plain(source: Any) -> Any:
    """Return a source value as `concept_sets.plain_code` writes it."""
    text = source.upper()
    for between in (" ", ".", "-"):
        text = text.replace(between, "")
    return text


def holding(records: Any, concepts: Collection[int], codes: Sequence[str], texts: Iterable[str],
            beginnings: Iterable[str] = ()) -> Any:  # fmt: skip
    """Return the records with one of some concepts, source codes or parts of source texts."""
    low, code = records.source.lower(), plain(records.source)
    conditions = []
    if concepts:
        numbers = sorted(concepts)
        conditions += [records.concept.isin(numbers), records.source_concept.isin(numbers)]
    if codes:
        conditions.append(code.isin(sorted(codes)))
    conditions += [low.like(f"%{text}%") for text in texts]
    conditions += [code.like(f"{begin}%") for begin in beginnings]
    return records.filter(reduce(or_, conditions))


def counted(records: Any) -> Any:
    """Return the codings among records, with the numbers of records and persons and the last day."""
    return records.group_by("concept", "source_concept", "source").aggregate(
        records=records.count(), persons=records.person.nunique(), last=records.day.max()
    )


def of_codings(records: Any, codings: Collection[tuple[int, int, str]]) -> Any:
    """Return the records that have one of some codings."""
    conditions = []
    for concept, source_concept in sorted({(c, s) for c, s, _ in codings}):
        sources = sorted({text for c, s, text in codings if (c, s) == (concept, source_concept)})
        conditions.append((records.concept == concept) & (records.source_concept == source_concept)
                          & records.source.isin(sources))  # fmt: skip
    return records.filter(reduce(or_, conditions))


def of_people(records: Any, persons: Sequence[int] | Any, by: str = "person") -> Any:
    """Return the records of some persons, given by their numbers or, of very many, by records of theirs."""
    if isinstance(persons, Sequence):
        return records.filter(records[by].isin(persons))
    return records.semi_join(persons, records[by] == persons.person)


def named_concepts(tables: Mapping[str, Any], concepts: Collection[int], texts: Iterable[str]) -> Any:
    """Return number and name of the concepts that are listed, or whose name has one of some parts."""
    table = tables["concept"]
    low = table.concept_name.lower()
    conditions = [table.concept_id.isin(sorted(concepts)), *(low.like(f"%{text}%") for text in texts)]
    return table.filter(reduce(or_, conditions))


def descendants(tables: Mapping[str, Any], concepts: Collection[int]) -> Any:
    """Return the descendants of listed concepts, each with its ancestor."""
    table = tables["concept_ancestor"]
    return table.filter(table.ancestor_concept_id.isin(sorted(concepts)))


def last_day(records: Any) -> Any:
    """Return the last day of each person's records."""
    return records.group_by("person").aggregate(day=records.day.max())

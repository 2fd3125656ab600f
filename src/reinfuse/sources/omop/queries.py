"""What is asked of an OMOP database: one Ibis expression a question, the same on every engine.

No temporary table and no table in memory takes part, so that a session that may only read can run them. Persons are
told by a subquery; concepts and texts are looked up first, and told by lists while these are short.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

_NO_LIMIT = 2**31 - 1
"""Rows beyond what one cohort has; Spark takes no greater number."""
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


def note_terms(tables: Mapping[str, Any]) -> Any:
    """Return what was read out of notes as `events` returns records, dated as the note; not what the note denies."""
    note, term = tables["note"], tables["note_nlp"]
    there = term.filter(term.term_exists.upper() == "Y")
    both = there.join(note, there.note_id == note.note_id)
    return both.select(
        person=both.person_id, day=both.note_date, concept=both.note_nlp_concept_id.fill_null(0),
        source_concept=both.note_nlp_source_concept_id.fill_null(0), source=both.lexical_variant.fill_null(""),
    )  # fmt: skip


def plain(source: Any) -> Any:
    """Return a source value as `concept_sets.plain_code` writes it."""
    text = source.upper()
    for between in (" ", ".", "-"):
        text = text.replace(between, "")
    return text


def has_text(column: Any, texts: Sequence[str], *, patterns: bool, begins: bool = False) -> list[Any]:
    """Return conditions, one of which holds where a column has one of some texts.

    Parameters
    ----------
    patterns
        The engine knows regular expressions: one of them in place of many comparisons.
    begins
        The texts are beginnings.
    """
    if not texts:
        return []
    if patterns:
        listed = "|".join(t.replace(".", "[.]") for t in texts)
        return [column.re_search(f"^({listed})" if begins else listed)]
    return [column.like(f"{'' if begins else '%'}{t}%") for t in texts]


def concepts_of(
    tables: Mapping[str, Any], listed: Collection[int], texts: Sequence[str], *, patterns: bool
) -> list[Any]:
    """Return the concepts that are listed or have a name with one of some texts, and the descendants of the listed."""
    sets = []
    numbers = sorted(listed)
    if "concept" in tables:
        table = tables["concept"]
        named = has_text(table.concept_name.lower(), texts, patterns=patterns)
        sets.append(table.filter(reduce(or_, [table.concept_id.isin(numbers), *named])).concept_id)
    if "concept_ancestor" in tables:
        table = tables["concept_ancestor"]
        sets.append(table.filter(table.ancestor_concept_id.isin(numbers)).descendant_concept_id)
    return sets


def sources_with(records: Any, conditions: Callable[[Any], list[Any]]) -> Any:
    """Return the source values, each once, for which a condition holds: there are far fewer of them than of records.

    Without the limit, engines compare the texts of all records first.
    """
    sources = records.select("source").distinct().limit(_NO_LIMIT)
    return sources.filter(reduce(or_, conditions(sources.source)))


def holding(records: Any, *, listed: Collection[int] = (), sets: Iterable[Any] = (), codes: Collection[str] = (),
            texts: Iterable[Any] = ()) -> Any:  # fmt: skip
    """Return the records with one of some concepts or source codes, or for which another condition holds.

    Parameters
    ----------
    listed, sets
        Numbers of concepts, and columns of other tables that hold some.
    texts
        Conditions on the source value.
    """
    conditions = list(texts)
    if listed:
        numbers = sorted(listed)
        conditions += [records.concept.isin(numbers), records.source_concept.isin(numbers)]
    for one in sets:
        conditions += [records.concept.isin(one), records.source_concept.isin(one)]
    if codes:
        conditions.append(plain(records.source).isin(sorted(codes)))
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


def people_of(parts: Sequence[Any]) -> Any:
    """Return the persons of several sets of records."""
    ids = [part.select("person") for part in parts]
    return ids[0].union(*ids[1:]).distinct() if len(ids) > 1 else ids[0].distinct()


def of_people(records: Any, persons: Any, by: str = "person") -> Any:
    """Return the records of some persons."""
    return records.filter(records[by].isin(persons.person)).limit(_NO_LIMIT)


def names_of(tables: Mapping[str, Any], concepts: Collection[int]) -> Any:
    """Return number and name of some concepts."""
    table = tables["concept"]
    return table.filter(table.concept_id.isin(sorted(concepts)))


def ancestors_of(tables: Mapping[str, Any], concepts: Collection[int], listed: Collection[int]) -> Any:
    """Return those of the listed concepts that are above some concepts, each with its descendant."""
    table = tables["concept_ancestor"]
    return table.filter(table.descendant_concept_id.isin(sorted(concepts))
                        & table.ancestor_concept_id.isin(sorted(listed)))  # fmt: skip


def last_day(records: Any) -> Any:
    """Return the last day of each person's records."""
    return records.group_by("person").aggregate(day=records.day.max())

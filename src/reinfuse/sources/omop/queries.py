"""What is asked of an OMOP database: one Ibis expression a question, the same on every engine.

No temporary table and no table in memory takes part, so that a session that may only read can run them. Concepts, texts
and persons are looked up first, and told by lists while these are short.
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
    """Return the records of a table as person, day, concept, source concept and source value, each as it is stored."""
    table, word = tables[name], EVENTS[name]
    return table.select(
        person=table.person_id, day=table[_DAYS[name]], concept=table[f"{word}_concept_id"],
        source_concept=table[f"{word}_source_concept_id"], source=table[f"{word}_source_value"],
        **{c: table[c] for c in more},
    )  # fmt: skip


def note_terms(tables: Mapping[str, Any]) -> Any:
    """Return what was read out of notes as `events` returns records, dated as the note; not what the note denies."""
    note, term = tables["note"], tables["note_nlp"]
    there = term.filter(term.term_exists.upper() == "Y")
    both = there.join(note, there.note_id == note.note_id)
    return both.select(
        person=both.person_id, day=both.note_date, concept=both.note_nlp_concept_id,
        source_concept=both.note_nlp_source_concept_id, source=both.lexical_variant,
    )  # fmt: skip


def filled(records: Any) -> Any:
    """Return records with 0 for no concept and an empty text for no source value.

    After records were chosen: engines compare columns as they are stored faster than what a function makes of them.
    """
    return records.mutate(concept=records.concept.fill_null(0), source_concept=records.source_concept.fill_null(0),
                          source=records.source.fill_null(""))  # fmt: skip


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


def listed_numbers(numbers: Collection[int]) -> Any:
    """Return some numbers as one column that the engine makes of one text.

    Engines join with it while they scan, which is faster than comparing with a list; and a list of thousands is slow to
    compile.
    """
    import ibis

    texts = ibis.literal(",".join(map(str, sorted(set(numbers))))).split(",").unnest().name("text").as_table()
    return texts.select(number=texts.text.cast("int64")).number


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
    return holding(sources, conditions(sources.source))


def signs(records: Any, *, listed: Collection[int] = (), sets: Iterable[Any] = (), codes: Collection[str] = (),
          texts: Iterable[Any] = ()) -> list[Any]:  # fmt: skip
    """Return conditions, one of which holds for records with one of some concepts, source codes or texts.

    Parameters
    ----------
    listed, sets
        Numbers of concepts, and columns of other tables that hold some.
    texts
        Conditions on the source value.
    """
    conditions = list(texts)
    numbers = [sorted(set(listed))] if listed else []
    for one in (*numbers, *sets):
        conditions += [records.concept.isin(one), records.source_concept.isin(one)]
    if codes:
        conditions.append(plain(records.source).isin(sorted(codes)))
    return conditions


def holding(records: Any, conditions: Iterable[Any]) -> Any:
    """Return the records for which one of some conditions holds."""
    return records.filter(reduce(or_, conditions))


def counted(records: Any) -> Any:
    """Return the codings among records, with the numbers of records and persons and the last day."""
    records = filled(records)
    return records.group_by("concept", "source_concept", "source").aggregate(
        records=records.count(), persons=records.person.nunique(), last=records.day.max()
    )


def of_codings(records: Any, codings: Collection[tuple[int, int, str]]) -> Any:
    """Return the records that have one of some codings, as `filled` writes them."""
    conditions = []
    for concept, source_concept in sorted({(c, s) for c, s, _ in codings}):
        sources = sorted({text for c, s, text in codings if (c, s) == (concept, source_concept)})
        conditions.append(_is_one_of(records.concept, [concept], empty=0)
                          & _is_one_of(records.source_concept, [source_concept], empty=0)
                          & _is_one_of(records.source, sources, empty=""))  # fmt: skip
    return holding(records, conditions)


def _is_one_of(column: Any, values: Sequence[int | str], *, empty: int | str) -> Any:
    """Return the condition that a column has one of some values, of which `empty` stands for none too."""
    same = column.isin(values)
    return same | column.isnull() if empty in values else same


def people_of(parts: Sequence[Any]) -> Any:
    """Return the persons of several sets of records, as one column."""
    ids = [part.select("person") for part in parts]
    return (ids[0].union(*ids[1:]).distinct() if len(ids) > 1 else ids[0].distinct()).person


def of_people(records: Any, persons: Any, by: str = "person") -> Any:
    """Return the records of some persons, a column of another expression."""
    return records.filter(records[by].isin(persons)).limit(_NO_LIMIT)


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

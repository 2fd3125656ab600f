"""The tables of OMOP as Ibis expressions of one spelling, whatever case, schema and version a database has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reinfuse.sources.records.clinical import StoreUnreadable

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "person": {"person_id": "int64", "gender_concept_id": "int64", "gender_source_value": "string",
               "year_of_birth": "int64", "month_of_birth": "int64", "day_of_birth": "int64"},
    "death": {"person_id": "int64", "death_date": "date"},
    "observation_period": {"person_id": "int64", "observation_period_end_date": "date",
                           "period_type_concept_id": "int64"},
    "drug_exposure": {"person_id": "int64", "drug_concept_id": "int64", "drug_exposure_start_date": "date",
                      "drug_source_value": "string", "drug_source_concept_id": "int64"},
    "procedure_occurrence": {"person_id": "int64", "procedure_concept_id": "int64", "procedure_date": "date",
                             "procedure_source_value": "string", "procedure_source_concept_id": "int64"},
    "condition_occurrence": {"person_id": "int64", "condition_concept_id": "int64", "condition_start_date": "date",
                             "condition_source_value": "string", "condition_source_concept_id": "int64"},
    "measurement": {"person_id": "int64", "measurement_concept_id": "int64", "measurement_date": "date",
                    "measurement_source_value": "string", "measurement_source_concept_id": "int64",
                    "value_as_number": "float64", "value_as_concept_id": "int64", "value_source_value": "string"},
    "observation": {"person_id": "int64", "observation_concept_id": "int64", "observation_date": "date",
                    "observation_source_value": "string", "observation_source_concept_id": "int64",
                    "value_as_number": "float64", "value_as_concept_id": "int64", "value_as_string": "string"},
    "note": {"note_id": "int64", "person_id": "int64", "note_date": "date"},
    "note_nlp": {"note_id": "int64", "note_nlp_concept_id": "int64", "note_nlp_source_concept_id": "int64",
                 "lexical_variant": "string", "term_exists": "string"},
    "concept": {"concept_id": "int64", "concept_name": "string"},
    "concept_ancestor": {"ancestor_concept_id": "int64", "descendant_concept_id": "int64"},
}  # fmt: skip
"""Columns that are read, with their types; no others leave the database."""
NEEDED = ("person", "drug_exposure")


def bound(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables that are there with the columns of `COLUMNS`, in lower case; columns that lack are empty.

    Parameters
    ----------
    tables
        Name in any case -> Ibis table.

    Raises
    ------
    StoreUnreadable
        If no OMOP tables are among them.
    """
    import ibis

    by_name = {name.casefold(): table for name, table in tables.items()}
    lacking = [name for name in NEEDED if name not in by_name]
    if lacking:
        here = ", ".join(sorted(by_name)[:8]) or "none"
        raise StoreUnreadable(f"has no table {' and no table '.join(lacking)} (tables: {here})",
                              "name the schema that holds the tables of OMOP with --schema")  # fmt: skip
    expressions = {}
    for name, columns in COLUMNS.items():
        if name not in by_name:
            continue
        table = by_name[name]
        own = {c.casefold(): c for c in table.columns}
        cells = {c: _of_kind(table[own[c]], kind) if c in own else ibis.null(kind) for c, kind in columns.items()}
        expressions[name] = table.select(**cells)
    return expressions


def _of_kind(column: Any, kind: str) -> Any:
    """Return a column as it is, so that an index serves; converted where it is of another kind."""
    own = column.type()
    fits = {"int64": own.is_integer(), "string": own.is_string(), "date": own.is_date(), "float64": own.is_numeric()}
    return column if fits[kind] else column.cast(kind)

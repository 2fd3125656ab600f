"""Clinical records (OMOP, FHIR) as a source: the store is opened, read and closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from reinfuse.exceptions import Problem
from reinfuse.sources.fhir.reading import open_fhir
from reinfuse.sources.omop.address import DatabaseAddress
from reinfuse.sources.omop.reading import open_omop
from reinfuse.sources.records.clinical import ReadingRules, StoreUnreadable
from reinfuse.sources.records.cohort_tables import read_records
from reinfuse.sources.source_table import Source, SourceKind

_DISEASE_STATUS = ("97509-4",)
"""Cancer disease status of mCODE (LOINC)."""
_TOXICITIES = ("cytokine release syndrome", "cell-associated neurotoxicity", "cell associated neurotoxicity")
"""Names of adverse events that are looked for where a map names none."""


def read_clinical(place: Path | DatabaseAddress, kind: SourceKind, rules: ReadingRules | None, *,
                  answers: Mapping[str, str] | None) -> Source:  # fmt: skip
    """Read the patients of a store of clinical records who were given CAR-T cells.

    Returns
    -------
    Source
        Where the store cannot be read: without tables, and with the reason among its problems.

    Raises
    ------
    ExtraMissing
        If a library is not installed.
    """
    rules = rules or ReadingRules()
    if kind == "fhir":
        rules = replace(rules, response=rules.response or _DISEASE_STATUS, toxicity=rules.toxicity or _TOXICITIES)
    try:
        if kind == "fhir" and isinstance(place, Path):
            with open_fhir(place) as store:
                return read_records(store, kind, rules, answers)
        with open_omop(place, rules.schema) as database:
            return read_records(database, kind, rules, answers)
    except StoreUnreadable as refused:
        problem = Problem(table=place.name, rule=refused.rule, remedy=refused.remedy)
        return Source(kind, place.name, (), (problem,))

"""Names and listed ancestors of the concepts of OMOP that were met among records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from reinfuse.sources.omop import queries
from reinfuse.sources.records.clinical import Domain, RecordCoding
from reinfuse.sources.records.concept_sets import all_concepts, plain_code

Rows = Callable[[Any], Sequence[tuple[Any, ...]]]
_AT_ONCE = 1_000
"""Concepts that are looked up in one query."""


class ConceptIndex:
    """What is known of concepts; each is looked up once.

    Parameters
    ----------
    rows
        Runs an expression and returns its rows.
    """

    def __init__(self, tables: Mapping[str, Any], rows: Rows) -> None:
        self._tables, self._rows = tables, rows
        self._names: dict[int, str] = {}
        self._ancestors: dict[int, set[int]] = {}
        self._met: set[int] = {0}
        self._listed = sorted(all_concepts("infusion", "not_infusion", "lymphodepletion", "transplant", "disease"))
        self.own: frozenset[int | str] = frozenset()
        """Concepts and plain codes that the site names as infusions."""

    def learn(self, concepts: Iterable[int | None]) -> None:
        """Look up concepts that were not met before."""
        new = sorted({c for c in concepts if c} - self._met)
        self._met.update(new)
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            if "concept" in self._tables:
                self._names |= dict(self._rows(queries.names_of(self._tables, some)))
            if "concept_ancestor" in self._tables:
                for ancestor, descendant in self._rows(queries.ancestors_of(self._tables, some, self._listed)):
                    self._ancestors.setdefault(descendant, set()).add(ancestor)

    def name(self, concept: int | None) -> str:
        """Return the name of a concept that was looked up; empty: it has none."""
        return self._names.get(concept or 0, "")

    def codings(
        self, domain: Domain, keys: Collection[tuple[int, int, str]]
    ) -> dict[tuple[int, int, str], RecordCoding]:
        """Return the codings of concept, source concept and source value, with names and ancestors."""
        self.learn(c for concept, source_concept, _ in keys for c in (concept, source_concept))
        return {key: self._coding(domain, *key) for key in keys}

    def _coding(self, domain: Domain, concept: int, source_concept: int, source: str) -> RecordCoding:
        concepts = frozenset(c for c in (concept, source_concept) if c)
        names = dict.fromkeys(n for c in (concept, source_concept) if (n := self.name(c)))
        above = frozenset(a for c in concepts for a in self._ancestors.get(c, ()))
        return RecordCoding(
            domain=domain, concepts=concepts, codes=(source,) if source else (), name=", ".join(names),
            ancestors=above, own=not self.own.isdisjoint({*concepts, plain_code(source)}),
        )  # fmt: skip

"""The concepts of OMOP that a reading needs: listed ones, those with a name that a concept set has, and descendants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reinfuse.sources.omop import queries
from reinfuse.sources.records.clinical import Domain, RecordCoding
from reinfuse.sources.records.concept_sets import Role, all_concepts, all_texts, plain_code

Rows = Callable[[Any], Sequence[tuple[Any, ...]]]
_LITERALS = 20_000
"""Concepts that are written into one query."""


class ConceptIndex:
    """Names and ancestors of the concepts of some roles.

    Parameters
    ----------
    rows
        Runs an expression and returns its rows.
    roles
        Whose concepts are looked up by number and by name.
    listed_alone
        Whose concepts are looked up by number.
    """

    def __init__(self, tables: Mapping[str, Any], rows: Rows, *roles: Role,
                 listed_alone: Sequence[Role] = ()) -> None:  # fmt: skip
        self._tables, self._rows = tables, rows
        self.names: dict[int, str] = {}
        self.own: frozenset[int | str] = frozenset()
        self.ancestors: dict[int, set[int]] = {}
        listed = all_concepts(*roles, *listed_alone)
        if "concept" in tables:
            self.names |= dict(rows(queries.named_concepts(tables, listed, all_texts(*roles))))
        if "concept_ancestor" in tables and listed:
            for ancestor, descendant in rows(queries.descendants(tables, listed)):
                self.ancestors.setdefault(descendant, set()).add(ancestor)
        self.concepts = sorted({*listed, *self.names, *self.ancestors} - {0})[:_LITERALS]

    def coding(self, domain: Domain, concept: int, source_concept: int, source: str) -> RecordCoding:
        """Return a coding with the names and ancestors of its concepts."""
        concepts = frozenset(c for c in (concept, source_concept) if c)
        names = dict.fromkeys(n for c in (concept, source_concept) if (n := self.names.get(c)))
        above = frozenset(a for c in concepts for a in self.ancestors.get(c, ()))
        return RecordCoding(domain=domain, concepts=concepts, codes=(source,) if source else (), name=", ".join(names),
                      ancestors=above, own=not self.own.isdisjoint({*concepts, plain_code(source)}))  # fmt: skip

    def learn(self, concepts: Sequence[int]) -> None:
        """Look up the names of further concepts."""
        if "concept" in self._tables and (new := sorted({c for c in concepts if c} - self.names.keys())):
            self.names |= dict(self._rows(queries.named_concepts(self._tables, new, ())))

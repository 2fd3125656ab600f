"""Which concepts, codes and texts mean an infusion, a drug, a transplant or a disease: `concept_sets.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Role = Literal["infusion", "not_infusion", "transplant", "lymphodepletion", "anticancer", "disease"]
Route = Literal["concept", "code", "text"]
_LISTED: tuple[Role, ...] = ("infusion", "not_infusion", "transplant", "disease")
RXNORM = "RXNORM"
"""Stands before a code of RxNorm, whose numbers are too short to be told from others."""
_ICD9 = 5
"""Figures of the longest code of ICD-9."""
_BETWEEN = re.compile(r"[\s.-]")


@dataclass(frozen=True, slots=True)
class ConceptSet:
    """Records that mean one thing.

    Attributes
    ----------
    label
        What: a product, a drug, a disease; why it is no infusion.
    omop
        Standard concepts of OMOP, which stand for their descendants too.
    codes
        As `plain_code` writes them; those of diseases are the beginnings of codes.
    texts
        Parts of names, in lower case.
    """

    role: Role
    label: str
    omop: frozenset[int] = frozenset()
    codes: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()

    def route(self, concepts: Collection[int], codes: Iterable[str], name: str) -> Route | None:
        """Return by what a record belongs to the set; None if it does not.

        Parameters
        ----------
        concepts
            Its concepts, and the ancestors of these.
        codes
            Its codes, plain.
        name
            Its names, in lower case.
        """
        if not self.omop.isdisjoint(concepts):
            return "concept"
        if any(c in self.codes for c in codes) or (self.role == "disease" and self._begins(codes)):
            return "code"
        return "text" if any(text in name for text in self.texts) else None

    def _begins(self, codes: Iterable[str]) -> bool:
        """Tell whether a code is of the classification; longer figures are SNOMED CT's."""
        return any(code.startswith(tuple(self.codes)) and not (code.isdigit() and len(code) > _ICD9) for code in codes)


@dataclass(frozen=True, slots=True)
class EarlierCodes:
    """Codes that stood for other drugs until a day, and the signs of these drugs."""

    codes: frozenset[str]
    until: str
    concepts: frozenset[int]
    texts: tuple[str, ...]


def plain_code(code: str) -> str:
    """Return a code without dots, hyphens and blanks, in capitals.

    Examples
    --------
    >>> plain_code("c91.0"), plain_code("71287-0119-02")
    ('C910', '71287011902')
    """
    return _BETWEEN.sub("", code).upper()


@cache
def _contents() -> Mapping[str, Any]:
    text = files("reinfuse.sources.records").joinpath("concept_sets.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def concept_sets(role: Role) -> tuple[ConceptSet, ...]:
    """Return the sets of one role, in the order in which they are looked through."""
    contents = _contents()
    forms = {n: frozenset(f"{RXNORM}{code}" for code in codes) for n, codes in contents["rxnorm"].items()}
    if role == "lymphodepletion":
        drugs: Mapping[str, int] = contents[role]
        return tuple(ConceptSet(role, n, frozenset({c} if c else ()), forms.get(n, frozenset()), (n,))
                     for n, c in drugs.items())  # fmt: skip
    if role == "anticancer":
        return tuple(ConceptSet(role, n, codes=forms.get(n, frozenset()), texts=(n,)) for n in contents[role]["names"])
    return tuple(
        ConceptSet(role, one["label"], frozenset(one.get("omop", ())), frozenset(one.get("codes", ())),
                   tuple(one["texts"]))
        for one in contents[role]
    )  # fmt: skip


@cache
def earlier_codes() -> EarlierCodes:
    """Return the codes that stood for other drugs before there were CAR-T products."""
    one = _contents()["earlier_codes"]
    return EarlierCodes(frozenset(one["codes"]), one["until"], frozenset(one["concepts"]), tuple(one["texts"]))


def matches(role: Role, concepts: Collection[int], codes: Iterable[str],
            name: str) -> Iterator[tuple[ConceptSet, Route]]:  # fmt: skip
    """Yield the sets to which a record belongs, and by what."""
    plain, low = [plain_code(c) for c in codes if c], name.casefold()
    for one in concept_sets(role):
        if route := one.route(concepts, plain, low):
            yield one, route


def all_concepts(*roles: Role) -> dict[int, ConceptSet]:
    """Return the listed concepts of OMOP, each with its set."""
    return {concept: one for role in roles for one in concept_sets(role) for concept in one.omop}


def all_codes(*roles: Role) -> list[str]:
    """Return the listed codes."""
    return sorted({code for role in roles for one in concept_sets(role) for code in one.codes})


def all_texts(*roles: Role) -> list[str]:
    """Return the listed parts of names; a part that holds another one is not needed."""
    texts = {text for role in roles for one in concept_sets(role) for text in one.texts}
    return sorted(t for t in texts if not any(o in t for o in texts - {t}))

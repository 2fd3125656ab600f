"""Clinical records as both OMOP and FHIR hold them, and what a person answers about those that may be infusions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, Protocol

Domain = Literal["drug", "order", "procedure", "condition", "value"]


class StoreUnreadable(Exception):
    """Records cannot be read; `rule` and `remedy` say why, without a value of a patient or a password."""

    def __init__(self, rule: str, remedy: str) -> None:
        super().__init__(rule)
        self.rule, self.remedy = rule, remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCoding:
    """What a record is of, as its source writes it.

    Attributes
    ----------
    concepts
        Concepts of OMOP.
    codes
        Source values and codes.
    name
        Name of the concept, and texts.
    ancestors
        Concepts above `concepts` that a concept set lists.
    own
        The site names its concept or code as an infusion of CAR-T cells.
    """

    domain: Domain
    concepts: frozenset[int] = frozenset()
    codes: tuple[str, ...] = ()
    name: str = ""
    ancestors: frozenset[int] = field(default_factory=frozenset)
    own: bool = False

    @property
    def wording(self) -> str:
        """The record in words, as it stands in the map: ``procedure XW033C3 (43018384 Introduction of ...)``."""
        return _in_words(self)


@lru_cache(maxsize=10_000)
def _in_words(coding: RecordCoding) -> str:
    numbers = " ".join(str(c) for c in sorted(coding.concepts) if c)
    name = coding.name.strip()
    codes = " / ".join(dict.fromkeys(c.strip() for c in coding.codes if c.strip() and c.strip() != name))
    concept = " ".join(t for t in (numbers, name) if t)
    return " ".join(t for t in (coding.domain, codes, f"({concept})" if codes and concept else concept) if t)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateGroup:
    """Records of one coding that may be infusions of CAR-T cells.

    Attributes
    ----------
    records, patients
        How many there are.
    last_day
        Of the latest of them (ISO).
    """

    coding: RecordCoding
    records: int
    patients: int
    last_day: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of a patient.

    Attributes
    ----------
    day
        ISO; empty: not dated.
    value
        What was measured or judged, as text.
    """

    patient: str
    day: str
    coding: RecordCoding
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One patient.

    Attributes
    ----------
    birth
        Date of birth (ISO), or what is recorded of it: the year.
    death
        ISO; ``dead`` where the death is recorded without its date; empty: no death is recorded.
    observation_end, observation_type
        Last day of the last observation period, and how the period was told.
    last_record, last_record_kind
        Day of the last record of the patient, and of which kind it is.
    """

    patient: str
    sex: str = ""
    birth: str = ""
    death: str = ""
    observation_end: str = ""
    observation_type: str = ""
    last_record: str = ""
    last_record_kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRules:
    """How records are read: ``[reading]`` of a map.

    Attributes
    ----------
    schema
        Schema of the database in which the tables stand; empty: its default.
    merge_days
        Records at most so many days after the first belong to one infusion.
    lymphodepletion_days
        Days before an infusion in which lymphodepletion is looked for.
    infusion, response, mrd, toxicity
        Concepts or codes of a site's own whose records are infusions of CAR-T cells, responses, residual disease,
        graded toxicities.
    """

    schema: str = ""
    merge_days: int = 7
    lymphodepletion_days: int = 14
    infusion: tuple[str, ...] = ()
    response: tuple[str, ...] = ()
    mrd: tuple[str, ...] = ()
    toxicity: tuple[str, ...] = ()


class RecordStore(Protocol):
    """Where records stand: a database, files."""

    name: str
    """As the user calls it, without a password."""

    def candidates(self, own: Sequence[str]) -> Sequence[CandidateGroup]:
        """Return what may be infusions, by the concept sets or by concepts and codes of a site's own, by coding."""

    def records_of(self, groups: Collection[RecordCoding]) -> Sequence[Record]:
        """Return the records with these codings."""

    def persons(self) -> Sequence[Person]:
        """Return the patients of the last `records_of`."""

    def drugs(self) -> Sequence[Record]:
        """Return their cancer drugs, and no others."""

    def procedures(self) -> Sequence[Record]:
        """Return their transplants and radiotherapies."""

    def conditions(self) -> Sequence[Record]:
        """Return their diagnoses of a disease that is treated with CAR-T cells."""

    def values(self, wanted: Iterable[str]) -> Sequence[Record]:
        """Return their records with one of these concepts or codes."""

    def remarks(self) -> Sequence[str]:
        """Return what the store lacks or has in doubt."""

    def fingerprints(self) -> Mapping[str, str]:
        """Return the SHA-256 of each file that was read."""

"""One study of the register: where it stands, who read what of it and when, and whether it can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from reinfuse.evidence.figures import PublishedFigure
from reinfuse.evidence.notices import NOTICE_KINDS, Notice
from reinfuse.plan.evidence_options import Difference

StudyKind = Literal["cohort", "trial", "case report", "meta-analysis", "trial registration"]
ReadAs = Literal["full text", "abstract", "part of an abstract", "table", "introduction", "title", "secondary source",
                 "registry page"]  # fmt: skip
Purpose = Literal["disease", "prevention", "consolidation", "planned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredStudy:
    """A study.

    Attributes
    ----------
    name
        Its file's name without the ending, by which figures and notices name it.
    label
        Short, as figures and tables show it.
    kind
        ``meta-analysis`` and ``trial registration`` are context: their figures are never pooled.
    authors, title, journal, year, volume, issue, pages
        Empty (or None) where the text that was read does not give them.
    doi, pmid, trial
        Identifiers, empty where not known.
    address
        Where it was read; empty where only a copy without an address was at hand.
    diseases, patients
        Diagnoses as cohorts name them; and in the study's own words, with numbers.
    construct, antigens
        Of the repeat infusion, in the study's own words; its targets.
    purpose
        What its patients were treated for.
    differs_in, reason
        In what it differs from a second infusion of the same CD19 CAR T-cell product for active disease, and why it
        is or is not comparable.
    is_reference
        It is the reference study.
    status
        Of a registered trial.
    read_as, read_by, read_on
        How much of it was read, by whom, and when.
    review_by
        The day after which it is stale.
    overlaps
        Studies that may hold some of the same patients: only one of them is pooled.
    """

    name: str
    label: str
    kind: StudyKind
    authors: str = ""
    title: str = ""
    journal: str
    year: int | None = None
    volume: str = ""
    issue: str = ""
    pages: str = ""
    doi: str = ""
    pmid: str = ""
    trial: str = ""
    address: str = ""
    diseases: tuple[str, ...]
    patients: str = ""
    construct: str
    antigens: tuple[str, ...]
    purpose: Purpose = "disease"
    differs_in: tuple[Difference, ...] = ()
    reason: str
    is_reference: bool = False
    status: str = ""
    read_as: ReadAs
    read_by: str
    read_on: date
    review_by: date
    note: str = ""
    overlaps: tuple[str, ...] = ()
    figures: tuple[PublishedFigure, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def is_comparable(self) -> bool:
        """Whether its figures may be pooled without being asked for."""
        return not self.differs_in and self.kind in ("cohort", "trial")

    @property
    def is_retracted(self) -> bool:
        """Whether a retraction is known."""
        return any(n.kind == "retraction" for n in self.notices)

    @property
    def alarms(self) -> tuple[Notice, ...]:
        """The notices of which every user of its figures must be told, gravest first."""
        return tuple(sorted((n for n in self.notices if n.is_alarm), key=lambda n: NOTICE_KINDS.index(n.kind)))

    def is_stale(self, on: date) -> bool:
        """Whether the day by which it was to be read again has passed."""
        return on > self.review_by

    @property
    def reference(self) -> str:
        """Where it was published, in one line; what is not known is left out."""
        issue = f"({self.issue})" if self.issue else ""
        place = f"{self.volume}{issue}{f':{self.pages}' if self.pages else ''}"
        when = ";".join(x for x in (str(self.year) if self.year else "", place) if x)
        where = " ".join(x for x in (self.journal, when) if x)
        return ". ".join(x.rstrip(".") for x in (self.authors, self.title, where) if x) + "."

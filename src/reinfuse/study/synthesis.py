"""Synthesis of published rates, and borrowing from them: requests, refusals, and what is written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.evidence import Register, read_register
from reinfuse.evidence.borrowing import VAGUE, Borrowing, borrow
from reinfuse.evidence.cautions import cautions
from reinfuse.evidence.figures import DIFFERENCES, TOXICITIES
from reinfuse.evidence.hazard_borrowing import HazardBorrowing, borrow_hazard, observed_hazard
from reinfuse.evidence.printed_times import STATISTICS, printed_numbers
from reinfuse.evidence.records import borrowing_records, synthesis_records
from reinfuse.evidence.subgroups import By, Subgroups, synthesize_by
from reinfuse.evidence.synthesis import Synthesis, synthesize
from reinfuse.exceptions import Problem, RequestRefused, nearest
from reinfuse.output import Destination
from reinfuse.report.document.model import Table
from reinfuse.report.export import published_folder
from reinfuse.report.sections.published_rates import borrowing_summary, hazard_summary, summary
from reinfuse.report.tables import published_rates as tables

__all__ = [
    "BorrowedHazard", "BorrowedRate", "PublishedRates", "RateRequest", "borrow_published", "borrow_published_hazard",
    "synthesize_published",
]  # fmt: skip
GRADE = ">=3"
"""Grade of a toxicity unless one is given."""


@dataclass(frozen=True, kw_only=True)
class RateRequest:
    """What is asked of the register.

    Attributes
    ----------
    endpoint, grade, disease
        A declared endpoint or kind of toxicity, whose grade is `GRADE` unless given; of one diagnosis alone.
    across
        Differences across which to pool.
    events, n
        Of the own cohort; None: there is none.
    folders
        Further folders of published studies.
    confidence
        Of all intervals.
    on
        Today, unless given.
    """

    endpoint: str
    grade: str | None = None
    disease: str | None = None
    across: Sequence[str] = ()
    events: int | None = None
    n: int | None = None
    folders: Sequence[Path] = ()
    confidence: float = 0.95
    on: date | None = None

    @property
    def grade_in_force(self) -> str:
        """The grade, where the endpoint is a toxicity."""
        if self.grade is None:
            return GRADE if self.endpoint in TOXICITIES else ""
        return self.grade

    @property
    def day(self) -> date:
        """Today, or the day that was given."""
        return self.on or date.today()


@dataclass(frozen=True)
class PublishedRates:
    """A synthesis with its answer in sentences and tables.

    Attributes
    ----------
    subgroups
        By disease or construct, where it was asked for.
    sentences, cautions, tables
        What a reader is shown, in order.
    """

    request: RateRequest
    synthesis: Synthesis
    subgroups: tuple[Subgroups, ...]
    sentences: tuple[str, ...]
    cautions: tuple[str, ...]
    tables: tuple[Table, ...]

    def write(self, place: Destination | Path) -> Path:
        """Write the page, its numbers and its figures.

        Raises
        ------
        OutputRefused
            If the folder cannot be written.
        """
        return published_folder.write_synthesis(self.synthesis, self.subgroups, place, on=self.request.day)

    def as_dicts(self) -> list[dict[str, object]]:
        """Return every number as a record."""
        return [e.as_dict() for e in synthesis_records(self.synthesis)]


@dataclass(frozen=True)
class BorrowedRate:
    """The own rate with its answer in sentences and tables, the one without borrowing first."""

    request: RateRequest
    borrowing: Borrowing
    sentences: tuple[str, ...]
    cautions: tuple[str, ...]
    tables: tuple[Table, ...]

    def write(self, place: Destination | Path) -> Path:
        """Write the page, its numbers and its figures.

        Raises
        ------
        OutputRefused
            If the folder cannot be written.
        """
        return published_folder.write_borrowing(self.borrowing, place, on=self.request.day)

    def as_dicts(self) -> list[dict[str, object]]:
        """Return every number as a record."""
        return [e.as_dict() for e in borrowing_records(self.borrowing) + synthesis_records(self.borrowing.synthesis)]


def synthesize_published(request: RateRequest, *, by: By | None = None) -> PublishedRates:
    """Pool published rates.

    Parameters
    ----------
    by
        Compare subgroups by ``disease`` or ``construct``.

    Raises
    ------
    RegisterRefused
        With every problem of the folders.
    RequestRefused
        With every problem of the request.
    """
    register = _checked(request)
    synthesis = synthesize(register, request.endpoint, grade=request.grade_in_force, disease=request.disease,
                           across=request.across, own=_own(request), confidence=request.confidence)  # fmt: skip
    groups = () if by is None else (
        synthesize_by(register, request.endpoint, by, grade=request.grade_in_force, across=request.across,
                      confidence=request.confidence),)  # fmt: skip
    printed = [tables.printed(printed_numbers(register, request.endpoint, s, disease=request.disease,
                                              confidence=request.confidence)) for s in STATISTICS]  # fmt: skip
    shown = (tables.studies(synthesis) if synthesis.rows else None, tables.pooled(synthesis), *printed,
             tables.left_out(synthesis), *(tables.subgroups(g, confidence=request.confidence) for g in groups),
             tables.excluded(synthesis))  # fmt: skip
    return PublishedRates(request, synthesis, groups, tuple(summary(synthesis)),
                          tuple(cautions(synthesis, on=request.day)), tuple(t for t in shown if t))  # fmt: skip


def borrow_published(request: RateRequest, *, vague: float = VAGUE) -> BorrowedRate:
    """Estimate the own rate without and with published studies.

    Parameters
    ----------
    request
        With `events` and `n`.
    vague
        Weight of the vague component.

    Raises
    ------
    RegisterRefused
        With every problem of the folders.
    RequestRefused
        With every problem of the request.
    """
    problems = [] if 0 <= vague <= 1 else [_problem("vague", vague, "is no weight", remedy="give a number from 0 to 1")]
    register = _checked(request, problems, own_needed=True)
    events, n = _own(request) or (0, 0)
    borrowing = borrow(register, request.endpoint, events=events, n=n, grade=request.grade_in_force,
                       disease=request.disease, across=request.across, vague=vague,
                       confidence=request.confidence)  # fmt: skip
    synthesis = borrowing.synthesis
    shown = (tables.own_rates(borrowing), tables.prior_worth(borrowing),
             tables.studies(synthesis) if synthesis.rows else None, tables.excluded(synthesis))  # fmt: skip
    return BorrowedRate(request, borrowing, tuple(borrowing_summary(borrowing)),
                        tuple(cautions(synthesis, on=request.day)), tuple(t for t in shown if t))  # fmt: skip


@dataclass(frozen=True)
class BorrowedHazard:
    """The own hazard with its answer in sentences and a table, the one without borrowing first."""

    borrowing: HazardBorrowing
    sentences: tuple[str, ...]
    table: Table


def borrow_published_hazard(*, events: int, exposure: float, studies: Sequence[str]) -> BorrowedHazard:
    """Estimate the own hazard without and with other studies.

    Parameters
    ----------
    events, exposure
        Of the own cohort; the exposure in any one unit, such as patient-months.
    studies
        ``30/140`` or ``Smith 2020:30/140``: events and exposure, one a study.

    Raises
    ------
    RequestRefused
        With every problem.
    """
    problems = [p for p in (_fault_of_hazard("own", events, exposure=exposure),) if p]
    every = []
    for text in studies:
        label, _, counts = text.rpartition(":")
        y, _, t = counts.partition("/")
        try:
            one = label.strip() or counts.strip(), int(y), float(t)
        except ValueError:
            problems.append(_problem("study", text, "is no events/exposure", remedy="write 30/140, or NAME:30/140"))
            continue
        fault = _fault_of_hazard("study", one[1], exposure=one[2])
        problems += [fault] if fault else []
        every.append(one)
    if not studies:
        problems.append(_problem("study", "", "is missing", remedy="give one study at least, as events/exposure"))
    if problems:
        raise RequestRefused(problems)
    borrowed = borrow_hazard(observed_hazard(label="Own cohort", events=events, exposure=exposure),
                             [observed_hazard(label=x, events=y, exposure=t) for x, y, t in every])  # fmt: skip
    return BorrowedHazard(borrowed, tuple(hazard_summary(borrowed)), tables.hazards(borrowed))


def _fault_of_hazard(name: str, events: int, *, exposure: float) -> Problem | None:
    if events >= 0 and 0 < exposure < math.inf:
        return None
    return _problem(
        name, f"{events}/{exposure:g}", "needs events of 0 or more and an exposure above 0", remedy="correct it"
    )


def _own(request: RateRequest) -> tuple[int, int] | None:
    return None if request.events is None or request.n is None else (request.events, request.n)


def _checked(request: RateRequest, problems: Sequence[Problem] = (), *, own_needed: bool = False) -> Register:
    """Return the register, or refuse all that is wrong with the request."""
    register = read_register(*request.folders)
    diseases = list(dict.fromkeys(d for s in register.studies for d in s.diseases))
    every = [
        *problems,
        *_unknown("endpoint", request.endpoint, [*ENDPOINTS, *TOXICITIES]),
        *_unknown("disease", request.disease, diseases),
        *(p for name in request.across for p in _unknown("across", name, DIFFERENCES)),
        *_faults_of_own(request, needed=own_needed),
    ]
    if not 0.5 <= request.confidence < 1:
        every.append(
            _problem("confidence", request.confidence, "is no level of confidence", remedy="give 0.5 to 0.999")
        )
    if every:
        raise RequestRefused(every)
    return register


def _faults_of_own(request: RateRequest, *, needed: bool) -> list[Problem]:
    events, n = request.events, request.n
    if events is None and n is None and not needed:
        return []
    if events is None or n is None:
        name = "events" if events is None else "n"
        return [_problem(name, "", "is missing", remedy="give events and n of the own cohort")]
    faults = []
    if n < 1:
        faults.append(_problem("n", n, "is no number of patients", remedy="give 1 or more"))
    if not 0 <= events <= max(n, 0):
        faults.append(_problem("events", events, "lies outside 0 and n", remedy="give events of n patients"))
    return faults


def _unknown(what: str, name: str | None, names: Sequence[str]) -> list[Problem]:
    if name is None or name in names:
        return []
    near = nearest(name, names, short=3)
    return [
        _problem(
            what, name, f"is no {what} here", remedy=f"did you mean {near!r}?" if near else f"use: {', '.join(names)}"
        )
    ]


def _problem(column: str, value: object, rule: str, *, remedy: str) -> Problem:
    return Problem(table="request", column=column, value=str(value), rule=rule, remedy=remedy)

"""What must be true of studies and figures, beyond the form of each value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.evidence.figures import TOXICITIES, PublishedFigure
from reinfuse.evidence.studies import RegisteredStudy
from reinfuse.exceptions import Problem, nearest

_FIGURES = "figures.csv"
_GRADE = re.compile(r"(>=)?[0-5]")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_DIGITS = 4
"""Printed decimals of a percentage that are told apart."""
Fault = tuple[str, str, str, str]
"""Column, value, rule, remedy."""


def faults_of_studies(own: Sequence[RegisteredStudy], before: Sequence[RegisteredStudy]) -> list[Problem]:
    """Return what is wrong with the studies of a folder, given those of the folders before it."""
    problems = []
    earlier = {s.name for s in before}
    reference = any(s.is_reference for s in before)
    for study in own:
        table = f"{study.name}.toml"
        faults = list(_faults_of_study(study))
        if study.name in earlier:
            faults.append(("name", study.name, "is already a study of the register", "give the file another name"))
        if study.is_reference and reference:
            faults.append(("is_reference", "true", "there is a reference study already", "leave it out"))
        reference = reference or study.is_reference
        problems += [Problem(table=table, column=c, value=v, rule=r, remedy=m) for c, v, r, m in faults]
    return [*problems, *_identifiers_used_twice(own, before)]


def _faults_of_study(study: RegisteredStudy) -> Iterator[Fault]:
    for name in ("label", "journal", "construct", "reason", "read_by"):
        if not getattr(study, name).strip():
            yield name, "", "is empty", "fill it in"
    for name in ("diseases", "antigens"):
        if not getattr(study, name):
            yield name, "", "is empty", "name one at least"
    if study.doi and not _DOI.fullmatch(study.doi):
        yield "doi", study.doi, "is no DOI", "write it as 10.1182/blood.2020006770"
    if study.pmid and not study.pmid.isdecimal():
        yield "pmid", study.pmid, "is no PMID", "write its digits in quotation marks"
    if study.review_by <= study.read_on:
        yield "review_by", str(study.review_by), "is not after read_on", "give the day by which it is to be read again"


def _identifiers_used_twice(own: Sequence[RegisteredStudy], before: Sequence[RegisteredStudy]) -> Iterator[Problem]:
    holders: dict[str, str] = {x.casefold(): s.name for s in before for x in (s.doi, s.pmid) if x}
    for study in own:
        for name in ("doi", "pmid"):
            value = getattr(study, name)
            holder = holders.setdefault(value.casefold(), study.name) if value else study.name
            if holder != study.name:
                yield Problem(table=f"{study.name}.toml", column=name, value=value,
                              rule=f"is that of {holder} too", remedy="leave one of the two out")  # fmt: skip


def faults_of_figures(figures: Sequence[PublishedFigure], studies: Sequence[RegisteredStudy]) -> list[Problem]:
    """Return what is wrong with the figures of a folder, given its studies."""
    by_name = {s.name: s for s in studies}
    problems: list[Problem] = []
    first: dict[tuple[object, ...], int] = {}
    for f in figures:
        faults = [*_faults_of_place(f, by_name), *_faults_of_numbers(f), *_faults_of_basis(f)]
        key = (f.study, f.endpoint, f.grade, f.quantity, f.statistic, f.at_days, f.infusion, f.diseases, f.subset)
        if first.setdefault(key, f.row) != f.row:
            rule = f"is the same quantity of the same patients as row {first[key]}"
            faults.append(("subset", f.subset, rule, "keep one, or say which patients it is of"))
        problems += [Problem(table=_FIGURES, row=f.row, column=c, value=v, rule=r, remedy=m) for c, v, r, m in faults]
    return problems


def _faults_of_place(f: PublishedFigure, studies: dict[str, RegisteredStudy]) -> Iterator[Fault]:
    study = studies.get(f.study)
    if study is None:
        near = nearest(f.study, studies)
        remedy = f"did you mean {near!r}?" if near else f"write {f.study}.toml beside it"
        yield "study", f.study, "there is no file of this study in the folder", remedy
    elif strange := [d for d in f.diseases if d not in study.diseases]:
        yield "diseases", strange[0], "is no disease of the study", f"use: {', '.join(study.diseases)}"
    if f.endpoint is None and not f.quantity:
        yield "endpoint", "", "is empty, and so is quantity", "name an endpoint, or say in quantity what it is"
    if f.endpoint in TOXICITIES:
        if not _GRADE.fullmatch(f.grade):
            yield "grade", f.grade, "is no grade of a toxicity", "write >=3, >=1 or 4"
    elif f.grade:
        yield "grade", f.grade, "only a toxicity has a grade", "leave it empty"
    elif f.endpoint is not None and f.endpoint not in ENDPOINTS:
        every = (*ENDPOINTS, *TOXICITIES)
        near = nearest(f.endpoint, every, short=3)
        remedy = f"did you mean {near!r}?" if near else f"use: {', '.join(every)}; or say what it is in quantity"
        yield "endpoint", f.endpoint, "is no declared endpoint and no kind of toxicity", remedy


def _faults_of_numbers(f: PublishedFigure) -> Iterator[Fault]:
    for name in ("value", "lower", "upper", "at_days"):
        number = getattr(f, name)
        if number is not None and not (math.isfinite(number) and number >= 0):
            yield name, str(number), "is no number of 0 or more", "correct it, or leave it empty"
            return
    for name in ("events", "n"):
        if (getattr(f, name) or 0) < 0:
            yield name, str(getattr(f, name)), "is negative", "give a number of patients"
    if f.events is not None and (f.n is None or f.events > f.n):
        yield "events", str(f.events), "is more than n, or n is empty", "give events of n patients"
    if f.value is not None and not (f.lower or 0) <= f.value <= (math.inf if f.upper is None else f.upper):
        yield "value", f"{f.value:g}", "lies outside its own limits", "correct value, lower or upper"
    if f.statistic in ("proportion", "rate_at") and max(f.value or 0, f.upper or 0) > 100:
        yield "value", f"{f.value:g}", "is more than 100 percent", "give percent"
    if f.statistic == "rate_at" and f.at_days is None:
        yield "at_days", "", "a rate is that at a day", "give the day after the infusion"
    if f.has_counts and f.value is not None and f.basis == "printed" and _disagrees(f):
        share = f"{f.events} of {f.n} is {100 * (f.events or 0) / (f.n or 1):.1f} percent"
        yield "value", f"{f.value:g}", f"does not agree with its counts: {share}", "correct value, events or n"


def _disagrees(f: PublishedFigure) -> bool:
    """Tell whether a printed percentage is none that its counts round to."""
    value = f.value or 0.0
    decimals = next(d for d in range(_DIGITS + 1) if d == _DIGITS or round(value, d) == value)
    return abs(100 * (f.events or 0) / (f.n or 1) - value) > 0.5 * 10.0**-decimals + 1e-9


def _faults_of_basis(f: PublishedFigure) -> Iterator[Fault]:
    numbers = any(x is not None for x in (f.value, f.events, f.lower, f.upper))
    if f.basis == "derived" and not f.arithmetic:
        yield "arithmetic", "", "a derived figure needs it", "say how it follows from what is printed"
    if f.basis == "not printed" and numbers:
        yield "basis", f.basis, "says that it is not printed, and a number stands there", "say printed or derived"
    if f.basis != "not printed" and not numbers and f.n is None:
        yield "value", "", "no number is given", "give one, or say 'not printed' as its basis"

"""Published repeat infusions beside the cohort: each study's proportion, their synthesis, and how old they are.

The records of this name hold nothing of the cohort's patients: its own proportions are those of `response` and
`toxicity`, and its place among the studies is a record of its own (`published_synthesis`). Which studies may be taken
together is decided in `evidence.register`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from reinfuse.analyses.base import Analysis, Inputs, Step, without_curves
from reinfuse.analyses.proportion import proportion
from reinfuse.analyses.published_synthesis import pooled
from reinfuse.analyses.toxicity import SEVERE, kind_of
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, names
from reinfuse.cohort.strata import Stratum, factor_of, level_of
from reinfuse.evidence.figures import TOXICITIES, PublishedFigure
from reinfuse.evidence.reading import read_register
from reinfuse.evidence.register import Poolable, Register
from reinfuse.evidence.studies import RegisteredStudy
from reinfuse.exceptions import PlanRefused, Problem, nearest
from reinfuse.results.estimate import Estimate, joined

NAME, RECORDS = "published studies", "published"
STUDY = "study"
"""The factor of a group that is one study."""
POOLED_ENDPOINTS = names(of_best_response=True)
"""Endpoints whose published proportions are pooled."""
_REGISTER = "register of published studies"
_RETRACTED = "retraction: "
"""How the note of such a notice begins: its kind, before the reference (`_notices`)."""
INDEX = 2
"""The register holds second infusions."""


@dataclass(frozen=True)
class _Question:
    """What is compared: an endpoint, or a kind of severe toxicity, in all patients or those of one diagnosis."""

    name: str
    grade: str
    population: str
    disease: str | None

    def place(self) -> Estimate:
        """Return an empty record of it."""
        if self.grade:
            return Estimate(RECORDS, None, "", self.population, term=Stratum(self.name, self.grade))
        return Estimate(RECORDS, self.name, "", self.population)


def published(inputs: Inputs, register: Register, *, on: date) -> list[Estimate]:
    """Return the published proportions of each binary endpoint and severe toxicity of the cohort.

    Parameters
    ----------
    on
        Today: how old the evidence is.
    """
    records = []
    asked = inputs.plan.evidence
    for question in _questions(inputs):
        pool = register.poolable(question.name, grade=question.grade, disease=question.disease,
                                 across=asked.across, without=asked.leave_out)  # fmt: skip
        if pool.figures or any(e.study.is_retracted for e in pool.excluded):
            records += list(_of(question, pool, register, confidence=inputs.plan.confidence, on=on))
    return records


def _questions(inputs: Inputs) -> Iterator[_Question]:
    data = inputs.data
    ends = [(e.name, "") for e in data.endpoints if e.kind == "binary" and e.name in ENDPOINTS]
    kinds = [(k, Stratum.at_least(k, SEVERE).level) for k in map(kind_of, data.grades) if k in TOXICITIES]
    diagnoses = {p: level_of(p) for p in data.populations if factor_of(p) == "diagnosis"}
    every = _diagnoses(inputs)
    for name, grade in (*ends, *kinds):
        yield _Question(name, grade, "all", every[0] if len(every) == 1 else None)
        if len(every) > 1:
            yield from (_Question(name, grade, p, disease) for p, disease in diagnoses.items())


def _diagnoses(inputs: Inputs) -> list[str]:
    """Return the diagnoses of the cohort."""
    frame = inputs.data.frame
    return [str(d) for d in frame["diagnosis"].drop_nulls().unique().sort()] if "diagnosis" in frame.columns else []


def _of(question: _Question, pool: Poolable, register: Register, *, confidence: float, on: date) -> Iterator[Estimate]:
    place = question.place()
    for figure in pool.figures:
        study = register.study(figure.study)
        if study is not None:
            yield from _study(place, figure, study, confidence=confidence, on=on)
    for excluded in pool.excluded:
        group = Stratum(STUDY, excluded.study.label)
        yield replace(place, statistic="excluded", group=group, note=excluded.reason, method=_REGISTER)
        yield from _notices(place, excluded.study)


def _study(
    place: Estimate, figure: PublishedFigure, study: RegisteredStudy, *, confidence: float, on: date
) -> Iterator[Estimate]:
    """Yield a study's proportion, the age of what was read, the days until it is to be read again, and notices."""
    group = Stratum(STUDY, study.label)
    events, n = figure.events or 0, figure.n or 0
    *_, share = proportion(events, n, confidence, analysis=RECORDS, endpoint=place.endpoint)
    stale = f"STALE: was to be read again by {study.review_by}" if study.is_stale(on) else None
    derived = "count derived from what is printed" if figure.arithmetic else None
    note = joined([stale, f"read as {study.read_as}", derived, figure.note])
    yield replace(share, population=place.population, term=place.term, level=place.level, group=group, note=note)
    days = {"age": (on - study.read_on).days, "to_review": (study.review_by - on).days}
    for statistic, value in days.items():
        yield replace(place, statistic=statistic, group=group, estimate=float(value), unit="days", method=_REGISTER,
                      n=n, events=events)  # fmt: skip
    yield from _notices(place, study)


def _notices(place: Estimate, study: RegisteredStudy) -> Iterator[Estimate]:
    for notice in study.alarms:
        text = f"{notice.kind}: {notice.reference}"
        yield replace(place, statistic="notice", group=Stratum(STUDY, study.label), note=text, method=_REGISTER)


def retractions(estimates: Iterable[Estimate]) -> dict[str, str]:
    """Return the studies that these records say were retracted, each with the notice's reference."""
    notices = (e for e in estimates if e.analysis == RECORDS and e.statistic == "notice")
    return {level_of(e.group): e.note.removeprefix(_RETRACTED) for e in notices
            if e.note and e.note.startswith(_RETRACTED)}  # fmt: skip


def _refuse_unknown(register: Register, chosen: Sequence[str]) -> None:
    every = [s.name for s in register.studies]
    unknown = [n for n in chosen if n not in every]
    if unknown:
        remedies = {n: f"did you mean {near!r}?" if (near := nearest(n, every)) else "`reinfuse evidence` lists them"
                    for n in unknown}  # fmt: skip
        raise PlanRefused(Problem(table="plan", column="evidence.leave_out", value=n, remedy=remedies[n],
                                  rule="is no study of the register") for n in unknown)  # fmt: skip


def _steps(inputs: Inputs) -> Iterator[Step]:
    """Yield the one step; the register is read first, so that what is wrong with it is refused."""
    if inputs.plan.index_infusion == INDEX:
        register = read_register(*map(Path, inputs.plan.evidence.registers))
        _refuse_unknown(register, inputs.plan.evidence.leave_out)
        own = set(_diagnoses(inputs))
        register = Register(tuple(s for s in register.studies if own & {*s.diseases}))
        yield without_curves(NAME, lambda: published(inputs, register, on=date.today()))
        rest = Register(tuple(s for s in register.studies if s.name not in inputs.plan.evidence.leave_out))
        for question in _questions(inputs):
            if question.name in POOLED_ENDPOINTS and question.population == "all":
                label = ENDPOINTS[question.name].label
                yield without_curves(
                    f"{NAME}, {label}", partial(_pooled, inputs, rest, question), endpoint=question.name
                )


def _pooled(inputs: Inputs, register: Register, question: _Question) -> list[Estimate]:
    (end,) = [e for e in inputs.data.endpoints if e.name == question.name]
    values = end.event[end.known]
    own = (int(values.sum()), len(values)) if len(values) else None
    return pooled(question.place(), register, disease=question.disease, across=inputs.plan.evidence.across, own=own,
                  confidence=inputs.plan.confidence)  # fmt: skip


ANALYSIS = Analysis(
    NAME,
    records=RECORDS,
    section="evidence",
    steps=_steps,
    what="published proportions of second infusions, pooled, and the cohort's own place among them",
    method=(
        "Clopper-Pearson interval of each study (Biometrika 1934;26:404); binomial-normal mixed model (Stat Med "
        "2010;29:3046); prediction for a further study by quadrature, tau half-normal (Res Synth Methods 2017;8:79)"
    ),
    lacking="the register holds no comparable study of these diagnoses",
    switches=("evidence",),
    disclosure="published",
)

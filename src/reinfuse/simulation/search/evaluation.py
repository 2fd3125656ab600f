"""Protocols evaluated in the same patients, whoever of them is given the second infusion.

Whom a protocol treats depends on its interval: patients who wait longer and still need the infusion have slowly growing
tumours (selection bias). So the patients are fixed beforehand: those who need a second infusion on the earliest day on
which any protocol of the search could give it. Patients who have died, or no longer need it, when a protocol would give
it are counted with their own state at the same time. The clock of every outcome starts at the second infusion: the wait
itself is neither good nor bad.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TypeVar, cast

import numpy as np
from scipy.special import expit

from reinfuse.arrays import Bools, Floats
from reinfuse.simulation.calibration.reference_study import CALIBRATION_RTOL, run_protocol
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.virtual_patients import Member, RandomNumbers, draws, parameters
from reinfuse.simulation.search.design_space import DURABLE, INTERVAL, Question
from reinfuse.simulation.solver.readouts import BURDEN
from reinfuse.simulation.trial.array_store import ArrayStore
from reinfuse.simulation.trial.outcomes import CLEAR, RESIDUAL, Outcomes, needs_another, outcomes
from reinfuse.simulation.trial.protocol import Arm
from reinfuse.simulation.trial.toxicity import rates_of_members
from reinfuse.simulation.trial.trial import PATIENTS_A_BLOCK, QUANTITIES, Runner, quantities

Block = tuple[int, int]
R = TypeVar("R")
_FOLLOW = {DURABLE: 183.0, "pfs_6_months": 183.0, "seen_day90": 91.0, "seen_day180": 181.0}
_SOON = 29.0
"""Follow-up of the other objectives, days."""
_HALF_YEAR, _COURSE = 182.6, 28.0


@dataclass(frozen=True)
class EvaluatedProtocol:
    """Outcomes of a protocol in the patients of a search; arrays of shape (patients,).

    `value`: the objective; `toxicity`: probability of CRS of grade 3 or more; `burden`: expected number of toxicities
    of the second infusion (severe CRS and those of `trial.toxicity`), as if it were given to everybody: otherwise a
    wait until patients have died would spare them; `exposed`: whether the patient counts for
    toxicity; `given`: whether the second infusion was given.
    """

    value: Floats
    toxicity: Floats
    burden: Floats
    exposed: Bools
    given: Bools

    def net(self, weight: float) -> Floats:
        """Return the objective of each patient minus the toxicities, each counted with a weight."""
        benefit: Floats = self.value - weight * self.burden
        return benefit


@dataclass(frozen=True)
class EvaluationSample:
    """Patients in whom protocols are evaluated; small, so that it can be sent to a worker.

    Attributes
    ----------
    first, count
        Numbers of the virtual patients.
    eligible
        Which of them count; shape (count,).
    """

    question: Question
    ensemble: Ensemble
    seed: int
    first: int
    count: int
    eligible: Bools

    @property
    def which(self) -> np.ndarray:
        """The member of each patient who counts."""
        return np.arange(self.first, self.first + self.count)[self.eligible] % len(self.ensemble)


def all_patients(question: Question, ensemble: Ensemble, seed: int, *, first: int, count: int) -> EvaluationSample:
    """Return the sample of all virtual patients."""
    return EvaluationSample(question, ensemble, seed, first, count, np.ones(count, dtype=np.bool_))


def eligible_patients(
    question: Question, ensemble: Ensemble, seed: int, *, first: int, count: int, runner: Runner,
    store: ArrayStore | None = None,
) -> EvaluationSample:  # fmt: skip
    """Return the patients in whom protocols are evaluated: all if CART1 is searched too, else those who need CART2 on
    the earliest possible day; from a store, if they are in it."""
    every = all_patients(question, ensemble, seed, first=first, count=count)
    if question.search_cart1:
        return every
    point = question.usual
    days = [c.name for c in question.coordinates].index(INTERVAL)
    point[days] = question.coordinates[days].low
    arm = question.arm(point)
    stored = store.load(_name("eligible", every, arm)) if store else None
    if stored is not None:
        return replace(every, eligible=stored["eligible"])
    flags = np.concatenate(_through(runner, partial(_eligible, every, arm), every))
    if store:
        store.save(_name("eligible", every, arm), {"eligible": flags})
    return replace(every, eligible=flags)


def _name(what: str, on: EvaluationSample, arm: Arm) -> str:
    """Return the name under which an evaluation is stored."""
    return repr((what, on.first, on.count, arm.model_dump_json()))


def evaluate(on: EvaluationSample, arm: Arm, runner: Runner, *, treated: bool = False,
             store: ArrayStore | None = None) -> EvaluatedProtocol:  # fmt: skip
    """Return a protocol evaluated in the patients, from a store if it is in it.

    Parameters
    ----------
    treated
        Whether only patients who are given the second infusion are followed; the others' values are 0.
    """
    name = _name("treated" if treated else "all", on, arm)
    arrays = store.load(name) if store else None
    if arrays is None:
        parts = _through(runner, partial(_evaluated, on, arm, treated), on)
        arrays = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(EvaluatedProtocol)}
        if store:
            store.save(name, arrays)
    return EvaluatedProtocol(**arrays)


def _through(runner: Runner, work: Callable[[Block], R], on: EvaluationSample) -> Sequence[R]:
    starts = range(0, on.count, PATIENTS_A_BLOCK)
    blocks = [(start, min(PATIENTS_A_BLOCK, on.count - start)) for start in starts]
    each = cast("Callable[[Callable[[Block], R], Sequence[Block]], Sequence[R]]", runner)
    return list(each(work, blocks))


@dataclass(frozen=True)
class _PatientSample:
    """Patients of a block, and how they are brought through an arm."""

    member: Member
    p: Floats
    drawn: RandomNumbers
    intercept: Floats
    which: np.ndarray

    def through(self, arm: Arm, follow: float) -> Floats:
        day = np.tile(arm.schedule.day, (len(self.p), 1))
        return run_protocol(
            self.member,
            self.p,
            self.drawn,
            schedule=arm.schedule,
            day=day,
            follow=follow,
            rtol=CALIBRATION_RTOL,
            counted=np.empty(0),
        )[0]

    def only(self, who: Bools) -> _PatientSample:
        return _PatientSample(self.member[who], self.p[who], self.drawn[who], self.intercept[who], self.which[who])

    def crs(self, outcome: Outcomes) -> Floats:
        rate: Floats = expit(self.intercept + outcome.crs)
        return rate


def _sample(on: EvaluationSample, block: Block) -> _PatientSample:
    first, count = block
    drawn = draws(on.seed, on.first + first, count)
    member, which = on.ensemble.of_patients(on.first + first, count)
    member = member.of_diseases(on.question.diseases)
    every = _PatientSample(member, parameters(member, drawn), drawn, on.ensemble.intercept[which], which)
    return every.only(on.eligible[first : first + count])


def _eligible(on: EvaluationSample, arm: Arm, block: Block) -> Bools:
    out = _sample(on, block).through(arm, _SOON)
    return needs_another(out[:, 0], out[:, 1])


def _evaluated(on: EvaluationSample, arm: Arm, treated: bool, block: Block) -> EvaluatedProtocol:
    patients, objective = _sample(on, block), on.question.objective
    out = patients.through(arm, _FOLLOW.get(objective, _SOON))
    given, outcome = needs_another(out[:, 0], out[:, 1]), outcomes(out[:, 1])
    crs = patients.crs(outcome)
    value = _reached(outcome, crs, objective=objective)
    before = outcomes(out[:, 0])
    waiting = ~given & before.given & ~before.died
    value[~given] = 0.0
    if not treated:
        value[waiting] = _without(patients.only(waiting), arm, objective, response=before.response[waiting],
                                  burden=out[waiting, 1, BURDEN])  # fmt: skip
    rates = rates_of_members(len(on.ensemble))
    first, second = (rates.burden(infusion)[patients.which] for infusion in arm.infusions)
    usual = float(crs[given].mean()) if given.any() else 0.0
    burden = second + np.where(given, crs, usual)
    crs = np.where(given, crs, 0.0)
    if not on.question.search_cart1:
        return EvaluatedProtocol(value, crs, burden, given, given)
    crs_before = np.where(before.given, patients.crs(before), 0.0)
    either = 1 - (1 - crs_before) * (1 - crs)
    burden = burden + np.where(before.given, crs_before + first, 0.0)
    return EvaluatedProtocol(value, either, burden, before.given, given)


def _reached(outcome: Outcomes, crs: Floats, *, objective: str) -> Floats:
    if objective == DURABLE:
        lost = (outcome.progressed & (outcome.pfs <= _HALF_YEAR)) | (outcome.died & (outcome.os <= _HALF_YEAR))
        return (outcome.response & ~lost).astype(np.float64)
    return quantities(outcome, crs)[:, QUANTITIES.index(objective)]


def _without(patients: _PatientSample, arm: Arm, objective: str, *, response: Bools, burden: Floats) -> Floats:
    """Return the objective of patients who were not given CART2, at the time at which it would have been read.

    Parameters
    ----------
    response, burden
        Response to CART1; tumour when CART2 would have been given.
    """
    due = arm.infusions[1].after_days
    outcome = outcomes(patients.through(Arm(name="CART1", infusions=arm.infusions[:1]), due + _HALF_YEAR + 1)[:, 0])

    def event_free(day: float) -> Bools:
        flags: Bools = ~(outcome.progressed & (outcome.pfs <= due + day)) & ~(outcome.died & (outcome.os <= due + day))
        return flags

    if objective == "pfs_6_months":
        reached = event_free(_HALF_YEAR)
    elif objective.startswith("seen_day"):
        reached = outcome.persistence >= due + float(objective.removeprefix("seen_day"))
    else:
        least = {"cr": CLEAR, "umrd_day28": RESIDUAL}
        state = burden < least[objective] if objective in least else response | (burden < CLEAR)
        reached = event_free(_HALF_YEAR if objective == DURABLE else _COURSE) & state
    return reached.astype(np.float64)

"""Virtual trials: the same patients in every arm, in every population that the ensemble holds.

Patients are simulated in blocks whose sums are added (`accumulators`), so that memory does not grow with their number,
and a block gives the same sums wherever it is simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Protocol

import numpy as np
from scipy.special import expit

from reinfuse.arrays import Bools, Floats
from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.runtime.parallel import CORES
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.reference_study import run_protocol
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.random_effects import SHARE, Bounds
from reinfuse.simulation.population.virtual_patients import BLOCK, draws, parameters
from reinfuse.simulation.solver.integrate import RTOL
from reinfuse.simulation.trial.accumulators import BINS, WEEK, Tally, added, binned, by_member, stacked
from reinfuse.simulation.trial.outcomes import Outcomes, needs_another, outcomes
from reinfuse.simulation.trial.protocol import Protocols

PATIENTS_A_BLOCK = 2 * BLOCK
COUNTED = np.array([0.0, 3, 5, 7, 10, 14, 21, 28, 42, 60, 90, 120, 180, 270, 365])
QUANTITIES = ("response", "cr", "umrd_day28", "crs_grade_3", "pfs_6_months", "seen_day28", "seen_day90", "seen_day180",
              "pfs_days", "persistence_days", "log10_peak")  # fmt: skip
"""What is summed of each patient: eight shares, then restricted mean days and log10 of the peak."""
SHARES = QUANTITIES[:8]
HALF_YEAR = 182.6
READ_ON: Mapping[str, float] = {"pfs_6_months": HALF_YEAR, "seen_day28": 28.0, "seen_day90": 90.0, "seen_day180": 180.0}
"""Day on which a quantity is read; the response and uMRD are read on day 28, within any follow-up."""


@dataclass(frozen=True)
class Trial:
    """The design of a virtual trial; small, so that it can be sent to a worker.

    Attributes
    ----------
    changed
        Parameters that are set to one value in all patients: mechanisms switched off.
    """

    protocols: Protocols
    ensemble: Ensemble
    seed: int
    changed: Mapping[str, float] = field(default_factory=dict)

    def blocks(self, patients: int) -> tuple[tuple[int, int], ...]:
        """Return first patient and number of patients of each block."""
        starts = range(0, patients, PATIENTS_A_BLOCK)
        return tuple((first, min(PATIENTS_A_BLOCK, patients - first)) for first in starts)


class Runner(Protocol):
    """Whatever brings blocks through a function: threads here, or a cluster."""

    def __call__(self, work: Callable[[tuple[int, int]], Tally], blocks: Iterable[tuple[int, int]]) -> Iterable[Tally]:
        """Yield the sums of each block, in order."""
        ...


def run(trial: Trial, patients: int, runner: Runner, *, progress: Progress | None = None) -> Tally:
    """Return the sums of a virtual trial with `patients` virtual patients in every arm.

    Raises
    ------
    PlanRefused
        If sums come back that cannot be those of their patients (`sound`).
    """
    blocks = trial.blocks(patients)

    def validated() -> Iterable[Tally]:
        for completed, (block, part) in enumerate(
            zip(blocks, runner(partial(block_of, trial), blocks), strict=True), 1
        ):
            if not sound(trial, block, part):
                rule = "the sums that came back cannot be those of these patients"
                patients_of = f"virtual patients {block[0]} to {block[0] + block[1] - 1}"
                raise PlanRefused(
                    [
                        Problem(
                            table="virtual", value=patients_of, rule=rule, remedy="check the workers, and start again"
                        )
                    ]
                )
            if progress:
                progress("virtual patients", completed, len(blocks))
            yield part

    return added(validated())


def sound(trial: Trial, block: tuple[int, int], part: object) -> bool:
    """Return whether sums can be those of a block: of all its arms, members and quantities, and of all its patients."""
    if not isinstance(part, Tally):
        return False
    arms, members, follow = len(trial.protocols.all_arms), len(trial.ensemble), trial.protocols.follow_days
    weeks, days = len(np.arange(0.0, follow + 1e-9, WEEK)), int(np.sum(follow >= COUNTED))
    last = {"met": (), "given": (), "both": (), "free": (weeks,), "detectable": (weeks,)}
    shapes = {f.name: (members, arms, *last.get(f.name, (len(QUANTITIES),))) for f in fields(Tally)}
    shapes |= {"courses": (arms, days, BINS), "peaks": (arms, BINS)}
    arrays = {name: getattr(part, name) for name in shapes}
    if any(not isinstance(a, np.ndarray) or a.shape != shapes[name] for name, a in arrays.items()):
        return False
    met = by_member(np.ones(block[1]), np.arange(block[0], sum(block)) % members, members=members)
    return bool(
        all(a.dtype.kind in "fi" and np.isfinite(a).all() for a in arrays.values())
        and np.array_equal(part.met, np.repeat(met[:, None], arms, axis=1))
        and np.all((part.both >= 0) & (part.both <= part.given) & (part.given <= part.met))
        and np.all((part.free >= 0) & (part.free <= part.given[..., None]))
        and np.array_equal(part.peaks.sum(axis=1), part.given.sum(axis=0))
    )


def block_of(trial: Trial, block: tuple[int, int]) -> Tally:
    """Return the sums of one block of patients."""
    first, count = block
    drawn = draws(trial.seed, first, count)
    member, which = trial.ensemble.of_patients(first, count)
    member = member.of_diseases(trial.protocols.diseases).without(trial.changed)
    p = parameters(member, drawn)
    arms, follow = trial.protocols.all_arms, trial.protocols.follow_days
    days = COUNTED[follow >= COUNTED]
    weeks = np.arange(0.0, follow + 1e-9, WEEK)
    tallies, reference = [], None
    for arm in arms:
        schedule = arm.schedule
        out, counts = run_protocol(
            member,
            p,
            drawn,
            schedule=schedule,
            day=np.tile(schedule.day, (count, 1)),
            follow=follow,
            rtol=RTOL,
            counted=days,
        )
        outcome, given = outcomes(out[:, -1]), who_is_given(trial.protocols, out)
        values = quantities(outcome, expit(trial.ensemble.intercept[which] + outcome.crs))
        reference = (given, values) if reference is None else reference
        tallies.append(
            _summed(
                outcome,
                given,
                values,
                reference=reference,
                which=which,
                members=len(trial.ensemble),
                weeks=weeks,
                counts=counts[:, -1],
            )
        )
    return stacked(tallies)


def who_is_given(protocols: Protocols, out: Floats) -> Bools:
    """Return which patients are given the last infusion of a protocol: none who had died before it."""
    given: Bools = np.isfinite(out[:, -1, 0])
    if protocols.selected:
        for k in range(out.shape[1] - 1):
            given = given & needs_another(out[:, k], out[:, k + 1])
    return given


def unread(follow: float) -> dict[str, str]:
    """Return the quantities that a follow-up of so many days is too short to read, each with the reason."""
    return {name: f"left out: it is read on day {day:g}, and the follow-up ends on day {follow:g}"
            for name, day in READ_ON.items() if day > follow}  # fmt: skip


def bounds_of(name: str, follow: float) -> Bounds | None:
    """Return the least and the greatest possible value of a quantity; None if it has none."""
    if name in SHARES:
        return SHARE
    return (0.0, follow) if name.endswith("_days") else None


def quantities(outcome: Outcomes, crs: Floats) -> Floats:
    """Return `QUANTITIES` of patients; shape (patients, 11)."""
    with np.errstate(divide="ignore"):
        peak = np.log10(np.maximum(outcome.cmax, 1e-9))
    return np.column_stack([
        outcome.response, outcome.cr, outcome.umrd, crs, ~(outcome.progressed & (outcome.pfs <= HALF_YEAR)),
        outcome.persistence >= 28, outcome.persistence >= 90, outcome.persistence >= 180,
        outcome.pfs, outcome.persistence, peak,
    ]).astype(np.float64)  # fmt: skip


def _summed(outcome: Outcomes, given: Bools, values: Floats, *, reference: tuple[Bools, Floats], which: np.ndarray,
            members: int, weeks: Floats, counts: Floats) -> Tally:  # fmt: skip
    """Return the sums of one arm: as a tally without the axis of arms."""

    def of(who: Bools, what: Floats) -> Floats:
        return by_member(what[who], which[who], members=members)

    both, gain = given & reference[0], values - reference[1]
    free = (~outcome.progressed[:, None] | (outcome.pfs[:, None] > weeks)).astype(np.float64)
    detectable = (outcome.persistence[:, None] >= weeks).astype(np.float64)
    ones = np.ones(len(given))
    return Tally(by_member(ones, which, members=members), of(given, ones), of(given, values), of(given, values**2),
                 of(both, ones), of(both, gain), of(both, gain**2), of(both, values),
                 of(both, values * reference[1]), of(given, free), of(given, detectable),
                 binned(counts[given]), binned(outcome.cmax[given]))  # fmt: skip


def in_threads(cores: int = CORES) -> Runner:
    """Return the runner on this machine's cores."""
    from concurrent.futures import ThreadPoolExecutor

    def runner(work: Callable[[tuple[int, int]], Tally], blocks: Iterable[tuple[int, int]]) -> Iterable[Tally]:
        with ThreadPoolExecutor(cores) as pool:
            yield from _ahead(pool, work, blocks, most=4 * cores)

    return runner


def _ahead(pool: object, work: Callable[[tuple[int, int]], Tally], blocks: Iterable[tuple[int, int]],
           *, most: int) -> Iterable[Tally]:  # fmt: skip
    """Yield results in order, with a few blocks ahead, so that memory stays the same."""
    from collections import deque
    from concurrent.futures import Executor, Future

    assert isinstance(pool, Executor)
    waiting = deque[Future[Tally]]()
    for block in blocks:
        waiting.append(pool.submit(work, block))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()

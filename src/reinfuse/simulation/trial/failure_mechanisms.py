"""Mechanisms of failure: which patients without response would have had one, had a mechanism been absent from the last
infusion on.

The same patients, from the same state before the last lymphodepletion; one mechanism is changed at a time. A patient
may respond after several of the changes, or after none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from reinfuse.arrays import Bools, Floats
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.reference_study import run_protocol
from reinfuse.simulation.model.equations import N, P
from reinfuse.simulation.model.parameters import INDEX, MECHANISMS
from reinfuse.simulation.population.random_effects import CONFIDENCE, METHOD, SHARE, moments
from reinfuse.simulation.population.virtual_patients import draws, fitness, parameters
from reinfuse.simulation.solver.integrate import RTOL
from reinfuse.simulation.trial.accumulators import by_member
from reinfuse.simulation.trial.outcomes import outcomes
from reinfuse.simulation.trial.protocol import Arm, Schedule
from reinfuse.simulation.trial.restart import before_last, last_infusion
from reinfuse.simulation.trial.trial import Trial, who_is_given

TENFOLD = "too few cells (a tenfold dose)"
SWITCHED: Mapping[str, Mapping[str, float]] = {
    "rejection": MECHANISMS["anti-CAR immunity"],
    "exhaustion": MECHANISMS["exhaustion"],
    "limit of expansion": MECHANISMS["limit of expansion"],
    "slow killing (tenfold)": {},
}
ANTIGEN = "antigen loss (all tumour keeps it)"


def reasons(trial: Trial, patients: int, *, progress: Progress | None = None) -> tuple[Estimate, ...]:
    """Return, for each arm of two or more infusions, the share of non-responders who respond after each
    change."""
    arms = trial.protocols.all_arms
    if len(arms[0].infusions) < 2:
        return ()
    drawn = draws(trial.seed, 0, patients)
    member, which = trial.ensemble.of_patients(0, patients)
    member = member.of_diseases(trial.protocols.diseases)
    p, fit = parameters(member, drawn), fitness(member, drawn, len(arms[0].infusions))
    estimates: list[Estimate] = []
    for completed, arm in enumerate(arms, 1):
        schedule = arm.schedule
        day = np.tile(schedule.day, (patients, 1))
        out, _ = run_protocol(
            member,
            p,
            drawn,
            schedule=schedule,
            day=day,
            follow=trial.protocols.follow_days,
            rtol=RTOL,
            counted=np.empty(0),
        )
        given = who_is_given(trial.protocols, out)
        failed = given & ~outcomes(out[:, -1]).response
        y = before_last(p, fit, drawn.least, schedule=schedule)
        rescued = _rescued(y, p, fit, least=drawn.least, schedule=schedule, follow=trial.protocols.follow_days)
        estimates += _records(
            arm,
            failed,
            rescued,
            lost=outcomes(out[:, -1]).antigen_negative,
            given=given,
            which=which,
            members=len(trial.ensemble),
        )
        if progress:
            progress("mechanisms of failure", completed, len(arms))
    return tuple(estimates)


def _rescued(
    y: Floats, p: Floats, fit: Floats, *, least: Floats, schedule: Schedule, follow: float
) -> dict[str, Bools]:
    def response(changed: Floats, timing: Schedule, start: Floats = y) -> Bools:
        return outcomes(last_infusion(start, changed, fit, least=least, schedule=timing, follow=follow)).response

    responders = {}
    for name, change in SWITCHED.items():
        changed = p.copy()
        for parameter, value in change.items():
            changed[:, INDEX[parameter]] = value
        if not change:
            changed[:, INDEX["kk"]] *= 10
        responders[name] = response(changed, schedule)
    event = schedule.event.copy()
    event[:, 3] *= np.where(schedule.course == len(schedule.day) - 1, 10.0, 1.0)
    responders[TENFOLD] = response(p, Schedule(schedule.course, event, schedule.day))
    no_loss, all_positive = p.copy(), y.copy()
    no_loss[:, INDEX["mu"]] = 0.0
    all_positive[:, P], all_positive[:, N] = y[:, P] + y[:, N], 0.0
    responders[ANTIGEN] = response(no_loss, schedule, all_positive)
    return responders


def _records(arm: Arm, failed: Bools, rescued: Mapping[str, Bools], *, lost: Bools, given: Bools, which: np.ndarray,
             members: int) -> Iterator[Estimate]:  # fmt: skip
    for name, yes in rescued.items():
        yield _share(arm, "response", name, among=failed, yes=yes, which=which, members=members)
    none = ~np.any(list(rescued.values()), axis=0)
    yield _share(arm, "response", "none of these alone", among=failed, yes=none, which=which, members=members)
    progressed = given & ~failed
    yield _share(
        arm, "progression", "antigen loss, among responders", among=progressed, yes=lost, which=which, members=members
    )


def _share(
    arm: Arm, endpoint: str, term: str, *, among: Bools, yes: Bools, which: np.ndarray, members: int
) -> Estimate:
    values = yes[among].astype(np.float64)
    n = by_member(np.ones(len(values)), which[among], members=members)
    total = by_member(values, which[among], members=members)
    pooled = moments(n, total, total)
    low, high = pooled.limits(SHARE) or (None, None)
    return Estimate("virtual_reasons", endpoint, "proportion", group=arm.name, term=term,
                    estimate=pooled.mean if np.isfinite(pooled.mean) else None, lower=low, upper=high,
                    confidence=None if low is None else CONFIDENCE, method=METHOD, n=int(among.sum()),
                    events=int(values.sum()), note=None if np.isfinite(pooled.mean) else NOT_ESTIMABLE)  # fmt: skip

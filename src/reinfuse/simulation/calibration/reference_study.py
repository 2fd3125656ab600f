"""The reference study, simulated: first infusions, who needs a second, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.simulation.model.parameters import DISEASES, Disease
from reinfuse.simulation.population.virtual_patients import (
    Member,
    RandomNumbers,
    diseases,
    draws,
    fitness,
    parameters,
)
from reinfuse.simulation.solver.integrate import solve
from reinfuse.simulation.solver.readouts import READ, TMAX_DAY
from reinfuse.simulation.trial.outcomes import Outcomes, exclude_the_dead, needs_another, outcomes
from reinfuse.simulation.trial.protocol import Arm, Infusion, Regimen, Schedule

LOW, HIGH = 2e6, 2e7
"""Doses of the reference trial that are compared, cells/kg (Turtle 2016: 2e6 became the dose, 2e7 was tried)."""
INTERVAL, INTERVAL_SPREAD, INTERVALS = 116.5, 0.604, (35.0, 373.0)
"""Days between infusions: median and range of JITC 2022;10:e004483; the spread puts 95 % within the range."""
LONG = 730.0
YEAR = 365.0
COUNTED = np.array([7.0, 14.0, 28.0, 90.0, 180.0])
CALIBRATION_RTOL = 1e-4
REGIMENS_BEFORE: tuple[Regimen, Regimen] = ("Cy", "Cy-Flu")
DOSES = (LOW, HIGH)


@dataclass(frozen=True)
class FirstInfusion:
    """CART1 after one regimen, followed for two years: outcomes, day of the peak, counts on `COUNTED`."""

    outcomes: Outcomes
    tmax: Floats
    counts: Floats

    def among(self, who: Bools) -> FirstInfusion:
        """Return some of the patients."""
        return FirstInfusion(_among(self.outcomes, who), self.tmax[who], self.counts[who])


@dataclass(frozen=True)
class SecondInfusion:
    """CART2 after one regimen before CART1, with one dose; `selected`: the patients to whom the study would give it;
    `before`: those with a response to CART1."""

    outcomes: Outcomes
    selected: Bools
    before: Bools

    def among(self, who: Bools) -> SecondInfusion:
        """Return some of the patients."""
        return SecondInfusion(_among(self.outcomes, who), self.selected[who], self.before[who])


@dataclass(frozen=True)
class Simulated:
    """A simulated study: CART1 by regimen; CART2 by (regimen before CART1, dose) in the same patients, and the disease
    of each (its place in `parameters.DISEASES`)."""

    first: Mapping[Regimen, FirstInfusion]
    second: Mapping[tuple[Regimen, float], SecondInfusion]
    disease: Integers

    def of(self, disease: Disease | None) -> Simulated:
        """Return the patients with a disease; all without one."""
        if disease is None:
            return self
        who = self.disease == DISEASES.index(disease)
        return Simulated({k: v.among(who) for k, v in self.first.items()},
                         {k: v.among(who) for k, v in self.second.items()}, self.disease[who])  # fmt: skip


def _among(outcome: Outcomes, who: Bools) -> Outcomes:
    return Outcomes(*(getattr(outcome, f.name)[who] for f in fields(Outcomes)))


def simulate(member: Member, seed: int, patients: int, *, rtol: float = CALIBRATION_RTOL) -> Simulated:
    """Return the study in `patients` virtual patients of a member, each in every arm."""
    drawn = draws(seed, 0, patients)
    p = parameters(member, drawn)
    days = intervals(drawn)
    first = {r: _first(member, p, drawn, regimen=r, rtol=rtol) for r in REGIMENS_BEFORE}
    second: dict[tuple[Regimen, float], SecondInfusion] = {}
    for regimen in REGIMENS_BEFORE:
        outcome = first[regimen].outcomes
        failed = ~outcome.response | (outcome.progressed & (outcome.pfs < days - 3))
        failed &= outcome.given & ~(outcome.died & (outcome.os < days - 3))
        for dose in DOSES:
            second[regimen, dose] = _second(
                member, p, drawn, regimen=regimen, dose=dose, days=np.where(failed, days, np.nan), rtol=rtol
            )
    return Simulated(first, second, diseases(member, drawn))


def intervals(drawn: RandomNumbers) -> Floats:
    """Return the days between infusions of each patient."""
    normal = drawn.normal[:, -1]
    days: Floats = np.clip(INTERVAL * np.exp(INTERVAL_SPREAD * normal), *INTERVALS)
    return days


def run_protocol(
    member: Member,
    p: Floats,
    drawn: RandomNumbers,
    *,
    schedule: Schedule,
    day: Floats,
    follow: float,
    rtol: float,
    counted: Floats,
) -> tuple[Floats, Floats]:
    """Return read-outs (patients, infusions, 18) and counts (patients, infusions, days) of patients through a
    protocol; the dead are not treated."""
    infusions = len(schedule.day)
    out = np.full((len(p), infusions, len(READ)), np.nan)
    counts = np.full((len(p), infusions, len(counted)), np.nan)
    fit = fitness(member, drawn, infusions)
    solve(p, fit, drawn.least, day=day, course=schedule.course, event=schedule.event, follow=follow, rtol=rtol,
          days=counted, out=out, counts=counts)  # fmt: skip
    exclude_the_dead(out, counts, counted=counted)
    return out, counts


def _first(member: Member, p: Floats, drawn: RandomNumbers, *, regimen: Regimen, rtol: float) -> FirstInfusion:
    arm = Arm(name=regimen, infusions=(Infusion(lymphodepletion=regimen, dose_cells_per_kg=LOW),))
    out, counts = run_protocol(
        member, p, drawn, schedule=arm.schedule, day=np.zeros((len(p), 1)), follow=LONG, rtol=rtol, counted=COUNTED
    )
    return FirstInfusion(outcomes(out[:, 0]), out[:, 0, TMAX_DAY], counts[:, 0])


def _second(member: Member, p: Floats, drawn: RandomNumbers, *, regimen: Regimen, dose: float, days: Floats,
            rtol: float) -> SecondInfusion:  # fmt: skip
    arm = Arm(name=regimen, infusions=(
        Infusion(lymphodepletion=regimen, dose_cells_per_kg=LOW),
        Infusion(lymphodepletion="Cy-Flu", dose_cells_per_kg=dose, after_days=INTERVAL)))  # fmt: skip
    out = np.full((len(p), 2, len(READ)), np.nan)
    who = np.flatnonzero(np.isfinite(days))
    if len(who):
        day = np.column_stack([np.zeros(len(who)), days[who]])
        out[who], _ = run_protocol(
            member.among(who), p[who], drawn[who], schedule=arm.schedule, day=day, follow=YEAR, rtol=rtol,
            counted=np.empty(0),
        )  # fmt: skip
    return SecondInfusion(outcomes(out[:, 1]), needs_another(out[:, 0], out[:, 1]), outcomes(out[:, 0]).response)

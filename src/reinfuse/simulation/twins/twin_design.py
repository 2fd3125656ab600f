"""The design of a cohort's virtual twins: their parameters, their infusions, and how they are simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.simulation.calibration.reference_study import CALIBRATION_RTOL, run_protocol
from reinfuse.simulation.model.parameters import DISEASES
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.virtual_patients import Member, RandomNumbers, draws, parameters
from reinfuse.simulation.solver.integrate import RTOL
from reinfuse.simulation.solver.readouts import BURDEN
from reinfuse.simulation.trial.outcomes import needs_another
from reinfuse.simulation.trial.protocol import Arm, Infusion
from reinfuse.simulation.twins.patient_data import NO_DATA, SHORTEST, PatientData

POOL = 256
"""Virtual patients of each member that are drawn at once, before any data count."""
_TURNS = 1024
"""Most times that random numbers are drawn for one patient."""
_AT_CART2 = 1.0
"""Days of follow-up for the data from before CART2."""


@dataclass(frozen=True)
class TwinSample:
    """Virtual patients, and the member of each."""

    member: Member
    p: Floats
    drawn: RandomNumbers
    intercept: Floats
    which: Integers

    def only(self, who: np.ndarray) -> TwinSample:
        """Return some of them."""
        return TwinSample(self.member[who], self.p[who], self.drawn[who], self.intercept[who], self.which[who])

    def with_numbers(self, drawn: RandomNumbers) -> TwinSample:
        """Return virtual patients of the same members with other random numbers."""
        return replace(self, p=parameters(self.member, drawn), drawn=drawn)

    def replaced(self, other: TwinSample, which: Bools) -> TwinSample:
        """Return the sample with some of its virtual patients, by place, those of another."""
        whose = which[:, None]
        own, new = self.drawn, other.drawn
        drawn = RandomNumbers(np.where(whose, new.normal, own.normal), np.where(whose, new.least, own.least),
                              np.where(whose, new.uniform, own.uniform))  # fmt: skip
        return replace(self, p=np.where(whose, other.p, self.p), drawn=drawn)

    def before(self, arm: Arm, days: Floats) -> tuple[Floats, Floats]:
        """Return read-outs and counts to CART2; far more exact than a count is."""
        return self._through(arm, _AT_CART2, CALIBRATION_RTOL, days=days)

    def after(self, arm: Arm, follow: float) -> Floats:
        """Return read-outs of the second infusion."""
        return self._through(arm, follow, RTOL, days=np.empty(0))[0][:, 1]

    def _through(self, arm: Arm, follow: float, rtol: float, *, days: Floats) -> tuple[Floats, Floats]:
        schedule = arm.schedule
        day = np.tile(schedule.day, (len(self.p), 1))
        return run_protocol(
            self.member, self.p, self.drawn, schedule=schedule, day=day, follow=follow, rtol=rtol, counted=days
        )


@dataclass(frozen=True)
class TwinDesign:
    """Second infusions that are compared, and the populations of the twins.

    Attributes
    ----------
    members, twins
        Members of the ensemble, and the twins of each patient in each of them.
    share
        Share of the cohort's patients with bulky disease; None: not known.
    """

    seconds: tuple[Infusion, ...]
    usual: Arm
    follow: float
    ensemble: Ensemble
    seed: int
    members: int
    twins: int
    share: float | None

    def some(self, i: int, turn: int = 0) -> TwinSample:
        """Return virtual patients of all members and diseases, for patient i; another turn draws others."""
        which = np.repeat(np.arange(self.members), POOL)
        return self.of(which, self.numbers(i, turn, len(which)))

    def of(self, which: Integers, drawn: RandomNumbers, disease: str | None = None) -> TwinSample:
        """Return virtual patients of the members `which`, counted among those that have twins, with a disease."""
        own = np.linspace(0, len(self.ensemble) - 1, self.members).astype(int)[which]
        member = self.ensemble.member[own]
        if disease is not None:
            member = member.without({d: float(d == disease) for d in DISEASES})
        return TwinSample(member, parameters(member, drawn), drawn, self.ensemble.intercept[own], which)

    def numbers(self, i: int, turn: int, count: int) -> RandomNumbers:
        """Return random numbers of `count` virtual patients for patient i."""
        return draws(self.seed, (i * _TURNS + turn) * self.members * max(POOL, self.twins), count)

    def joined(self, parts: Sequence[TwinSample], disease: str | None = None) -> TwinSample:
        """Return several samples, of patients with a disease, as one: the virtual patients of a member together, in the
        order of the samples."""
        which = np.concatenate([s.which for s in parts])
        order = np.argsort(which, kind="stable")
        drawn = RandomNumbers(np.concatenate([s.drawn.normal for s in parts])[order],
                              np.concatenate([s.drawn.least for s in parts])[order],
                              np.concatenate([s.drawn.uniform for s in parts])[order])  # fmt: skip
        return self.of(which[order], drawn, disease)

    def arm(self, patient: PatientData, second: Infusion) -> Arm:
        """Return a patient's own CART1 and interval, with a second infusion."""
        first, later = self.usual.infusions[0], max(self.usual.infusions[1].after_days, SHORTEST)
        if patient.dose is not None:
            first = first.model_copy(update={"dose_cells_per_kg": patient.dose, "shares": (1.0,)})
        if patient.regimen is not None:
            first = first.model_copy(update={"lymphodepletion": patient.regimen, "cy": None, "flu": None})
        days = later if patient.days is None else max(patient.days, SHORTEST)
        return Arm(name="twin", infusions=(first, second.model_copy(update={"after_days": days})))

    @cached_property
    def cut(self) -> Floats:
        """Tumour before CART2 from which disease is bulky, by member: as many virtual patients have it as in the
        cohort."""
        cut = np.full(self.members, np.nan)
        if self.share in (None, 0.0, 1.0):
            return cut
        some = self.some(0)
        out, _ = some.before(self.arm(NO_DATA, self.usual.infusions[1]), np.empty(0))
        needed = needs_another(out[:, 0], out[:, 1])
        for m in range(self.members):
            burdens = out[needed & (some.which == m), 1, BURDEN]
            if burdens.size:
                cut[m] = np.quantile(burdens, 1 - (self.share or 0.0))
        return cut

"""Protocols for the second infusion in virtual twins of a cohort's patients: for the group, never for one patient.

Each patient has twins in several members of the ensemble who had the patient's own first infusion (regimen class, dose)
and interval; missing data, and what the model does not have, are taken from the reference arm. All patients of the
cohort had a second infusion: twins who would not have needed one have no weight, unless it was planned. The others are
weighted by the likelihood of the data from before CART2 (`likelihood`): bulky disease, response to CART1, counts after
it. Weights are tempered where a few twins would dominate. The ensemble itself is not updated: a cohort of some dozens
is too small for that; intervals are over its members, not over other cohorts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from reinfuse.arrays import Floats
from reinfuse.exceptions import CohortRefused, Problem
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite
from reinfuse.runtime.parallel import CORES
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.random_effects import CONFIDENCE, Moments
from reinfuse.simulation.trial.accumulators import by_member
from reinfuse.simulation.trial.outcomes import outcomes
from reinfuse.simulation.trial.protocol import Arm, Infusion, Protocols, dose_text
from reinfuse.simulation.trial.trial import QUANTITIES, SHARES, bounds_of, quantities, unread
from reinfuse.simulation.twins.likelihood import effective, fits, tempered_weights
from reinfuse.simulation.twins.patient_data import LEAST_PATIENTS, PatientData
from reinfuse.simulation.twins.twin_design import TwinDesign, TwinSample

MEMBERS, TWINS = 16, 512
_NEGLIGIBLE = 1e-3
"""Twins with less than this share of an even weight are left out after CART1."""
_TO_RESPONSE = 29.0
"""Days of follow-up to the response to CART2."""
PREDICTED, OBSERVED = "own second infusion, predicted", "own second infusion, observed"
POPULATION, ANALYSIS = "centre's cohort", "virtual"
METHOD = "virtual twins of the cohort's patients; 95% prediction interval over members of the ensemble"


@dataclass(frozen=True)
class TwinPredictions:
    """Predictions for a cohort's twins in each arm, and with their own second infusion.

    Attributes
    ----------
    names
        Second infusions that are compared, the first the reference.
    levels, gains
        Mean over patients of each quantity, and of its difference to the first arm, by member: (members, arms,
        quantities).
    own
        Predicted response with the patients' own second infusion, by member.
    responded, assessed
        Observed responses to it, of patients whose response and own infusion are known; none if they are fewer than 5.
    patients, counted, tempered, assumed, planned
        Numbers of patients: all with twins; with counts; whose weights were tempered; with something of CART1 or of the
        interval taken from the reference arm; whose CART2 was planned.
    twins, effective, power
        Twins of each patient; the effective number of them, and the power to which likelihoods were taken, medians over
        patients.
    follow
        Days of follow-up after the second infusion; what is read later is left out.
    """

    names: tuple[str, ...]
    levels: Floats
    gains: Floats
    own: Floats
    responded: int
    assessed: int
    tempered: int
    counted: int
    patients: int
    assumed: int
    planned: int
    twins: int
    effective: float
    power: float
    follow: float

    def records(self) -> Iterator[Estimate]:
        """Yield the records."""
        short = unread(self.follow)
        for a, arm in enumerate(self.names):
            for q, name in enumerate(QUANTITIES):
                share = name in SHARES
                if name in short:
                    yield Estimate(ANALYSIS, name, "proportion", population=POPULATION, group=arm, n=self.patients,
                                   note=short[name])  # fmt: skip
                    continue
                yield self._record(name, "proportion" if share else "mean", arm, values=self.levels[:, a, q])
                if a:
                    statistic = "risk_difference" if share else "mean_difference"
                    yield self._record(name, statistic, arm, values=self.gains[:, a, q], term=self.names[0])
        if self.assessed:
            yield self._record("response", "proportion", PREDICTED, values=self.own, n=self.assessed)
            yield Estimate(ANALYSIS, "response", "proportion", population=POPULATION, group=OBSERVED,
                           estimate=self.responded / self.assessed, n=self.assessed, events=self.responded,
                           method="as observed")  # fmt: skip

    def _record(self, name: str, statistic: str, arm: str, *, values: Floats, term: str | None = None,
                n: int | None = None) -> Estimate:  # fmt: skip
        defined = values[np.isfinite(values)]
        middle = finite(float(defined.mean())) if defined.size else None
        bounds = bounds_of(name, self.follow)
        low = high = None
        if middle is not None and defined.size > 1:
            spread, size = float(defined.var(ddof=1)), self.patients * self.twins
            between_members = Moments(middle, spread, 0.0, size, spread, 0.0, defined.size - 1)
            low, high = between_members.limits((-bounds[1], bounds[1]) if bounds and term else bounds) or (
                middle,
                middle,
            )
        unit = None if name in SHARES else "days" if name.endswith("days") else "log10 cells/uL"
        return Estimate(ANALYSIS, name, statistic, population=POPULATION, group=arm, term=term,
                        model="same patients" if term else None, estimate=middle, lower=low, upper=high,
                        confidence=None if low is None else CONFIDENCE, unit=unit, method=METHOD,
                        n=self.patients if n is None else n, note=None if defined.size else NOT_ESTIMABLE)  # fmt: skip

    @property
    def description(self) -> str:
        """Size, weights and assumptions of the twins, in sentences."""
        less = (f"weights were tempered for {self.tempered} patients (median power {self.power:.2f}), so that their "
                "data inform the prediction less than in full") if self.tempered else (
                "no weights had to be tempered")  # fmt: skip
        planned = f"but for {self.planned} in whom it was planned" if self.planned else "for everybody"
        return (f"Twins of {self.patients} patients, {self.counted} of them with counts after CART1. Of {self.twins} "
                f"twins a patient, the median effective number is {self.effective:.0f}; {less}. CART2 was taken as "
                f"needed {planned}, as all of the cohort had it. For {self.assumed}, data of CART1 or of the "
                f"interval were missing, or outside the model, and taken from the reference arm.")  # fmt: skip


@dataclass(frozen=True)
class _PatientTwins:
    """Weighted means of one patient's twins by member, NaN without any; internal, never shown."""

    means: Floats
    own: Floats | None
    power: float
    effective: float


def simulate_twins(
    patients: Sequence[PatientData],
    protocols: Protocols,
    ensemble: Ensemble,
    *,
    seed: int,
    members: int = MEMBERS,
    twins: int = TWINS,
    progress: Progress | None = None,
) -> TwinPredictions:
    """Return predictions for the twins of a cohort's patients with each second infusion of the arms.

    Parameters
    ----------
    members, twins
        Members of the ensemble in which each patient has twins, and how many in each.

    Raises
    ------
    CohortRefused
        If the arms have not two infusions, or fewer than 5 patients have twins.
    """
    arms = protocols.all_arms
    if len(arms[0].infusions) != 2:
        rule, remedy = "arms must have two infusions for a cohort's twins", "leave --cohort out, or change the arms"
        raise CohortRefused([Problem(table="protocols", column="arms", rule=rule, remedy=remedy)])
    seconds = {_name(arm.infusions[1]): arm.infusions[1] for arm in arms}
    bulky = [p.bulky for p in patients if p.bulky is not None]
    design = TwinDesign(tuple(seconds.values()), arms[0], protocols.follow_days, ensemble, seed,
                         min(members, len(ensemble)), twins, float(np.mean(bulky)) if bulky else None)  # fmt: skip
    _ = design.cut
    weighted = []
    with ThreadPoolExecutor(CORES) as pool:
        for completed, patient_twins in enumerate(
            pool.map(lambda i: _twins(design, patients[i], i), range(len(patients))), 1
        ):
            weighted.append(patient_twins)
            if progress:
                progress("twins of the cohort", completed, len(patients))
    return _together(tuple(seconds), design, patients, weighted=weighted)


def _together(names: tuple[str, ...], design: TwinDesign, patients: Sequence[PatientData],
              *, weighted: Sequence[_PatientTwins]) -> TwinPredictions:  # fmt: skip
    """Return the means over patients."""
    pairs = [(p, t) for p, t in zip(patients, weighted, strict=True) if np.isfinite(t.means).any()]
    if len(pairs) < LEAST_PATIENTS:
        rule = f"fewer than {LEAST_PATIENTS} patients have virtual twins"
        raise CohortRefused([Problem(table="cohort", rule=rule, remedy="twins are for groups, never for one patient")])
    levels = _mean([t.means for _, t in pairs])
    own = [(t.own, p.response) for p, t in pairs if t.own is not None and p.response is not None]
    own = own if len(own) >= LEAST_PATIENTS else []
    return TwinPredictions(
        names, levels, levels - levels[:, :1],
        _mean([predicted for predicted, _ in own]) if own else np.full(design.members, np.nan),
        sum(response for _, response in own), len(own), sum(t.power < 1 for _, t in pairs),
        sum(p.counts is not None for p, _ in pairs), len(pairs), sum(p.assumed for p, _ in pairs),
        sum(p.planned for p, _ in pairs), design.members * design.twins,
        float(np.median([t.effective for _, t in pairs])), float(np.median([t.power for _, t in pairs])),
        design.follow,
    )  # fmt: skip


def _mean(parts: Sequence[Floats]) -> Floats:
    """Return the mean over patients, of those who have twins in a member."""
    values = np.stack(parts)
    defined = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(defined, values, 0.0).sum(axis=0) / defined.sum(axis=0)
    return mean


def _name(second: Infusion) -> str:
    cy, flu = second.courses
    own = second.cy is not None or second.flu is not None
    regimen = f"Cy {cy:g}, Flu {flu:g} courses" if own else second.lymphodepletion
    split = "" if len(second.shares) == 1 else f" in parts of {', '.join(f'{100 * s:g}' for s in second.shares)} %"
    return f"{regimen}; {dose_text(second.dose_cells_per_kg)}{split}"


def _twins(design: TwinDesign, patient: PatientData, i: int) -> _PatientTwins:
    """Return one patient's twins: weighed after CART1, those who count followed after each second infusion."""
    some = design.some(i)
    days = patient.counts.day if patient.counts is not None else np.empty(0)
    out, counts = some.before(design.arm(patient, design.seconds[0]), days)
    fit = fits(patient, out, counts[:, 0], cut=design.cut[some.which])
    weight, power = tempered_weights(fit.reshape(design.members, design.twins))
    who = np.flatnonzero(weight.ravel() > _NEGLIGIBLE / design.twins)
    twins, share = some.only(who), weight.ravel()[who]
    means = [_after(design, twins, share, arm=design.arm(patient, s), follow=design.follow) for s in design.seconds]
    own = None
    if patient.second is not None and patient.response is not None:
        predicted = _after(design, twins, share, arm=design.arm(patient, patient.second), follow=_TO_RESPONSE)
        own = predicted[:, QUANTITIES.index("response")]
    return _PatientTwins(np.stack(means, axis=1), own, power, effective(weight))


def _after(design: TwinDesign, twins: TwinSample, share: Floats, *, arm: Arm, follow: float) -> Floats:
    """Return the weighted mean of each quantity after the second infusion, by member."""
    outcome = outcomes(twins.after(arm, follow))
    share = np.where(outcome.given, share, 0.0)
    values = (
        np.where(share[:, None] > 0, quantities(outcome, expit(twins.intercept + outcome.crs)), 0.0) * share[:, None]
    )
    with np.errstate(invalid="ignore"):
        means: Floats = (by_member(values, twins.which, members=design.members)
                         / by_member(share[:, None], twins.which, members=design.members))  # fmt: skip
    return means

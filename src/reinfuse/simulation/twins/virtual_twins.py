"""Protocols for the second infusion in virtual twins of a cohort's patients: for the group, never for one patient.

Each patient has twins in several members of the ensemble who had the patient's own first infusion (regimen class, dose)
and interval; missing data, and what the model does not have, are taken from the reference arm. All patients of the
cohort had a second infusion: twins are such as needed one, unless it was planned, drawn given the data from before
CART2 (`conditioned_twins`): bulky disease, response to CART1, counts after it. The ensemble itself is not updated: a
cohort of some dozens is too small for that; intervals are over its members, not over other cohorts. No response to
CART2 enters a prediction, so that each can be compared with the patient's own (`prediction_scores`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit

from reinfuse.arrays import Bools, Floats
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
from reinfuse.simulation.twins.conditioned_twins import condition
from reinfuse.simulation.twins.patient_data import LEAST_PATIENTS, PatientData
from reinfuse.simulation.twins.prediction_scores import score_records
from reinfuse.simulation.twins.twin_design import TwinDesign, TwinSample

MEMBERS, TWINS = 16, 32
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
    expected, responded
        Of patients whose response and own infusion are known, in no order: the predicted probability, and whether there
        was a response; none if they are fewer than 5. Never shown one by one.
    patients, counted, assumed, planned
        Numbers of patients: all with twins; with counts; with something of CART1 or of the interval taken from the
        reference arm; whose CART2 was planned.
    twins, distinct
        Twins of each patient; how many of them differ, median over patients.
    follow
        Days of follow-up after the second infusion; what is read later is left out.
    """

    names: tuple[str, ...]
    levels: Floats
    gains: Floats
    own: Floats
    expected: Floats = field(repr=False)
    responded: Bools = field(repr=False)
    counted: int
    patients: int
    assumed: int
    planned: int
    twins: int
    distinct: float
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
        if assessed := len(self.responded):
            responded = int(self.responded.sum())
            yield self._record("response", "proportion", PREDICTED, values=self.own, n=assessed)
            yield Estimate(ANALYSIS, "response", "proportion", population=POPULATION, group=OBSERVED, n=assessed,
                           estimate=responded / assessed, events=responded, method="as observed")  # fmt: skip
            yield from score_records(self.expected, self.responded, population=POPULATION, group=PREDICTED)

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
        """Size and assumptions of the twins, in sentences."""
        planned = f"but for {self.planned} in whom it was planned" if self.planned else "for everybody"
        return (f"Twins of {self.patients} patients, {self.counted} of them with counts after CART1; {self.twins} "
                f"twins a patient, of whom {self.distinct:.0f} differ (median). CART2 was taken as needed {planned}, "
                f"as all of the cohort had it. For {self.assumed}, data of CART1 or of the interval were missing, or "
                "outside the model, and taken from the reference arm.")  # fmt: skip


@dataclass(frozen=True)
class _PatientTwins:
    """Means of one patient's twins by member, NaN without any; internal, never shown."""

    means: Floats
    own: Floats | None
    distinct: int


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
    order = np.random.default_rng(design.seed).permutation(len(own))
    return TwinPredictions(
        names, levels, levels - levels[:, :1],
        _mean([predicted for predicted, _ in own]) if own else np.full(design.members, np.nan),
        np.array([np.nanmean(own[k][0]) for k in order]), np.array([own[k][1] for k in order], dtype=np.bool_),
        sum(p.counts is not None for p, _ in pairs), len(pairs), sum(p.assumed for p, _ in pairs),
        sum(p.planned for p, _ in pairs), design.members * design.twins,
        float(np.median([t.distinct for _, t in pairs])), design.follow,
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
    """Return one patient's twins, followed after each second infusion."""
    conditioned = condition(design, patient, i)
    twins = conditioned.sample
    means = [_after(design, twins, arm=design.arm(patient, s), follow=design.follow) for s in design.seconds]
    own = None
    if patient.second is not None and patient.response is not None:
        predicted = _after(design, twins, arm=design.arm(patient, patient.second), follow=_TO_RESPONSE)
        own = predicted[:, QUANTITIES.index("response")]
    return _PatientTwins(np.stack(means, axis=1), own, conditioned.distinct)


def _after(design: TwinDesign, twins: TwinSample, *, arm: Arm, follow: float) -> Floats:
    """Return the mean of each quantity after the second infusion, by member."""
    outcome = outcomes(twins.after(arm, follow))
    given = outcome.given.astype(np.float64)[:, None]
    values = np.where(given > 0, quantities(outcome, expit(twins.intercept + outcome.crs)), 0.0)
    with np.errstate(invalid="ignore"):
        means: Floats = (by_member(values, twins.which, members=design.members)
                         / by_member(given, twins.which, members=design.members))  # fmt: skip
    return means

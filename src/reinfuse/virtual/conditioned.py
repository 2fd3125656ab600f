"""A centre's own cohort: protocols for the second infusion in virtual twins of its patients. Groups only, never one
patient.

Each patient has twins in every member of the ensemble who had the patient's own first infusion (regimen class, dose)
and interval. Twins weigh by how well they fit what is known before CART2: that a second infusion was needed, bulky
disease, and the counts after CART1. A count is log-normal around the twin's, below its limit it counts as left-censored
(method M3); in copies/ug the factor to cells/uL is free for each patient. Weights are tempered where a few twins would
carry all. The ensemble itself is not updated: a cohort of some dozens cannot, at this number of twins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit, log_ndtr
from scipy.stats import t as student

from reinfuse.analysis.estimate import Estimate, finite
from reinfuse.analysis.threads import CORES
from reinfuse.cohort.courses import RESPONDING
from reinfuse.errors import CohortRefused, Problem
from reinfuse.kinetics.profiles import Profile
from reinfuse.virtual.declared import REGIMENS
from reinfuse.virtual.ensemble import Ensemble
from reinfuse.virtual.equations import Floats
from reinfuse.virtual.outcomes import needs_another, outcomes
from reinfuse.virtual.patients import Member, draws, parameters
from reinfuse.virtual.protocol import Arm, Infusion, Protocols, Regimen, dose_text
from reinfuse.virtual.simulated import ran
from reinfuse.virtual.solver import RTOL
from reinfuse.virtual.trial import QUANTITIES, SHARES, quantities
from reinfuse.virtual.watch import BURDEN

LEAST_PATIENTS = 5
MEMBERS, TWINS = 16, 64
RESIDUAL = 0.56
"""Standard deviation of a log count around its curve (Stein 2019)."""
LEAST_EFFECTIVE = 8.0
"""Twins of a member that must count for a patient; weights are tempered until they do."""
NOT_BULKY = 1e-3
"""Weight of a twin on the other side of the cut-point of bulky disease."""
_DOSE, _DAYS, _SHORTEST = 2e6, 116.5, 35.0
PREDICTED, OBSERVED = "own second infusion, predicted", "own second infusion, observed"
POPULATION, ANALYSIS = "centre's cohort", "virtual"
METHOD = "virtual twins of the cohort's patients; 95% interval over members of the ensemble (t)"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Known:
    """What is known of a patient before CART2; None where it is not. `bulky` refers to CART2."""

    regimen: Regimen | None
    dose: float | None
    days: float | None
    bulky: bool | None
    counts: Profile | None
    second: Infusion | None
    response: bool | None


@dataclass(frozen=True)
class Conditioned:
    """What a cohort's twins would have had in each arm, and with their own second infusion.

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
        Observed responses to it, of patients whose response and own infusion are known.
    tempered
        Patients for whom weights were tempered; `patients`: all; `counted`: those with counts.
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

    def records(self) -> Iterator[Estimate]:
        """Yield the records."""
        for a, arm in enumerate(self.names):
            for q, name in enumerate(QUANTITIES):
                share = name in SHARES
                yield self._record(name, "proportion" if share else "mean", arm, self.levels[:, a, q], None, share)
                if a:
                    statistic = "risk_difference" if share else "mean_difference"
                    yield self._record(name, statistic, arm, self.gains[:, a, q], self.names[0], False)
        if self.assessed:
            yield self._record("response", "proportion", PREDICTED, self.own, None, True)
            yield Estimate(ANALYSIS, "response", "proportion", population=POPULATION, group=OBSERVED,
                           estimate=self.responded / self.assessed, n=self.assessed, events=self.responded,
                           method="as observed")  # fmt: skip

    def _record(self, name: str, statistic: str, arm: str, values: Floats, term: str | None, share: bool) -> Estimate:
        middle, half = float(values.mean()), float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1))
        low, high = middle - half, middle + half
        if share:
            low, high = max(low, 0.0), min(high, 1.0)
        unit = None if name in SHARES else "days" if name.endswith("days") else "log10 cells/uL"
        return Estimate(ANALYSIS, name, statistic, population=POPULATION, group=arm, term=term,
                        model="same patients" if term else None, estimate=finite(middle), lower=low, upper=high,
                        confidence=0.95, unit=unit, method=METHOD, n=self.patients)  # fmt: skip

    @property
    def said(self) -> str:
        """What must be known of the twins."""
        return (f"Twins of {self.patients} patients, {self.counted} of them with counts after CART1; weights tempered "
                f"for "
                f"{self.tempered}.")  # fmt: skip


def known(frame: pl.DataFrame, profiles: Sequence[Profile]) -> tuple[Known, ...]:
    """Return what is known of each patient, from an analysed frame and the profiles of the cohort's counts.

    Raises
    ------
    CohortRefused
        If there are fewer than 5 patients with a second infusion.
    """
    first = {p.patient_id: p for p in profiles if p.infusion == 1 and p.subset == "total"}
    told = [_known(row, first.get(str(row["patient_id"]))) for row in frame.iter_rows(named=True)]
    if len(told) < LEAST_PATIENTS:
        rule = f"fewer than {LEAST_PATIENTS} patients had a second infusion"
        remedy = "twins are for groups, never for one patient"
        raise CohortRefused([Problem("cohort", None, None, None, rule, remedy)])
    return tuple(told)


def _known(row: dict[str, object], counts: Profile | None) -> Known:
    def number(name: str) -> float | None:
        value = row.get(name)
        return None if value is None else float(value)  # type: ignore[arg-type]

    second_dose, second = number("cart2_dose_cells_per_kg"), _regimen(row.get("cart2_lymphodepletion_class"))
    own = None
    if second is not None and second_dose:
        own = Infusion(lymphodepletion=second, dose_cells_per_kg=second_dose, after_days=_SHORTEST)
    return Known(_regimen(row.get("cart1_lymphodepletion_class")), number("cart1_dose_cells_per_kg"),
                 number("interval_days"), _flag(row.get("bulky")), counts, own,
                 _responded(row.get("response")))  # fmt: skip


def _regimen(value: object) -> Regimen | None:
    return value if value in REGIMENS else None  # type: ignore[return-value]


def _responded(value: object) -> bool | None:
    return None if value is None else str(value) in RESPONDING or _flag(value)


def _flag(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    return {
        "yes": True,
        "no": False,
        "true": True,
        "false": False,
        "1": True,
        "0": False,
        "1.0": True,
        "0.0": False,
    }.get(str(value).casefold())


def conditioned(patients: Sequence[Known], protocols: Protocols, ensemble: Ensemble, seed: int, members: int = MEMBERS,
                twins: int = TWINS, progress: Progress | None = None) -> Conditioned:  # fmt: skip
    """Return what the twins of a cohort's patients would have had in each arm of two infusions.

    Raises
    ------
    CohortRefused
        If the arms have not two infusions.
    """
    if len(protocols.all_arms[0].infusions) != 2:
        rule, remedy = "arms must have two infusions for a cohort's twins", "leave --cohort out, or change the arms"
        raise CohortRefused([Problem("protocols", None, "arms", None, rule, remedy)])
    seconds = {_name(arm.infusions[1]): arm.infusions[1] for arm in protocols.all_arms}
    which = np.repeat(np.linspace(0, len(ensemble) - 1, members).astype(int), twins)
    cut = _cut(patients, ensemble, which, seed)

    def one(i: int) -> _Twins:
        return _twins(patients[i], i, tuple(seconds.values()), ensemble, which, seed, cut)

    with ThreadPoolExecutor(CORES) as pool:
        told = []
        for done, found in enumerate(pool.map(one, range(len(patients))), 1):
            told.append(found)
            if progress:
                progress("twins of the cohort", done, len(patients))
    levels = np.mean([t.means for t in told], axis=0)
    both = ((found.own, p.response) for found, p in zip(told, patients, strict=True))
    own = [(predicted, seen) for predicted, seen in both if predicted is not None and seen is not None]
    by_member = np.mean([predicted for predicted, _ in own], axis=0) if own else np.zeros(members)
    responded, tempered = sum(bool(r) for _, r in own), sum(t.tempered for t in told)
    counted = sum(p.counts is not None for p in patients)
    gains = levels - levels[:, :1]
    return Conditioned(tuple(seconds), levels, gains, by_member, responded, len(own), tempered, counted, len(patients))


@dataclass(frozen=True)
class _Twins:
    """Weighted means of one patient's twins by member; internal, never shown."""

    means: Floats
    own: Floats | None
    tempered: bool


def _name(second: Infusion) -> str:
    cy, flu = second.courses
    own = second.cy is not None or second.flu is not None
    regimen = f"Cy {cy:g}, Flu {flu:g} courses" if own else second.lymphodepletion
    return f"{regimen}; {dose_text(second.dose_cells_per_kg)}"


def _arm(patient: Known, second: Infusion) -> Arm:
    first = Infusion(lymphodepletion=patient.regimen or "Cy-Flu", dose_cells_per_kg=patient.dose or _DOSE)
    days = max(patient.days or _DAYS, _SHORTEST)
    return Arm(name="twin", infusions=(first, second.model_copy(update={"after_days": days})))


def _cut(patients: Sequence[Known], ensemble: Ensemble, which: np.ndarray, seed: int) -> float:
    """Return the tumour before CART2 above which a twin is bulky, so that as many are as in the cohort."""
    said = [p.bulky for p in patients if p.bulky is not None]
    if not said or all(said) or not any(said):
        return float("nan")
    usual = Known("Cy-Flu", _DOSE, _DAYS, None, None, None, None)
    arm = _arm(usual, Infusion(lymphodepletion="Cy-Flu", dose_cells_per_kg=_DOSE))
    out, _ = _simulated(arm, 0, ensemble, which, seed, np.empty(0))
    needed = needs_another(out[:, 0], out[:, 1])
    return float(np.quantile(out[needed, 1, BURDEN], 1 - np.mean(said))) if needed.any() else float("nan")


def _simulated(
    arm: Arm, i: int, ensemble: Ensemble, which: np.ndarray, seed: int, days: Floats
) -> tuple[Floats, Floats]:
    member = Member(ensemble.member.median[which], ensemble.member.cv[which])
    drawn = draws(seed, i * len(which), len(which))
    schedule = arm.schedule
    day = np.tile(schedule.day, (len(which), 1))
    return ran(member, parameters(member, drawn), drawn, schedule, day, 365.0, RTOL, days)


def _twins(patient: Known, i: int, seconds: tuple[Infusion, ...], ensemble: Ensemble, which: np.ndarray, seed: int,
           cut: float) -> _Twins:  # fmt: skip
    days = patient.counts.day if patient.counts is not None else np.empty(0)
    members = len(np.unique(which))
    shape, weight, tempered = (members, len(which) // members), np.empty(0), False
    means = []
    for second in (*seconds, *((patient.second,) if patient.second else ())):
        out, counts = _simulated(_arm(patient, second), i, ensemble, which, seed, days)
        if not weight.size:
            fit = fits(patient, out, counts[:, 0], cut).reshape(shape)
            weight, tempered = tempered_weights(fit)
        told = outcomes(out[:, 1])
        values = quantities(told, expit(ensemble.intercept[which] + told.crs)).reshape(*shape, -1)
        means.append(np.einsum("mk,mkq->mq", weight, values))
    arms = len(seconds)
    own = means[arms][:, QUANTITIES.index("response")] if patient.second else None
    return _Twins(np.stack(means[:arms], axis=1), own, tempered)


def fits(patient: Known, out: Floats, counts: Floats, cut: float) -> Floats:
    """Return the log likelihood of what is known of a patient for each twin; -inf for one who did not need CART2.

    Parameters
    ----------
    out, counts
        Read-outs (twins, 2, 17); CAR-T cells of the twins on the days of the patient's counts, (twins, days).
    cut
        Tumour before CART2 from which disease is bulky; NaN: not told apart.
    """
    fit = np.where(needs_another(out[:, 0], out[:, 1]), 0.0, -np.inf)
    if patient.bulky is not None and np.isfinite(cut):
        fit = fit + np.where((out[:, 1, BURDEN] >= cut) == patient.bulky, 0.0, np.log(NOT_BULKY))
    if patient.counts is not None:
        fit = fit + of_counts(patient.counts, counts)
    return fit


def of_counts(profile: Profile, counts: Floats) -> Floats:
    """Return the log likelihood of a profile's counts for each twin; in copies/ug up to a free factor."""
    there = np.isfinite(counts).all(axis=0) & np.isfinite(profile.value)
    log = np.log(np.maximum(counts[:, there], 1e-6))
    value, below = np.log(np.maximum(profile.value[there], 1e-12)), profile.below[there]
    if profile.unit != "cells/uL":
        if below.all():
            return np.zeros(len(counts))
        log = log + (value[~below] - log[:, ~below]).mean(axis=1, keepdims=True)
    off = (value - log) / RESIDUAL
    seen: Floats = -0.5 * np.sum(off[:, ~below] ** 2, axis=1)
    unseen: Floats = np.sum(log_ndtr(off[:, below]), axis=1)
    return seen + unseen


def tempered_weights(fit: Floats) -> tuple[Floats, bool]:
    """Return weights of twins within each member, (members, twins), and whether they had to be tempered.

    Twins that are out of the question have none; in a member in which all are, all weigh alike.
    """
    fit = np.where(np.isfinite(fit).any(axis=1, keepdims=True), fit, 0.0)
    least = np.minimum(LEAST_EFFECTIVE, np.isfinite(fit).sum(axis=1) / 2)
    power = 1.0
    while True:
        weight = np.exp(power * (fit - fit.max(axis=1, keepdims=True)))
        weight /= weight.sum(axis=1, keepdims=True)
        enough = 1 / np.sum(weight**2, axis=1) >= least
        if np.mean(enough) >= 0.5 or power < 1e-3:
            return weight, power < 1
        power *= 0.8

"""Cumulative incidence of the loss of the cells, death and the next infusion competing.

Conventions. Days since the infusion. A death or a next infusion competes where the cells were there until then; after a
loss it does not. What a patient tells is a set of places where the first event may be: a loss seen after day l and by
day r, (l, r]; a competing event on day d, the last count above the limit on day l: a loss in (l, d], or a competing
event on day d with the cells there; neither seen, in view until day c: a loss after l, or a competing event after c.
The nonparametric maximum likelihood estimate puts mass on the innermost intervals of losses and on the days of
competing events alone (Hudgens, Satten and Longini, Biometrics 2001;57:74-80). It is found by Newton's steps of least
squares with no negative mass (Wang, J R Stat Soc B 2007;69:185-198) until it is self-consistent. Places that no
patient tells apart share their mass, and the range that this leaves open is given. Limits are percentiles of patients
drawn anew (bootstrap).

That likelihood weighs a loss in (l, d] and a competing event on day d alike, though few patients lose persistence and
die before the next count; as intervals overlap and days of death do not, it makes nearly all of them losses. Records
therefore count these patients as persisting until day d, and give the result if all of them had lost persistence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.cohort.strata import Stratum
from reinfuse.kinetics.nca import persistence
from reinfuse.kinetics.persistence import DAYS, DRAWS, NOTEWORTHY
from reinfuse.kinetics.profiles import Profile
from reinfuse.results.estimate import NOT_ESTIMABLE, NOT_REACHED, Estimate, joined
from reinfuse.statistics.npmle import MOST_EDGES, greatest, resampled_masses, rounded
from reinfuse.statistics.turnbull import innermost

METHOD = "nonparametric maximum likelihood, interval-censored, competing events, bootstrap percentiles"
TOLERANCE = 1e-9
"""Of the gain in log likelihood that a place could still bring, as a share of the patients."""


@dataclass(frozen=True)
class Persistence:
    """What was seen of one patient after one infusion, in days.

    Attributes
    ----------
    left
        The cells were there after it.
    right
        They were lost by it; None: no loss seen.
    competing
        Of a death or the next infusion; None: neither was seen.
    alive
        Last day on which neither had come; the last count if None.
    """

    left: float
    right: float | None = None
    competing: float | None = None
    alive: float | None = None

    def __post_init__(self) -> None:
        if self.right is not None and self.right <= self.left:
            raise ValueError("a loss must be seen after the last count above the limit")
        if any(day is not None and day < self.left for day in (self.competing, self.alive)):
            raise ValueError("a patient with a count was alive, and without the next infusion, on that day")

    @property
    def lost(self) -> tuple[float, float] | None:
        """The interval in which the cells may have been lost, open at its left; None: they were not."""
        end = self.right if self.right is not None else self.competing if self.competing is not None else np.inf
        return (self.left, float(end)) if end > self.left else None

    @property
    def unsure(self) -> bool:
        """Whether a competing event came, and the cells may have been lost before."""
        return self.right is None and self.competing is not None and self.competing > self.left

    @property
    def persistent(self) -> Persistence:
        """The same, with the cells there until the competing event."""
        return Persistence(float(self.competing or 0.0), None, self.competing) if self.unsure else self

    @property
    def gone(self) -> Persistence:
        """The same, with the cells lost before the competing event."""
        return Persistence(self.left, self.competing) if self.unsure else self

    @property
    def free(self) -> float:
        """Day up to which no competing event came; infinite if none can have come at all."""
        if self.right is not None or self.competing is not None:
            return float("inf")
        return self.left if self.alive is None else self.alive


@dataclass(frozen=True)
class Incidence:
    """Mass of the first event on places, in groups that the data do not tell apart.

    Attributes
    ----------
    loss
        Places of losses; the others are of competing events.
    left, right
        Ends of each place in days: of losses open at the left; equal for a day of a competing event; an infinite
        `right`: the event is not known to come.
    group
        To which mass each place belongs.
    mass
        Probability of each group, summing to 1.
    converged
        Whether the steps came to an end.
    """

    loss: Bools = field(repr=False)
    left: Floats = field(repr=False)
    right: Floats = field(repr=False)
    group: Integers = field(repr=False)
    mass: Floats = field(repr=False)
    converged: bool

    def by(self, day: float) -> tuple[float, float]:
        """Return the least and the greatest probability that a loss is the first event and comes by a day."""
        sure, may = self.may_and_must(day)
        return float(self.mass @ sure), float(self.mass @ may)

    def may_and_must(self, day: float) -> tuple[Floats, Floats]:
        """Return which groups are losses by a day for sure, and which may be; 1 or 0."""
        sure, may = np.ones(len(self.mass)), np.zeros(len(self.mass))
        np.minimum.at(sure, self.group, self.loss & (self.right <= day))
        np.maximum.at(may, self.group, self.loss & (self.left < day))
        return sure, may

    @property
    def never(self) -> float:
        """Mass that is not known to come."""
        return float(self.mass[np.unique(self.group[np.isinf(self.right)])].sum())


def incidence(patients: Sequence[Persistence]) -> Incidence:
    """Estimate where the first event is: a loss of the cells, or a competing event.

    Parameters
    ----------
    patients
        One a patient.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not patients:
        raise ValueError("there must be a patient")
    inside, empty = _places(*_spans(patients))
    mass, converged = greatest(inside)
    return replace(empty, mass=mass, converged=converged)


def _spans(patients: Sequence[Persistence]) -> tuple[Floats, Floats, Floats]:
    """Return what patients tell: where a loss may be, shape (patients, 2), the competing event's day, free of it until.

    A loss that cannot be is an infinite interval, a competing event that was not seen NaN.
    """
    spans = np.array([s.lost or (np.inf, np.inf) for s in patients])
    day = np.array([np.nan if s.right is not None or s.competing is None else s.competing for s in patients])
    return spans, day, np.array([s.free for s in patients])


def _places(spans: Floats, day: Floats, free: Floats) -> tuple[Bools, Incidence]:
    """Return which groups lie inside what a patient tells, (patients, groups); and the places without mass."""
    possible = spans[np.isfinite(spans[:, 0])]
    losses, others = innermost(possible[:, 0], possible[:, 1]), _days(day, free)
    of_loss = (losses[:, 0] >= spans[:, :1]) & (losses[:, 1] <= spans[:, 1:])
    of_other = (others[:, 1] == day[:, None]) | (others[:, 1] > free[:, None])
    inside, first, group = np.unique(np.hstack([of_loss, of_other]), axis=1, return_index=True, return_inverse=True)
    order = np.argsort(first)  # in the order of time: few runs
    ends = np.vstack([losses, others])
    loss = np.arange(len(ends)) < len(losses)
    place = np.argsort(order)[group.reshape(-1)]
    empty = Incidence(loss, ends[:, 0], ends[:, 1], place, np.zeros(inside.shape[1]), False)
    return inside[:, order], empty


def _days(day: Floats, free: Floats) -> Floats:
    """Return the days of competing events, and the time after all of them if anyone was still in view then."""
    days = np.unique(day[np.isfinite(day)])
    longest = max(free[np.isfinite(free)], default=-np.inf)
    places = [(d, d) for d in days]
    if longest > -np.inf and (not len(days) or longest >= days[-1]):
        places.append((longest, np.inf))
    return np.array(places).reshape(-1, 2)


def limits(patients: Sequence[Persistence], days: Sequence[float], confidence: float, *, draws: int,
           random: np.random.Generator) -> Floats:  # fmt: skip
    """Return lower and upper limits of the incidence by each day, shape (days, 2), from patients drawn anew."""
    spans, day, free = _spans(patients)
    low, high = rounded(spans[:, 0], spans[:, 1], days)
    day, free = rounded(free, day, days, most=MOST_EDGES // 2)[::-1]  # where losses are does not hang on these
    inside, one = _places(np.column_stack([low, high]), day, free)
    masses = resampled_masses(inside, draws, random=random)
    incidences = np.column_stack([masses @ (sum(one.may_and_must(day)) / 2) for day in days])
    percentiles: Floats = np.quantile(incidences, (0.5 - confidence / 2, 0.5 + confidence / 2), axis=0).T
    return percentiles


def persistence_of(profile: Profile, death: float | None, *, alive: float | None) -> Persistence:
    """Return what was seen after one infusion.

    Parameters
    ----------
    profile
        Its counts; its `until` is the day of the next infusion.
    death, alive
        Days since the infusion: of death, and the last on which the patient was known to be alive; a later count
        tells so too.
    """
    left, right = persistence(profile)
    came = [day for day in (death, profile.until) if day is not None]
    return Persistence(left, right, min(came) if came else None, None if alive is None else max(alive, left))


def estimates(profiles: Sequence[Profile], infusion: int, group: str | None, *, deaths: Mapping[str, float],
              alive: Mapping[str, float], confidence: float,
              random: np.random.Generator) -> list[Estimate]:  # fmt: skip
    """Return the cumulative incidence of the loss of the cells by set days after one infusion.

    Parameters
    ----------
    profiles
        Of one subset and unit; those of other infusions are passed over.
    group
        Name of the group that they are; None: all patients.
    deaths, alive
        Patient -> day since that infusion: of death; and the last on which the patient was known to be alive. A
        patient in neither counts as in view until the last count.

    Returns
    -------
    list of Estimate
        `analysis` ``kinetics``, `endpoint` ``loss``, `term` ``infusion=1``; events: losses seen. An estimate is the
        middle of what the data leave open, its note tells how much.
    """
    patients = [
        persistence_of(p, deaths.get(p.patient_id), alive=alive.get(p.patient_id))
        for p in profiles
        if p.infusion == infusion
    ]
    own = Estimate("kinetics", "loss", "cumulative_incidence", group=group, infusion=infusion,
                   term=Stratum("infusion", str(infusion)),
                   confidence=confidence, unit="fraction", method=METHOD, n=len(patients),
                   events=sum(s.right is not None for s in patients))  # fmt: skip
    if not own.events:
        note = f"{NOT_REACHED}: no loss observed" if patients else f"{NOT_ESTIMABLE}: no patient"
        return [replace(own, at=day, note=note) for day in DAYS]
    persistent = [s.persistent for s in patients]
    fit, every = incidence(persistent), incidence([s.gone for s in patients])
    followed, unsure = max(s.right or s.left for s in persistent), sum(s.unsure for s in patients)
    records = []
    for day, limit in zip(DAYS, limits(persistent, DAYS, confidence, draws=DRAWS, random=random), strict=True):
        one = replace(own, at=day)
        if day > followed and fit.never > TOLERANCE:
            records.append(replace(one, note=f"{NOT_ESTIMABLE}: beyond the last follow-up, day {followed:g}"))
            continue
        bounds = None
        if unsure:
            bounds = (f"{unsure} died, or had the next infusion, with no count on that day, counted as persisting: "
                      f"{100 * sum(every.by(day)) / 2:.0f}% if all of them had lost persistence")  # fmt: skip
        records.append(_record(fit, limit, one, bounds=bounds))
    return records


def _record(fit: Incidence, limit: Floats, one: Estimate, *, bounds: str | None) -> Estimate:
    least, most = (min(max(x, 0.0), 1.0) for x in fit.by(one.at or 0.0))
    wide = f"between {100 * least:.0f} and {100 * most:.0f}%: counts are sparse" if most - least > NOTEWORTHY else None
    sure = most < NOTEWORTHY or least > 1 - NOTEWORTHY
    if sure:
        wide = f"{'no' if most < NOTEWORTHY else 'every'} loss by then: interval {NOT_ESTIMABLE}"
    lower, upper = (None, None) if sure else (float(limit[0]), float(limit[1]))
    failed = None if fit.converged else "the algorithm did not converge"
    return replace(one, estimate=(least + most) / 2, lower=lower, upper=upper, note=joined([wide, bounds, failed]))

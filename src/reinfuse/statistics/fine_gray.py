"""Fine and Gray's model of the subdistribution hazard, with its robust variance.

Fine and Gray, J Am Stat Assoc 1999;94:496-509; Breslow ties; a patient with the competing event at T stays at risk at t
> T with weight G(t-) / G(T-), G the Kaplan-Meier curve of censoring of all patients. Steps: (1) b solves the weighted
score equation; (2) eta_i, the patient's part of the score over all event times; (3) psi_i, what the patient adds
through the estimate of G; (4) variance = I^-1 sum (eta_i + psi_i)(eta_i + psi_i)' I^-1 (their equations 7 and 8).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from reinfuse.arrays import Bools, Floats

_ROUNDS = 100
_CLOSE = 1e-9
_LONGEST_STEP = 5.0
_FARTHEST = 50.0


@dataclass(frozen=True)
class _Sets:
    """Event times, how many events each has, and every patient's weight at each, shape (times, n)."""

    at: Floats
    count: Floats
    weight: Floats = field(repr=False)


def fine_gray(X: Floats, time: Floats, event: Floats, *, competing: Floats,
              silent: Bools | None = None) -> tuple[Floats, Floats] | None:  # fmt: skip
    """Fit the model.

    Parameters
    ----------
    X
        Shape (n, k), about standardised.
    time, event, competing
        Days; 1 where the event, or the competing event, came at that time; neither: censored.
    silent
        Patients of a level without an event, shape (n,): its effect is infinite, so that they weigh nothing in a risk
        set; they still count for the curve of censoring.

    Returns
    -------
    coef, variance
        Shapes (k,) and (k, k); None where the steps do not end.

    Notes
    -----
    Fine and Gray, J Am Stat Assoc 1999;94:496-509; the numbers are those of R's ``cmprsk::crr``. With few events its
    normal-theory intervals are too narrow.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import fine_gray
    >>> X = np.array([[-1.0], [1.0], [-1.0], [1.0], [-1.0], [1.0]])
    >>> time = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    >>> relapse = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    >>> death = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    >>> coef, variance = fine_gray.fine_gray(X, time, relapse, competing=death)
    >>> round(float(coef[0]), 3), round(float(variance[0, 0] ** 0.5), 3)
    (-0.417, 0.524)
    """
    sets = _sets(time, event, competing, silent=np.zeros(len(time), dtype=np.bool_) if silent is None else silent)
    b = np.zeros(X.shape[1])
    value, score, information, _ = _state(X, b, sets, event=event)
    for _ in range(_ROUNDS):
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return None
        if np.abs(b).max() > _FARTHEST or not np.isfinite(step).all():
            return None  # it runs away
        step *= min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-300))
        tried = _state(X, b + step, sets, event=event)
        while not tried[0] >= value - 1e-10 and np.abs(step).max() > _CLOSE:
            step = step / 2
            tried = _state(X, b + step, sets, event=event)
        b = b + step
        value, score, information, _ = tried
        if np.abs(step).max() < _CLOSE:
            variance = _variance(X, b, sets, time=time, event=event, competing=competing)
            return None if variance is None else (b, variance)
    return None


def risk_weights(time: Floats, event: Floats, *, competing: Floats) -> tuple[Floats, Floats, Floats]:
    """Return event times, how many events each has, and every patient's weight in each risk set, (times, n)."""
    sets = _sets(time, event, competing, silent=np.zeros(len(time), dtype=np.bool_))
    return sets.at, sets.count, sets.weight


def _sets(time: Floats, event: Floats, competing: Floats, *, silent: Bools) -> _Sets:
    at, count = np.unique(time[event == 1], return_counts=True)
    censored = (event == 0) & (competing == 0)
    ends, lost = np.unique(time[censored], return_counts=True)
    at_risk = (time[None, :] >= ends[:, None]).sum(axis=1)
    curve = np.append(1.0, np.cumprod(1 - lost / at_risk))

    def left(t: Floats) -> Floats:
        """Return the share not censored just before t."""
        return np.asarray(curve[np.searchsorted(ends, t, side="left")], dtype=np.float64)

    at_risk_at = (time[None, :] >= at[:, None]).astype(np.float64)
    own = np.where(competing == 1, left(time), 1.0)
    stays = np.where((competing == 1)[None, :] & (time[None, :] < at[:, None]), left(at)[:, None] / own[None, :], 0.0)
    return _Sets(at, count.astype(np.float64), (at_risk_at + stays) * ~silent)


def _state(X: Floats, b: Floats, sets: _Sets, *, event: Floats) -> tuple[float, Floats, Floats, tuple[Floats, Floats]]:
    """Return log-likelihood, score, information, and the hazard's steps with the mean of X at each."""
    eta = X @ b
    shift = float(eta.max())
    r = sets.weight * np.exp(eta - shift)
    s0 = r.sum(axis=1)
    mean = r @ X / s0[:, None]
    steps = sets.count / s0
    second = (X.T * (steps @ r)) @ X
    information = second - (mean.T * sets.count) @ mean
    score = event @ X - sets.count @ mean
    value = float(event @ eta - sets.count @ (np.log(s0) + shift))
    return value, score, information, (steps * np.exp(-shift), mean)


def _variance(X: Floats, b: Floats, sets: _Sets, *, time: Floats, event: Floats, competing: Floats) -> Floats | None:
    """Return the sandwich of step (4); None where the information is singular."""
    _, _, information, (steps, mean) = _state(X, b, sets, event=event)
    hazard = sets.weight * np.exp(X @ b) * steps[:, None]  # of each patient at each event time
    place = np.searchsorted(sets.at, time)
    own = np.zeros_like(X)
    died = event == 1
    own[died] = X[died] - mean[place[died]]
    eta = own - (X * hazard.sum(axis=0)[:, None] - hazard.T @ mean)
    censored = (event == 0) & (competing == 0)
    ends, lost = np.unique(time[censored], return_counts=True)
    psi = np.zeros_like(X)
    if len(ends):
        at_risk = (time[None, :] >= ends[:, None]).sum(axis=1)
        q = np.array([_carried(X, sets, mean, hazard=hazard, time=time, competing=competing, u=u) for u in ends])
        jump = q / at_risk[:, None]
        psi[censored] = jump[np.searchsorted(ends, time[censored])]
        psi -= (time[:, None] >= ends[None, :]).astype(np.float64) @ (jump * (lost / at_risk)[:, None])
    try:
        bread = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(bread @ ((eta + psi).T @ (eta + psi)) @ bread, dtype=np.float64)


def _carried(
    X: Floats, sets: _Sets, mean: Floats, *, hazard: Floats, time: Floats, competing: Floats, u: float
) -> Floats:
    """Return how much score the weights of patients with a competing event before u carry from u on."""
    who, when = (competing == 1) & (time < u), sets.at >= u
    h = hazard[np.ix_(when, who)]
    return np.asarray(h.sum(axis=0) @ X[who] - h.sum(axis=1) @ mean[when], dtype=np.float64)

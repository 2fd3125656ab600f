"""Likelihood of a patient's data for each virtual twin."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr, logsumexp

from reinfuse.arrays import Bools, Floats
from reinfuse.kinetics.profiles import Profile
from reinfuse.simulation.solver.readouts import BURDEN
from reinfuse.simulation.trial.outcomes import needs_another, outcomes
from reinfuse.simulation.twins.patient_data import PatientData

RESIDUAL = 0.56
"""Standard deviation of a log count around its curve (Stein 2019)."""
NOT_BULKY = 1e-3
"""Weight of a twin on the other side of the cut-point of bulky disease."""
OTHER_RESPONSE = 0.1
"""Weight of a twin with another response to CART1: day 28 in the model, the best one in the cohort (assumed)."""
_NODES, _MASSES = np.polynomial.hermite_e.hermegauss(21)
_LOG_MASSES = np.log(_MASSES / _MASSES.sum())


def fits(patient: PatientData, out: Floats, counts: Floats, *, cut: Floats | float) -> Floats:
    """Return the log likelihood of a patient's data for each twin; -inf for one who would not have had CART2.

    Parameters
    ----------
    out, counts
        Read-outs (twins, 2, 18); CAR-T cells of the twins on the days of the patient's counts, (twins, days).
    cut
        Tumour before CART2 from which disease is bulky, for each twin; NaN: not told apart.
    """
    fit = np.where(who_had_it(patient, out), 0.0, -np.inf)
    if patient.bulky is not None:
        other = (out[:, 1, BURDEN] >= cut) != patient.bulky
        fit = fit + np.where(other & np.isfinite(cut), np.log(NOT_BULKY), 0.0)
    if patient.before is not None:
        first_outcome = outcomes(out[:, 0])
        same = first_outcome.response.astype(int) + first_outcome.cr == patient.before
        fit = fit + np.where(same, 0.0, np.log(OTHER_RESPONSE))
    if patient.counts is not None:
        fit = fit + of_counts(patient.counts, counts)
    return fit


def who_had_it(patient: PatientData, out: Floats) -> Bools:
    """Return the twins who had CART2: who needed it, or, where it was planned, who were alive."""
    if patient.planned:
        return outcomes(out[:, 1]).given & ~outcomes(out[:, 0]).died
    return needs_another(out[:, 0], out[:, 1])


def of_counts(profile: Profile, counts: Floats) -> Floats:
    """Return the log likelihood of a profile's counts for each twin; -inf where the twin has none on one of the days.

    Below the limit it is that of the left-censored count (method M3). In copies/ug the factor to cells/uL is integrated
    out, all of its logarithms being as likely.
    """
    usable = np.isfinite(counts).any(axis=0) & (profile.value > 0)
    counts, value, below = counts[:, usable], np.log(profile.value[usable]), profile.below[usable]
    twin = np.log(np.maximum(np.nan_to_num(counts), 1e-6))
    off = (value - twin) / RESIDUAL
    if profile.unit == "cells/uL":
        fit = -0.5 * np.sum(off[:, ~below] ** 2, axis=1) + np.sum(log_ndtr(off[:, below]), axis=1)
    elif below.all():
        fit = np.zeros(len(counts))
    else:
        fit = _free(off[:, ~below], off[:, below])
    return np.where(np.isfinite(counts).all(axis=1), fit, -np.inf)


def _free(detected: Floats, undetected: Floats) -> Floats:
    """Return the log likelihood of detected and undetected counts, a common shift integrated out."""
    shift = detected.mean(axis=1, keepdims=True)
    fit: Floats = -0.5 * np.sum((detected - shift) ** 2, axis=1)
    if undetected.shape[1]:
        above = _NODES / np.sqrt(detected.shape[1])
        parts = [
            mass + log_ndtr(undetected - shift - x).sum(axis=1) for mass, x in zip(_LOG_MASSES, above, strict=True)
        ]
        fit = fit + logsumexp(parts, axis=0)
    return fit

"""The parameters of the population model, declared once: meaning, unit, scale, prior, source.

Stein et al., CPT Pharmacometrics Syst Pharmacol 2019;8:285-295 (doi 10.1002/psp4.12388): a count grows from
R0 = Cmax/foldx at day 0 to Cmax at Tmax, then falls in two phases,

    C(t) = R0 exp(rho t), rho = ln(foldx)/Tmax                                        t <  Tmax
    C(t) = (1-FB) Cmax exp(-alpha (t-Tmax)) + FB Cmax exp(-beta (t-Tmax))             t >= Tmax.

Each infusion has parameters of its own: on the scale below (log; the logit of FB / 0.25; the log of the log for foldx,
which is above 1), a typical value, effects of factors, a patient's deviation and an infusion's deviation, both normal.
Priors are centred on the typical values of Stein's Table 1. Its random effects (2.4, 0.38, 0.65, 0.91, 0.80, 0.86) are
read as variances by one public library and would be standard deviations in the paper's own software: the priors of the
standard deviations are centred near the smaller reading and wide enough for both (that of foldx divided by ln 3900,
which brings it to its scale).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reinfuse.arrays import Floats


@dataclass(frozen=True)
class CurveParameter:
    """One parameter of the curve.

    Attributes
    ----------
    name, label, unit
        `unit` "" of a count: that of the counts.
    scale
        On which patients differ normally.
    typical, spread
        Prior of the typical value: its median, and its standard deviation on the scale.
    between
        Prior of the standard deviation between infusions of all patients (log-normal): its median.
    effect
        Prior of a factor's effect on the scale (normal around 0): its standard deviation; 0: factors do not act on it.
    """

    name: str
    label: str
    unit: str | None
    scale: Literal["log", "loglog", "logit"]
    typical: float
    spread: float
    between: float
    effect: float


SOURCE = "Stein 2019, Table 1"
FOLD, TMAX, CMAX, ALPHA, FB, BETA = range(6)
PARAMETERS = (
    CurveParameter("foldx", "Fold expansion from day 0", "ratio", "loglog", 3900, 0.12, 0.23, 0.0),
    CurveParameter("tmax", "Time to peak", "days", "log", 9.3, 0.2, 0.40, 0.2),
    CurveParameter("cmax", "Peak", "", "log", 24000, 1.5, 0.70, 0.7),
    CurveParameter("alpha", "Contraction rate", "1/days", "log", 0.16, 0.3, 0.75, 0.3),
    CurveParameter("fb", "Persisting fraction of the peak", "fraction", "logit", 0.0079, 0.6, 0.80, 0.5),
    CurveParameter("beta", "Loss rate in persistence", "1/days", "log", 0.0032, 0.5, 0.80, 0.0),
)  # fmt: skip
NAMES = tuple(p.name for p in PARAMETERS)
ACTED_ON = tuple(k for k, p in enumerate(PARAMETERS) if p.effect)
"""Parameters on which factors act: Tmax, peak, contraction, persistence."""
MOST_FB = 0.25
"""Greatest share that persists. Were more possible, a slow contraction and a high share could not be told apart."""
PEAK = {"copies/ug": 24000.0, "cells/uL": 115.0}
"""Prior median of the typical peak by unit. cells/uL: the geometric mean of 27.5 (day 7 of axi-cel, Kimmel 2021) and
481 (median peak in continuous remission, Liu 2022)."""
BETWEEN_SPREAD = 0.25
"""Standard deviation of the log of each standard deviation between infusions."""
SHARE = (2.0, 2.0)
"""Beta prior of the share of that variance that lies between infusions of one patient."""
RESIDUAL, RESIDUAL_SPREAD = 0.56, 0.25
"""Prior of the residual standard deviation of a log count (Stein 2019: 0.56): median, and spread of its log."""


def to_scale(k: int, value: float) -> float:
    """Return a value of parameter k on its scale."""
    scale = PARAMETERS[k].scale
    value = value / (MOST_FB - value) if scale == "logit" else np.log(value) if scale == "loglog" else value
    return float(np.log(value))


def from_scale(k: int, value: Floats) -> Floats:
    """Return parameter k from its scale."""
    scale = PARAMETERS[k].scale
    natural: Floats = MOST_FB / (1 + np.exp(-value)) if scale == "logit" else np.exp(value)
    return np.exp(natural) if scale == "loglog" else natural


def centres(unit: str) -> Floats:
    """Return the prior medians of the typical values on their scales, of counts in a unit; shape (6,)."""
    typical = [PEAK[unit] if k == CMAX else p.typical for k, p in enumerate(PARAMETERS)]
    return np.array([to_scale(k, v) for k, v in enumerate(typical)])

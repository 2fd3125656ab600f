"""Several coefficients of a Firth model tested together, and one of them with its profile interval.

The penalised likelihood ratio of a model against itself with several coefficients held at 0, their columns kept in the
information, referred to chi-square with as many degrees of freedom (Heinze and Schemper, Stat Med 2002;21:2409-2419 and
Biometrics 2001;57:114-119): the global test of a category, of a spline or of an interaction. Of one coefficient it is
the test of `firth`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import chdtrc, chdtri

from reinfuse.arrays import Floats
from reinfuse.statistics import batch_algebra
from reinfuse.statistics.firth import Kind, ever_at_risk, standardised
from reinfuse.statistics.firth_profile import Along, ModelData, Summit, along, fall_of_several, profiled, summit

_SAME = 1e-4
"""Standard deviations of the column within which two fits have the same coefficient."""


@dataclass(frozen=True)
class JointTest:
    """A test of several coefficients; NaN where a fit did not converge.

    Attributes
    ----------
    statistic, df
        Twice the log of the penalised likelihood ratio, and the coefficients tested.
    p_value
        By chi-square.
    every
        The coefficients of all columns, per unit, shape (k,).
    """

    statistic: float
    df: int
    p_value: float
    every: Floats = field(repr=False)


@dataclass(frozen=True)
class Effect:
    """One coefficient on the log scale, its profile limits and the p-value of its penalised likelihood ratio.

    Attributes
    ----------
    every
        The coefficients of all columns, per unit, shape (k,).
    """

    coef: float
    lower: float
    upper: float
    p_value: float
    every: Floats = field(repr=False)


def joint_test(
    kind: Kind, X: Floats, event: Floats, time: Floats | None = None, *, columns: Sequence[int]
) -> JointTest:
    """Test that the coefficients of some columns are all 0.

    Parameters
    ----------
    kind, X, event, time
        As in `firth.fit`.
    columns
        Those tested.

    Returns
    -------
    JointTest
        NaN where a fit did not converge.

    Examples
    --------
    Three groups with 1 of 4, 2 of 4 and 3 of 4 responses:

    >>> import numpy as np
    >>> from reinfuse.statistics.firth_joint import joint_test
    >>> second, third = np.repeat([0.0, 1.0, 0.0], 4), np.repeat([0.0, 0.0, 1.0], 4)
    >>> response = np.array([1.0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0])
    >>> test = joint_test("logistic", np.column_stack([second, third]), response, columns=[0, 1])
    >>> test.df, round(test.p_value, 2)
    (2, 0.44)
    """
    model, scale = _standardised(kind, X, event, time)
    top = summit(model)
    drop = float("nan") if top is None else fall_of_several(model, top, columns=columns)
    p = float(chdtrc(len(columns), drop)) if np.isfinite(drop) else float("nan")
    every = np.full(len(scale), np.nan) if top is None else top.coef[: len(scale)] / scale
    return JointTest(drop, len(columns), p, every)


def effect(kind: Kind, X: Floats, event: Floats, time: Floats | None = None, *, column: int,
           confidence: float = 0.95, expected: float | None = None) -> Effect:  # fmt: skip
    """Return one coefficient of a model as `firth.fit` gives it, in a fraction of its time.

    Parameters
    ----------
    kind, X, event, time, confidence
        As in `firth.fit`.
    column
        Whose coefficient is wanted.
    expected
        The coefficient, where it is known from the same model written otherwise: no other maximum is looked for.
    """
    model, scale = _standardised(kind, X, event, time)
    quantile = float(chdtri(1, 1 - confidence))
    if expected is not None and (one := _followed(model, quantile, column, expected=float(expected * scale[column]))):
        return _per_unit(*one, scale=scale, column=column)
    profile = profiled(model, quantile, columns=[column])
    if profile is None:
        return Effect(*(float("nan"),) * 4, np.full(len(scale), np.nan))
    return _per_unit(profile[0].coef, profile[1][0], scale=scale, column=column)


def _per_unit(coef: Floats, profile: Along, *, scale: Floats, column: int) -> Effect:
    every, one = coef[: len(scale)] / scale, float(scale[column])
    p = float(chdtrc(1, np.maximum(0.0, profile.fall)))
    return Effect(float(every[column]), float(profile.lower) / one, float(profile.upper) / one, p, every)


def _followed(model: ModelData, quantile: float, column: int, *, expected: float) -> tuple[Floats, Along] | None:
    """Return the coefficients and a profile from the nearest maximum, if that is the expected one."""
    alone = _Followed(model.X, model.event, model.time)
    fits = alone.fit(np.zeros((1, model.X.shape[1])))
    if not fits.converged[0] or abs(fits.coef[0, column] - expected) > _SAME:
        return None
    variance, _ = batch_algebra.inverted(fits.information, None)
    top = Summit(fits.coef[0], float(fits.value[0]), variance[0])
    return top.coef, along(alone, top, column, quantile=quantile)


class _Followed(ModelData):
    """A model whose maximum is known: profiles follow it."""

    @property
    def alone(self) -> bool:
        """Whether a profile follows the summit alone."""
        return True


def _standardised(kind: Kind, X: Floats, event: Floats, time: Floats | None) -> tuple[ModelData, Floats]:
    """Return the model with standardised columns, of a Cox model over those at risk at an event, and their scale."""
    if (kind == "cox") != (time is not None):
        raise ValueError("time belongs to a Cox model: give it there, and leave it out of a logistic model")
    return standardised(*ever_at_risk(X, event, time))

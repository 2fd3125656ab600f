"""Linear model with a random intercept of each patient, with standard errors that hold in small samples.

Conventions. Rows are infusions; several may be of one patient. Coefficients are those of generalised least squares
under the working covariance of the random intercept (compound symmetry), its two variances by restricted maximum
likelihood (REML). The covariance of the coefficients is robust to a wrong working covariance: the sandwich by patient
with the CR2 correction (Bell and McCaffrey, Surv Methodol 2002;28:169-181) in the form of Pustejovsky and Tipton (J Bus
Econ Stat 2018;36:672-683), whose Satterthwaite degrees of freedom go with t intervals and p-values. Everything is
computed on rows multiplied by the symmetric inverse root of their patient's working covariance; V is that covariance
divided by the residual variance, and `share` the variance between patients divided by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import stdtr, stdtrit

from reinfuse.analyses.association import ratio
from reinfuse.analyses.design_matrix import design_of
from reinfuse.arrays import Floats, Integers
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate, finite, joined

METHOD = "random-intercept model (REML), CR2 robust, Satterthwaite t"
FEW_DF = 4.0
"""Degrees of freedom below which t limits are rough (Tipton, Psychol Methods 2015;20:375-393)."""
_SHARES = np.concatenate([[0.0], np.logspace(-4, 4, 81)])
_SINGULAR = 1e-12
_BIASED = 1e-6
_FLAT = 1e-8
"""Range of the restricted log likelihood that is rounding."""


@dataclass(frozen=True)
class MixedModelFit:
    """A fitted model, or the reason why there is none.

    Attributes
    ----------
    coef, covariance
        One a column, and their robust covariance; NaN where there is no fit.
    df
        Satterthwaite degrees of freedom of each coefficient; NaN where it rests on one patient alone, whose residual
        is always 0: its standard error would be too small.
    residual_sd, patient_sd
        Standard deviations within and between patients, in the unit of the outcome. None: no fit; and between
        patients where each has one row, as it cannot be told from the other then.
    n, patients
        Rows and patients.
    reason
        Why there is no fit.
    """

    coef: Floats = field(repr=False)
    covariance: Floats = field(repr=False)
    df: Floats = field(repr=False)
    residual_sd: float | None
    patient_sd: float | None
    n: int
    patients: int
    reason: str | None = None

    @property
    def se(self) -> Floats:
        """Robust standard errors."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def p_value(self) -> Floats:
        """Two-sided p of each coefficient against 0; NaN without degrees of freedom."""
        p: Floats = 2 * stdtr(self.df, -np.abs(self.coef / self.se))
        return p

    def limits(self, confidence: float) -> Floats:
        """Return lower and upper limits, shape (columns, 2); NaN without degrees of freedom."""
        half = stdtrit(self.df, 0.5 + confidence / 2) * self.se
        return np.column_stack([self.coef - half, self.coef + half])


@dataclass(frozen=True)
class _Rows:
    """Rows in the order of their patients."""

    y: Floats
    X: Floats
    sizes: Floats
    starts: Integers

    def whitened(self, share: float) -> tuple[Floats, Floats]:
        """Return outcome and columns times the symmetric inverse root of V = 1 + share 11'."""
        both = np.column_stack([self.y, self.X])
        less = (1 - 1 / np.sqrt(1 + self.sizes * share)) / self.sizes
        both = both - np.repeat(less[:, None] * np.add.reduceat(both, self.starts), self.sizes.astype(int), axis=0)
        return both[:, 0], both[:, 1:]


def fit(y: Floats, X: Floats, patient: Sequence[object] | NDArray[np.str_]) -> MixedModelFit:
    """Fit the model.

    Parameters
    ----------
    y
        Outcome, one a row, none missing.
    X
        Columns with the intercept among them, shape (rows, columns), none missing.
    patient
        Whose row it is.

    Returns
    -------
    MixedModelFit
        With a `reason`, and no numbers, where the model cannot be fitted.
    """
    names, code = np.unique(np.asarray(patient, dtype=np.str_), return_inverse=True)
    order = np.argsort(code, kind="stable")
    sizes = np.bincount(code, minlength=len(names)).astype(np.float64)
    scale = np.sqrt((X**2).sum(axis=0)) if len(y) else np.ones(X.shape[1])
    scale[scale == 0] = 1.0
    starts = np.concatenate([[0], np.cumsum(sizes[:-1])]).astype(np.int64)
    rows = _Rows(y[order], X[order] / scale, sizes, starts)
    reason = _impossible(rows)
    share = 0.0 if reason or sizes.max() == 1 else _share(rows)
    if share is None:
        reason = "no within-patient variation beyond the covariates"
    if reason or share is None:
        none = np.full(X.shape[1], np.nan)
        return MixedModelFit(none, np.full((X.shape[1],) * 2, np.nan), none, None, None, len(y), len(names), reason)
    coef, covariance, df, variance = _robust(rows, share)
    between = None if sizes.max() == 1 else float(np.sqrt(share * variance))
    covariance = covariance / np.outer(scale, scale)
    return MixedModelFit(coef / scale, covariance, df, float(np.sqrt(variance)), between, len(y), len(names))


def _impossible(rows: _Rows) -> str | None:
    n, k = rows.X.shape
    if len(rows.sizes) < k or n <= k:
        few = _many(len(rows.sizes), "patient") if len(rows.sizes) < k else _many(n, "row")
        return f"too few for {k} coefficients: {few}"
    if np.linalg.matrix_rank(rows.X, 1e-9) < k:
        return "collinear covariates"
    left = rows.y - rows.X @ np.linalg.lstsq(rows.X, rows.y, rcond=None)[0]
    return "the covariates fit the outcome exactly" if left @ left <= 1e-20 * (rows.y @ rows.y) else None


def _many(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def _criterion(rows: _Rows, share: float) -> tuple[float, float]:
    """Return -2 restricted log likelihood (but for a constant) and its slope in `share`."""
    y, X = rows.whitened(share)
    M = np.linalg.inv(X.T @ X)
    left = y - X @ (M @ (X.T @ y))
    spread = 1 + rows.sizes * share
    total, free = float(left @ left), len(y) - X.shape[1]
    value = free * np.log(total) + np.log(spread).sum() - np.linalg.slogdet(M)[1]
    t = np.add.reduceat(left, rows.starts) / np.sqrt(spread)
    U = np.add.reduceat(X, rows.starts) / np.sqrt(spread)[:, None]
    slope = -free * (t @ t) / total + (rows.sizes / spread).sum() - np.einsum("ij,jk,ik->", U, M, U)
    return float(value), float(slope)


def _share(rows: _Rows) -> float | None:
    """Return the REML share of the variance between patients; None if it grows without bound, or any is as likely."""
    values, slopes = zip(*[_criterion(rows, s) for s in _SHARES], strict=True)
    if slopes[-1] < 0 or np.ptp(values) < _FLAT:
        return None
    minima = [0.0] if slopes[0] >= 0 else []
    for a, b, low, high in zip(_SHARES[:-1], _SHARES[1:], slopes[:-1], slopes[1:], strict=True):
        if low < 0 <= high:
            minima.append(float(brentq(lambda s: _criterion(rows, s)[1], a, b, xtol=1e-14, rtol=1e-13)))
    return min(minima, key=lambda s: _criterion(rows, s)[0])


def _robust(rows: _Rows, share: float) -> tuple[Floats, Floats, Floats, float]:
    """Return coefficients, CR2 covariance, degrees of freedom and residual variance."""
    y, X = rows.whitened(share)
    n, k = X.shape
    basis, triangle = np.linalg.qr(X)  # leverages to the last digit, however nearly collinear the columns
    root = np.asarray(np.linalg.inv(triangle), dtype=np.float64)
    M = root @ root.T
    coef = root @ (basis.T @ y)
    left = y - X @ coef
    scores, own, U = np.empty((len(rows.sizes), k)), np.empty((len(rows.sizes), k)), np.empty((len(rows.sizes), k, k))
    for size in np.unique(rows.sizes):
        alike = np.flatnonzero(rows.sizes == size)  # patients of one number of rows together
        at = rows.starts[alike][:, None] + np.arange(int(size))
        Q = _adjusted(basis[at], share=share) @ root.T
        scores[alike] = np.einsum("prk,pr->pk", Q, left[at])
        own[alike] = (Q**2).sum(axis=1)
        U[alike] = np.swapaxes(X[at], 1, 2) @ Q
    df = np.array([_satterthwaite(own[:, j], U[:, :, j], M, right=M[j, j]) for j in range(k)])
    return coef, scores.T @ scores, df, float(left @ left) / (n - k)


def _adjusted(basis: Floats, *, share: float) -> Floats:
    """Return each patient's weights of its residuals along an orthonormal basis of the columns, CR2's adjustment in.

    Directions in which a patient has no residual have no weight: I - H, H the patient's leverages, is 0 there, and its
    root is taken before it is multiplied by V, whose great values would lift rounding above any limit.

    Parameters
    ----------
    basis
        Shape (patients, rows, k); so is what is returned.
    """
    size = basis.shape[1]
    V = np.eye(size) + share
    left, directions = np.linalg.eigh(np.eye(size) - basis @ np.swapaxes(basis, 1, 2))
    lengths = np.sqrt(np.where(left > _SINGULAR, left, 0.0))
    axes, values, _ = np.linalg.svd(V @ (directions * lengths[:, None, :]))
    regular = values > _SINGULAR * np.maximum(values[:, :1], 1.0)
    inverse = np.where(regular, 1 / np.where(regular, values, 1.0), 0.0)
    weights: Floats = V @ (axes * inverse[:, None, :]) @ np.swapaxes(axes, 1, 2) @ basis
    return weights


def _satterthwaite(own: Floats, U: Floats, M: Floats, *, right: float) -> float:
    """Return the degrees of freedom of one variance; NaN if it is 0, or its mean under the working covariance wrong.

    The matrix P = diag(own) - U M U' of all patients is not written out: its trace and its sum of squares are enough.
    """
    shared = ((U @ M) * U).sum(axis=1)
    mean = float((own - shared).sum())
    inner = M @ (U.T @ U)
    squares = float((own**2).sum() - 2 * own @ shared + (inner * inner.T).sum())
    return mean**2 / squares if squares > 0 and mean > (1 - _BIASED) * right else float("nan")


def effects(endpoint: str, log_value: Floats, patient: Sequence[object] | NDArray[np.str_],
            *, factors: Sequence[FactorColumn], model: str, confidence: float) -> list[Estimate]:  # fmt: skip
    """Return the ratio of an outcome for each term of one model.

    Parameters
    ----------
    endpoint
        Name of the outcome.
    log_value
        Its natural logarithm, one an infusion; NaN: missing.
    patient
        Whose infusion it is.
    factors
        All factors of the model; their values stand one an infusion, in the order of `log_value`.
    model
        ``univariable`` or ``multivariable``.

    Returns
    -------
    list of Estimate
        `analysis` ``kinetics``, `statistic` ``ratio``; n: infusions, events: patients. Infusions without a value or a
        factor are left out.
    """
    measured = np.where(np.isnan(log_value), np.nan, 1.0)
    design = design_of(EndpointColumn(endpoint, endpoint, "time", measured, log_value), factors)
    whose = np.asarray(patient, dtype=np.str_)[design.rows]
    fitted = fit(log_value[design.rows], np.column_stack([np.ones(design.n), design.X[:, design.usable]]), whose)
    sizes = f"{_many(fitted.n, 'infusion')} of {_many(fitted.patients, 'patient')}"
    lost = f"{_many(design.left_out, 'infusion')} excluded, factor missing" if design.left_out else None
    own = Estimate("kinetics", endpoint, "ratio", model=model, confidence=confidence, unit="ratio", method=METHOD,
                   n=fitted.n, events=fitted.patients, note=joined([sizes, lost]))  # fmt: skip
    records = []
    for j, term in enumerate(design.terms):
        why = design.why(j) or fitted.reason
        one = replace(own, term=term)
        if why:
            records.append(replace(one, note=joined([f"{NOT_ESTIMABLE}: {why}", own.note])))
        else:
            records.append(_ratio(fitted, design.usable.index(j) + 1, one=one))
    return records


def _ratio(fitted: MixedModelFit, at: int, *, one: Estimate) -> Estimate:
    df = float(fitted.df[at])
    if np.isnan(df):
        note = f"interval {NOT_ESTIMABLE}: the ratio rests on one patient alone"
        return replace(one, estimate=ratio(float(fitted.coef[at])), note=joined([note, one.note]))
    lower, upper = (ratio(float(b)) for b in fitted.limits(one.confidence or 0.0)[at])
    few = f"few degrees of freedom: {df:.1f}, limits are approximate" if df < FEW_DF else None
    p = finite(float(fitted.p_value[at]))  # none where the residuals, and so the standard error, are 0
    lost = "a limit is not estimable" if lower is None or upper is None or p is None else None
    return replace(one, estimate=ratio(float(fitted.coef[at])), lower=lower, upper=upper,
                   p_value=p, note=joined([lost, few, one.note]))  # fmt: skip

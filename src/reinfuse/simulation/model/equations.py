"""The model's equations (`parameters.STATES`), written once: for Python as they stand, compiled for the solver."""

from __future__ import annotations

import math

from reinfuse.arrays import Floats
from reinfuse.simulation.model.jit import called, exp, inlined
from reinfuse.simulation.model.parameters import NAMES, STATES

Eight = tuple[float, float, float, float, float, float, float, float]
States = Floats | Eight
Parameters = Floats | tuple[float, ...]

SIZE = len(STATES)
E, M, X, P, N, A, U, PHI = range(SIZE)
(RHO, KI, KAP, D_E, M_RATE, D_M, X_RATE, D_X, A_M, KC, KS, B0, KK, KB, G, T0, TMAX, F_N, MU, R_L, C_CY, C_FLU, PHI0,
 K_PHI, A0, R_A, KA, D_A, A_H, RMAX, KR, S_A, S_T, T_DEATH, PR, W) = range(len(NAMES))  # fmt: skip
assert NAMES == (
    "rho", "KI", "kap", "dE", "m", "dM", "x", "dX", "aM", "KC", "Ks", "b0", "kk", "kB", "g", "T0", "Tmax", "fN", "mu",
    "rL", "cCy", "cFlu", "phi0", "kphi", "A0", "rA", "KA", "dA", "aH", "rmax", "KR", "sA", "sT", "Tdeath", "pr", "w",
)  # fmt: skip


@inlined
def rates(y: States, p: Parameters, w: float) -> Eight:
    """Return the change of the states `y` a day; `p` as `parameters.PARAMETERS`, `w` the product's fitness."""
    e, m, x = max(y[E], 0.0), max(y[M], 0.0), max(y[X], 0.0)
    tp, tn, a = max(y[P], 0.0), max(y[N], 0.0), max(y[A], 0.0)
    c = e + m + x
    own = min(exp(y[U]), 1.0)
    antigen = tp + p[B0]
    s = antigen / (antigen + p[KS])
    niche = 1.0 + p[KAP] * (1.0 - own)
    rejection = p[RMAX] * a / (1.0 + c / p[KR])
    growth = w * p[RHO] * s * niche / (niche + p[KI]) * max(0.0, 1.0 - c / p[KC])
    back = p[A_M] * s
    tumour = p[G] * (1.0 - (tp + tn) / p[TMAX])
    held = y[PHI] * p[A_H] / (p[A_H] + a)
    return (
        (growth - p[D_E] - p[X_RATE] * s - p[M_RATE] - rejection) * e + back * m,
        p[M_RATE] * e - (p[D_M] + back + rejection) * m,
        p[X_RATE] * s * e - (p[D_X] + rejection) * x,
        (tumour - p[MU] - p[KK] * e / (e + p[KB])) * tp,
        tumour * tn + p[MU] * tp,
        p[R_A] * (1.0 - held) * own * a * (1.0 - a) * c / (c + p[KA]) - p[D_A] * a,
        -p[R_L] * y[U],
        -p[K_PHI] * y[PHI],
    )


@called
def change(y: Floats, p: Floats, w: float, dy: Floats) -> None:
    """Put the change of the states `y` a day into `dy`."""
    dy[E], dy[M], dy[X], dy[P], dy[N], dy[A], dy[U], dy[PHI] = rates(y, p, w)


@called
def begin(p: Floats, y: Floats) -> None:
    """Put a patient before any treatment into `y`."""
    y[:] = 0.0
    y[P] = p[T0] * (1.0 - p[F_N])
    y[N] = p[T0] * p[F_N]
    y[A] = p[A0]


@called
def deplete(y: Floats, p: Floats, cy: float, flu: float) -> None:
    """Give lymphodepletion: `cy` and `flu` in reference courses."""
    kill = p[C_CY] * cy + p[C_FLU] * flu
    left = math.exp(-kill)
    y[E] *= left
    y[M] *= left
    y[X] *= left
    y[A] *= math.exp(-p[S_A] * kill)
    y[P] *= math.exp(-p[S_T] * kill)
    y[N] *= math.exp(-p[S_T] * kill)
    y[U] -= kill
    y[PHI] = 1.0 - (1.0 - y[PHI]) * (1.0 - p[PHI0]) ** flu

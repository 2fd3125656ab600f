"""The model's equations in JAX, for the benchmark of the solver that was not chosen; held to ours by comparing
answers."""

from __future__ import annotations

import jax.numpy as jnp

from reinfuse.simulation.model.parameters import INDEX

I = {name: k for name, k in INDEX.items()}  # noqa: E741


def right(y, p, w):
    """Return the change of the states a day."""
    e, m, x, tp, tn, a = (jnp.maximum(y[k], 0.0) for k in range(6))
    c = e + m + x
    own = jnp.minimum(jnp.exp(y[6]), 1.0)
    s = (tp + p[I["b0"]]) / (tp + p[I["b0"]] + p[I["Ks"]])
    niche = 1 + p[I["kap"]] * (1 - own)
    rejection = p[I["rmax"]] * a / (1 + c / p[I["KR"]])
    growth = w * p[I["rho"]] * s * niche / (niche + p[I["KI"]]) * jnp.maximum(0.0, 1 - c / p[I["KC"]])
    back = p[I["aM"]] * s
    tumour = p[I["g"]] * (1 - (tp + tn) / p[I["Tmax"]])
    held = y[7] * p[I["aH"]] / (p[I["aH"]] + a)
    return jnp.stack([
        (growth - p[I["dE"]] - p[I["x"]] * s - p[I["m"]] - rejection) * e + back * m,
        p[I["m"]] * e - (p[I["dM"]] + back + rejection) * m,
        p[I["x"]] * s * e - (p[I["dX"]] + rejection) * x,
        (tumour - p[I["mu"]] - p[I["kk"]] * e / (e + p[I["kB"]])) * tp,
        tumour * tn + p[I["mu"]] * tp,
        p[I["rA"]] * (1 - held) * own * a * (1 - a) * c / (c + p[I["KA"]]) - p[I["dA"]] * a,
        -p[I["rL"]] * y[6],
        -p[I["kphi"]] * y[7],
    ])  # fmt: skip


def give(y, p, cy, flu, cells):
    """Return the states after lymphodepletion and cells."""
    kill = p[I["cCy"]] * cy + p[I["cFlu"]] * flu
    left, tumour = jnp.exp(-kill), jnp.exp(-p[I["sT"]] * kill)
    return jnp.stack([
        y[0] * left + cells, y[1] * left, y[2] * left, y[3] * tumour, y[4] * tumour, y[5] * jnp.exp(-p[I["sA"]] * kill),
        y[6] - kill, 1 - (1 - y[7]) * (1 - p[I["phi0"]]) ** flu,
    ])  # fmt: skip

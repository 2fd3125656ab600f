"""The model by other solvers: scipy's LSODA, R's deSolve, diffrax; the same patients, events, days and tolerance."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from reinfuse.simulation.model.equations import SIZE, begin, change, deplete, rates
from reinfuse.simulation.model.jit import compiled
from reinfuse.simulation.model.parameters import NAMES, STATES
from reinfuse.simulation.solver.integrate import RTOL
from reinfuse.simulation.trial.protocol import Arm, Infusion

ARM = Arm(name="two", infusions=(Infusion(lymphodepletion="Cy", dose_cells_per_kg=2e6),
                                 Infusion(lymphodepletion="Cy-Flu", dose_cells_per_kg=2e7,
                                          after_days=150)))  # fmt: skip
TIMES, FOLLOW, ATOL = np.arange(0.0, 366.0), 215.0, 1e-12
_compiled = compiled(change)
Right = Callable[[np.ndarray, np.ndarray, float], np.ndarray | tuple[float, ...]]


def legs() -> list[tuple[float, float, np.ndarray, int]]:
    """Return begin, end, what is given first, and the infusion, of each leg between events."""
    s = ARM.schedule
    begins = [s.day[c] + e[0] for c, e in zip(s.course, s.event, strict=True)]
    ends = [*begins[1:], s.day[-1] + FOLLOW]
    return [(a, b, e, int(c)) for a, b, e, c in zip(begins, ends, s.event, s.course, strict=True)]


def in_python(p: np.ndarray) -> Right:
    """Return the right-hand side in plain Python, on lists, which is faster than on arrays."""
    values = p.tolist()
    return lambda x, w: rates(x.tolist(), values, w)


def in_machine_code(p: np.ndarray) -> Right:
    """Return the compiled right-hand side."""
    dy = np.empty(SIZE)

    def right(x, w):
        _compiled(x, p, w, dy)
        return dy.copy()

    return right


def by_scipy(p: np.ndarray, fit: np.ndarray, least: np.ndarray, of: Callable[[np.ndarray], Right]) -> np.ndarray:
    """Return states of one patient by LSODA, a call a leg; populations die out below `least` unless that is 0."""
    y, states, right = np.empty(SIZE), np.full((len(TIMES), SIZE), np.nan), of(p)
    begin(p, y)
    for a, b, event, course in legs():
        deplete(y, p, event[1], event[2])
        y[:5] = np.where(y[:5] < least, 0.0, y[:5])
        y[0] += event[3]
        while a < b:
            a, y = _until(right, fit[course], least, a, b, y, states)
    return states


def _until(right: Right, w: float, least: np.ndarray, a: float, b: float, y: np.ndarray,
           states: np.ndarray) -> tuple[float, np.ndarray]:  # fmt: skip
    """Note states to the end of a leg, or to where a population dies out; return that day, and states."""
    watched = [_dies(i, least[i]) for i in range(5) if least[i] > 0 and y[i] > least[i]]
    inside = np.flatnonzero((a - 1e-9 <= TIMES) & (b + 1e-9 >= TIMES))
    at = np.unique(np.append(np.clip(TIMES[inside], a, b), b))
    solution = solve_ivp(
        lambda _, x: right(x, w), (a, b), y, "LSODA", t_eval=at, events=watched or None, rtol=RTOL, atol=ATOL
    )
    noted = np.array(solution.y).reshape(SIZE, -1).T[: len(inside)]
    if len(noted):
        states[inside[: len(noted)]] = noted
    if solution.status != 1:
        return b, solution.y[:, -1].copy()
    k = next(k for k, when in enumerate(solution.t_events) if len(when))
    y = solution.y_events[k][0].copy()
    y[watched[k].which] = 0.0
    return solution.t_events[k][0], y


def _dies(i: int, least: float):
    def event(_, x):
        return x[i] - least

    event.terminal, event.direction, event.which = True, -1, i
    return event


def by_diffrax(p: np.ndarray, fit: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return states, processor seconds of the first call, and of the fastest of three others."""
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    from jax_model import give, right

    def one(q, w):
        y = jnp.zeros(SIZE).at[3].set(q[15] * (1 - q[17])).at[4].set(q[15] * q[17]).at[5].set(q[24])
        noted = []
        for a, b, event, course in legs():
            y = give(y, q, *event[1:])
            inside = TIMES[(a - 1e-9 <= TIMES) & (b + 1e-9 >= TIMES)]
            solution = diffrax.diffeqsolve(
                diffrax.ODETerm(lambda t, x, args, w=w[course]: right(x, args, w)), diffrax.Tsit5(), a, b, 0.05, y, q,
                saveat=diffrax.SaveAt(t1=True, ts=np.clip(inside, a, b)), max_steps=4096,
                stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL), throw=False)  # fmt: skip
            noted.append(solution.ys[: len(inside)])
            y = solution.ys[-1]
        return jnp.concatenate(noted)

    go = jax.jit(jax.vmap(one))
    seconds = []
    for _ in range(4):
        began = time.process_time()
        states = np.asarray(go(p, fit))
        seconds.append(time.process_time() - began)
    days = np.concatenate([TIMES[(a - 1e-9 <= TIMES) & (b + 1e-9 >= TIMES)] for a, b, _, _ in legs()])
    last = [np.flatnonzero(days == d)[-1] for d in TIMES]
    return states[:, last], seconds[0], min(seconds[1:])


def by_r(p: np.ndarray, fit: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return states and processor seconds of deSolve's lsoda, or None where R or deSolve is missing."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        np.savetxt(room / "p.csv", np.column_stack([p, fit]), delimiter=",", header=",".join([*NAMES, "w1", "w2"]),
                   comments="")  # fmt: skip
        given = [{"a": a, "b": b, "cy": e[1], "flu": e[2], "cells": e[3], "w": c + 1} for a, b, e, c in legs()]
        settings = {"rtol": RTOL, "atol": ATOL, "states": [s.name for s in STATES], "legs": given}
        (room / "asked.json").write_text(json.dumps(settings))
        process = subprocess.run(
            ["Rscript", Path(__file__).with_name("desolve.R"), room], capture_output=True, text=True
        )
        if process.returncode:
            print(process.stderr[-300:])
            return None
        table = np.loadtxt(room / "out.csv", delimiter=",", skiprows=1)
        return table.reshape(len(p), len(TIMES), SIZE), float(process.stdout.split()[-1])

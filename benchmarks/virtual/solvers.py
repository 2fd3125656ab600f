"""Virtual patients a second: our solver beside scipy's LSODA, R's deSolve and diffrax, on the same model, patients
and tolerance.

Two infusions, 365 days, states noted every day. Answers are compared first: total CAR-T cells and tumour on each day,
where above
0.001 /uL and 0.001 (1e9 cells), in patients in whom no population dies out (the peers have no such rule). Processor
seconds of
one core; ours also on all cores by the clock.

    python benchmarks/virtual/solvers.py
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from reinfuse.analysis.threads import CORES
from reinfuse.virtual.compiled import compiled
from reinfuse.virtual.declared import NAMES, STATES
from reinfuse.virtual.equations import SIZE, begin, change, deplete
from reinfuse.virtual.patients import PRIOR, draws, fitness, parameters
from reinfuse.virtual.protocol import Arm, Infusion
from reinfuse.virtual.solver import RTOL, trace

OURS, LSODA, R_PATIENTS, DIFFRAX = 4000, 30, 20, 400
FIRST = Infusion(lymphodepletion="Cy", dose_cells_per_kg=2e6)
ARM = Arm(name="two", infusions=(FIRST, Infusion(lymphodepletion="Cy-Flu", dose_cells_per_kg=2e7, after_days=150)))
TIMES, FOLLOW, ATOL = np.arange(0.0, 366.0), 215.0, 1e-12
RESULTS = Path(__file__).parents[1] / "results" / "virtual_solvers.json"
FLOPS_A_STEP = 6 * 75 + 8 * 95
"""Additions, multiplications and divisions of a step, counted in the source: 6 right-hand sides, sums of 8 states."""


def patients(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return parameters, fitness of products, and populations that never die out."""
    drawn = draws(1, 0, n)
    return parameters(PRIOR, drawn), fitness(PRIOR, drawn, 2), np.zeros((n, 5))


def ours(p: np.ndarray, fit: np.ndarray, least: np.ndarray) -> tuple[np.ndarray, int]:
    """Return states (patients, days, 8) and steps."""
    s = ARM.schedule
    states = np.full((len(p), len(TIMES), SIZE), np.nan)
    day = np.tile(s.day, (len(p), 1))
    steps = trace(p, fit, least, day, s.course, s.event, FOLLOW, RTOL, TIMES, states)
    return states, steps


def legs() -> list[tuple[float, float, np.ndarray, int]]:
    """Return begin, end, what is given first, and the infusion, of each leg between events."""
    s = ARM.schedule
    begins = [s.day[c] + e[0] for c, e in zip(s.course, s.event, strict=True)]
    ends = [*begins[1:], s.day[-1] + FOLLOW]
    return [(a, b, e, int(c)) for a, b, e, c in zip(begins, ends, s.event, s.course, strict=True)]


def by_scipy(p: np.ndarray, fit: np.ndarray, rhs) -> np.ndarray:
    """Return states of one patient by LSODA, a call a leg."""
    y, states, dy = np.empty(SIZE), np.full((len(TIMES), SIZE), np.nan), np.empty(SIZE)
    begin(p, y)
    for a, b, event, course in legs():
        deplete(y, p, event[1], event[2])
        y[0] += event[3]

        def f(_, x, w=fit[course]):
            rhs(x, p, w, dy)
            return dy.copy()

        inside = np.flatnonzero((a - 1e-9 <= TIMES) & (b + 1e-9 >= TIMES))
        at = np.unique(np.append(TIMES[inside], b))
        found = solve_ivp(f, (a, b), y, "LSODA", t_eval=at, rtol=RTOL, atol=ATOL)
        states[inside] = found.y.T[: len(inside)]
        y = found.y[:, -1].copy()
    return states


def by_diffrax(p: np.ndarray, fit: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return states, seconds of the first call, and of the second."""
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
            found = diffrax.diffeqsolve(
                diffrax.ODETerm(lambda t, x, args, w=w[course]: right(x, args, w)), diffrax.Tsit5(), a, b, 0.05, y, q,
                saveat=diffrax.SaveAt(t1=True, ts=np.clip(inside, a, b)), max_steps=4096,
                stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL), throw=False)  # fmt: skip
            noted.append(found.ys[: len(inside)])
            y = found.ys[-1]
        return jnp.concatenate(noted)

    go = jax.jit(jax.vmap(one))
    seconds = []
    for _ in range(2):
        began = time.process_time()
        states = np.asarray(go(p, fit))
        seconds.append(time.process_time() - began)
    days = np.concatenate([TIMES[(a - 1e-9 <= TIMES) & (b + 1e-9 >= TIMES)] for a, b, _, _ in legs()])
    last = [np.flatnonzero(days == d)[-1] for d in TIMES]
    return states[:, last], *seconds


def by_r(p: np.ndarray, fit: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return states and processor seconds of deSolve's lsoda, or None where R or deSolve is missing."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        np.savetxt(room / "p.csv", np.column_stack([p, fit]), delimiter=",", header=",".join([*NAMES, "w1", "w2"]),
                   comments="")  # fmt: skip
        given = [{"a": a, "b": b, "cy": e[1], "flu": e[2], "cells": e[3], "w": c + 1} for a, b, e, c in legs()]
        asked = {"rtol": RTOL, "atol": ATOL, "states": [s.name for s in STATES], "legs": given}
        (room / "asked.json").write_text(json.dumps(asked))
        done = subprocess.run(["Rscript", Path(__file__).with_name("desolve.R"), room], capture_output=True, text=True)
        if done.returncode:
            print(done.stderr[-300:])
            return None
        table = np.loadtxt(room / "out.csv", delimiter=",", skiprows=1)
        return table.reshape(len(p), len(TIMES), SIZE), float(done.stdout.split()[-1])


def far(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Return the greatest relative difference of CAR-T cells and of tumour where above 0.001; not on days of an
    event."""
    kept = ~np.isin(TIMES, [0.0, 147.0, 150.0])
    told = {}
    for name, part in (("car_t", slice(0, 3)), ("tumour", slice(3, 5))):
        a, b = one[:, kept, part].sum(axis=2), other[:, kept, part].sum(axis=2)
        there = b > 1e-3
        told[name] = float(np.max(np.abs(a - b)[there] / b[there]))
    return told


def peak_flops() -> float:
    """Return multiply-adds x 2 a second that one core reaches on independent chains, in the same compiler."""

    @compiled
    def chains(n: int) -> float:
        a = np.ones(64)
        for _ in range(n):
            for i in range(64):
                a[i] = a[i] * 0.999999 + 1e-9
        return a.sum()

    chains(10)
    began = time.process_time()
    chains(2_000_000)
    return 2_000_000 * 64 * 2 / (time.process_time() - began)


def main() -> None:
    """Compare, time, write."""
    p, fit, least = patients(OURS)
    states, _ = ours(p[:LSODA], fit[:LSODA], least[:LSODA])
    told: dict[str, object] = {"rtol": RTOL, "atol_of_peers": ATOL, "days": 365, "cores": CORES}
    began = time.process_time()
    _, steps = ours(p, fit, least)
    one_core = OURS / (time.process_time() - began)
    pieces = np.array_split(np.arange(OURS), 4 * CORES)
    began = time.perf_counter()
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(lambda i: ours(p[i], fit[i], least[i]), pieces))
    all_cores = OURS / (time.perf_counter() - began)
    flops = steps / OURS * FLOPS_A_STEP
    told["ours"] = {"a_second_one_core": one_core, "a_second_all_cores": all_cores, "steps_a_patient": steps / OURS,
                    "operations_a_patient": flops, "gflops_one_core": one_core * flops / 1e9,
                    "measured_peak_gflops_one_core": peak_flops() / 1e9}  # fmt: skip
    for name, rhs in (("scipy LSODA, Python", change), ("scipy LSODA, compiled right-hand side", compiled(change))):
        by_scipy(p[0], fit[0], rhs)
        began = time.process_time()
        peer = np.array([by_scipy(p[i], fit[i], rhs) for i in range(LSODA)])
        told[name] = rated(LSODA / (time.process_time() - began), one_core, all_cores, far(states, peer))
    found = by_r(p[:R_PATIENTS], fit[:R_PATIENTS])
    if found is not None:
        peer, seconds = found
        told["R deSolve lsoda, plain R"] = rated(
            R_PATIENTS / seconds, one_core, all_cores, far(states[:R_PATIENTS], peer)
        )
    peer, first, second = by_diffrax(p[:DIFFRAX], fit[:DIFFRAX])
    more, _ = ours(p[:DIFFRAX], fit[:DIFFRAX], least[:DIFFRAX])
    told["diffrax Tsit5, vmap"] = rated(DIFFRAX / second, one_core, all_cores, far(more, peer)) | {
        "compile": first - second
    }
    told["versions"] = {q: version(q) for q in ("numba", "scipy", "diffrax", "jax")}
    RESULTS.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))


def rated(rate: float, one: float, every: float, differs: dict[str, float]) -> dict[str, object]:
    """Return a peer's rate and ours over it."""
    return {"a_second_one_core": rate, "ours_one_core_over_it": one / rate, "ours_all_cores_over_it": every / rate,
            "greatest_relative_difference": differs}  # fmt: skip


if __name__ == "__main__":
    main()

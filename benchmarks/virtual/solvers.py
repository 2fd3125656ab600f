"""Virtual patients a second: our solver beside scipy's LSODA, R's deSolve and diffrax, on the same model, patients and
tolerance.

Two infusions, 365 days, all states noted every day. Answers are compared first: total CAR-T cells and tumour on each
day but those of an event, where above 0.001 /uL and 0.001 (1e9 cells). Populations die out as the model says (scipy by
its events), and again without that rule (the other peers have none; ours keeps nobody below 1e-30). Processor seconds
of one core, the least of several rounds (scipy's of each patient, ours of 250 together: spans alike); ours also by the
clock on all cores. A peer that is not installed is left out.

    python benchmarks/virtual/solvers.py [--small]
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
from arithmetic import of_a_step, peak
from peers import ARM, ATOL, FOLLOW, TIMES, by_diffrax, by_r, by_scipy, in_machine_code, in_python

from reinfuse.runtime.parallel import CORES
from reinfuse.simulation.model.equations import SIZE
from reinfuse.simulation.population.virtual_patients import PRIOR, draws, fitness, parameters
from reinfuse.simulation.solver.integrate import RTOL, solve, trace
from reinfuse.simulation.solver.readouts import READ

SMALL = "--small" in sys.argv
OURS, LSODA, R_PATIENTS, DIFFRAX, ROUNDS = (250, 1, 1, 4, 1) if SMALL else (2000, 30, 20, 400, 9)
RESULTS = Path(__file__).parents[1] / "results" / "virtual_solvers.json"
Patients = tuple[np.ndarray, np.ndarray, np.ndarray]


def patients(n: int, dying: bool) -> Patients:
    """Return parameters, fitness of products, and the numbers of cells at which populations die out (or 0)."""
    drawn = draws(1, 0, n)
    return parameters(PRIOR, drawn), fitness(PRIOR, drawn, 2), drawn.least * dying


def daily(
    p: np.ndarray, fit: np.ndarray, least: np.ndarray, states: np.ndarray | None = None
) -> tuple[np.ndarray, int]:
    """Return states (patients, days, 8) and steps."""
    s, states = ARM.schedule, np.full((len(p), len(TIMES), SIZE), np.nan) if states is None else states
    return states, trace(p, fit, least, day=np.tile(s.day, (len(p), 1)), course=s.course, event=s.event,
                         follow=FOLLOW, rtol=RTOL, times=TIMES, states=states)  # fmt: skip


def read_outs(
    p: np.ndarray, fit: np.ndarray, least: np.ndarray, out: np.ndarray | None = None
) -> tuple[np.ndarray, int]:
    """Return read-outs (patients, infusions, 17) and steps: what trials use."""
    s, out = ARM.schedule, np.full((len(p), 2, len(READ)), np.nan) if out is None else out
    day, counts = np.tile(s.day, (len(p), 1)), np.empty((len(p), 2, 0))
    return out, solve(p, fit, least, day=day, course=s.course, event=s.event, follow=FOLLOW, rtol=RTOL,
                      days=np.empty(0), out=out, counts=counts)  # fmt: skip


def rate(work: Callable[[], object], n: int, clock: Callable[[], float] = time.process_time, rounds: int = 1) -> float:
    """Return patients a second, of the fastest round."""
    seconds = []
    for _ in range(rounds):
        began = clock()
        work()
        seconds.append(clock() - began)
    return n / min(seconds)


def on_all_cores(work: Callable[..., object], who: Patients) -> float:
    """Return patients a second by the clock, in threads."""
    pieces = np.array_split(np.arange(len(who[0])), 8 * CORES)
    who = (*who, work(*who)[0])
    with ThreadPoolExecutor(CORES) as pool:
        return rate(lambda: list(pool.map(lambda i: work(*(a[i[0] : i[-1] + 1] for a in who)), pieces)), len(who[0]),
                    time.perf_counter, ROUNDS)  # fmt: skip


def far(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Return the greatest relative difference of CAR-T cells and of tumour where above 0.001."""
    between_events, differences = ~np.isin(TIMES, [0.0, 147.0, 150.0]), {}
    for name, part in (("car_t", slice(0, 3)), ("tumour", slice(3, 5))):
        a, b = one[:, between_events, part].sum(axis=2), other[:, between_events, part].sum(axis=2)
        above = b > 1e-3
        differences[name] = float(np.max(np.abs(a - b)[above] / b[above]))
    return differences


def ours(who: Patients, operations: float) -> dict[str, float]:
    """Return our own rates."""
    states, steps = daily(*who)
    n = len(states)
    rates = {"steps_a_patient": steps / n, "operations_a_patient": steps / n * operations}
    for name, work in (("daily", daily), ("read_outs", read_outs)):
        piece = (*(a[:250] for a in who), work(*who)[0][:250])
        rates[f"{name}_one_core"] = rate(lambda work=work, piece=piece: work(*piece), 250, rounds=20 * ROUNDS)
        rates[f"{name}_all_cores"] = on_all_cores(work, who)
    return rates


def scipy(who: Patients, own: dict[str, float]) -> dict[str, dict[str, object]]:
    """Return scipy's rates beside ours, answers compared."""
    (p, fit, least), states = who, daily(*who)[0]
    compared = {}
    for name, of in (("Python", in_python), ("compiled right-hand side", in_machine_code)):
        peer = np.array([by_scipy(p[i], fit[i], least[i], of) for i in range(LSODA)])
        rates = [rate(lambda i=i, of=of: by_scipy(p[i], fit[i], least[i], of), 1, rounds=ROUNDS) for i in range(LSODA)]
        a_second = 1 / np.mean(1 / np.array(rates))
        compared[f"scipy LSODA, {name}"] = beside(a_second, own, far(states[:LSODA], peer))
    return compared


def beside(a_second: float, own: dict[str, float], differs: dict[str, float]) -> dict[str, object]:
    """Return a peer's rate and ours over it."""
    return {"a_second": a_second, "one_core_over_it": own["daily_one_core"] / a_second,
            "all_cores_over_it": own["daily_all_cores"] / a_second,
            "greatest_relative_difference": differs}  # fmt: skip


def main() -> None:
    """Compare, time, write."""
    operations, most = of_a_step(), peak()
    report: dict[str, object] = {"rtol": RTOL, "atol_of_peers": ATOL, "days": 365, "cores": CORES,
                               "operations_a_step": operations, "peak_gflops_one_core": most / 1e9}  # fmt: skip
    for name, dying in (("as the model says", True), ("populations never die out", False)):
        who = patients(OURS, dying)
        own = ours(who, operations)
        report[name] = {
            "ours": own | {"share_of_peak": own["read_outs_one_core"] * own["operations_a_patient"] / most}
        } | scipy(who, own)
    p, fit, least = who
    few = slice(0, R_PATIENTS)
    desolve = by_r(p[few], fit[few])
    if desolve is not None:
        report[name]["R deSolve lsoda, plain R"] = beside(
            R_PATIENTS / desolve[1], own, far(daily(p[few], fit[few], least[few])[0], desolve[0]))  # fmt: skip
    if importlib.util.find_spec("diffrax"):
        some = slice(0, DIFFRAX)
        peer, first, later = by_diffrax(p[some], fit[some])
        report[name]["diffrax Tsit5, vmap"] = beside(
            DIFFRAX / later, own, far(daily(p[some], fit[some], least[some])[0], peer)) | {
                "compile_seconds": first - later}  # fmt: skip
    report["versions"] = {q: version(q) for q in ("numba", "scipy", "diffrax", "jax") if importlib.util.find_spec(q)}
    if not SMALL:
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()

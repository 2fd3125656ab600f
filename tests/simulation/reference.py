"""The same protocol by scipy's solvers, event by event: the reference of the solver's tests."""

import numpy as np
from scipy.integrate import solve_ivp

from reinfuse.simulation.model.equations import SIZE, begin, change, deplete


def solved(p, fitness, least, day, course, event, follow, times, method="LSODA", rtol=1e-9, rhs=change):
    """Return states (times, 8) of one patient; populations die out as in the solver, on the way down."""
    y, states = np.empty(SIZE), np.full((len(times), SIZE), np.nan)
    begin(p, y)
    ends = [*(day[c] + e[0] for c, e in zip(course, event, strict=True)), day[-1] + follow]
    for k in range(len(event)):
        deplete(y, p, event[k, 1], event[k, 2])
        for i in range(5):
            y[i] = 0.0 if y[i] < least[i] else y[i]
        y[0] += event[k, 3]
        y = _leg(y, p, fitness[course[k]], least, ends[k], ends[k + 1], times, states, method, rtol, rhs)
    return states


def _leg(y, p, w, least, t, end, times, states, method, rtol, rhs):
    def f(_, x):
        dy = np.empty(SIZE)
        rhs(x, p, w, dy)
        return dy

    def dies(i):
        def event(_, x):
            return x[i] - least[i]

        event.terminal, event.direction = True, -1
        return event

    watched = [dies(i) for i in range(5)]
    while t < end:
        alive = [i for i in range(5) if y[i] > least[i] or y[i] < least[i]]
        solution = solve_ivp(f, (t, end), y, method, rtol=rtol, atol=1e-18, events=[watched[i] for i in alive],
                          dense_output=True, max_step=1.0)  # fmt: skip
        inside = (times >= t - 1e-12) & (times <= solution.t[-1] + 1e-12)
        if inside.any():
            states[inside] = solution.sol(times[inside]).T
        t, y = solution.t[-1], solution.y[:, -1].copy()
        if solution.status == 1:
            who = next(alive[k] for k, e in enumerate(solution.t_events) if len(e))
            y[who] = 0.0
    return y

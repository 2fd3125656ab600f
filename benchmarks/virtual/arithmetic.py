"""Operations of a step, counted while the solver's own source runs in plain Python, and what a core can do at most."""

from __future__ import annotations

import math
import time

import numpy as np

from reinfuse.simulation.model import equations, jit
from reinfuse.simulation.solver import dopri5


class CountingFloat(float):
    """A number that counts the additions, multiplications, divisions and roots that are done with it."""

    operations = 0

    def __abs__(self) -> CountingFloat:
        return CountingFloat(float(self) if self >= 0 else -float(self))


def _counting(name: str):
    def operation(self: CountingFloat, other: float) -> CountingFloat:
        CountingFloat.operations += 1
        return CountingFloat(getattr(float, name)(self, other))

    return operation


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv"):
    setattr(CountingFloat, f"__{_name}__", _counting(f"__{_name}__"))


class _Roots:
    @staticmethod
    def sqrt(x: float) -> CountingFloat:
        CountingFloat.operations += 1
        return CountingFloat(math.sqrt(x))


def of_a_step() -> float:
    """Return the operations of one step of one patient; comparisons and choices are not counted."""
    b = np.array(
        [CountingFloat(x) for x in np.random.default_rng(1).uniform(0.1, 1, dopri5.ROWS * dopri5.LANES)], dtype=object
    )
    originals = dopri5.math, equations.exp
    try:
        dopri5.math, equations.exp = _Roots, jit._exp(0.0)
        CountingFloat.operations = 0
        dopri5.step.py_func(b, 1e-6)
    finally:
        dopri5.math, equations.exp = originals
    return CountingFloat.operations / dopri5.LANES


@jit.compiled
def _chains(n: int) -> float:
    a = np.ones(64)
    for _ in range(n):
        for i in range(64):
            a[i] = a[i] * 0.999999 + 1e-9
    return a.sum()


def peak(times: int = 10) -> float:
    """Return the greatest number of multiplications and additions a second of one core, on independent chains."""
    _chains(10)
    seconds = []
    for _ in range(times):
        began = time.process_time()
        _chains(1_000_000)
        seconds.append(time.process_time() - began)
    return 1_000_000 * 64 * 2 / min(seconds)

"""The one door to numba: functions of ours compiled to machine code, kept on disk between runs."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from reinfuse.runtime.extras import require

require("virtual")  # before numba, and so before any work of virtual patients

import numba  # noqa: E402
from numba.extending import overload, register_jitable  # noqa: E402

F = TypeVar("F", bound=Callable[..., Any])
_ARITHMETIC: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}
_SOURCES = ("model/jit", "model/parameters", "model/equations", "solver/dopri5", "solver/dense_output",
            "solver/readouts", "solver/events", "solver/integrate", "trial/restart")  # fmt: skip
_STAMP = zlib.crc32(b"".join((Path(__file__).parents[1] / f"{name}.py").read_bytes() for name in _SOURCES))


def compiled(function: F) -> F:
    """Compile a function; it lets other threads run, and keeps IEEE arithmetic but for fused multiply-adds.

    What is kept on disk holds the functions that it calls too, so it is good for these sources only: numba itself looks
    at the function's own file.
    """
    dispatcher: Any = numba.njit(cache=True, **_ARITHMETIC)(function)
    file: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if hasattr(file, "_source_stamp"):
        file._source_stamp = (file._source_stamp, _STAMP)
    return cast("F", dispatcher)


def inlined(function: F) -> F:
    """Compile a function into each place that calls it; elsewhere it stays Python."""
    registered: F = register_jitable(forceinline=True, _nrt=False, **_ARITHMETIC)(function)
    return registered


def called(function: F) -> F:
    """Compile a function for the compiled functions that call it; elsewhere it stays Python."""
    registered: F = register_jitable(_nrt=False, **_ARITHMETIC)(function)
    return registered


def exp(x: float) -> float:
    """Return the exponential; compiled, for x up to 0, by arithmetic that runs on several patients at once."""
    return math.exp(x)


_INLINED: Any = {"forceinline": True, **_ARITHMETIC}


@overload(exp, jit_options=_INLINED)
def _exp(x: float) -> Callable[[float], float]:  # noqa: ARG001 - numba wants the name of the one overloaded
    def by_squares(x: float) -> float:
        z = max(x, -40.0) / 256
        y = 1 + z * (1 + z * (1 / 2 + z * (1 / 6 + z * (1 / 24 + z * (1 / 120 + z * (1 / 720 + z / 5040))))))
        for _ in range(8):
            y *= y
        return y

    return by_squares

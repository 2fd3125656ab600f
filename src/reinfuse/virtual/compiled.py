"""The one door to numba: functions of ours compiled to machine code, kept on disk between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function; it lets other threads run, and keeps IEEE arithmetic."""
    return cast("F", numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")(function))


def inlined(function: F) -> F:
    """Compile a function into the functions that call it."""
    made = numba.njit(cache=True, nogil=True, inline="never", fastmath={"contract"}, error_model="numpy")(function)
    return cast("F", made)

"""Independent pieces of one computation on all cores; the answer does not depend on how many there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_busy = False


def in_threads(work: Callable[[T], R], pieces: Sequence[T]) -> list[R]:
    """Return the results of the pieces, in their order. Array libraries let other threads run while they compute."""
    if len(pieces) < 2 or CORES < 2 or _busy:
        return [work(piece) for piece in pieces]
    return list(_pool().map(work, pieces))


@contextmanager
def one_thread() -> Iterator[None]:
    """Take pieces one after the other meanwhile: another process keeps the other cores busy."""
    global _busy
    _busy = True
    try:
        yield
    finally:
        _busy = False


@contextmanager
def small_matrices() -> Iterator[None]:
    """Let the matrix library use one thread meanwhile: with small matrices its threads do nothing but wait, busily.

    A calibration of few populations took 26 s of processor with two threads, and 5 s with one.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


def expect_small_matrices() -> None:
    """Let matrix libraries that are loaded after this, here and in processes started here, use one thread each."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CORES)

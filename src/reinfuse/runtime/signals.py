"""Signals that end a run: what was begun is cleaned up first, and a sentence tells what was stopped."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
GRACE = 3.0


class Stopped(BaseException):
    """A signal asked the program to end; no `Exception`, so that nothing on the way takes it for a failed analysis."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.name = signal.Signals(number).name
        self.status = 128 + number


@dataclass
class _State:
    step: str = ""
    remains: str = ""
    holds: int = 0
    waiting: int | None = None
    stopping: bool = False
    end: Callable[[Stopped], None] = lambda _: None


_state = _State()


@contextmanager
def heeded(end: Callable[[Stopped], None]) -> Iterator[None]:
    """Let signals raise `Stopped` meanwhile. A signal that the caller ignores (as `nohup` does) stays ignored.

    Parameters
    ----------
    end
        Ends the program: called at a second signal, or where work that cannot be stopped (compiled code, threads that
        are waited for) goes on for `GRACE` seconds after the first one.
    """
    _state.step, _state.remains, _state.waiting, _state.stopping, _state.end = "", "", None, False, end
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]  # Windows has no SIGHUP
    before = {n: signal.signal(n, _receive) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}
    with _watched():
        try:
            yield
        finally:
            if not _state.stopping:
                for number, handler in before.items():
                    signal.signal(number, handler)


@contextmanager
def _watched() -> Iterator[None]:
    """Let a thread learn of signals too: the main thread learns of none while compiled code runs in it."""
    if os.name == "nt":  # a pipe cannot be waked there
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    numbers = {getattr(signal, name) for name in NAMES}
    threading.Thread(target=_watch, args=(reader, numbers), daemon=True).start()
    try:
        yield
    finally:
        if not _state.stopping:
            signal.set_wakeup_fd(before)
            os.close(writer)


def _watch(reader: int, numbers: Collection[int]) -> None:
    """End the program when it has not ended some time after a signal; other signals pass."""
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while received := pipe.read(1):
            if received[0] in numbers:
                time.sleep(GRACE)
                _state.end(Stopped(received[0]))


def note_step(name: str, finished: int, total: int) -> None:
    """Remember what is being done."""
    _state.step = f"{name} (step {finished + 1} of {total})" if total > 1 and finished < total else name


def note_remains(sentence: str) -> None:
    """Remember what a stopped run leaves on purpose."""
    _state.remains = sentence


def step() -> str:
    """Return what was being done last; empty if nothing has begun."""
    return _state.step


def remains() -> str:
    """Return what a stopped run leaves on purpose, as a sentence; empty if nothing."""
    return _state.remains


@contextmanager
def held() -> Iterator[None]:
    """Let a signal wait until a short piece of work is done that must not be left half-way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _state.holds += 1
    try:
        yield
    finally:
        _state.holds -= 1
        if not _state.holds and _state.waiting is not None:
            number, _state.waiting = _state.waiting, None
            if not _state.stopping:
                _stop(number)


def _receive(number: int, _: FrameType | None) -> None:
    if _state.holds:
        _state.waiting = number
    else:
        _stop(number)


def _stop(number: int) -> None:
    stopped = Stopped(number)
    if _state.stopping:
        _state.end(stopped)
    _state.stopping = True
    raise stopped

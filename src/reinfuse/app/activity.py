"""When the app was last used, and whether it works on something: an idle app ends by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

IDLE_SECONDS = 3600.0
"""Without any request and any work: then the app ends. State is on the disk."""


class Activity:
    """The clock of one app, whether it answers yet, and its request to end."""

    def __init__(self) -> None:
        self._last, self._tasks = time.monotonic(), 0
        self._lock = threading.Lock()
        self.serving, self.ending = threading.Event(), threading.Event()

    def touch(self) -> None:
        """Note a request."""
        self._last = time.monotonic()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Let the app live while something is computed that no request waits for."""
        with self._lock:
            self._tasks += 1
        try:
            yield
        finally:
            with self._lock:
                self._tasks -= 1
            self.touch()

    def is_idle(self, seconds: float = IDLE_SECONDS) -> bool:
        """Tell whether nothing was asked and nothing computed for so long."""
        return not self._tasks and time.monotonic() - self._last > seconds

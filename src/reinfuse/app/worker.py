"""The process that does one job after another: each a line of JSON on its input, answered by lines on its output.

It ends where its input ends, whatever ended the app; a signal stops the job, and what the job had begun to write is
cleared. No text of a failure leaves it, as it may hold a patient's value: only its kind and place.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from queue import SimpleQueue
from typing import Any

from reinfuse.app.jobs import JOBS, Tell
from reinfuse.exceptions import Refused
from reinfuse.runtime import signals
from reinfuse.runtime.boundary import place_of


def serve() -> None:
    """Do jobs until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    lock = threading.Lock()

    def tell(kind: str, value: Any) -> None:
        with lock:
            answers.write(json.dumps([kind, value]) + "\n")
            answers.flush()

    def end(stopped: signals.Stopped) -> None:
        os._exit(stopped.status)

    try:
        with signals.heeded(end):
            for request, busy in _requests():
                answer = _answer(request["job"], request["arguments"], tell)
                busy.clear()
                tell(*answer)
    except signals.Stopped as stopped:
        os._exit(stopped.status)


def _answer(job: str, arguments: dict[str, Any], tell: Tell) -> tuple[str, Any]:
    """Do a job, and return how it ended, with what it gave."""
    try:
        return "done", JOBS[job](arguments, tell)
    except Refused as refused:
        return "refused", {"problems": [asdict(p) for p in refused.problems], "summary": refused.summary}
    except Exception as error:
        if os.environ.get("REINFUSE_DEBUG"):
            raise
        return "failed", place_of(error)


def _requests() -> Iterator[tuple[dict[str, Any], threading.Event]]:
    """Yield each job with what tells that it is being done: an input that ends meanwhile stops it."""
    waiting: SimpleQueue[str] = SimpleQueue()
    busy = threading.Event()

    def read() -> None:
        for line in sys.stdin:
            waiting.put(line)
        waiting.put("")
        if busy.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=read, daemon=True).start()
    while line := waiting.get():
        busy.set()
        yield json.loads(line), busy

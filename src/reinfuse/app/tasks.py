"""Jobs that run in processes of their own: started, watched and stopped here; a page shows how far each is.

A job that ends gives back all its memory with its process, but for one that is kept for the next question. What a job
answers is kept until another one of its name begins, or the app ends; what lasts is on the disk.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from reinfuse.app.activity import Activity
from reinfuse.exceptions import Problem
from reinfuse.runtime.boundary import place_of

State = Literal["running", "done", "refused", "failed", "stopped"]
_SERVE = "from reinfuse.app.worker import serve; serve()"
_PATIENCE = 6.0
"""Seconds that a stopped process has to clear what it had begun to write."""
_KEPT = 600.0
"""Seconds that a process is kept for the next question."""


@dataclass
class Task:
    """One job.

    Attributes
    ----------
    step, finished, total
        What is done now, how many steps are done, and how many there are; 0 of 0 before the first.
    first
        First results in words, each with its heading.
    answer
        What the job gave.
    problems, summary
        Why it was refused.
    failure
        What failed, without any value.
    """

    job: str
    arguments: dict[str, Any]
    state: State = "running"
    step: str = ""
    finished: int = 0
    total: int = 0
    first: Sequence[Sequence[str]] = ()
    answer: Any = None
    problems: Sequence[Problem] = ()
    summary: str = ""
    failure: str = ""
    began: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def seconds(self) -> int:
        """Seconds since it began."""
        return round(time.monotonic() - self.began)

    def take(self, kind: str, value: Any) -> None:
        """Take what the process tells."""
        if kind == "step":
            self.step, self.finished, self.total = value
        elif kind == "first":
            self.first = value
        elif kind == "done":
            self.answer = value
            self.end("done")
        elif kind == "refused":
            self.problems, self.summary = [Problem(**p) for p in value["problems"]], value["summary"]
            self.end("refused")
        elif kind == "failed":
            self.failure = value
            self.end("failed")

    def end(self, state: State) -> None:
        """Note how it ended."""
        if self.state == "running":
            self.state = state
        self.ended.set()


class _Worker:
    """One process, and the task that it does."""

    def __init__(self, activity: Activity, told: Callable[[Task, str], None]) -> None:
        path = os.pathsep.join(p for p in sys.path if p)
        silent = None if os.environ.get("REINFUSE_DEBUG") else subprocess.DEVNULL
        self.task: Task | None = None
        self._activity, self._told = activity, told
        self._process = subprocess.Popen([sys.executable, "-P", "-c", _SERVE], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=silent, env={**os.environ, "PYTHONPATH": path},
                                         start_new_session=True)  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._listener: threading.Thread | None = None

    @property
    def is_free(self) -> bool:
        """Whether it lives and does nothing."""
        return self._process.poll() is None and (self.task is None or self.task.ended.is_set())

    def do(self, task: Task, *, keep: bool) -> None:
        """Begin a task; a thread listens until it ends."""
        self.task = task
        line = json.dumps({"job": task.job, "arguments": task.arguments}) + "\n"
        with suppress(OSError):  # a process that died is noticed by the listener
            self._input.write(line.encode())
            self._input.flush()
        self._listener = threading.Thread(target=self._listen, args=(task,), kwargs={"keep": keep}, daemon=True)
        self._listener.start()

    def _listen(self, task: Task, *, keep: bool) -> None:
        with self._activity.busy():
            try:
                self._heard(task, keep=keep)
            except Exception as error:  # a thread's failure is seen by nobody else
                task.failure = place_of(error)
                task.end("failed")
        if not keep or self._process.poll() is not None:
            self.close()
            return
        resting = threading.Timer(_KEPT, self._rest, (task,))
        resting.daemon = True
        resting.start()

    def _rest(self, task: Task) -> None:
        """Give the memory back if nothing was asked since a task."""
        if self.task is task:
            self.close()

    def _heard(self, task: Task, *, keep: bool) -> None:
        """Take what the process tells until the task has ended."""
        while not task.ended.is_set() and (line := self._output.readline()):
            kind, value = json.loads(line)
            if kind == "first":
                self._told(task, kind)
            if kind == "done" and not keep:
                self.close()
                self._told(task, kind)
            task.take(kind, value)
            if self._output.closed:
                break
        if not task.ended.is_set():
            status = self._process.wait()
            task.failure = f"signal {-status}" if status < 0 else f"status {status}"
            task.end("failed")

    def stop(self) -> None:
        """Stop the task: the process ends, and clears what it had begun to write."""
        if self.task is not None and self.task.state == "running":
            self.task.state = "stopped"
        self._process.terminate()
        self._end()
        if self.task is not None:
            self.task.ended.set()

    def close(self) -> None:
        """Let the process end when it has nothing to do."""
        with suppress(OSError):
            self._input.close()
        self._end()

    def _end(self) -> None:
        """Wait until the process has ended, and kill it if it does not."""
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._listener is not None and self._listener is not threading.current_thread():
            self._listener.join()
        for pipe in (self._input, self._output):
            with suppress(OSError):
                pipe.close()


class Tasks:
    """All jobs of one app, each under a key: what it is of, and its name."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._workers: dict[Hashable, _Worker] = {}
        self._lock = threading.Lock()

    def begin(self, key: Hashable, job: str, arguments: Mapping[str, Any], *, keep: bool = False,
              told: Callable[[Task, str], None] = lambda *_: None) -> Task:  # fmt: skip
        """Begin a job, unless one under this key still runs.

        Parameters
        ----------
        arguments
            What the job is given, as JSON has it.
        keep
            Keep the process for the next job under this key; else its memory is given back.
        told
            Called before first results, or the answer of a process that is not kept, can be seen.

        Returns
        -------
        Task
            The new one, or the one that runs.
        """
        with self._lock:
            worker = self._workers.get(key)
            if worker is not None and worker.task is not None and not worker.task.ended.is_set():
                return worker.task
            if worker is None or not worker.is_free or not keep:
                worker = self._workers[key] = _Worker(self._activity, told)
            task = Task(job, dict(arguments))
            worker.do(task, keep=keep)
            return task

    def get(self, key: Hashable) -> Task | None:
        """Return the last job under a key."""
        worker = self._workers.get(key)
        return None if worker is None else worker.task

    def stop(self, key: Hashable) -> None:
        """Stop what runs under a key."""
        worker = self._workers.get(key)
        if worker is not None and worker.task is not None and not worker.task.ended.is_set():
            worker.stop()

    def end(self) -> None:
        """Stop all."""
        for worker in list(self._workers.values()):
            worker.stop()

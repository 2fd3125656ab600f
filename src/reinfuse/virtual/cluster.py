"""Blocks of virtual patients on a Dask cluster: the one door to dask.distributed.

Results come back in the order of the blocks, so that their sums are the same to the last bit as on one machine; for
that, the workers must have the same sources and libraries. Every task carries what it needs (some 100 kB), so that a
worker that dies takes nothing with it but the blocks it was at; these are done again.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from reinfuse.errors import PlanRefused, Problem
from reinfuse.virtual.tally import Tally
from reinfuse.virtual.trial import Runner

Block = tuple[int, int]
Work = Callable[[Block], Tally]
PATIENCE = 10.0
"""Seconds in which the cluster must answer, and have a worker."""
TOGETHER = 8
"""Most blocks in one task: seconds of work."""
AHEAD = 4
"""Tasks under way for each worker's thread, so that memory stays the same however many patients there are."""
AGAIN = 10
"""Times that a task is sent anew when the cluster gives it up, since too many workers died at it."""

GONE = 300.0
"""Seconds without any worker after which the cluster counts as lost."""
_RESUME = "start it again; with --resume, what was done is kept"


@contextmanager
def on_cluster(address: str) -> Iterator[Runner]:
    """Give the runner on the Dask cluster at an address, such as ``tcp://host:8786``.

    Raises
    ------
    PlanRefused
        If there is no cluster at the address, it has no workers, its workers differ from this machine, or it is lost.
    """
    import distributed

    _answers(address)
    open_client: Any = distributed.Client
    client = open_client(address, timeout=PATIENCE, set_as_default=False)
    log = logging.getLogger("distributed.client")
    level = log.level
    log.setLevel(logging.CRITICAL)  # what it would say is dealt with here
    try:
        _alike(client, address)
        yield _Cluster(client, address)
    finally:
        client.close(timeout=PATIENCE)
        log.setLevel(level)


def _answers(address: str) -> None:
    """Refuse an address at which no cluster answers. A client that finds none would complain until the program ends."""
    from distributed import Security
    from distributed.comm.core import connect

    async def asked() -> None:
        call: Any = connect
        settings: Any = Security
        told = settings().get_connection_args("client")
        line = await asyncio.wait_for(call(address, timeout=PATIENCE, **told), PATIENCE)
        line.abort()

    with ThreadPoolExecutor(1) as apart:  # an event loop of its own, also where one runs already
        try:
            apart.submit(lambda: asyncio.run(asked())).result()
        except (OSError, ValueError, TypeError):
            remedy = "start one with `dask scheduler` and `dask worker`"
            raise _refused(address, "no Dask cluster answers there", remedy) from None


def _refused(address: str, rule: str, remedy: str) -> PlanRefused:
    return PlanRefused([Problem("cluster", None, None, address, rule, remedy)])


def made_of() -> tuple[str, ...]:
    """Return what decides the last bit of a result: versions, and a checksum of the sources of this room."""
    import numba
    import numpy

    import reinfuse

    sources = zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    return reinfuse.__version__, numpy.__version__, numba.__version__, f"{sources:08x}"


def _alike(client: Any, address: str) -> None:
    """Refuse a cluster without workers, or whose workers would give other numbers."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise _refused(address, "the Dask cluster there has no workers", "start some with `dask worker`") from None
    told = client.run(made_of, on_error="return")
    others = sum(one != made_of() for one in told.values())
    if others:
        rule = f"{others} of its {len(told)} workers lack reinfuse, or have other versions of it, numpy or numba"
        raise _refused(address, rule, "install reinfuse[virtual] there as on this machine")


@dataclass(frozen=True)
class _Cluster:
    """The runner."""

    client: Any
    address: str

    def __call__(self, work: Work, blocks: Iterable[Block]) -> Iterator[Tally]:
        """Yield the sums of each block, in order."""
        asked, threads = list(blocks), max(1, sum(self.client.nthreads().values()))
        each = max(1, min(TOGETHER, len(asked) // (2 * threads)))
        waiting: deque[tuple[list[Block], Any]] = deque()
        for start in range(0, len(asked), each):
            some = asked[start : start + each]
            waiting.append((some, self._send(work, some)))
            if len(waiting) >= AHEAD * threads:
                yield from self._done(work, *waiting.popleft())
        while waiting:
            yield from self._done(work, *waiting.popleft())

    def _send(self, work: Work, some: Sequence[Block]) -> Any:
        return self.client.submit(_sums, work, some, retries=AGAIN, pure=False)

    def _done(self, work: Work, some: Sequence[Block], future: Any) -> list[Tally]:
        """Return a task's results; it is sent anew where the cluster has given it up."""
        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        for _ in range(AGAIN):
            try:
                return self._waited(future)
            except KilledWorker:
                future = self._send(work, some)
            except (CancelledError, CommClosedError):
                raise _refused(self.address, "the cluster was lost", _RESUME) from None
        raise _refused(self.address, f"workers died {AGAIN} times over at the same blocks", "give them more memory")

    def _waited(self, future: Any) -> list[Tally]:
        """Return a task's results, unless for long there has been no worker."""
        since = monotonic()
        while True:
            try:
                found: list[Tally] = future.result(timeout=PATIENCE)
                return found
            except TimeoutError:
                if future.done():
                    raise
            since = monotonic() if self.client.nthreads() else since
            if monotonic() - since > GONE:
                raise _refused(self.address, "the cluster has had no workers for minutes", _RESUME)


def _sums(work: Work, blocks: Sequence[Block]) -> list[Tally]:
    return [work(block) for block in blocks]

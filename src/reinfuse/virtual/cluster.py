"""Blocks of virtual patients on a Dask cluster: the one door to dask.distributed.

Results come back in the order of the blocks, so that their sums are the same to the last bit as on one machine. A
block whose worker dies is done again elsewhere; blocks that are done are not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from reinfuse.errors import PlanRefused, Problem
from reinfuse.virtual.tally import Tally
from reinfuse.virtual.trial import Runner

Block = tuple[int, int]
Work = Callable[[Block], Tally]
PATIENCE = 10.0
"""Seconds in which the cluster must answer."""
TOGETHER = 4
"""Blocks in one task: seconds of work."""
AHEAD = 4
"""Tasks under way for each worker's thread, so that memory stays the same however many patients there are."""
AGAIN = 10
"""Times that a task is begun anew when workers die."""


@contextmanager
def on_cluster(address: str) -> Iterator[Runner]:
    """Give the runner on the Dask cluster at an address, such as ``tcp://host:8786``.

    Raises
    ------
    PlanRefused
        If there is no cluster at the address.
    """
    import dask
    import distributed

    with dask.config.set({"distributed.scheduler.allowed-failures": AGAIN}):
        try:
            open_client: Any = distributed.Client
            client = open_client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TimeoutError):
            rule, remedy = "no Dask cluster answers there", "start one with `dask scheduler` and `dask worker`"
            raise PlanRefused([Problem("cluster", None, None, address, rule, remedy)]) from None
        try:
            yield _runner(client)
        finally:
            client.close()


def _runner(client: Any) -> Runner:
    def runner(work: Work, blocks: Iterable[Block]) -> Iterator[Tally]:
        sent = client.scatter(work, broadcast=True, hash=False)
        most = AHEAD * max(1, sum(client.nthreads().values()))
        waiting: deque[Any] = deque()
        for some in _together(blocks):
            waiting.append(client.submit(_done, sent, some, retries=AGAIN, pure=False))
            if len(waiting) >= most:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    return runner


def _done(work: Work, blocks: Sequence[Block]) -> list[Tally]:
    return [work(block) for block in blocks]


def _together(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    some: list[Block] = []
    for block in blocks:
        some.append(block)
        if len(some) == TOGETHER:
            yield some
            some = []
    if some:
        yield some

"""Blocks of virtual patients on a Dask cluster: the one door to dask.distributed.

Results come back in the order of the blocks, so that their sums are the same to the last bit as on one machine; for
that, the workers must have the same sources and libraries. Every task carries what it needs (some 100 kB), so that a
worker that dies takes nothing with it but the blocks it was at; these are simulated again.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Any

from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.simulation.trial.accumulators import Tally
from reinfuse.simulation.trial.trial import Runner

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
_RESUME = "start it again; --resume reads the checkpoints of finished blocks"


@contextmanager
def on_cluster(address: str, tls: Tls | None = None, *, insecure: bool = False) -> Iterator[Runner]:
    """Give the runner on the Dask cluster at an address, such as ``tcp://127.0.0.1:8786`` or ``tls://host:8786``.

    What comes back from a worker is unpickled here, before anything can be asked of it: whoever can join the cluster
    can run code on this machine. So a cluster is trusted by where it is (this machine) or by certificates (TLS).

    Parameters
    ----------
    tls
        Files of the certificates; needed for a ``tls://`` address.
    insecure
        Whether a cluster on other machines is taken without TLS.

    Raises
    ------
    PlanRefused
        If the cluster cannot be trusted, there is none at the address, it has no workers, its workers differ from this
        machine, or it is lost.
    """
    import distributed

    security = _trusted(address, tls, insecure=insecure)
    _require_reachable(address, security)
    open_client: Any = distributed.Client
    client = open_client(address, timeout=PATIENCE, set_as_default=False, security=security)
    log = logging.getLogger("distributed.client")
    level = log.level
    log.setLevel(logging.CRITICAL)  # what it would say is dealt with here
    try:
        _require_same_software(client, address)
        yield _Cluster(client, address)
    finally:
        client.close(timeout=PATIENCE)
        log.setLevel(level)


@dataclass(frozen=True)
class Tls:
    """Files (PEM) of the certificate authority that signs the cluster's certificates, and of this machine's certificate
    and its key."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


def _trusted(address: str, tls: Tls | None, *, insecure: bool) -> Any:
    """Return how the cluster is to be talked to (`distributed.Security`); refuse what cannot be trusted."""
    from distributed import Security

    scheme, _, rest = address.rpartition("://")
    files = {f"--tls-{name}": path for name, path in vars(tls or Tls()).items()}
    given = {option: path for option, path in files.items() if path is not None}
    missing = [option for option in files if option not in given]
    if scheme == "tls":
        if missing:
            rule = "a tls:// cluster needs certificates"
            raise _refused(address, rule, remedy=f"give {', '.join(missing)} (docs/virtual.md shows how they are made)")
        for option, path in given.items():
            if not path.is_file():
                raise _refused(str(path), f"the file of {option} is not there", remedy="check its name")
        settings: Any = Security
        return settings(tls_ca_file=str(tls and tls.ca), tls_client_cert=str(tls and tls.cert),
                        tls_client_key=str(tls and tls.key), require_encryption=True)  # fmt: skip
    if given:
        raise _refused(address, f"{', '.join(given)} would not be used there", remedy="a tls:// address")
    if scheme not in ("", "tcp"):
        raise _refused(
            address, f"{scheme}:// is no protocol of a cluster here", remedy="tcp:// on this machine, or tls://"
        )
    if not (insecure or _is_here(rest)):
        rule = "whoever can reach an open cluster on other machines can run code on this one"
        remedy = (
            "use TLS (tls://, --tls-ca, --tls-cert, --tls-key), or, in a network that you trust, --insecure-cluster"
        )
        raise _refused(address, rule, remedy=remedy)
    open_settings: Any = Security
    return open_settings(require_encryption=False)


def _is_here(rest: str) -> bool:
    """Return whether the host of an address without its protocol is this machine's loopback; no name is looked up."""
    host = rest.rpartition(":")[0].strip("[]") or rest
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _require_reachable(address: str, security: Any) -> None:
    """Refuse an address at which no cluster answers. A client that finds none would complain until the program ends."""
    from distributed.comm.core import connect

    async def connect_once() -> None:
        call: Any = connect
        arguments = security.get_connection_args("client")
        line = await asyncio.wait_for(call(address, timeout=PATIENCE, **arguments), PATIENCE)
        line.abort()

    with ThreadPoolExecutor(1) as apart:  # an event loop of its own, also where one runs already
        try:
            apart.submit(lambda: asyncio.run(connect_once())).result()
        except (OSError, ValueError, TypeError) as error:
            if _of_tls(error):
                rule = "the certificates do not fit: another authority signed them, or the key is of another"
                raise _refused(address, rule, remedy="use certificates of the cluster's own authority") from None
            remedy = "start one with `dask scheduler --host 127.0.0.1` and `dask worker tcp://127.0.0.1:8786`"
            raise _refused(address, "no Dask cluster answers there", remedy=remedy) from None


def _of_tls(error: BaseException | None) -> bool:
    """Return whether an error, or what led to it, is one of certificates."""
    while error is not None:
        if isinstance(error, ssl.SSLError) or "SSL" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _refused(address: str, rule: str, *, remedy: str) -> PlanRefused:
    return PlanRefused([Problem(table="cluster", value=address, rule=rule, remedy=remedy)])


def software_fingerprint() -> tuple[str, ...]:
    """Return what decides the last bit of a result: versions, and a checksum of the sources of this room."""
    import numba
    import numpy

    from reinfuse.version import __version__

    sources = zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parents[1].rglob("*.py"))))
    return __version__, numpy.__version__, numba.__version__, f"{sources:08x}"


def _require_same_software(client: Any, address: str) -> None:
    """Refuse a cluster without workers, or whose workers would give other numbers."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise _refused(
            address, "the Dask cluster there has no workers", remedy="start some with `dask worker`"
        ) from None
    fingerprints = client.run(software_fingerprint, on_error="return")
    others = sum(one != software_fingerprint() for one in fingerprints.values())
    if others:
        rule = (
            f"{others} of its {len(fingerprints)} workers lack reinfuse, or have other versions of it, numpy or numba"
        )
        raise _refused(
            address, rule, remedy="install there what is installed on this machine (requirements-virtual.lock)"
        )


@dataclass(frozen=True)
class _Cluster:
    """The runner."""

    client: Any
    address: str

    def __call__(self, work: Work, blocks: Iterable[Block]) -> Iterator[Tally]:
        """Yield the sums of each block, in order."""
        requested, threads = list(blocks), max(1, sum(self.client.nthreads().values()))
        each = max(1, min(TOGETHER, len(requested) // (2 * threads)))
        waiting: deque[tuple[list[Block], Any]] = deque()
        for start in range(0, len(requested), each):
            some = requested[start : start + each]
            waiting.append((some, self._send(work, some)))
            if len(waiting) >= AHEAD * threads:
                yield from self._collected(work, *waiting.popleft())
        while waiting:
            yield from self._collected(work, *waiting.popleft())

    def _send(self, work: Work, some: Sequence[Block]) -> Any:
        return self.client.submit(_sums, work, some, retries=AGAIN, pure=False)

    def _collected(self, work: Work, some: Sequence[Block], future: Any) -> list[Tally]:
        """Return a task's results; it is sent anew where the cluster has given it up."""
        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        for _ in range(AGAIN):
            try:
                return self._waited(future, len(some))
            except KilledWorker:
                future = self._send(work, some)
            except (CancelledError, CommClosedError):
                raise _refused(self.address, "the cluster was lost", remedy=_RESUME) from None
        raise _refused(
            self.address, f"workers died {AGAIN} times over at the same blocks", remedy="give them more memory"
        )

    def _waited(self, future: Any, blocks: int) -> list[Tally]:
        """Return a task's results, one of each block, unless for long there has been no worker."""
        since = monotonic()
        while True:
            try:
                tallies: list[Tally] = future.result(timeout=PATIENCE)
                if not isinstance(tallies, list) or len(tallies) != blocks:
                    raise _refused(self.address, "a worker sent back something else than was asked", remedy=_RESUME)
                return tallies
            except TimeoutError:
                if future.done():
                    raise
            since = monotonic() if self.client.nthreads() else since
            if monotonic() - since > GONE:
                raise _refused(self.address, "the cluster has had no workers for minutes", remedy=_RESUME)


def _sums(work: Work, blocks: Sequence[Block]) -> list[Tally]:
    return [work(block) for block in blocks]

"""Where virtual patients are simulated: on this machine's cores, or on a cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from reinfuse.simulation.trial.dask_runner import Tls, on_cluster
from reinfuse.simulation.trial.trial import Runner, in_threads


@dataclass(frozen=True)
class Cluster:
    """A Dask cluster.

    Attributes
    ----------
    address
        Such as ``tcp://127.0.0.1:8786`` or ``tls://host:8786``.
    ca, cert, key
        Files (PEM) of the certificates that a ``tls://`` address needs.
    insecure
        Whether a cluster on other machines is taken without TLS.
    """

    address: str
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    insecure: bool = False


def runner_on(cluster: Cluster | None) -> AbstractContextManager[Runner]:
    """Give the runner on a cluster, or without one on this machine's cores.

    Raises
    ------
    PlanRefused
        If the cluster cannot be trusted or used.
    """
    if cluster is None:
        return nullcontext(in_threads())
    return on_cluster(cluster.address, Tls(cluster.ca, cluster.cert, cluster.key), insecure=cluster.insecure)

"""A cluster of processes gives what this machine gives, also with some killed; an interrupted trial goes on."""

import os
import signal
import socket
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from reinfuse.errors import PlanRefused
from reinfuse.virtual import cluster
from reinfuse.virtual.ensemble import Ensemble
from reinfuse.virtual.protocol import Grid, Protocols
from reinfuse.virtual.resume import key, resumable
from reinfuse.virtual.space import UNKNOWNS
from reinfuse.virtual.tally import added
from reinfuse.virtual.trial import Trial, block_of, in_threads, run

PATIENTS = 4096
PROTOCOLS = Protocols(grid=Grid(regimens=(("Cy", "Cy"), ("Cy-Flu", "Cy-Flu")), cart2_dose_cells_per_kg=(2e6,)))
TRIAL = Trial(PROTOCOLS, Ensemble(np.zeros((4, len(UNKNOWNS))), np.full(4, -4.0)), 5)
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def local():
    return run(TRIAL, PATIENTS, in_threads(2))


@pytest.fixture
def processes():
    import logging

    from distributed import LocalCluster

    for name in ("distributed", "distributed.nanny", "distributed.worker", "distributed.scheduler"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as started:
        yield started


def same(one, other):
    return all(
        np.array_equal(getattr(one, n), getattr(other, n)) for n in ("given", "total", "gain", "free", "courses")
    )


def refused_for(work):
    with pytest.raises(PlanRefused) as refused:
        work()
    return refused.value.problems[0].rule


def test_a_cluster_gives_the_same_to_the_last_bit_and_killed_workers_cost_their_blocks_only(
    processes, local, monkeypatch
):
    monkeypatch.setattr(cluster, "TOGETHER", 1)
    with cluster.on_cluster(processes.scheduler_address) as runner:
        assert same(run(TRIAL, PATIENTS, runner), local)

        for victims in (1, 2):  # with both gone, nothing that they held is left
            seen = []

            def kill(_, done, total, victims=victims, seen=seen):
                seen.append(done)
                if done == 2:
                    alive = [w.process.process.pid for w in processes.workers.values()]
                    for victim in alive[:victims]:
                        threading.Thread(target=os.kill, args=(victim, signal.SIGKILL)).start()

            assert same(run(TRIAL, PATIENTS, runner, kill), local)
            assert seen[-1] == len(TRIAL.blocks(PATIENTS))
            processes.wait_for_workers(2, timeout=30)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "host:no", "tls://127.0.0.1:9", ""])
def test_an_address_without_a_cluster_is_refused(monkeypatch, address):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(PlanRefused) as refused, cluster.on_cluster(address):
        pass
    assert refused.value.problems[0].rule == "no Dask cluster answers there"


def test_a_port_that_keeps_silent_is_refused(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        rule = refused_for(cluster.on_cluster(f"tcp://127.0.0.1:{silent.getsockname()[1]}").__enter__)
    assert rule == "no Dask cluster answers there"


class Future:
    """A task that ends as it is told to."""

    def __init__(self, end):
        self.end = end

    def result(self, timeout=None):
        if isinstance(self.end, BaseException):
            raise self.end
        return self.end

    def done(self):
        return not isinstance(self.end, TimeoutError)


class Client:
    """A cluster whose tasks end one after another as they are told to."""

    def __init__(self, ends=(), told=None):
        self.ends, self.told = iter(ends), told

    def submit(self, work, *arguments, **settings):
        return Future(next(self.ends))

    def nthreads(self):
        return self.told or {}

    def wait_for_workers(self, n, timeout):
        if not self.told:
            raise TimeoutError

    def run(self, function, on_error):
        return self.told


def test_workers_that_are_not_there_or_made_otherwise_are_refused():
    same, other = cluster.made_of(), ("0.0.1", *cluster.made_of()[1:])
    cluster._alike(Client(told={"a": same, "b": same}), "tcp://a:1")
    assert "no workers" in refused_for(lambda: cluster._alike(Client(), "tcp://a:1"))
    told = {"a": same, "b": other, "c": ModuleNotFoundError("reinfuse")}
    assert refused_for(lambda: cluster._alike(Client(told=told), "tcp://a:1")).startswith("2 of its 3 workers")


def test_a_task_that_the_cluster_gave_up_is_sent_anew():
    from distributed import KilledWorker

    def ran(*ends):
        return lambda: list(cluster._Cluster(Client(ends, {"a": 1}), "tcp://a:1")(block_of, [(0, 8)]))

    gone = KilledWorker("task", None, 3)
    assert ran(gone, gone, ["sums"])() == ["sums"]
    assert "died 10 times" in refused_for(ran(*[gone] * 20))
    assert refused_for(ran(CancelledError())) == "the cluster was lost"
    with pytest.raises(ZeroDivisionError):
        ran(ZeroDivisionError())()


def test_a_cluster_that_has_had_no_workers_for_long_is_refused(monkeypatch):
    monkeypatch.setattr(cluster, "GONE", 0.0)
    empty = cluster._Cluster(Client([TimeoutError()]), "tcp://a:1")
    assert "no workers for minutes" in refused_for(lambda: list(empty(block_of, [(0, 8)])))


def test_an_interrupted_trial_goes_on(tmp_path):
    whole, done = run(TRIAL, 2048, in_threads(1)), []

    def told(work, blocks):
        for block in blocks:
            if len(done) == 2:
                raise KeyboardInterrupt
            done.append(block)
            yield work(block)

    with pytest.raises(KeyboardInterrupt):
        run(TRIAL, 2048, resumable(told, TRIAL, tmp_path))
    rest = []

    def counted(work, blocks):
        for block in blocks:
            rest.append(block)
            yield work(block)

    again = run(TRIAL, 2048, resumable(counted, TRIAL, tmp_path))
    assert same(again, whole)
    assert len(rest) == len(TRIAL.blocks(2048)) - 2
    assert same(added(block_of(TRIAL, b) for b in TRIAL.blocks(2048)), whole)


def test_another_seed_is_another_trial():
    assert key(TRIAL) != key(Trial(PROTOCOLS, TRIAL.ensemble, 6))

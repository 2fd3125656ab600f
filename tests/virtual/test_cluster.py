"""A cluster of processes gives what this machine gives, also with one killed; an interrupted trial goes on."""

import os
import signal
import threading

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


def test_a_cluster_gives_the_same_to_the_last_bit_and_a_killed_worker_costs_its_blocks_only(
    processes, local, monkeypatch
):
    monkeypatch.setattr(cluster, "TOGETHER", 1)
    with cluster.on_cluster(processes.scheduler_address) as runner:
        assert same(run(TRIAL, PATIENTS, runner), local)

        seen = []

        def kill_one(_, done, total):
            seen.append(done)
            if done == 2:
                victim = next(iter(processes.workers.values())).process.process.pid
                threading.Thread(target=os.kill, args=(victim, signal.SIGKILL)).start()

        assert same(run(TRIAL, PATIENTS, runner, kill_one), local)
        assert seen[-1] == len(TRIAL.blocks(PATIENTS))


def test_an_address_without_a_cluster_is_refused(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(PlanRefused) as refused, cluster.on_cluster("tcp://127.0.0.1:9"):
        pass
    assert refused.value.problems[0].rule == "no Dask cluster answers there"


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

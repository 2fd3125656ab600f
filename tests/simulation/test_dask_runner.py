"""A cluster of processes gives what this machine gives, also with some killed; an interrupted trial goes on."""

import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from reinfuse.exceptions import PlanRefused
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.parameter_space import UNKNOWNS
from reinfuse.simulation.search.design_space import Question
from reinfuse.simulation.search.search import SearchSize, search, search_key
from reinfuse.simulation.trial import dask_runner
from reinfuse.simulation.trial.accumulators import added
from reinfuse.simulation.trial.array_store import ArrayStore
from reinfuse.simulation.trial.checkpoint import key, resumable
from reinfuse.simulation.trial.protocol import FactorialDesign, Protocols
from reinfuse.simulation.trial.trial import Trial, block_of, in_threads, run, sound

PATIENTS = 4096
PROTOCOLS = Protocols(
    grid=FactorialDesign(regimens=(("Cy", "Cy"), ("Cy-Flu", "Cy-Flu")), cart2_dose_cells_per_kg=(2e6,))
)
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
    monkeypatch.setattr(dask_runner, "TOGETHER", 1)
    with dask_runner.on_cluster(processes.scheduler_address) as runner:
        assert same(run(TRIAL, PATIENTS, runner), local)

        for victims in (1, 2):  # with both gone, nothing that they held is left
            progress_calls = []

            def kill(_, completed, total, victims=victims, progress_calls=progress_calls):
                progress_calls.append(completed)
                if completed == 2:
                    alive = [w.process.process.pid for w in processes.workers.values()]
                    for victim in alive[:victims]:
                        threading.Thread(target=os.kill, args=(victim, signal.SIGKILL)).start()

            assert same(run(TRIAL, PATIENTS, runner, progress=kill), local)
            assert progress_calls[-1] == len(TRIAL.blocks(PATIENTS))
            processes.wait_for_workers(2, timeout=120)


def test_a_search_on_a_cluster_is_the_same_and_goes_on_where_it_was(processes, tmp_path):
    question = Question(objective="response", max_crs_rate=0.3)
    size = SearchSize(design=4, steps=2, around=2, finalists=2, permutations=5)
    asked = {"patients": 1024, "size": size}
    here = search(question, TRIAL.ensemble, 3, runner=in_threads(2), **asked)
    store = ArrayStore(tmp_path, search_key(question, TRIAL.ensemble, 3, 1024))
    with dask_runner.on_cluster(processes.scheduler_address) as runner:
        there = search(question, TRIAL.ensemble, 3, runner=runner, store=store, **asked)

    def none(*_):
        raise AssertionError("all was evaluated before")

    again = search(question, TRIAL.ensemble, 3, runner=none, store=store, **asked)
    for other in (there, again):
        assert other.region.frame().equals(here.region.frame())
        assert other.finalists.frame().equals(here.finalists.frame())
        assert other.observed == here.observed


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "127.0.0.1:9", "localhost:no", "tcp://[::1]:9"])
def test_an_address_without_a_cluster_is_refused(monkeypatch, address):
    monkeypatch.setattr(dask_runner, "PATIENCE", 0.5)
    with pytest.raises(PlanRefused) as refused, dask_runner.on_cluster(address):
        pass
    assert refused.value.problems[0].rule == "no Dask cluster answers there"


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:8786", "192.0.2.1:8786", "nonsense", "host:no", "", "tcp://0.0.0.0:1",
                                     "tcp://localhost.example:8786", "tcp://[2001:db8::1]:8786"])  # fmt: skip
def test_an_open_cluster_on_another_machine_is_refused_unless_asked_for(monkeypatch, address):
    monkeypatch.setattr(dask_runner, "PATIENCE", 0.2)
    with pytest.raises(PlanRefused) as refused:
        dask_runner.on_cluster(address).__enter__()
    assert "can run code on this one" in refused.value.problems[0].rule
    assert "--insecure-cluster" in refused.value.problems[0].remedy
    rule = refused_for(dask_runner.on_cluster(address, insecure=True).__enter__)
    assert rule == "no Dask cluster answers there"


def test_other_protocols_and_certificates_that_would_not_be_used_are_refused(tmp_path):
    for address in ("ws://127.0.0.1:1", "ucx://127.0.0.1:1", "inproc://x"):
        assert "no protocol of a cluster" in refused_for(dask_runner.on_cluster(address, insecure=True).__enter__)
    some = dask_runner.Tls(ca=tmp_path / "ca.pem")
    assert "would not be used" in refused_for(dask_runner.on_cluster("tcp://127.0.0.1:1", some).__enter__)


def test_tls_without_certificates_is_refused(tmp_path):
    with pytest.raises(PlanRefused) as refused:
        dask_runner.on_cluster("tls://127.0.0.1:1", dask_runner.Tls(ca=tmp_path / "ca.pem")).__enter__()
    assert "--tls-cert, --tls-key" in refused.value.problems[0].remedy
    every = dask_runner.Tls(*(tmp_path / f"{name}.pem" for name in ("ca", "cert", "key")))
    assert "--tls-ca is not there" in refused_for(dask_runner.on_cluster("tls://127.0.0.1:1", every).__enter__)


def authority(folder):
    """Make an authority and a certificate that it signs, as docs/virtual.md shows."""
    folder.mkdir()
    new, days = ["-newkey", "rsa:2048", "-nodes"], ["-days", "2"]
    for command in (
        ["req", "-x509", *new, *days, "-subj", "/CN=own cluster", "-keyout", "ca.key", "-out", "ca.pem"],
        ["req", *new, "-subj", "/CN=reinfuse", "-keyout", "key.pem", "-out", "request.pem"],
        ["x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", *days, "-out",
         "cert.pem"],
    ):  # fmt: skip
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
    return dask_runner.Tls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_cluster_with_certificates_gives_the_same_and_takes_no_others(tmp_path, local, monkeypatch):
    from distributed import LocalCluster, Security

    own, other = authority(tmp_path / "own"), authority(tmp_path / "other")
    security = Security(
        require_encryption=True, tls_ca_file=str(own.ca),
        **{f"tls_{who}_{what}": str(path) for who in ("scheduler", "worker", "client")
           for what, path in (("cert", own.cert), ("key", own.key))},
    )  # fmt: skip
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tls",
                      security=security) as started:  # fmt: skip
        assert started.scheduler_address.startswith("tls://")
        with dask_runner.on_cluster(started.scheduler_address, own) as runner:
            assert same(run(TRIAL, PATIENTS, runner), local)
        monkeypatch.setattr(dask_runner, "PATIENCE", 2.0)
        rule = refused_for(dask_runner.on_cluster(started.scheduler_address, other).__enter__)
        assert "certificates do not fit" in rule
        plain = refused_for(dask_runner.on_cluster(started.scheduler_address.replace("tls", "tcp")).__enter__)
        assert plain in ("no Dask cluster answers there", rule)


def test_a_port_that_keeps_silent_is_refused(monkeypatch):
    monkeypatch.setattr(dask_runner, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        rule = refused_for(dask_runner.on_cluster(f"tcp://127.0.0.1:{silent.getsockname()[1]}").__enter__)
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

    def __init__(self, ends=(), answers=None):
        self.ends, self.answers = iter(ends), answers

    def submit(self, work, *arguments, **settings):
        return Future(next(self.ends))

    def nthreads(self):
        return self.answers or {}

    def wait_for_workers(self, n, timeout):
        if not self.answers:
            raise TimeoutError

    def run(self, function, on_error):
        return self.answers


def test_workers_that_are_not_there_or_made_otherwise_are_refused():
    same, other = dask_runner.software_fingerprint(), ("0.0.1", *dask_runner.software_fingerprint()[1:])
    dask_runner._require_same_software(Client(answers={"a": same, "b": same}), "tcp://a:1")
    assert "no workers" in refused_for(lambda: dask_runner._require_same_software(Client(), "tcp://a:1"))
    answers = {"a": same, "b": other, "c": ModuleNotFoundError("reinfuse")}
    assert refused_for(lambda: dask_runner._require_same_software(Client(answers=answers), "tcp://a:1")).startswith(
        "2 of its 3 workers"
    )


def test_a_task_that_the_cluster_gave_up_is_sent_anew():
    from distributed import KilledWorker

    def running(*ends):
        return lambda: list(dask_runner._Cluster(Client(ends, {"a": 1}), "tcp://a:1")(block_of, [(0, 8)]))

    gone = KilledWorker("task", None, 3)
    for wrong in (["two", "sums"], [], "s", None):
        assert "something else than was asked" in refused_for(running(wrong))
    assert running(gone, gone, ["sums"])() == ["sums"]
    assert "died 10 times" in refused_for(running(*[gone] * 20))
    assert refused_for(running(CancelledError())) == "the cluster was lost"
    with pytest.raises(ZeroDivisionError):
        running(ZeroDivisionError())()


def test_a_cluster_that_has_had_no_workers_for_long_is_refused(monkeypatch):
    monkeypatch.setattr(dask_runner, "GONE", 0.0)
    empty = dask_runner._Cluster(Client([TimeoutError()]), "tcp://a:1")
    assert "no workers for minutes" in refused_for(lambda: list(empty(block_of, [(0, 8)])))


def test_an_interrupted_trial_goes_on(tmp_path):
    whole, completed = run(TRIAL, 2048, in_threads(1)), []

    def runner(work, blocks):
        for block in blocks:
            if len(completed) == 2:
                raise KeyboardInterrupt
            completed.append(block)
            yield work(block)

    with pytest.raises(KeyboardInterrupt):
        run(TRIAL, 2048, resumable(runner, TRIAL, tmp_path))
    rest = []

    def counted(work, blocks):
        for block in blocks:
            rest.append(block)
            yield work(block)

    again = run(TRIAL, 2048, resumable(counted, TRIAL, tmp_path))
    assert same(again, whole)
    assert len(rest) == len(TRIAL.blocks(2048)) - 2
    assert same(added(block_of(TRIAL, b) for b in TRIAL.blocks(2048)), whole)


def test_kept_blocks_that_are_damaged_or_of_another_trial_are_made_anew(tmp_path):
    whole = run(TRIAL, 2048, resumable(in_threads(1), TRIAL, tmp_path))
    other = Trial(PROTOCOLS, TRIAL.ensemble, 6)
    run(other, 2048, resumable(in_threads(1), other, tmp_path))
    folder, foreign = tmp_path / key(TRIAL), tmp_path / key(other)
    first, second, third, fourth = (folder / f"{b[0]}-{b[1]}.npz" for b in TRIAL.blocks(2048))
    intact = first.read_bytes()
    first.write_bytes(intact[: len(intact) // 2])  # cut short
    second.write_bytes((foreign / second.name).read_bytes())  # of another trial
    third.write_bytes(fourth.read_bytes())  # of other patients of this one
    messages, anew = [], []

    def counted(work, blocks):
        for block in blocks:
            anew.append(block)
            yield work(block)

    again = run(TRIAL, 2048, resumable(counted, TRIAL, tmp_path, say=messages.append))
    assert same(again, whole)
    assert anew == list(TRIAL.blocks(2048))[:3]
    assert messages == ["3 checkpoints were damaged or of another trial: simulated anew."]
    with np.load(first) as arrays:  # a number changed, in a file that can be read
        changed = {name: arrays[name] for name in arrays.files}
    changed["total"] = changed["total"] + 1.0
    np.savez_compressed(first, **changed)
    fourth.write_bytes(b"")
    anew.clear()
    assert same(run(TRIAL, 2048, resumable(counted, TRIAL, tmp_path)), whole)
    assert anew == [TRIAL.blocks(2048)[0], TRIAL.blocks(2048)[3]]


def test_sums_that_cannot_be_those_of_their_patients_are_refused():
    block = TRIAL.blocks(2048)[0]
    true = block_of(TRIAL, block)
    assert sound(TRIAL, block, true)
    wrong = [None, [true], dataclasses.replace(true, met=true.met + 1), dataclasses.replace(true, given=true.met + 1),
             dataclasses.replace(true, total=true.total[:, :1]), dataclasses.replace(true, total=true.total * np.nan),
             dataclasses.replace(true, peaks=true.peaks + 1), dataclasses.replace(true, free=true.free * 0 + 1e9),
             dataclasses.replace(true, gain="x")]  # fmt: skip
    for part in wrong:
        assert not sound(TRIAL, block, part)
        with pytest.raises(PlanRefused, match="virtual"):
            run(TRIAL, block[1], lambda work, blocks, part=part: [part])
    assert not sound(TRIAL, (0, block[1] - 2), true)
    with pytest.raises(ValueError, match="shorter"):
        run(TRIAL, 2048, lambda work, blocks: [])


def test_another_seed_is_another_trial():
    assert key(TRIAL) != key(Trial(PROTOCOLS, TRIAL.ensemble, 6))

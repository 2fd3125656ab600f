"""The sums of three centres by secret sharing, each a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mpyc", reason="the extra 'pool' is not installed")

from reinfuse.exceptions import PoolRefused
from reinfuse.pooling import fixed_point
from reinfuse.pooling.secret_shares import sharing

PARTY = """
import json, sys
from reinfuse.pooling.secret_shares import sharing
index, addresses, integers = json.loads(sys.stdin.read())
with sharing(index, addresses) as add:
    print(json.dumps([add(integers), add([index])]))
"""


def free_addresses():
    sockets = [socket.socket() for _ in range(3)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return addresses


def test_three_processes_learn_the_total():
    values = [[0.1, -2.5, 7.0], [1e5 / 3, 0.25, -7.0], [-0.7, 1.0, 0.0]]
    addresses = free_addresses()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    parties = [
        subprocess.Popen([sys.executable, "-c", PARTY], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, env=environment)
        for _ in values
    ]  # fmt: skip
    try:
        for index, (party, own) in enumerate(zip(parties, values, strict=True)):
            party.stdin.write(json.dumps([index, addresses, fixed_point.encoded(own, 3)]))
            party.stdin.close()
            party.stdin = None
        for party in parties:
            output, errors = party.communicate(timeout=120)
            total, second = json.loads(output.splitlines()[-1]) if party.returncode == 0 else (None, errors)
            assert second == [3]
            assert fixed_point.decoded(total) == pytest.approx([sum(v) for v in zip(*values, strict=True)], abs=1e-11)
    finally:
        for party in parties:
            if party.poll() is None:
                party.kill()


@pytest.mark.parametrize(("index", "addresses"), [(0, ["a:1", "b:1"]), (3, ["a:1", "b:1", "c:1"])])
def test_two_parties_or_a_stranger_are_refused(index, addresses):
    with pytest.raises(PoolRefused, match="name at least 3"), sharing(index, addresses):
        pass

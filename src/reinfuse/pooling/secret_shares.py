"""Sums by secret sharing among processes that reach each other: the one module that knows MPyC.

Each party cuts its integers into shares (Shamir, Commun ACM 1979;22:612-613) and sends one to every other; they add
shares, and open the total alone. Fewer than half of the parties together learn nothing but the total. MPyC sends shares
over TCP as they are: use it within a network that is encrypted, for who reads all lines can put the shares together.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from reinfuse.exceptions import PoolRefused, Problem
from reinfuse.pooling.fixed_point import MODULUS
from reinfuse.runtime.extras import require

_PRIME = 2**521 - 1
"""Greater than any sum of integers below 2^128."""
FEWEST_PARTIES = 3
Adding = Callable[[Sequence[int]], list[int]]


@contextmanager
def sharing(index: int, addresses: Sequence[str]) -> Iterator[Adding]:
    """Reach the other parties and yield what adds a list of integers to theirs, modulo 2^128.

    Parameters
    ----------
    index
        Which of the addresses is this party, from 0.
    addresses
        ``host:port`` of every party, the same list at each.

    Raises
    ------
    ExtraMissing
        If MPyC is not installed.
    PoolRefused
        If there are fewer than three parties, or the index is none of theirs.
    """
    require("pool")
    if len(addresses) < FEWEST_PARTIES or not 0 <= index < len(addresses):
        rule = f"{len(addresses)} addresses, and this party is number {index}"
        remedy = f"name at least {FEWEST_PARTIES}, and which of them this is (from 0)"
        raise PoolRefused([Problem(table="addresses", rule=rule, remedy=remedy)])
    runtime = _runtime(index, addresses)
    field = runtime.SecFld(modulus=_PRIME)
    runtime.run(runtime.start())

    def add(integers: Sequence[int]) -> list[int]:
        """Return the total of all parties; every party must give as many integers."""
        of_parties = runtime.input([field(i) for i in integers])
        totals = [runtime.sum(list(column)) for column in zip(*of_parties, strict=True)]
        return [int(v) % MODULUS for v in runtime.run(runtime.output(totals))]

    try:
        yield add
    finally:
        runtime.run(runtime.shutdown())


def _runtime(index: int, addresses: Sequence[str]) -> Any:
    """Return MPyC's runtime; it takes its parties from the command line alone, and reads that when it is imported."""
    own = sys.argv
    words = [part for address in addresses for part in ("-P", address)]
    words = ["reinfuse", *words, "-I", str(index), "--no-log"]
    try:
        sys.argv = list(words)
        from mpyc import runtime

        sys.argv = list(words)  # the import has taken them away
        return runtime.setup()
    finally:
        sys.argv = own

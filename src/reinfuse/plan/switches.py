"""Switches that analyses bring along: settings under `[analyses]` of a plan beyond those of `plan.options`.

A plan knows no analysis. Whoever puts the rooms together (`reinfuse/__init__.py`) names the function that collects the
switches; it is called when a plan first holds a setting that `plan.options` does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Switch:
    """A setting that one analysis alone reads. It is off unless a plan sets it, so that no plan's meaning changes.

    Attributes
    ----------
    name
        Its name under `[analyses]`.
    kind
        The type of its values, as pydantic reads it; ``False`` must be one of them.
    text
        What it does, for docs/plan.md.
    """

    name: str
    kind: Any
    text: str


_COLLECTORS: list[Callable[[], Iterable[Switch]]] = []


def collect_from(collector: Callable[[], Iterable[Switch]]) -> None:
    """Name a function that returns switches of analyses."""
    _COLLECTORS.append(collector)
    declared.cache_clear()


@cache
def declared() -> dict[str, Switch]:
    """Return the switches that analyses declare, by name."""
    return {switch.name: switch for collector in _COLLECTORS for switch in collector()}

"""What report and supplement say of a plan that was locked: when, and each later change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from reinfuse.plan.plan_record import PlanChange, PlanHistory

_NO_PROOF = "This is a record, not a proof."


def history_in(provenance: Mapping[str, Any]) -> PlanHistory | None:
    """Return the history that findings hold."""
    return PlanHistory.of(provenance["plan_history"]) if "plan_history" in provenance else None


def when_locked(provenance: Mapping[str, Any]) -> Iterator[str]:
    """Yield the sentence of the methods that says when the plan was locked."""
    if (history := history_in(provenance)) is None:
        return
    later = len(history.changes)
    changes = "was not changed afterwards" if not later else (
        f"was changed {'once' if later == 1 else f'{later} times'} afterwards (Limitations)")  # fmt: skip
    yield f"The analysis plan was locked {_when(history.locked)} and {changes}. {_NO_PROOF}"


_PRECEDED = {
    "before the first index infusion": "before the first index infusion",
    "before the last date": "after the first index infusion and before the last date in the data",
    "after": "after the last date in the data: the record does not show that it preceded them",
    "": "whether it preceded the data cannot be read from them, which hold no dates",
}


def preceded(provenance: Mapping[str, Any]) -> Iterator[str]:
    """Yield the sentence that says whether a plan that was locked was written before the data."""
    if (history := history_in(provenance)) is None:
        return
    changed = "; it was changed afterwards (Limitations)" if history.changes else ""
    separator = ":" if not history.preceded else ","
    yield (
        f"The plan (SHA-256 {history.sha256[:12]}) was locked {_when(history.locked)}{separator} "
        f"{_PRECEDED[history.preceded]}{changed}."
    )


def later_changes(provenance: Mapping[str, Any]) -> Iterator[str]:
    """Yield a limitation for each change after the plan was locked."""
    history = history_in(provenance)
    for change in history.changes if history else ():
        reason = f" Reason given: {change.reason}." if change.reason else ""
        yield f"Change of the plan {_moment(change)}: {'; '.join(change.settings)}.{reason}"


def versions(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each version of the plan's file with its SHA-256."""
    if (history := history_in(provenance)) is None:
        return
    yield f"Plan's file, locked {_when(history.locked)} (SHA-256)", history.sha256
    for number, change in enumerate(history.changes, 1):
        yield f"Plan's file, change {number}, {_moment(change)} (SHA-256)", change.sha256


def to_year(history: Mapping[str, Any]) -> dict[str, Any]:
    """Return a history without dates but their years, and without what people wrote."""
    of = PlanHistory.of(history)
    changes = tuple(replace(c, time=c.time[:4], reason="") for c in of.changes)
    return replace(of, locked=of.locked[:4], changes=changes).as_dict()


def _moment(change: PlanChange) -> str:
    if change.after_results is None:
        return "not recorded when it was made, perhaps after the results were seen"
    when = "after results had been seen" if change.after_results else "before any result was seen"
    return f"{_when(change.time)}, {when}"


def _when(time: str) -> str:
    """Return a time in words: `on 2026-11-29 at 20:09 UTC`; of a year alone, `in 2026`."""
    day, _, clock = time.partition("T")
    return f"on {day} at {clock[:5]} UTC" if clock else f"in {day}"

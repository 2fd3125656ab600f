"""A plan's file locked before results are seen, and later changes recorded; `plan.plan_record` says what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.output.single_file import write_file
from reinfuse.plan.analysis_plan import Plan
from reinfuse.plan.plan_record import (
    PlanHistory,
    PlanRecord,
    PlanVersion,
    history,
    read_record,
    record_file,
)
from reinfuse.tabular.toml import NotToml, parse_toml
from reinfuse.tabular.toml_document import toml_document

__all__ = ["LockedPlan", "lock_file", "lock_plan", "locked_plan", "note_results", "plan_text",
           "record_file", "save_draft", "settings_of"]  # fmt: skip


@dataclass(frozen=True)
class LockedPlan:
    """How a plan's file stands to its record.

    Attributes
    ----------
    sha256
        Of the file as it is now.
    is_recorded
        Whether the file is the last version of the record.
    results_since
        Since when results have been shown; "" if none have.
    """

    history: PlanHistory
    sha256: str
    is_recorded: bool
    results_since: str


def plan_text(settings: Mapping[str, Any]) -> str:
    """Return settings of a plan as the text of its file.

    Raises
    ------
    PlanRefused
        With everything that is wrong with them.
    """
    text = toml_document(settings)
    Plan.of(parse_toml(text.encode()))
    return text


def settings_of(text: str) -> dict[str, Any]:
    """Return the settings that a plan's text makes, checked.

    Raises
    ------
    PlanRefused
        With everything that is wrong with it.
    """
    try:
        settings = parse_toml(text.encode())
    except NotToml as why:
        raise PlanRefused([Problem(table="plan", rule=str(why), remedy="correct the text")]) from None
    Plan.of(settings)
    return settings


def locked_plan(plan: Path) -> LockedPlan | None:
    """Return how a plan's file stands to its record; None of a plan that was never locked.

    Raises
    ------
    PlanRefused
        If the record cannot be read, or was changed.
    """
    record = read_record(plan)
    if record is None:
        return None
    of = history(plan)
    assert of is not None
    last = record.versions[-1]
    changed = bool(of.changes) and not of.changes[-1].time
    return LockedPlan(of, of.changes[-1].sha256 if changed else last.sha256, not changed, record.results_since)


def save_draft(plan: Path, text: str) -> None:
    """Write a plan that is not locked.

    Raises
    ------
    PlanRefused
        If it cannot be followed, or is locked.
    OutputRefused
        If it cannot be written.
    """
    settings_of(text)
    if read_record(plan) is not None:
        raise PlanRefused([Problem(table="plan", rule="is locked", remedy="record the change, with its reason")])
    write_file(plan, text.encode())


def lock_plan(plan: Path, text: str, *, reason: str = "") -> PlanRecord:
    """Write a plan and lock it; of a plan that is locked, record the change.

    Parameters
    ----------
    plan
        The plan's file.
    text
        What it is to say from now on.
    reason
        Why a plan that is locked is changed.

    Raises
    ------
    PlanRefused
        If the plan cannot be followed, or a change has no reason.
    OutputRefused
        If it cannot be written.
    """
    settings_of(text)
    record = read_record(plan)
    now = _now()
    if record is None:
        record = PlanRecord((PlanVersion(now, text),))
    elif text != record.versions[-1].text:
        if not reason.strip():
            rule, remedy = "a plan that is locked is changed without a reason", "say why it is changed"
            raise PlanRefused([Problem(table="plan", column="reason", rule=rule, remedy=remedy)])
        version = PlanVersion(now, text, " ".join(reason.split()).rstrip("."), bool(record.results_since))
        record = replace(record, versions=(*record.versions, version))
    write_file(record_file(plan), record.text.encode())  # first: a plan that then cannot be written shows as changed
    write_file(plan, text.encode())
    return record


def lock_file(plan: Path, *, reason: str = "") -> LockedPlan:
    """Lock a plan's file as it stands; of a plan that is locked, record what was changed since.

    Raises
    ------
    PlanRefused
        If it cannot be read or followed, or a change has no reason.
    OutputRefused
        If its record cannot be written.
    """
    try:
        text = plan.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        remedy = "name a plan's file (TOML, UTF-8)"
        raise PlanRefused([Problem(table="plan", value=str(plan), rule="cannot be read", remedy=remedy)]) from None
    lock_plan(plan, text, reason=reason)
    of = locked_plan(plan)
    assert of is not None
    return of


def note_results(plan: Path) -> None:
    """Note that results of a plan are shown from now on: later changes of it are made after they were seen.

    Raises
    ------
    OutputRefused
        If the record cannot be written.
    """
    record = read_record(plan)
    if record is not None and not record.results_since:
        write_file(record_file(plan), replace(record, results_since=_now()).text.encode())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

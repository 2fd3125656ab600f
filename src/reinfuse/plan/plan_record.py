"""The record of a plan: when it was locked, and what was changed in it afterwards.

It stands beside the plan (``plan.toml``, ``plan.record.toml``) with the text of each version, its SHA-256 and the time.
Whoever analyses the plan's file reads it too, so that a report lists what was changed, by whatever program. It is a
record and no proof: who can write the plan can write the record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.plan.analysis_plan import Plan
from reinfuse.tabular.toml import NotToml, parse_toml
from reinfuse.tabular.toml_document import toml_document

SUFFIX = ".record.toml"
_HEAD = """\
# Every version of the plan beside this file since it was locked, written by reinfuse. The report lists the changes.
# It is a record, not a proof. Do not edit it: a version whose SHA-256 is another is refused.

"""
_MOST_BYTES = 20_000_000
"""Of a record, which holds every version of a plan."""
Preceded = Literal["", "before the first index infusion", "before the last date", "after"]
ONLY_LAYOUT = "no setting: comments or layout"


@dataclass(frozen=True)
class PlanVersion:
    """One version of a plan.

    Attributes
    ----------
    time
        When it was locked, or the change recorded (UTC, ISO 8601).
    text
        The file's contents.
    reason
        Why it was changed.
    after_results
        Whether results of an earlier version had been shown.
    """

    time: str
    text: str = field(repr=False)
    reason: str = ""
    after_results: bool = False

    @property
    def sha256(self) -> str:
        """SHA-256 of the file's contents."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class PlanRecord:
    """The versions of a plan, the one that was locked first, and since when results have been shown ("": never)."""

    versions: tuple[PlanVersion, ...]
    results_since: str = ""

    @property
    def text(self) -> str:
        """The record as TOML."""
        versions = [{"time": v.time, "sha256": v.sha256, "after_results": v.after_results, "reason": v.reason,
                     "text": v.text} for v in self.versions]  # fmt: skip
        return _HEAD + toml_document({"results_since": self.results_since, "versions": versions})


@dataclass(frozen=True)
class PlanChange:
    """A change after a plan was locked.

    Attributes
    ----------
    time
        Empty where the file was changed without being recorded.
    after_results
        None where that is not recorded.
    settings
        What was changed, each in words.
    """

    time: str
    sha256: str
    after_results: bool | None
    reason: str
    settings: tuple[str, ...]


@dataclass(frozen=True)
class PlanHistory:
    """What a report says of a plan's record.

    Attributes
    ----------
    locked, sha256
        The first version that was locked.
    preceded
        When that was, seen from the data: ``before the first index infusion``, ``before the last date``, ``after``
        it; "" where the data hold no dates.
    """

    locked: str
    sha256: str
    changes: tuple[PlanChange, ...] = ()
    preceded: Preceded = ""

    def beside(self, first: date, last: date) -> PlanHistory:
        """Return it with when the plan was locked, seen from the first index infusion and the last date of the data."""
        day = date.fromisoformat(self.locked[:10])
        when: Preceded = "before the first index infusion" if day < first else "before the last date"
        return replace(self, preceded="after" if day > last else when)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self) | {"changes": [asdict(c) | {"settings": list(c.settings)} for c in self.changes]}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> PlanHistory:
        """Read it from JSON values."""
        changes = tuple(PlanChange(**{**c, "settings": tuple(c["settings"])}) for c in values["changes"])
        return cls(values["locked"], values["sha256"], changes, values.get("preceded", ""))


def record_file(plan: Path) -> Path:
    """Return where the record of a plan's file is."""
    return plan.with_suffix(SUFFIX)


def read_record(plan: Path) -> PlanRecord | None:
    """Return the record of a plan's file; None of a plan that was never locked.

    Raises
    ------
    PlanRefused
        If the record cannot be read, or a version in it is not the one that was recorded.
    """
    path = record_file(plan)
    if not path.exists():
        return None
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _refused(path, f"the plan's record is larger than {_MOST_BYTES:,} bytes")
        contents = parse_toml(path.read_bytes())
        versions = tuple(PlanVersion(str(v["time"]), str(v["text"]), str(v["reason"]), v["after_results"] is True)
                         for v in contents["versions"])  # fmt: skip
        wrong = [v.time for v, of in zip(versions, contents["versions"], strict=True) if v.sha256 != of["sha256"]]
        if not versions or wrong:
            rule = f"the plan's version of {wrong[0]} has another SHA-256 than was recorded" if wrong else "is empty"
            raise _refused(path, rule)
        return PlanRecord(versions, str(contents.get("results_since", "")))
    except (NotToml, KeyError, TypeError, OSError):
        raise _refused(path, "the plan's record cannot be read") from None


def history(plan: Path) -> PlanHistory | None:
    """Return what a report says of a plan's file; None of a plan that was never locked.

    Raises
    ------
    PlanRefused
        If the record cannot be read, or a version of the plan cannot.
    """
    record = read_record(plan)
    if record is None:
        return None
    first = record.versions[0]
    return PlanHistory(first.time, first.sha256, tuple(_changes(record, plan)))


def _changes(record: PlanRecord, plan: Path) -> Iterator[PlanChange]:
    before = record.versions[0]
    for after in record.versions[1:]:
        settings = differences(before.text, after.text)
        yield PlanChange(after.time, after.sha256, after.after_results, after.reason, settings)
        before = after
    now = plan.read_bytes()
    if now != before.text.encode():
        settings = differences(before.text, now.decode("utf-8-sig"))
        yield PlanChange("", hashlib.sha256(now).hexdigest(), None, "", settings)


def differences(before: str, after: str) -> tuple[str, ...]:
    """Return what a plan's text sets otherwise than an earlier one, each setting in words."""
    old, new = (_flat(Plan.of(parse_toml(text.encode())).model_dump(mode="json")) for text in (before, after))
    names = dict.fromkeys([*old, *new])
    changed = tuple(f"{name}: {_shown(old, name)} → {_shown(new, name)}" for name in names
                    if _shown(old, name) != _shown(new, name))  # fmt: skip
    return changed or (ONLY_LAYOUT,)


def _shown(settings: Mapping[str, object], name: str) -> str:
    value = settings.get(name)
    if value is None:
        return "left out" if ": " in name else "none"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _flat(settings: Mapping[str, Any], place: str = "") -> dict[str, object]:
    """Return settings by their whole names; those of a list of tables by what names each of them."""
    flat: dict[str, object] = {}
    for name, value in settings.items():
        whole = f"{place}{name}"
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{whole}.")
        elif isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
            for position, one in enumerate(value, 1):
                own = str(one.get("name") or f"{one.get('endpoint', '')} {one.get('factor', '')}".strip() or position)
                rest = _flat({k: v for k, v in one.items() if v not in (None, own, {}, [])})
                flat[f"{whole}: {own}"] = ", ".join(f"{k} {v}" for k, v in rest.items()) or "included"
        elif isinstance(value, list):
            flat[whole] = ", ".join(map(str, value)) or "none"
        else:
            flat[whole] = value
    return flat


def _refused(path: Path, rule: str) -> PlanRefused:
    remedy = f"put back {path.name} as it was; without it the plan counts as not locked"
    return PlanRefused([Problem(table="plan", value=str(path), rule=rule, remedy=remedy)])

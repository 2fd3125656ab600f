"""Settings of the reading in a map, `[reading]`: read and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from reinfuse.exceptions import Problem, nearest
from reinfuse.sources.records.clinical import ReadingRules

_DAYS = {"merge_days": (0, 60), "lymphodepletion_days": (1, 60)}
_NAMES = tuple(f.name for f in fields(ReadingRules))


def written(rules: ReadingRules) -> dict[str, Any]:
    """Return the settings as a map keeps them."""
    return {name: list(value) if isinstance(value := getattr(rules, name), tuple) else value for name in _NAMES}


def rules_of(settings: Mapping[str, Any]) -> ReadingRules:
    """Return the rules that settings without faults give."""
    lists = {n: tuple(map(str, v)) for n, v in settings.items() if isinstance(v, list | tuple)}
    listed: dict[str, Any] = {**settings, **lists}
    return replace(ReadingRules(), **listed)


def faults(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with settings."""
    for name, value in settings.items():
        place, rule = f"reading.{name}", ""
        if name not in _NAMES:
            near = nearest(name, _NAMES)
            remedy = f"did you mean {near}?" if near else f"take it away; known are: {', '.join(_NAMES)}"
            yield Problem(table="map", column=place, rule="is not a setting of a map", remedy=remedy)
            continue
        if name == "schema":
            rule = "" if isinstance(value, str) else "is not a text in quotation marks"
        elif name in _DAYS:
            low, high = _DAYS[name]
            fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
            rule = "" if fits else f"is not a whole number of days from {low} to {high}"
        elif not isinstance(value, list | tuple) or not all(isinstance(v, str | int) for v in value):
            rule = "is not a list of concepts and codes"
        if rule:
            yield Problem(table="map", column=place, value=str(value), rule=rule, remedy="correct the map")

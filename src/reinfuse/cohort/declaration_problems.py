"""What is wrong with a declaration of a plan, as problems: setting, rule and remedy, whoever made it and however."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ValidationError

from reinfuse.exceptions import Problem, nearest

_REMEDY = "correct the plan"
_RULES = {
    "missing": ("is missing", "add it"),
    "model_type": ("is no table of settings", 'write its settings by name, such as {"name": ...}'),
    "string_pattern_mismatch": ("is no name", "use letters, digits and _, and begin with a letter"),
}
"""By pydantic's kind of error, what is said in place of its own words."""


def problems_of(error: ValidationError, *, settings: Iterable[str]) -> list[Problem]:
    """Return every problem of a declaration.

    Parameters
    ----------
    error
        What pydantic says.
    settings
        Names of all settings that there are, for those that are misspelt.
    """
    names, problems = set(settings), []
    for one in error.errors(include_url=False):
        where = ".".join(str(part) for part in one["loc"] if part != "further")
        rule, remedy = _RULES.get(one["type"], (one["msg"].removeprefix("Value error, "), _REMEDY))
        if one["type"] == "extra_forbidden":
            near = nearest(str(one["loc"][-1]), names)
            rule, remedy = "is not a setting of a plan", f"did you mean {near}?" if near else "take it away"
        value = None if isinstance(one["input"], dict | BaseModel) else str(one["input"])
        for part in rule.split("; ") if not where else [rule]:
            problems.append(
                Problem(table="plan", column=where or None, value=value if where else None, rule=part, remedy=remedy)
            )
    return problems

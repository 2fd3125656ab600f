"""Settings written as TOML: single values first, then tables, then lists of tables; what reads them is `toml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from reinfuse.tabular.toml import toml_text

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_document(settings: Mapping[str, Any]) -> str:
    """Return settings as TOML; those that are None are left out.

    Raises
    ------
    TypeError
        If a value is of a type that TOML does not have.
    """
    return "\n".join(_lines(settings, "")).strip() + "\n"


def _lines(settings: Mapping[str, Any], place: str) -> Iterator[str]:
    given = {name: value for name, value in settings.items() if value is not None}
    nested = {name for name, value in given.items() if isinstance(value, Mapping) or _is_tables(value)}
    for name, value in given.items():
        if name not in nested:
            yield f"{toml_key(name)} = {toml_value(value)}"
    for name, value in given.items():
        inner = f"{place}{toml_key(name)}"
        if isinstance(value, Mapping):
            yield from ("", f"[{inner}]", *_lines(value, f"{inner}."))
        elif name in nested:
            for one in value:
                yield from ("", f"[[{inner}]]", *_lines(one, f"{inner}."))


def _is_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(v, Mapping) for v in value)


def toml_key(name: str) -> str:
    """Return a name as a key: bare where TOML lets it."""
    return name if _BARE.fullmatch(name) else toml_text(name)


def toml_value(value: object) -> str:
    """Return a value in one line.

    Raises
    ------
    TypeError
        If it is of a type that TOML does not have.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return toml_text(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{toml_key(str(k))} = {toml_value(v)}" for k, v in value.items() if v is not None)
        return f"{{ {pairs} }}" if pairs else "{ }"
    raise TypeError(f"{type(value).__name__} is no type of TOML")

"""TOML files as users write them: everything that keeps one from being read is a reason, never a crash."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reinfuse.tabular.limits import SETTINGS_BYTES

DEEPEST = 8
"""Tables and lists inside each other."""
_INTEGERS = 2**63
_BEYOND_JSON = re.compile("[\x7f-\x9f]")
_MANY_DOTS = re.compile(r"(?:[A-Za-z0-9_-]{1,40}\.){64}")


class NotToml(Exception):
    """The file is no TOML that can be read; the text says why, and holds nothing of the file but a place."""


def toml_text(text: str) -> str:
    """Return a text as TOML's basic string: JSON's, in which U+007F and further control characters are spelt out."""
    return _BEYOND_JSON.sub(lambda m: f"\\u{ord(m[0]):04x}", json.dumps(text, ensure_ascii=False))


def read_toml(path: Path) -> dict[str, Any]:
    """Return the contents of a TOML file.

    Raises
    ------
    NotToml
        With the reason.
    """
    try:
        if not path.is_file():
            raise NotToml("there is no such file")
        if path.stat().st_size > SETTINGS_BYTES:
            raise NotToml(f"is larger than {SETTINGS_BYTES:,} bytes")
        data = path.read_bytes()
    except (OSError, ValueError):
        raise NotToml("cannot be read") from None
    return parse_toml(data)


def parse_toml(data: bytes) -> dict[str, Any]:
    """Return the contents of a TOML document.

    Raises
    ------
    NotToml
        With the reason.
    """
    try:
        text = data.decode("utf-8-sig")
        if _MANY_DOTS.search(text):  # the parser's time grows with the square of a key's parts
            raise NotToml(f"holds tables or lists nested deeper than {DEEPEST}")
        contents = tomllib.loads(text)
    except UnicodeDecodeError:
        raise NotToml("is not a text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise NotToml(_reason(error)) from None
    except RecursionError:
        raise NotToml(f"holds tables or lists nested deeper than {DEEPEST}") from None
    except ValueError:  # an integer with more digits than Python reads
        raise NotToml(f"holds an integer beyond {_INTEGERS}") from None
    for value, depth in _values(contents):
        if depth > DEEPEST:
            raise NotToml(f"holds tables or lists nested deeper than {DEEPEST}")
        if isinstance(value, int) and abs(value) >= _INTEGERS:
            raise NotToml(f"holds an integer beyond {_INTEGERS}")
    return contents


def _reason(error: tomllib.TOMLDecodeError) -> str:
    return str(error) if len(str(error)) < 200 else "is not valid TOML"


def _values(contents: dict[str, Any]) -> Iterator[tuple[object, int]]:
    """Yield every value with its depth; without recursion, since the depth is what is in question."""
    waiting: list[tuple[object, int]] = [(contents, 0)]
    while waiting:
        value, depth = waiting.pop()
        yield value, depth
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if depth <= DEEPEST:
            waiting += [(v, depth + 1) for v in inner]

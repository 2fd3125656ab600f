"""Files of an exchange, sealed: their SHA-256 is that of their contents, however they are set out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reinfuse.tabular.limits import SETTINGS_BYTES

SEAL = "sha256"
_MOST_BYTES = 64 * SETTINGS_BYTES


def canonical(contents: Any) -> bytes:
    """Return contents as the one text that their hash is of."""
    return json.dumps(contents, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def seal(contents: Mapping[str, Any]) -> str:
    """Return the SHA-256 of contents, their seal aside."""
    return hashlib.sha256(canonical({k: v for k, v in contents.items() if k != SEAL})).hexdigest()


def sealed(contents: Mapping[str, Any]) -> bytes:
    """Return a file's text, with its seal."""
    return (
        json.dumps({**contents, SEAL: seal(contents)}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()


class NoExchange(Exception):
    """A file is none of an exchange; the text says why."""


def unsealed(path: Path) -> dict[str, Any]:
    """Return a file's contents.

    Raises
    ------
    NoExchange
        If it cannot be read, or was changed after it was written.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise NoExchange("is too large for a file of an exchange")
        contents = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (OSError, ValueError, RecursionError):
        raise NoExchange("cannot be read as JSON: it is cut off, or no file of an exchange") from None
    if not isinstance(contents, dict) or not isinstance(contents.get(SEAL), str):
        raise NoExchange("is no file of an exchange between centres")
    if seal(contents) != contents[SEAL]:
        raise NoExchange("was altered after it was written: its contents do not have the SHA-256 that it bears")
    return contents


def _refuse(constant: str) -> None:
    raise ValueError(constant)

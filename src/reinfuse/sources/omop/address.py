"""Where an OMOP database is: a file of DuckDB, a folder of its tables, or the address of a server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

POSTGRES, SPARK = ("postgres", "postgresql"), ("sc",)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_PARAMETER = re.compile(r";[^=;]*=([^;]+)")
"""Of an address of Spark Connect: ``sc://HOST:PORT/;token=...;use_ssl=true``."""


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """The address of a database server; `str` and `repr` hold neither user nor password."""

    url: str = field(repr=False)

    @property
    def scheme(self) -> str:
        """What stands before ``://``: one of `POSTGRES` or `SPARK`, or another one, which is not read."""
        return urlsplit(self.url).scheme

    @property
    def name(self) -> str:
        """Host and database, as they are shown and kept."""
        parts = urlsplit(self.url.partition(";")[0])
        return f"{parts.hostname or 'local'}/{parts.path.strip('/')}".rstrip("/")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that no message may hold."""
        parts = urlsplit(self.url)
        return tuple(t for t in (self.url, parts.password, parts.username, *_PARAMETER.findall(self.url)) if t)

    def __str__(self) -> str:
        return self.name


def source_place(text: str) -> Path | DatabaseAddress:
    """Return what a person typed as a source: a path, or the address of a database."""
    return DatabaseAddress(text) if _ADDRESS.match(text) else Path(text)

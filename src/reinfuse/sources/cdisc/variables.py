"""A data set's variables by their names, in whatever case a file writes them."""

from __future__ import annotations

from collections.abc import Iterable

from reinfuse.sources.source_table import SourceTable


class Variables:
    """The variables of one data set."""

    def __init__(self, table: SourceTable) -> None:
        self.table = table
        self._headers = {c.header.upper(): c.header for c in table.columns}
        self._texts: dict[str, list[str]] = {}

    def has(self, *names: str) -> bool:
        """Tell whether the data set has all of these variables."""
        return all(n.upper() in self._headers for n in names)

    def header(self, name: str) -> str:
        """Return a variable's name as the file writes it."""
        return self._headers[name.upper()]

    def first(self, *names: str) -> str:
        """Return the first of these variables that is there and holds something, as the file writes it; else empty."""
        return next((self.header(n) for n in names if self.has(n) and any(self.texts(n))), "")

    def texts(self, name: str) -> list[str]:
        """Return a variable's values, one a record; all empty where it is not there."""
        key = name.upper()
        if key not in self._texts:
            absent = [""] * len(self.table.rows)
            self._texts[key] = self.table.texts(self._headers[key]) if key in self._headers else absent
        return self._texts[key]

    def holds(self, name: str, *values: str) -> bool:
        """Tell whether a variable has one of these values in some record."""
        return not set(values).isdisjoint(self.texts(name))

    def distinct(self, name: str, rows: Iterable[int] | None = None) -> list[str]:
        """Return the values of a variable that are not empty, each once, in order."""
        texts = self.texts(name)
        return list(dict.fromkeys(t for t in (texts if rows is None else (texts[r] for r in rows)) if t))

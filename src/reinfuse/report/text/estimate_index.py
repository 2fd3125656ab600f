"""Finding records: the report asks for a number by what it is, and never computes one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reinfuse.results.estimate import Estimate

_Key = tuple[str, str | None, str]


class Lookup:
    """An index over a report's records."""

    def __init__(self, estimates: Iterable[Estimate]) -> None:
        self._records: dict[_Key, list[Estimate]] = defaultdict(list)
        for e in estimates:
            self._records[e.analysis, e.endpoint, e.statistic].append(e)

    def all(self, analysis: str, endpoint: str | None, statistic: str, **where: object) -> list[Estimate]:
        """Return the records with these properties, in the order in which they were made."""
        records = self._records.get((analysis, endpoint, statistic), [])
        return [e for e in records if all(getattr(e, name) == value for name, value in where.items())]

    def one(self, analysis: str, endpoint: str | None, statistic: str, population: str = "all",
            group: str | None = None, **where: object) -> Estimate | None:  # fmt: skip
        """Return the first record with these properties, or None."""
        records = self.all(analysis, endpoint, statistic, population=population, group=group, **where)
        return records[0] if records else None

"""The partial likelihood of a Cox model as a table of integers: events and patients at risk by pattern of the factors.

At each time of an event, in their order, it holds how many patients of each pattern had the event and how many were at
risk. The times themselves do not matter to the likelihood (Cox, J R Stat Soc B 1972;34:187-220), nor to a log-rank
test: whoever has the table has both, of the patients as they were.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from reinfuse.arrays import Floats, Integers


@dataclass(frozen=True)
class EventTable:
    """Events in their order.

    Attributes
    ----------
    events, at_risk
        At each time of an event, by pattern; shape (times, patterns).
    sizes
        All patients of each pattern, those censored before the first event among them; shape (patterns,).
    """

    events: Integers = field(repr=False)
    at_risk: Integers = field(repr=False)
    sizes: Integers = field(repr=False)

    def __post_init__(self) -> None:
        left = np.vstack([self.at_risk, np.zeros_like(self.at_risk[:1])])
        gone = left[:-1] - self.events - left[1:] if len(self.events) else left
        before = self.sizes - left[0] if len(self.events) else self.sizes
        if (self.events < 0).any() or (gone < 0).any() or (before < 0).any() or (self.events.sum(axis=1) < 1).any():
            raise ValueError("events and patients at risk do not agree")

    @classmethod
    def of(cls, time: Floats, event: Floats, *, pattern: Integers, patterns: int) -> EventTable:
        """Return the table of patients.

        Parameters
        ----------
        time, event
            Shape (n,): follow-up, and 1 or 0.
        pattern
            Shape (n,): 0 to patterns - 1.

        Examples
        --------
        The first of two patients dies, the other is censored later; they differ in the factor:

        >>> import numpy as np
        >>> from reinfuse.statistics.event_tables import EventTable
        >>> time, event = np.array([5.0, 9.0]), np.array([1.0, 0.0])
        >>> table = EventTable.of(time, event, pattern=np.array([1, 0]), patterns=2)
        >>> table.events.tolist(), table.at_risk.tolist()
        ([[0, 1]], [[1, 1]])
        """
        member = (pattern[:, None] == np.arange(patterns)).astype(np.int64)
        days = np.unique(time[event == 1])
        died = ((time == days[:, None]) & (event == 1)).astype(np.int64)
        return cls(died @ member, (time >= days[:, None]).astype(np.int64) @ member, member.sum(axis=0))

    def patients(self) -> tuple[Floats, Floats, Integers]:
        """Return times, events and patterns of patients that have this table: each time is a place in the order."""
        m = len(self.events)
        left = np.vstack([self.sizes, self.at_risk, np.zeros_like(self.sizes)[None]])
        died = np.vstack([np.zeros_like(self.sizes)[None], self.events])
        censored = left[:-1] - died - left[1:]  # after each time of an event, at first before them all
        counts = np.vstack([died, censored])
        places = np.concatenate([np.arange(m + 1.0), np.arange(m + 1) + 0.5])
        happened = np.repeat([1.0, 0.0], m + 1)
        row, pattern = np.nonzero(counts)
        times = counts[row, pattern]
        return np.repeat(places[row], times), np.repeat(happened[row], times), np.repeat(pattern, times)

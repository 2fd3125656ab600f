"""What `reinfuse map` proposes for one column of a source, and why."""

from __future__ import annotations

from dataclasses import dataclass

from reinfuse.sources.source_map import SourceMap

IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One proposal, under the names of the contract.

    Attributes
    ----------
    source
        The user's header; rows of a composed header are joined by `` | ``.
    target
        ``TABLE.COLUMN``; ``TABLE[K].COLUMN`` where it belongs to infusion K of a wide sheet
        (``infusions[2].date``, ``toxicities[2].CRS.grade``); `IGNORE`.
    confidence
        From 0 to 1.
    reason
        In words: what of the name, the dictionary and the values speaks for it.
    open
        A person must answer before it is imported.
    """

    source: str
    target: str
    confidence: float
    reason: str
    open: bool

    def as_dict(self) -> dict[str, object]:
        """Return it under the names of the contract."""
        return {"source": self.source, "target": self.target, "confidence": round(self.confidence, 2),
                "reason": self.reason, "open": self.open}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proposed:
    """What `propose` answers: the map that follows from a source, and a proposal for each of its columns."""

    map: SourceMap
    proposals: tuple[Proposal, ...]

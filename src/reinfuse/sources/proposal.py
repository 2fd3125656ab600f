"""What `reinfuse map` proposes for one column of a source, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reinfuse.sources.source_map import Field, SourceMap

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


def with_doubts(proposed: Proposed) -> Proposed:
    """Return what is proposed with a map in which the doubts of each line stand beside its reason."""
    whole = {p.source: p.reason for p in proposed.proposals if p.open}

    def told(filled: Field) -> Field:
        reason = whole.get(filled.column, "")
        return replace(filled, reason=reason) if filled.reason and reason.startswith(filled.reason) else filled

    blocks = (replace(b, fields={c: told(f) for c, f in b.fields.items()}) for b in proposed.map.blocks)
    return replace(proposed, map=replace(proposed.map, blocks=tuple(blocks)))

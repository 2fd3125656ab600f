"""What a plan says of ranks: `[hierarchy]`. Which endpoints and factors are primary, secondary, exploratory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reinfuse.cohort.declarations import MOST_DECLARED, Declaration

_Names = Annotated[tuple[str, ...], Field(max_length=MOST_DECLARED)]
Kind = Literal["endpoints", "factors"]


class Ranked(Declaration):
    """Endpoints and factors of one rank, in the order in which they are tested."""

    endpoints: _Names = ()
    factors: _Names = ()


class Hierarchy(Declaration):
    """Ranks of endpoints and factors. Without a primary endpoint a plan has no hierarchy.

    Attributes
    ----------
    primary
        The primary family: its factors with its endpoints; without factors, those of the plan's models of these.
    secondary
        Tested apart from it; a secondary factor with a primary endpoint is secondary, and the other way round.
    exploratory
        Only to say so: whatever is not named is exploratory.
    method
        How the family-wise error of the primary family is controlled; a ``fixed sequence`` takes the first endpoint
        with each factor, then the next endpoint.
    """

    primary: Ranked = Ranked()
    secondary: Ranked = Ranked()
    exploratory: Ranked = Ranked()
    method: Literal["Holm", "fixed sequence"] = "Holm"

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if not self.primary.endpoints and (any(self.names("endpoints")) or any(self.names("factors"))):
            raise ValueError("names no primary endpoint: name hierarchy.primary.endpoints, or leave it out")
        for kind in ("endpoints", "factors"):
            every = list(self.names(kind))
            if twice := sorted({name for name in every if every.count(name) > 1}):
                raise ValueError(f"names {', '.join(twice)} twice among the {kind}")
        return self

    def __bool__(self) -> bool:
        return bool(self.primary.endpoints)

    def names(self, kind: Kind) -> Iterator[str]:
        """Yield every endpoint or factor that has a rank."""
        return chain.from_iterable(getattr(r, kind) for r in (self.primary, self.secondary, self.exploratory))

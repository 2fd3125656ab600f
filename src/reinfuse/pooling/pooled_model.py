"""A model of a study of several centres: one endpoint, its factors, and two of these that may act together."""

from __future__ import annotations

from dataclasses import dataclass, replace

MULTI, UNI = "multivariable", "univariable"


@dataclass(frozen=True)
class PooledModel:
    """A model of one endpoint.

    Attributes
    ----------
    pair
        Two of its factors whose products are added, of which it is asked whether they act together; empty: none.
    """

    endpoint: str
    factors: tuple[str, ...]
    pair: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its name in files."""
        return f"{self.without_products.key} + {' x '.join(self.pair)}" if self.pair else \
            f"{self.endpoint}: {' + '.join(self.factors)}"  # fmt: skip

    @property
    def without_products(self) -> PooledModel:
        """The same factors alone: in tables mode one table is of both."""
        return replace(self, pair=())

    @property
    def adjustment(self) -> str:
        """Whether it has one factor or several, as records say it."""
        return UNI if len(self.factors) == 1 else MULTI

"""What a cell says: dates, doses, responses, grades and words as centres write them, in the contract's spelling."""

from reinfuse.sources.values.understanding import understand
from reinfuse.sources.values.understood import Understood

__all__ = ["Understood", "understand"]

"""Where results go: what is refused, how a folder is replaced, and what becomes of what stood there."""

from reinfuse.output.destination import Destination, at, published
from reinfuse.output.refusals import refuse_results
from reinfuse.output.workplace import discard

__all__ = ["Destination", "at", "discard", "published", "refuse_results"]

"""From a source to a proposed map: names compared, cells weighed, and nothing that could be otherwise left unasked."""

from reinfuse.sources.proposal import Proposed
from reinfuse.sources.propose.proposing import propose

__all__ = ["Proposed", "propose"]

"""The uncertain parameters of a population: a standard normal number for each uncertain median and variation."""

from __future__ import annotations

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.simulation.model.parameters import PARAMETERS
from reinfuse.simulation.population.virtual_patients import PRIOR, Member

_MEDIANS = [k for k, p in enumerate(PARAMETERS) if p.spread]
_CVS = [k for k, p in enumerate(PARAMETERS) if p.spread_of_cv]
_SPREAD = np.array([PARAMETERS[k].spread for k in _MEDIANS])
_SPREAD_OF_CV = np.array([PARAMETERS[k].spread_of_cv for k in _CVS])
UNKNOWNS = (*(PARAMETERS[k].name for k in _MEDIANS), *(f"cv of {PARAMETERS[k].name}" for k in _CVS))
"""Names of the uncertain parameters: medians by their symbol, then variations between patients."""


def members(z: Floats) -> Member:
    """Return the members at points of the space: z of shape (n, unknowns) gives arrays of shape (n, 35)."""
    n = len(z)
    median, cv = np.tile(PRIOR.median, (n, 1)), np.tile(PRIOR.cv, (n, 1))
    median[:, _MEDIANS] *= np.exp(_SPREAD * z[:, : len(_MEDIANS)])
    cv[:, _CVS] *= np.exp(_SPREAD_OF_CV * z[:, len(_MEDIANS) :])
    return Member(median, cv)

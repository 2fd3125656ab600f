"""The uncertain parameters of a population: a standard normal number for each uncertain median, variation and share."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from reinfuse.arrays import Floats
from reinfuse.simulation.model.parameters import MIXTURE, PARAMETERS
from reinfuse.simulation.population.virtual_patients import PRIOR, Member

_MEDIANS = [k for k, p in enumerate(PARAMETERS) if p.spread]
_CVS = [k for k, p in enumerate(PARAMETERS) if p.spread_of_cv]
_MIXED = [k for k, m in enumerate(MIXTURE) if m.spread]
_SPREAD = np.array([PARAMETERS[k].spread for k in _MEDIANS])
_SPREAD_OF_CV = np.array([PARAMETERS[k].spread_of_cv for k in _CVS])
UNKNOWNS = (*(PARAMETERS[k].name for k in _MEDIANS), *(f"cv of {PARAMETERS[k].name}" for k in _CVS),
            *(MIXTURE[k].name for k in _MIXED))  # fmt: skip
"""Names of the uncertain parameters: medians by their symbol, variations between patients, then mixtures."""
_CVS_FROM, _MIXED_FROM = len(_MEDIANS), len(_MEDIANS) + len(_CVS)


def members(z: Floats) -> Member:
    """Return the members at points of the space: z of shape (n, unknowns) gives arrays of shape (n, ...)."""
    median, cv, mixture = (np.tile(a, (len(z), 1)) for a in (PRIOR.median, PRIOR.cv, PRIOR.mixture))
    median[:, _MEDIANS] *= np.exp(_SPREAD * z[:, :_CVS_FROM])
    cv[:, _CVS] *= np.exp(_SPREAD_OF_CV * z[:, _CVS_FROM:_MIXED_FROM])
    for column, k in enumerate(_MIXED, _MIXED_FROM):
        moved = MIXTURE[k].spread * z[:, column]
        share = MIXTURE[k].share
        mixture[:, k] = expit(logit(mixture[:, k]) + moved) if share else mixture[:, k] * np.exp(moved)
    return Member(median, cv, mixture)

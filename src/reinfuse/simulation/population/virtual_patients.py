"""Virtual patients: parameters drawn for each patient from the patient's own random numbers.

The numbers depend on the seed and the patient's number only, so that the same patient meets every protocol, on any
machine and in any order of work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from reinfuse.arrays import Floats, Integers
from reinfuse.simulation.model.parameters import (
    DISEASES,
    FRACTIONS,
    INDEX,
    MIXTURE,
    MIXTURE_INDEX,
    NAMES,
    OWN,
    PARAMETERS,
    Disease,
)

BLOCK = 256
"""Patients whose numbers are drawn together."""
MOST_INFUSIONS = 6
_NORMALS = len(NAMES) + MOST_INFUSIONS - 1
_MOST_TDEATH = 0.8
"""Lethal tumour burden: at most this share of the carrying capacity."""
_MOST_T0 = 0.8
"""Tumour burden before the first infusion: at most this share of the lethal one."""
_MOST_G = 0.5
"""Growth rate of tumour, a day: at most this (the range of Kimmel 2021)."""
_FAILED = 0.3
"""Fitness of a product that fails, over what it would have had."""
_ARISES = 14.0
"""Days within which an antigen-negative cell arises, if at all."""
_CELL = np.array([2e-9, 2e-9, 2e-9, 1e-9, 1e-9])
"""One cell of E, M, X (cells/uL) and P, N (1e9 cells)."""


@dataclass(frozen=True)
class Member:
    """A member of the ensemble, or several, or one for each patient.

    Attributes
    ----------
    median, cv
        Medians and coefficients of variation of all parameters; shape (..., 36).
    mixture
        How patients of several kinds are mixed (`parameters.MIXTURE`); shape (..., 18).
    """

    median: Floats
    cv: Floats
    mixture: Floats

    def __getitem__(self, which: int | np.ndarray) -> Member:
        """Return one of several members, or some of them."""
        return Member(self.median[which], self.cv[which], self.mixture[which])

    def among(self, who: np.ndarray) -> Member:
        """Return the members of some of the patients; of all patients alike it is the same."""
        return self[who] if self.median.ndim == 2 else self

    def without(self, changed: Mapping[str, float]) -> Member:
        """Return the member with parameters set to a value that all patients share, or with another mixture."""
        median, cv, mixture = self.median.copy(), self.cv.copy(), self.mixture.copy()
        for name, value in changed.items():
            if name in MIXTURE_INDEX:
                mixture[..., MIXTURE_INDEX[name]] = value
            else:
                median[..., INDEX[name]], cv[..., INDEX[name]] = value, 0.0
        return Member(median, cv, mixture)

    def of_diseases(self, weights: Mapping[Disease, float] | None) -> Member:
        """Return the member with patients of some diseases, in the proportions of their weights; None: as it is."""
        if weights is None:
            return self
        return self.without({str(d): weights.get(d, 0.0) / sum(weights.values()) for d in DISEASES})


PRIOR = Member(np.array([p.median for p in PARAMETERS]), np.array([p.cv for p in PARAMETERS]),
               np.array([m.median for m in MIXTURE]))  # fmt: skip
"""The prior's medians."""


@dataclass(frozen=True)
class RandomNumbers:
    """Random numbers of patients: standard normal (patients, 41), deaths of populations (patients, 5), uniform
    (patients, 4).

    The uniform numbers decide, in their order, what the model gives as a probability (severe CRS), the patient's
    disease, whether it resists killing, and whether antigen-negative cells arise.
    """

    normal: Floats
    least: Floats
    uniform: Floats

    def __getitem__(self, who: np.ndarray) -> RandomNumbers:
        """Return the numbers of some of the patients."""
        return RandomNumbers(self.normal[who], self.least[who], self.uniform[who])


def draws(seed: int, first: int, count: int) -> RandomNumbers:
    """Return the random numbers of patients `first` to `first + count - 1`."""
    blocks = range(first // BLOCK, (first + count - 1) // BLOCK + 1)
    drawn_blocks = [_block(seed, b) for b in blocks]
    cut = slice(first - blocks[0] * BLOCK, first - blocks[0] * BLOCK + count)
    normal, least, uniform = (np.concatenate(parts)[cut] for parts in zip(*drawn_blocks, strict=True))
    return RandomNumbers(normal, least, uniform)


def _block(seed: int, block: int) -> tuple[Floats, Floats, Floats]:
    random = np.random.Generator(np.random.Philox(key=np.array([seed, block], dtype=np.uint64)))
    normal = random.standard_normal((BLOCK, _NORMALS))
    return normal, random.exponential(size=(BLOCK, 5)) * _CELL, random.uniform(size=(BLOCK, 4))


def diseases(member: Member, drawn: RandomNumbers) -> Integers:
    """Return the disease of each patient: its place in `parameters.DISEASES`."""
    mixed = member.mixture[..., [MIXTURE_INDEX[d] for d in DISEASES]]
    passed: Integers = np.sum(drawn.uniform[:, 1, None] >= np.cumsum(mixed, axis=-1)[..., :-1], axis=1)
    return passed


def parameters(member: Member, drawn: RandomNumbers) -> Floats:
    """Return the parameters of patients of a member; shape (patients, 36)."""
    sd = np.sqrt(np.log1p(member.cv**2))
    values: Floats = member.median * np.exp(sd * drawn.normal[:, : len(NAMES)])
    _mix(values, member, drawn)
    for name in FRACTIONS:
        np.minimum(values[:, INDEX[name]], 1.0, out=values[:, INDEX[name]])
    np.minimum(values[:, INDEX["g"]], _MOST_G, out=values[:, INDEX["g"]])
    np.minimum(values[:, INDEX["Tdeath"]], _MOST_TDEATH * values[:, INDEX["Tmax"]], out=values[:, INDEX["Tdeath"]])
    np.minimum(values[:, INDEX["T0"]], _MOST_T0 * values[:, INDEX["Tdeath"]], out=values[:, INDEX["T0"]])
    tumour = values[:, INDEX["T0"]]
    values[tumour * values[:, INDEX["fN"]] < drawn.least[:, 4], INDEX["fN"]] = 0.0
    arising = tumour * values[:, INDEX["mu"]] * _ARISES
    values[arising < -np.log(drawn.uniform[:, 3]) * _CELL[4], INDEX["mu"]] = 0.0
    return values


def _mix(values: Floats, member: Member, drawn: RandomNumbers) -> None:
    """Make the patients those of their diseases, and some of them resistant."""
    mixture = np.broadcast_to(member.mixture, (len(values), len(MIXTURE)))
    disease, resistant = diseases(member, drawn), np.zeros(len(values), dtype=np.bool_)
    for d, name in enumerate(DISEASES):
        of_it = disease == d
        resistant |= of_it & (drawn.uniform[:, 2] < mixture[:, MIXTURE_INDEX[f"resistant in {name}"]])
        for parameter in OWN if f"g of {name}" in MIXTURE_INDEX else ():
            ratio = mixture[of_it, MIXTURE_INDEX[f"{parameter} of {name}"]]
            values[of_it, INDEX[parameter]] *= ratio
    values[resistant, INDEX["kk"]] *= mixture[resistant, MIXTURE_INDEX["killing if resistant"]]
    values[disease == DISEASES.index("ALL"), INDEX["pr"]] = 0.0


def fitness(member: Member, drawn: RandomNumbers, infusions: int) -> Floats:
    """Return the fitness of each product; shape (patients, infusions)."""
    k = INDEX["w"]
    sd, median = np.sqrt(np.log1p(member.cv[..., k] ** 2)), member.median[..., k]
    normal = drawn.normal[:, k : k + infusions].T
    failing = ndtri(member.mixture[..., MIXTURE_INDEX["products that fail"]])
    values: Floats = (median * np.exp(sd * normal) * np.where(normal < failing, _FAILED, 1.0)).T
    return values

"""Virtual patients: parameters drawn for each patient from the patient's own random numbers.

The numbers depend on the seed and the patient's number only, so that the same patient meets every protocol, on any
machine and in any order of work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.simulation.model.parameters import FRACTIONS, INDEX, NAMES, PARAMETERS

BLOCK = 256
"""Patients whose numbers are drawn together."""
MOST_INFUSIONS = 6
_NORMALS = len(NAMES) + MOST_INFUSIONS - 1
_MOST_TDEATH = 0.8
"""Lethal tumour burden: at most this share of the carrying capacity."""
_MOST_T0 = 0.8
"""Tumour burden before the first infusion: at most this share of the lethal one."""
_CELL = np.array([2e-9, 2e-9, 2e-9, 1e-9, 1e-9])
"""One cell of E, M, X (cells/uL) and P, N (1e9 cells)."""


@dataclass(frozen=True)
class Member:
    """Medians and coefficients of variation of all parameters: of a member of the ensemble, shape (35,), or of each
    patient's."""

    median: Floats
    cv: Floats

    def without(self, changed: Mapping[str, float]) -> Member:
        """Return the member with parameters set to a value that all patients share."""
        median, cv = self.median.copy(), self.cv.copy()
        for name, value in changed.items():
            median[..., INDEX[name]], cv[..., INDEX[name]] = value, 0.0
        return Member(median, cv)


PRIOR = Member(np.array([p.median for p in PARAMETERS]), np.array([p.cv for p in PARAMETERS]))
"""The prior's medians."""


@dataclass(frozen=True)
class RandomNumbers:
    """Random numbers of patients: standard normal (patients, 40), deaths of populations (patients, 5), uniform
    (patients, 4).

    The uniform numbers decide what the model gives as a probability (severe CRS), and allotments.
    """

    normal: Floats
    least: Floats
    uniform: Floats


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


def parameters(member: Member, drawn: RandomNumbers) -> Floats:
    """Return the parameters of patients of a member; shape (patients, 35)."""
    sd = np.sqrt(np.log1p(member.cv**2))
    values: Floats = member.median * np.exp(sd * drawn.normal[:, : len(NAMES)])
    for name in FRACTIONS:
        np.minimum(values[:, INDEX[name]], 1.0, out=values[:, INDEX[name]])
    np.minimum(values[:, INDEX["Tdeath"]], _MOST_TDEATH * values[:, INDEX["Tmax"]], out=values[:, INDEX["Tdeath"]])
    np.minimum(values[:, INDEX["T0"]], _MOST_T0 * values[:, INDEX["Tdeath"]], out=values[:, INDEX["T0"]])
    return values


def fitness(member: Member, drawn: RandomNumbers, infusions: int) -> Floats:
    """Return the fitness of each product; shape (patients, infusions)."""
    k = INDEX["w"]
    sd, median = np.sqrt(np.log1p(member.cv[..., k] ** 2)), member.median[..., k]
    values: Floats = (median * np.exp(sd * drawn.normal[:, k : k + infusions].T)).T
    return values

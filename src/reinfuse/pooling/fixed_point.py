"""Numbers as integers modulo 2^128, so that sums of them under masks are exact.

A number v is v * 2^64, rounded down: what a 64-bit float holds above 2^-64 is kept whole. A sum of all centres must
stay below 2^62 in size; a number of one centre therefore below 2^62 over the number of centres, or it is refused.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Sequence

import numpy as np

from reinfuse.arrays import Floats

SCALE_BITS, LARGEST_BITS, BITS = 64, 62, 128
MODULUS = 1 << BITS
BYTES = BITS // 8


class TooLarge(ValueError):
    """A number has no place in the fixed point; the text says which."""


def encoded(values: Iterable[float], centres: int) -> list[int]:
    """Return numbers as integers from 0 below 2^128.

    Parameters
    ----------
    centres
        How many numbers of this size are added.

    Raises
    ------
    TooLarge
        If one is not finite, or so large that the sum of all centres might overflow.

    Examples
    --------
    >>> from reinfuse.pooling.fixed_point import decoded, encoded
    >>> three = encoded([-0.25, 2.0], 3)
    >>> decoded([3 * i for i in three]).tolist()
    [-0.75, 6.0]
    """
    largest = 2.0**LARGEST_BITS / centres
    integers = []
    for value in values:
        if not math.isfinite(value) or abs(value) >= largest:
            raise TooLarge(f"{value} cannot be added under masks: it is not below {largest:.3g}")
        top, bottom = float(value).as_integer_ratio()
        integers.append(((top << SCALE_BITS) // bottom) % MODULUS)
    return integers


def decoded(integers: Iterable[int]) -> Floats:
    """Return the numbers that integers modulo 2^128 stand for."""
    signed = ((i % MODULUS + MODULUS // 2) % MODULUS - MODULUS // 2 for i in integers)
    return np.array([i / (1 << SCALE_BITS) for i in signed], dtype=np.float64)


def with_check(integers: Sequence[int], weights: Sequence[int]) -> list[int]:
    """Return integers with a last one, a weighted sum of them: it adds up as they do, unless one was altered."""
    return [*integers, sum(i * w for i, w in zip(integers, weights, strict=True)) % MODULUS]


def passes_check(integers: Sequence[int], weights: Sequence[int]) -> bool:
    """Tell whether the last of these integers is the weighted sum of the others."""
    return with_check(integers[:-1], weights)[-1] == integers[-1] % MODULUS


def as_text(integers: Iterable[int]) -> str:
    """Return integers of 16 bytes, low bytes first, in base64."""
    return base64.b64encode(b"".join(i.to_bytes(BYTES, "little") for i in integers)).decode("ascii")


def of_text(text: str) -> list[int]:
    """Return the integers of a text.

    Raises
    ------
    ValueError
        If it is none that `as_text` wrote.
    """
    content = base64.b64decode(text, validate=True)
    if len(content) % BYTES:
        raise ValueError("cut off")
    return integers_of(content)


def integers_of(content: bytes) -> list[int]:
    """Return the integers of 16 bytes each, low bytes first, that stand one after the other."""
    return [int.from_bytes(content[i : i + BYTES], "little") for i in range(0, len(content), BYTES)]

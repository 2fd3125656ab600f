"""Groups that know what they are made of: their texts, such as `sex=F`, are read by their parts and never parsed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

AT_LEAST = ">="


class Stratum(str):
    """One level of a factor: the text `sex=F`, with its parts.

    Attributes
    ----------
    factor
        `sex`.
    level
        `F`; of a value that is reached or passed, `>=3`.
    """

    __slots__ = ("factor", "level")
    factor: str
    level: str

    def __new__(cls, factor: str, level: str) -> Self:
        """Make the text from its parts."""
        one = super().__new__(cls, f"{factor}={level}")
        one.factor, one.level = str(factor), str(level)
        return one

    @classmethod
    def at_least(cls, factor: str, least: float) -> Self:
        """Return the stratum of a value or more, whose level is `>=3`."""
        return cls(factor, f"{AT_LEAST}{least}")

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return type(self), (self.factor, self.level)


class Combination(str):
    """Several strata that hold together, or several factors of one model: `a=yes, b=no`, `a + b`."""

    __slots__ = ("parts",)
    parts: tuple[str, ...]

    def __new__(cls, parts: Iterable[str], between: str = ", ") -> Self:
        """Make the text from its parts."""
        parts = tuple(parts)
        return cls._of(parts, between.join(parts))

    @classmethod
    def _of(cls, parts: tuple[str, ...], text: str) -> Self:
        one = super().__new__(cls, text)
        one.parts = parts
        return one

    def __reduce__(self) -> tuple[object, tuple[tuple[str, ...], str]]:
        return type(self)._of, (self.parts, str(self))


def factor_of(text: str | None) -> str:
    """Return the factor of a term, a group or a population; a text that is no stratum as it is."""
    return text.factor if isinstance(text, Stratum) else text or ""


def level_of(text: str | None) -> str:
    """Return the level of a term, a group or a population; empty where it is no stratum."""
    return text.level if isinstance(text, Stratum) else ""


def parts_of(text: str | None) -> tuple[str, ...]:
    """Return the parts of a combination; any other text is its only part."""
    return text.parts if isinstance(text, Combination) else (text,) if text else ()


def as_parts(texts: Iterable[str | None]) -> dict[str, list[list[str]]]:
    """Return what each text is made of, as JSON values: `{"sex=F": [["sex", "F"]], "a + b": [["a"], ["b"]]}`."""
    return {str(text): [[part.factor, part.level] if isinstance(part, Stratum) else [str(part)]
                        for part in parts_of(text)]
            for text in dict.fromkeys(texts) if isinstance(text, Stratum | Combination)}  # fmt: skip


def from_parts(read: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, str]:
    """Return the texts of `as_parts`, each with its parts, by the text alone."""
    return {text: _read(text, parts) for text, parts in read.items()}


def _read(text: str, parts: Sequence[Sequence[str]]) -> str:
    if len(parts) == 1 and len(parts[0]) == 2:
        return Stratum(*parts[0])
    return Combination._of(tuple(Stratum(*part) if len(part) == 2 else part[0] for part in parts), text)

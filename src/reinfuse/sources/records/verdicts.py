"""Which records are infusions of CAR-T cells: what the concept sets say, and what only a person can answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from reinfuse.sources.records.answers import INFUSION, NO_INFUSION
from reinfuse.sources.records.clinical import CandidateGroup, RecordCoding
from reinfuse.sources.records.concept_sets import earlier_codes, matches, plain_code
from reinfuse.sources.source_map import OPEN

Route = Literal["drug", "order", "procedure", "text"]
_LONG_CODE = 9
"""Figures from which a code is not taken for a number of a site's own."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a group of records is.

    Attributes
    ----------
    answer
        `INFUSION`, `NO_INFUSION`, or `OPEN` where a person must say.
    route
        By what it was found.
    product
        Name of the product; empty: not told.
    why
        In words.
    """

    answer: str
    route: Route
    product: str
    why: str


@lru_cache(maxsize=1_000)
def verdict(coding: RecordCoding) -> Verdict:
    """Return what the concept sets say of a coding that one of them holds."""
    given: Route = coding.domain if coding.domain in ("drug", "order") else "procedure"
    if coding.own and given != "order":
        return Verdict(INFUSION, given, _product(coding), "named by the site")
    concepts = coding.concepts | coding.ancestors
    name = " ".join((coding.name, *coding.codes))
    infusions = list(matches("infusion", concepts, coding.codes, name))
    others = list(matches("not_infusion", concepts, coding.codes, name))
    product = _product(coding)
    sure = [route for _, route in infusions if route != "text"]
    route: Route = given if sure else "text"
    if reused := _means_another_drug(coding):
        return Verdict(OPEN, route, product, f"the code says {product}, the concept {reused}")
    if others and (not sure or any(route != "text" for _, route in others)):
        return Verdict(NO_INFUSION, route, product, next(one.label for one, _ in others))
    if coding.domain == "order":
        return Verdict(OPEN, route, product, "an order, with the day of the order: whether it was given is not told")
    if not sure:
        return Verdict(OPEN, route, product, "found by its text alone")
    if "concept" not in sure and all(_is_short_number(c) for c in coding.codes if c):
        return Verdict(OPEN, route, product, "the code may be a number of the site's own")
    return Verdict(INFUSION, route, product, f"{product or 'CAR-T cells'}, by its {sure[0]}")


def _product(coding: RecordCoding) -> str:
    name = " ".join((coding.name, *coding.codes))
    sets = matches("infusion", coding.concepts | coding.ancestors, coding.codes, name)
    return next((one.label for one, _ in sets if one.label), "")


def _means_another_drug(coding: RecordCoding) -> str:
    """Return the drug that a concept names beside a code that had another meaning before 2012; empty: none."""
    earlier = earlier_codes()
    if not any(plain_code(c) in earlier.codes for c in coding.codes):
        return ""
    name = coding.name.casefold()
    if coding.concepts & earlier.concepts or any(t in name for t in earlier.texts):
        return coding.name or ", ".join(str(c) for c in sorted(coding.concepts))
    return ""


def is_too_early(coding: RecordCoding, day: str) -> bool:
    """Tell whether a record is from a time in which its code stood for another drug."""
    earlier = earlier_codes()
    concept = any(route == "concept" for _, route in matches("infusion", coding.concepts | coding.ancestors, (), ""))
    return not concept and bool(day) and day <= earlier.until and any(
        plain_code(c) in earlier.codes for c in coding.codes)  # fmt: skip


def _is_short_number(code: str) -> bool:
    plain = plain_code(code)
    return plain.isdigit() and len(plain) < _LONG_CODE


def answered_groups(groups: Sequence[CandidateGroup], answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answer to each group in words: that of the map, else what the concept sets say."""
    return {g.coding.wording: answers.get(g.coding.wording, _proposed(g)) for g in groups}


def _proposed(group: CandidateGroup) -> str:
    return NO_INFUSION if is_too_early(group.coding, group.last_day) else verdict(group.coding).answer

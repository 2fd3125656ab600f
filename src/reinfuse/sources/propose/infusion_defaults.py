"""To which infusion a column belongs whose header does not say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reinfuse.sources.propose.matching import Key, Match
from reinfuse.sources.propose.table_shape import Shape

_DATED_BY_THEMSELVES = ("responses.date", "responses.date:PD", "therapies.date", "therapies.date:allo-HCT",
"therapies.therapy",
                        "therapies.kind", "mrd.date", "mrd.method", "mrd.compartment",
                        "responses.criteria")  # fmt: skip


def with_infusions(
    matched: Sequence[Match], shape: Shape, *, positions: Mapping[str, int]
) -> dict[Key, tuple[Match, str]]:
    """Return each match under its key, with the doubt about its infusion.

    In a sheet with infusions side by side, a column of an infusion without a number is of the first one that lacks it;
    a column of an outcome is of the infusion whose columns stand before it. A second column for a key is left out.
    """
    keyed: dict[Key, tuple[Match, str]] = {}
    if shape.row_of != "patient":
        for match in matched:
            of_row = shape.row_of == "infusion" and match.concept.target == "infusions.reason"
            one = replace(match, infusion=None) if of_row else match  # "reason for reinfusion" stands in its own row
            keyed.setdefault(one.key, (one, ""))
        return keyed
    order = _before(matched, shape, positions)
    numbered = [m for m in matched if m.infusion is not None or m.concept.infusion != "of one"]
    for match in numbered:
        keyed.setdefault(match.key, (match, ""))
    for match in (m for m in matched if m not in numbered):
        infusion, doubt = _chosen(match, shape, keyed, order=order)
        if infusion is not None:
            one = replace(match, infusion=infusion)
            keyed.setdefault(one.key, (one, doubt))
    return keyed


def _chosen(
    match: Match, shape: Shape, keyed: Mapping[Key, object], *, order: Mapping[str, int]
) -> tuple[int | None, str]:
    name, _, day = match.key
    if len(shape.infusions) == 1:
        return shape.infusions[0], ""
    if match.concept.table == "infusions":
        before = order[match.name.header]
        free = sorted((k for k in shape.infusions if (name, k, day) not in keyed), key=lambda k: (k != before, k))
        return (free[0], f"the header does not say of which infusion it is: CART{free[0]}") if free else (None, "")
    last = order[match.name.header]
    own_date = name in _DATED_BY_THEMSELVES
    return last, "" if own_date else f"the header does not say after which infusion it was: CART{last}"


def _before(matched: Sequence[Match], shape: Shape, positions: Mapping[str, int]) -> dict[str, int]:
    """Return, for each header, the infusion whose columns stand before it."""
    last, order = shape.infusions[0], {}
    for match in sorted(matched, key=lambda m: positions[m.name.header]):
        if match.infusion is not None and match.concept.table == "infusions":
            last = match.infusion
        order[match.name.header] = last
    return order

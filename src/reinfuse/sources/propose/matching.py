"""Columns and concepts brought together: names compared, cells weighed, each target once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from reinfuse.sources.propose.concepts import Concept, Phrase, passed_over
from reinfuse.sources.propose.evidence import Cells
from reinfuse.sources.propose.names import Name, Words, parse
from reinfuse.sources.values.understood import plain, unaccented
from reinfuse.sources.values.words import YES_NO

Key = tuple[str, int | None, int | None]
"""Concept, infusion and day: what is proposed once."""
_LEAST_NAME = 78.0
_LEAST_SHARE, _LEAST_SHARE_EXACT = 0.7, 0.4
_SHORTEST = 5
"""Letters of a name below which a likeness is chance."""
_EXACT = 100.0
_BY_CELLS = 50.0
_LEAST_BY_CELLS = 0.8
_TELLING = ("infusions.lymphodepletion", "responses.response")
_TIMED = ("responses", "mrd")
_BY_SHEET = ("responses", "mrd", "toxicities", "therapies", "counts")
_NOT_BEFORE = ("responses", "mrd", "toxicities", "therapies")


@dataclass(frozen=True, slots=True)
class Match:
    """One column taken for one concept.

    Attributes
    ----------
    name_score
        From 0 to 100; 100 where the name is one of the concept's.
    share
        Share of the filled cells that are understood; None where none is filled.
    """

    name: Name
    cells: Cells
    concept: Concept
    name_score: float
    share: float | None
    infusion: int | None

    @property
    def key(self) -> Key:
        """What it is proposed as."""
        return (self.concept.key, self.infusion, self.name.day if self.concept.table in _TIMED else None)

    @property
    def is_exact(self) -> bool:
        """Whether name and cells fit without a doubt."""
        return self.name_score >= _EXACT and self.share is not None and self.share >= 1 and self.name.certain

    @property
    def confidence(self) -> float:
        """From 0 to 1."""
        cells = 0.85 if self.share is None else 0.5 + 0.5 * self.share
        return round(self.name_score / 100 * cells, 2)


def matches(
    names: Sequence[Name], cells: Mapping[str, Cells], among: Iterable[Concept], *, context: bool, sheet: Words = ()
) -> list[Match]:
    """Return one match for each column that has one, each target once: the surest first.

    Parameters
    ----------
    names
        The headers, taken apart.
    cells
        Filled cells, by header.
    among
        The concepts.
    context
        The table speaks of an infusion in every row, so that its headers need not.
    sheet
        Words of the sheet's name, where they may stand for a group above its headers.
    """
    listed = list(among)
    possible = [
        m for name in names for c in listed if (m := match(name, cells[name.header], c, context=context, sheet=sheet))
    ]
    order = {name.header: place for place, name in enumerate(names)}
    possible.sort(key=lambda m: (-m.name_score * (0.5 if m.share is None else m.share), -m.name_score,
                                 order[m.name.header]))  # fmt: skip
    taken: dict[Key, Match] = {}
    used: set[str] = set()
    for one in possible:
        if one.key not in taken and one.name.header not in used:
            taken[one.key] = one
            used.add(one.name.header)
    for name in (n for n in names if n.header not in used):
        for concept in listed:
            guess = _by_cells(name, cells[name.header], concept)
            if guess is not None and guess.key not in taken:
                taken[guess.key] = guess
                break
    return list(taken.values())


def _by_cells(name: Name, cells: Cells, concept: Concept) -> Match | None:
    """Return a column whose name is strange taken for what its cells are: regimens or responses."""
    if concept.target not in _TELLING or name.before or {name.words, name.leaf} & set(passed_over()):
        return None
    telling = {t: n for t, n in cells.counts.items() if unaccented(plain(t)) not in YES_NO}
    share = cells.share(concept)
    if share is None or share < _LEAST_BY_CELLS or len(telling) < len(cells.counts) / 2:
        return None
    return Match(name, cells, concept, _BY_CELLS, share, name.infusion)


def match(name: Name, cells: Cells, concept: Concept, *, context: bool, sheet: Words = ()) -> Match | None:
    """Return a column taken for a concept, or None where name or cells speak against it."""
    if (name.before and concept.table in _NOT_BEFORE) or (concept.infusion == "" and name.infusion and not context):
        return None
    label = _label(cells)
    spoken = [name.words, name.leaf, *([label] if label else [])]
    if sheet and concept.table in _BY_SHEET:
        spoken.append(tuple(sorted({*name.words, *sheet})))
    score = max(likeness(words, concept.phrases, of_infusion=name.of_infusion or context) for words in spoken)
    if score < _EXACT and any(words in passed_over() for words in spoken):
        return None
    share = cells.share(concept)
    coded = share is not None and all(t.isdigit() and int(t) <= 9 for t in cells.counts)
    least = 0.0 if coded and score >= _EXACT and _has_codes(concept) else (
        _LEAST_SHARE_EXACT if score >= _EXACT else _LEAST_SHARE)  # fmt: skip
    if score < _LEAST_NAME or (share is not None and share < least):
        return None
    if concept.infusion == "first" and name.infusion not in (None, 1):
        return None
    return Match(name, cells, concept, score, share, name.infusion if concept.infusion else None)


def likeness(words: Words, phrases: Iterable[Phrase], *, of_infusion: bool) -> float:
    """Return how like words are to the nearest name, from 0 to 100.

    Examples
    --------
    >>> likeness(("best", "response"), [(("best", "response"), False)], of_infusion=False)
    100.0
    """
    best = 0.0
    text = " ".join(words)
    for other, in_context in phrases:
        if in_context and not of_infusion:
            continue
        if words == other:
            return _EXACT
        joined = " ".join(other)
        if not other or not words or len(joined) < _SHORTEST or len(text) < _SHORTEST:
            continue
        ratio = fuzz.ratio(text, joined)
        extra = len(set(words) - set(other))
        if set(other) <= set(words) and extra <= 2:
            ratio = max(ratio, 92.0 - 6.0 * extra)
        best = max(best, min(ratio, 95.0))
    return best


def _label(cells: Cells) -> Words:
    """Return the words of a column's label in its dictionary."""
    return parse(cells.column.label).words if cells.column.label else ()


def _has_codes(concept: Concept) -> bool:
    """Tell whether small whole numbers may be codes for the concept's words."""
    return concept.column in ("diagnosis", "sex", "response", "result", "product", "lymphodepletion", "reason",
    "death_cause",
                              "histology", "criteria", "method", "compartment", "kind")  # fmt: skip

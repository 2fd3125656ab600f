"""Columns and concepts brought together: names compared, cells weighed, each target once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from reinfuse.sources.propose.concepts import Concept, Phrase, concepts, passed_over
from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.names import Name, parse
from reinfuse.sources.propose.spelling import Words, words_of
from reinfuse.sources.values.doses import read_dose
from reinfuse.sources.values.products import names_product
from reinfuse.sources.values.understood import plain, unaccented
from reinfuse.sources.values.words import YES_NO, declaration, read_choice, read_diagnosis

Key = tuple[str, int | None, int | None]
"""Concept, infusion and day: what is proposed once."""
_LEAST_NAME, _LEAST_CODED = 78.0, 86.0
_LEAST_SHARE, _LEAST_SHARE_EXACT = 0.7, 0.4
_SHORTEST = 5
"""Letters of a name below which a likeness is chance."""
_EXACT, _NEARLY = 100.0, 90.0
_MOST_EXTRA = 2
"""Words more than a name has, with which it is still like it."""
_TELLING_ALONE = frozenset("sex age crs icans mrd pd lymphodepletion bor".split())
_BY_CELLS = 50.0
_LEAST_BY_CELLS = 0.8
_DOSE_IN_CELLS = 1e5
_LEAST_SIGNS = 0.5
_TELLING = ("infusions.lymphodepletion", "responses.response")
_EVENTS = {"responses.response": "responses", "mrd.result": "mrd", "mrd.value": "mrd", "toxicities.grade": "toxicities",
           "therapies.therapy": "therapies", "counts.value": "counts"}  # fmt: skip
"""What tells of an event, and its table."""
_WORDED = ("product", "diagnosis", "sex", "response", "result", "lymphodepletion", "reason", "death_cause", "criteria",
           "method",
           "compartment", "kind")  # fmt: skip
"""Columns of words, for which a centre may have codes or words of its own: they are asked about one by one."""
_CODE = re.compile(r"[A-Za-z]{1,6}[-_/ ]?\d{2,6}")
"""What centres call their patients: ``CT024``."""
_LEAST_BRACKETED = 3
"""Letters of a word in brackets from which on it may say what the column is: `DRM (MRD)`, not `(kg)`."""
_NUMBER = ("number",)
_COMPARTMENTS = ("marrow", "blood")
_DOUBTED = 0.5
_PERSONAL = 0.9
"""Share of the fit that a column counts that names a person, where another identifies the patients."""
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
    cells: ColumnCells
    concept: Concept
    name_score: float
    share: float | None
    infusion: int | None

    @property
    def key(self) -> Key:
        """What it is proposed as; marrow and blood are two results."""
        key, where = self.concept.key, [c for c in _COMPARTMENTS if c in self.name.words]
        whole = f"{key}:{where[0]}" if self.concept.target == "mrd.result" and len(where) == 1 else key
        return (whole, self.infusion, self.name.day if self.concept.table in _TIMED else None)

    @property
    def names_a_person(self) -> bool:
        """Whether its cells are names, or numbers of a hospital."""
        return bool({self.name.words, self.name.leaf} & self.concept.naming) or self.cells.column.identifier

    @property
    def confidence(self) -> float:
        """From 0 to 1."""
        cells = 0.85 if self.share is None else 0.5 + 0.5 * self.share
        return round(self.name_score / 100 * cells, 2)


def matches(
    names: Sequence[Name],
    cells: Mapping[str, ColumnCells],
    among: Iterable[Concept],
    *,
    context: bool,
    sheet: Words = (),
    doubted: Collection[str] = (),
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
    doubted
        Headers of dates that may be those of another event: any other is the date of an infusion before them.
    """
    listed = list(among)
    possible = [
        m for name in names for c in listed if (m := match(name, cells[name.header], c, context=context, sheet=sheet))
    ]
    possible = _by_label(possible)
    order = {name.header: place for place, name in enumerate(names)}
    possible.sort(key=lambda m: (
        -m.name_score * (0.5 if m.share is None else m.share) * (_PERSONAL if m.names_a_person else 1.0)
        * (_DOUBTED if m.concept.key == "infusions.date" and m.name.header in doubted else 1.0),
        -m.name_score, m.names_a_person,
        m.name.leaf == _NUMBER, order[m.name.header],
    ))  # fmt: skip
    taken: dict[Key, Match] = {}
    used: set[str] = set()
    for one in possible:
        if one.key not in taken and one.name.header not in used:
            taken[one.key] = one
            used.add(one.name.header)
    guesses = _by_cells([n for n in names if n.header not in used], cells, among=listed, taken=taken)
    guessed = {one.key for one in guesses}
    return [*(one for key, one in taken.items() if key not in guessed), *guesses]


def _by_label(possible: Sequence[Match]) -> list[Match]:
    """Let the label of a data dictionary decide where it is a name of some concept and a header is one of another."""
    labels: dict[str, set[str]] = {}
    for one in possible:
        if label_likeness(one) >= _EXACT:
            labels.setdefault(one.name.header, set()).add(one.concept.key)
    return [m for m in possible if m.name.header not in labels or m.concept.key in labels[m.name.header]]


def label_likeness(match: Match) -> float:
    """Return how like the label of a data dictionary is to a concept's nearest name, from 0 to 100."""
    label = _label(match.cells)
    return likeness(label, match.concept.phrases, of_infusion=True) if label else 0.0


def label_is_strange(match: Match) -> bool:
    """Tell whether a data dictionary calls a column something that shares no word with header and concept."""
    words = set(_label(match.cells))
    expected = {w for other, _ in match.concept.phrases for w in other} | set(match.name.words)
    return bool(words) and not words & expected


def _by_cells(
    names: Iterable[Name], cells: Mapping[str, ColumnCells], *, among: Iterable[Concept], taken: Mapping[Key, Match]
) -> list[Match]:
    """Return columns whose names are strange, taken for what their cells are, where only one column can be it.

    A column of codes, each in several rows, identifies patients rather than one that names a person.
    """
    free = [n for n in names if not n.before and not {n.words, n.leaf} & set(passed_over())]
    guesses = [
        guess for n in free for c in among if (guess := _by_its_cells(n, cells[n.header], concept=c)) is not None
    ]
    first = {guess.name.header: guess for guess in reversed(guesses)}
    keys = [guess.key for guess in first.values()]
    personal = {key for key, one in taken.items() if one.concept.column == "patient_id" and one.names_a_person}
    free_keys = {k for k in keys if keys.count(k) == 1 and (k not in taken or k in personal)}
    return [guess for guess in first.values() if guess.key in free_keys]


def _by_its_cells(name: Name, cells: ColumnCells, *, concept: Concept) -> Match | None:
    """Take a column for regimens or responses, for the date of the infusion that it names, or of the last contact."""
    if concept.key == "infusions.date":
        possible = name.infusion is not None and name.certain
    elif concept.key == "patients.last_contact":
        possible = "last" in name.words
    elif concept.key == "patients.patient_id":
        possible = not cells.is_unique and all(_CODE.fullmatch(t) for t in cells.counts)
    elif sign := _SIGNS.get(concept.key):
        possible = sum(n for t, n in cells.counts.items() if sign(t)) >= _LEAST_SIGNS * cells.seen > 0
    else:
        worded = [t for t in cells.counts if unaccented(plain(t)) not in YES_NO]
        possible = concept.target in _TELLING and len(worded) >= len(cells.counts) / 2
    share = cells.share(concept) if possible else None
    if share is None or share < _LEAST_BY_CELLS:
        return None
    return Match(name, cells, concept, _BY_CELLS, share, name.infusion if concept.infusion else None)


def _says_diagnosis(text: str) -> bool:
    meaning = read_diagnosis(text)
    declared = declaration("patients.diagnosis")
    return meaning is not None and declared is not None and meaning.parts["diagnosis"] in declared.choices


def _says_dose(text: str) -> bool:
    dose = read_dose(text, mark=".")
    magnitude = bool(re.search(r"10|e\d|mi[ol]", text, re.IGNORECASE)) and not re.fullmatch(r"[\d.,]+", text)
    return dose is not None and (dose.per == "kg" or (magnitude and dose.cells >= _DOSE_IN_CELLS))


_SIGNS: Mapping[str, Callable[[str], bool]] = {
    "infusions.product": names_product, "patients.diagnosis": _says_diagnosis,
    "infusions.dose_cells_per_kg": _says_dose,
    "patients.sex": lambda text: read_choice("sex", text) is not None,
    "mrd.result": lambda text: "mrd" in text.casefold(),
}  # fmt: skip
"""Concept -> whether a text can hardly be anything else."""


def bare_dates(names: Sequence[Name], cells: Mapping[str, ColumnCells], *, matched: Sequence[Match]) -> list[Match]:
    """Return a column that is called a date and no more, in a table of events, as the date of its events."""
    targets = {m.concept.target for m in matched}
    events = [table for what, table in _EVENTS.items() if what in targets and f"{table}.date" not in targets]
    bare = [n for n in names if n.words == ("date",) and cells[n.header].dates >= _LEAST_BY_CELLS]
    if not events or len(bare) != 1 or any(m.name.header == bare[0].header for m in matched):
        return []
    alone = sum(cells[n.header].dates >= _LEAST_BY_CELLS for n in names) == 1
    concept = concepts()[f"{events[0]}.date"]
    own = cells[bare[0].header]
    return [Match(bare[0], own, concept, _EXACT if alone else _NEARLY, own.share(concept), None)]


def match(name: Name, cells: ColumnCells, concept: Concept, *, context: bool, sheet: Words = ()) -> Match | None:
    """Return a column taken for a concept, or None where name or cells speak against it."""
    inner = words_of(name.bracketed) if max(map(len, name.bracketed.split()), default=0) >= _LEAST_BRACKETED else ()
    if _speaks_against(name, concept, inner, context=context):
        return None
    label = _label(cells)
    spoken = [name.words, name.leaf, *([label] if label else [])]
    if sheet and concept.table in _BY_SHEET:
        spoken.append(tuple(sorted({*name.words, *sheet})))
    nearly = _NEARLY if _is_near(name, concept, spoken, inner=inner) else 0.0
    score = max(
        nearly, *(likeness(words, concept.phrases, of_infusion=name.of_infusion or context) for words in spoken)
    )
    if score < _EXACT and any(words in passed_over() for words in spoken):
        return None
    if score < _LEAST_NAME or (concept.infusion == "first" and name.infusion not in (None, 1)):
        return None
    share = cells.share(concept)
    least = _LEAST_SHARE_EXACT if score >= _EXACT else _LEAST_SHARE
    worded = concept.column in _WORDED and ((score >= _LEAST_CODED and cells.are_codes) or (
        max(score, nearly) in (_EXACT, _NEARLY) and cells.worded >= _LEAST_SHARE))  # fmt: skip
    if worded:
        least = 0.0
    if share is not None and share < least:
        return None
    return Match(name, cells, concept, score, share, name.infusion if concept.infusion else None)


def _speaks_against(name: Name, concept: Concept, inner: Words, *, context: bool) -> bool:
    """Tell whether infusion, day or time of a header speak against a concept, whatever its words."""
    return (
        (concept.column == "patient_id" and name.of_infusion and name.words == _NUMBER)
        or (name.before and concept.table in _NOT_BEFORE)
        or bool(concept.infusion == "" and name.infusion and not context)
        or (name.of_infusion and bool({name.words, name.leaf} & concept.alone))
        or (concept.kind == "NT" and "icans" in inner)
        or (concept.kind != "" and {"crs", "icans"} <= set(name.leaf))
        or (concept.key == "infusions.date" and bool(name.day))
    )


def _is_near(name: Name, concept: Concept, spoken: Sequence[Words], *, inner: Words) -> bool:
    """Tell whether a header may well be a concept: by what its brackets say, or a name that is another's too."""
    dated = concept.key == "responses.date" and ("date",) in (name.words, name.leaf) and bool(name.day)
    named = any((w, c) in concept.nearly for w in spoken for c in (False, name.of_infusion))
    return dated or named or (inner, False) in concept.phrases


@lru_cache(maxsize=1 << 14)
def likeness(words: Words, phrases: tuple[Phrase, ...], *, of_infusion: bool) -> float:
    """Return how like words are to the nearest name, from 0 to 100.

    Examples
    --------
    >>> likeness(("best", "response"), ((("best", "response"), False),), of_infusion=False)
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
        extra = len(set(words) - set(other))
        if other and set(other) <= set(words) and extra <= _MOST_EXTRA and set(other) & _TELLING_ALONE:
            best = max(best, 92.0 - 6.0 * extra)
        if not other or not words or len(joined) < _SHORTEST or len(text) < _SHORTEST:
            continue
        ratio = fuzz.ratio(text, joined)
        if set(other) <= set(words) and extra <= _MOST_EXTRA:
            ratio = max(ratio, 92.0 - 6.0 * extra)
        best = max(best, min(ratio, 95.0))
    return best


def _label(cells: ColumnCells) -> Words:
    """Return the words of a column's label in its dictionary."""
    return parse(cells.column.label.partition(";")[0]).words if cells.column.label else ()

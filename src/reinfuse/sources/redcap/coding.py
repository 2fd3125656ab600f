"""The cells of a REDCap export: codes or labels, check boxes joined, and codes of missing data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reinfuse.sources.redcap.dictionary import plain_label
from reinfuse.sources.redcap.headings import ExportColumn
from reinfuse.sources.source_table import BOXES_JOINT
from reinfuse.tabular.cell_parsing import is_missing

Texts = Sequence[str]
"""Cleaned texts of one column of the export, one a row."""
_STATUS: Mapping[str, str] = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
_BOX: Mapping[str, str] = {"0": "Unchecked", "1": "Checked"}
MISSING_CODES = frozenset(
    "NI INV UNK NASK ASKU NAV MSK NP QS TRC UNC DER PINF NINF OTH NAVU NAVL NOPR NODA NAVA".split()
)
"""Codes of missing data that REDCap offers; a project may define others (Additional Customizations)."""
_CAPITALS = re.compile(r"[A-Z][A-Z_]{1,7}")
_OWN_CODE = re.compile(r"[A-Z][A-Z_]{1,7}|-\d{1,4}|7{2,4}|8{2,4}|9{2,4}")


@dataclass(frozen=True, slots=True)
class Coding:
    """Whether the cells of an export are labels, and what tells it.

    Attributes
    ----------
    certain
        Some cell can be only one of the two, or it makes no difference.
    mixed
        Some cells can be only codes and others only labels.
    """

    labels: bool
    certain: bool = True
    mixed: bool = False


def coding_of(columns: Iterable[tuple[ExportColumn, Texts]]) -> Coding:
    """Tell whether cells are codes or labels: REDCap exports a whole file as one or the other."""
    coded = labelled = differs = 0
    for column, texts in columns:
        codes = _choices(column)
        labels = set(codes.values())
        for raw in set(texts) - {""}:
            text = raw if raw in codes else plain_label(raw)
            if text in codes and text not in labels:
                coded += 1
            elif text in labels and text not in codes:
                labelled += 1
            elif text in codes and codes[text] != text:
                differs += 1
    return Coding(labelled > coded, bool(coded or labelled or not differs), bool(coded and labelled))


def _choices(column: ExportColumn) -> Mapping[str, str]:
    if column.role == "complete":
        return _STATUS
    if column.role == "box":
        return _BOX
    return column.field.choices if column.field else {}


def in_labels(column: ExportColumn, texts: Texts, coding: Coding) -> Texts:
    """Return the texts of a field with the labels of its codes."""
    choices = _choices(column)
    if not choices:
        return texts
    plain = {t: plain_label(t) for t in set(texts)}
    if coding.labels and not coding.mixed:
        return [plain[t] for t in texts]
    labels = set(choices.values()) if coding.mixed else ()
    return [plain[t] if plain[t] in labels else choices.get(t, t) for t in texts]


def joined_boxes(boxes: Sequence[tuple[ExportColumn, Texts]]) -> tuple[list[str], set[str]]:
    """Return, for each row, the labels of its ticked boxes; and texts that are neither ticked nor unticked."""
    ticked = []
    strange: set[str] = set()
    for column, texts in boxes:
        label = (column.field.choices.get(column.code) if column.field else None) or column.code
        words = {"1": label, "checked": label, label.casefold(): label, "0": "", "unchecked": "", "": ""}
        strange |= {t for t in set(texts) if t.casefold() not in words}
        ticked.append([words.get(t.casefold(), "") for t in texts])
    return [BOXES_JOINT.join(filter(None, row)) for row in zip(*ticked, strict=True)], strange


def missing_codes(columns: Iterable[tuple[ExportColumn, Texts]]) -> Iterator[str]:
    """Yield codes of missing data: REDCap's own in any field, others where a field's type or choices forbid them."""
    for column, texts in columns:
        one = column.field
        distinct = set(texts) - {""}
        if column.role == "box":
            yield from (t for t in distinct if t in MISSING_CODES)
            continue
        codes = {*one.choices, *one.choices.values()} if one else set()
        codes |= {t for t in distinct if plain_label(t) in codes} if codes else set()
        typed = one is not None and bool(one.choices or one.validation.startswith(("date", "number", "integer")))
        for text in distinct - codes:
            own = _OWN_CODE if codes else _CAPITALS
            if text in MISSING_CODES or (typed and own.fullmatch(text) and not is_missing(text)):
                yield text

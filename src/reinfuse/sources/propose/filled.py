"""From a column taken for a concept to a line of the map: unit, order, partial dates, and every doubt in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from reinfuse.sources.propose.evidence import ColumnCells, header_unit, is_date
from reinfuse.sources.propose.matching import Match, label_is_strange
from reinfuse.sources.source_map import OPEN, UNITS, Answer, Field
from reinfuse.sources.source_table import BOXES_JOINT, UNDESCRIBED
from reinfuse.sources.values import understand
from reinfuse.sources.values.dates import dates_within, depends_on_order
from reinfuse.sources.values.doses import dose_unit, read_dose

_SHOWN = 3
_PLAUSIBLE = {"kg": (2e3, 1e8), "total": (1e5, 1e11)}
"""Cells per kg, and in all, between which doses lie."""
_MOST_PER_KG = 5e7
"""Cells of a text that does not say per kg, above which they can only be of all."""
_MONTHS_AT_MOST = 180
_NEARLY_CERTAIN = 0.8
"""Confidence below which a proposal is asked about, whatever else speaks for it."""
_CODE = re.compile(r"-?\d{1,2}|[A-Za-z]")
_MISSING_DOSE = re.compile(r"-?(?:9{2,4}|8{2,4})(?:\.0+)?|-[1-9]")
_TIMES = 5
"""Times the largest dose that a number of nines must be to be a code."""
_NOT_DETECTED = ("nd", "n.d.", "n/d")
"""Not done in most columns, and not detected in some."""
_MEASURED = ("patient_id", "age_years", "value", "weight")


@dataclass(frozen=True)
class ProposedLine:
    """One line of a map, and what it comes from.

    Attributes
    ----------
    doubts
        Why a person must look; empty where nothing is open.
    words
        Texts that are not understood, for the dictionary of the line.
    answers
        Codes, with what their labels in a data dictionary mean.
    others
        How the same column is read in rows of another unit.
    """

    match: Match
    filled: Field
    doubts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    others: tuple[Field, ...] = ()

    @property
    def reason(self) -> str:
        """Why it is proposed, then what is doubtful of it."""
        return "; ".join((self.filled.reason, *self.doubts))

    @property
    def is_open(self) -> bool:
        """Whether a person must answer before it is followed."""
        return self.filled.is_open or bool(self.doubts)


def line_of(match: Match, *, order: str, weight: str = "", doubts: Iterable[str] = ()) -> ProposedLine:
    """Return the line of the map for a column.

    Parameters
    ----------
    order
        Order of its dates: one of `ORDERS`, `OPEN`, or empty.
    weight
        Header of the column of body weights.
    doubts
        What is doubtful of it besides name and cells.
    """
    concept, cells = match.concept, match.cells
    filled = Field(column=match.name.header, confidence=match.confidence, reason=_because(match))
    unsure = [*_name_doubts(match), *doubts]
    guessed, totals = bool(unsure), tuple[str, ...]()
    if concept.is_date:
        filled, more = _dated(filled, cells, order=order)
        unsure += more
    elif concept.column.endswith("dose_cells_per_kg"):
        totals = () if weight else _worded_totals(cells)
        totals = (*totals, *_codes(cells))
        per_kg = replace(cells, counts={t: n for t, n in cells.counts.items() if t not in totals})
        filled, more = _dosed(filled, per_kg, weight=weight)
        unsure += more
    elif concept.table == "sheet" and concept.column.endswith("_days"):
        filled, more = _timed(filled, cells)
        unsure += more
    if concept_column(match) == "therapies.kind":
        filled = replace(filled, values=concept_column(match))
    answers = _labels(concept_column(match), cells)
    if answers:
        filled = replace(filled, values=match.name.header)
    words = () if concept.role == "status" else unread(concept_column(match), cells, filled=filled, order=order)
    words = (*words, *(t for t in totals if t not in words))
    words = tuple(w for w in words if w not in answers and not (concept.kind and concept.is_date and w.isdigit()))
    if not (unsure or words) and match.confidence < _NEARLY_CERTAIN:
        guessed = True
        unsure.append("its cells speak little for it")
    if words:
        unsure.append(_open_words(words, len(cells.counts)))
    unsure += _open_codes(answers, cells)
    if match.names_a_person:
        unsure.append('it names a person: ids = "number" writes P001, P002, ... in its place, "keep" keeps it')
    if guessed:
        filled = replace(filled, confirm=True)
    return ProposedLine(match, filled, tuple(unsure), words, answers)


def concept_column(match: Match) -> str:
    """Return the cohort's column as which a cell is understood: ``toxicities.grade``."""
    return f"{match.concept.table}.{match.concept.column}"


def dates_beside(line: ProposedLine) -> list[bool]:
    """Tell for each text that is understood whether it tells its date beside what was assessed: ``neg (22/10/21)``."""
    column = concept_column(line.match)
    return ["date" in s.parts for t in line.match.cells.counts if (s := understand(column, t, order="dmy"))]


def unread(column: str, cells: ColumnCells, *, filled: Field, order: str) -> tuple[str, ...]:
    """Return the texts of a column that are not understood, the most frequent first.

    ``M`` is one of them beside ``H`` or ``V`` (hombre, varón and mujer), and ``ND`` beside ``Det``: not detected.
    """
    order = "" if order == OPEN else order
    if column.endswith(".result") and any(re.match(r"(?:not )?det", t, re.IGNORECASE) for t in cells.counts):
        return (
            *(t for t in cells.missing if t.casefold() in _NOT_DETECTED),
            *_unread(column, cells, filled, order=order),
        )
    return tuple(_unread(column, cells, filled, order=order))


def _unread(column: str, cells: ColumnCells, filled: Field, *, order: str) -> list[str]:
    out = ["M"] if column.endswith(".sex") and "M" in cells.counts and {"H", "V"} & set(cells.counts) else []
    for text in cells.counts:
        said = understand(column, text, unit=filled.unit if filled.unit != OPEN else "", order=order, mark=cells.mark)
        undated = said is not None and column.endswith(".death") and said.parts.get("status") == "dead" \
            and "death" not in said.parts  # fmt: skip
        code = column.endswith(".product") and cells.are_codes
        grade = column.endswith(".grade") and text in "+-"
        ordered = not order and any(depends_on_order(d) for d in dates_within(text)) and bool(
            understand(column, text, unit=filled.unit if filled.unit != OPEN else "", order="dmy", mark=cells.mark)
            or understand(column, text, order="mdy", mark=cells.mark))  # fmt: skip
        if (said is None and not (ordered or (not order and depends_on_order(text)))) or undated or code or grade:
            out.append(text)
    return out


def _labels(column: str, cells: ColumnCells) -> dict[str, Answer]:
    """Return what the codes of a data dictionary mean by their labels; those that are not understood are open."""
    answers: dict[str, Answer] = {}
    for code, label in cells.column.choices.items():
        if code == label or column.endswith((".patient_id", ".date")):
            continue
        said = understand(column, label)
        parts = {p: v for p, v in said.parts.items() if p != "class"} if said else {}
        name = column.rpartition(".")[2]
        answers[code] = parts[name] if set(parts) == {name} else parts or ("" if said else OPEN)
    return answers


def _open_codes(answers: Mapping[str, Answer], cells: ColumnCells) -> list[str]:
    """Return the doubt about codes whose label is not understood, with that label; none where there are none."""
    unknown = [f"{code} is {cells.column.choices[code]}" for code, meaning in answers.items() if meaning == OPEN]
    return [f"codes whose meaning is not understood: {_listed(unknown)}"] if unknown else []


def _because(match: Match) -> str:
    seen, filled = match.cells.seen, match.cells.filled
    fitting = "no cell is filled" if match.share is None else (
        f"{'all' if match.share == 1 else f'{match.share:.0%} of'} {seen} filled cells"
        f"{'' if seen == filled else f' that were looked at, of {filled},'} fit")  # fmt: skip
    if match.name_score >= 100:
        return f"the name says it; {fitting}"
    return f"the name is like one of its names ({match.name_score:.0f} %); {fitting}"


def _name_doubts(match: Match) -> Iterator[str]:
    if match.name_score < 100:
        yield "the name is not one that is known for it"
    if match.share is None:
        yield "no cell speaks for it"
    if label_is_strange(match):
        yield f"the data dictionary calls it {match.cells.column.label!r}"
    if match.cells.column.declared == UNDESCRIBED and _may_be_coded(match):
        yield "its cells may be codes, and no data dictionary says what they mean"
    if match.infusion is not None and not match.name.certain:
        yield f"that it is of CART{match.infusion} follows from its number alone"


def _may_be_coded(match: Match) -> bool:
    """Tell whether all cells are small whole numbers or letters, in a column that is none of numbers as they are."""
    concept = match.concept
    measured = concept.is_date or concept.column in _MEASURED or concept.column.endswith("dose_cells_per_kg")
    texts = match.cells.counts
    return bool(texts) and not measured and all(_CODE.fullmatch(part) for t in texts for part in t.split(BOXES_JOINT))


def _dated(filled: Field, cells: ColumnCells, *, order: str) -> tuple[Field, list[str]]:
    """Ask for the order where a text has two readings, and for the day where a text has none."""
    doubts = []
    if order == OPEN and any(depends_on_order(t) for t in cells.counts):
        example = next(t for t in cells.counts if depends_on_order(t))
        doubts.append(f"{example!r} can be read as day/month or month/day")
    cut = [t for t in cells.counts if _is_partial(t, order)]
    if cut:
        filled = replace(filled, partial=OPEN)
        doubts.append(f"{_listed(cut)} {'has' if len(cut) == 1 else 'have'} no day: refuse, first, middle or last")
    days = [t for t in cells.counts if t.isdigit() and not is_date(t)]
    if days and len(days) == len(cells.counts):
        filled = replace(filled, confirm=True)
        doubts.append("it holds numbers of days, not dates")
    return filled, doubts


def _is_partial(text: str, order: str) -> bool:
    said = understand("last_contact", text, order="" if order == OPEN else order)
    dates = ("date", "death", "last_contact")
    return said is not None and any(len(said.parts[p]) in (4, 7) for p in dates if p in said.parts)


def _dosed(filled: Field, cells: ColumnCells, *, weight: str) -> tuple[Field, list[str]]:
    """Find the unit of doses; what does not say whether it is per kg is asked about."""
    header = cells.column.header.rpartition(" | ")[2]
    named = [u for text in (header, cells.column.header, cells.column.label) if (u := dose_unit(text))]
    unit = next((u for u in named if u.per or u.factor != 1), next(iter(named), None))
    read = [d for t in cells.counts if (d := read_dose(t, mark=cells.mark))]
    plain_cells = [d for d in read if not d.per]
    if not plain_cells and any(d.per == "total" for d in read):
        divided = f"divided by {weight!r}" if weight else "no column holds the body weight"
        return replace(filled, weight=weight, confirm=True), [f"some of its cells are of all cells: {divided}"]
    if not plain_cells:
        return filled, []
    with_weight = f" (weight = {weight!r})" if weight else ""
    if unit is None or not unit.per:
        said = f"it says {unit} but" if unit and unit.factor != 1 else "it says"
        return replace(filled, unit=OPEN, weight=weight), [
            f"{said} not whether doses are per kg or of all cells{with_weight}: unit = \"1e6 cells/kg\", \"cells\", ..."
        ]  # fmt: skip
    filled = replace(filled, unit=str(unit) if str(unit) in UNITS else OPEN)
    doses = {t: d for t in cells.counts if (d := read_dose(t, unit=str(unit), mark=cells.mark))}
    low, high = _PLAUSIBLE[unit.per]
    odd = [f"{d.cells:g}" for d in doses.values() if d.per and not low <= d.cells <= high]
    doubts = []
    if odd:
        filled = replace(filled, unit=OPEN, weight=weight)
        doubts.append(f"with the unit {unit} doses would be {_listed(odd)}, which none is")
    if unsaid := [t for t, d in doses.items() if not d.per]:
        filled = replace(filled, weight=weight, confirm=True)
        divided = (
            f"it is divided by {weight!r} if it is" if weight else "write what it is into values.dose_cells_per_kg"
        )
        doubts.append(f"{_listed(unsaid)} may be of all cells, not per kg: {divided}")
    if unit.per == "total":
        filled = replace(filled, weight=weight or OPEN)
        if not weight:
            doubts.append("doses are of all cells, and no column holds the body weight")
    return filled, doubts


def _worded_totals(cells: ColumnCells) -> tuple[str, ...]:
    """Return texts that tell total cells, beside others: by their words, or their size (``410x10^6``)."""
    doses = {t: read_dose(t, mark=cells.mark) for t in cells.counts if re.search(r"[^\d.,\s]", t)}
    totals = tuple(t for t, d in doses.items() if d and (d.per == "total" or (not d.per and d.cells > _MOST_PER_KG)))
    return totals if len(totals) < len(cells.counts) else ()


def _codes(cells: ColumnCells) -> tuple[str, ...]:
    """Return numbers that are codes of missing doses rather than doses: ``99`` among doses of 1 to 4."""
    nines = [t for t in cells.counts if _MISSING_DOSE.fullmatch(t)]
    doses = [d.cells for t in cells.counts if t not in nines and (d := read_dose(t, mark=cells.mark))]
    return tuple(t for t in nines if doses and _TIMES * max(doses) <= abs(float(t)))


def _timed(filled: Field, cells: ColumnCells) -> tuple[Field, list[str]]:
    unit = header_unit(cells.column)
    numbers = [float(s.parts["age_years"]) for t in cells.counts if (s := understand("age_years", t, mark=cells.mark))
               and s.parts]  # fmt: skip
    if not unit:
        return replace(filled, unit=OPEN), ["it does not say whether times are days or months"]
    doubts = []
    if unit == "days" and numbers and max(numbers) < _MONTHS_AT_MOST and any(n != int(n) for n in numbers):
        doubts.append("it says days, but the numbers look like months")
    return replace(filled, unit="" if unit == "days" else unit, confirm=bool(doubts)), doubts


def _open_words(words: tuple[str, ...], distinct: int) -> str:
    return f"{len(words)} of {distinct} different texts are not understood: {_listed(words)}"


def _listed(texts: Iterable[str]) -> str:
    shown = [repr(t) for t in texts]
    return ", ".join(shown[:_SHOWN]) + (", ..." if len(shown) > _SHOWN else "")

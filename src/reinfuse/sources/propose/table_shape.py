"""What one row of a table is: a patient with infusions side by side, an infusion,
an event; or times already derived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reinfuse.sources.propose.concepts import Concept, concepts, derived_concepts
from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.matching import Match, matches
from reinfuse.sources.propose.names import Name, infusions_named, parse
from reinfuse.sources.propose.spelling import Words
from reinfuse.sources.source_table import SourceTable

RowOf = Literal["patient", "infusion", "event", "derived"]
"""``patient``: infusions side by side; ``derived``: a patient, with times that are already derived."""
_OF_INFUSIONS = ("infusions.lymphodepletion", "infusions.dose_cells_per_kg", "infusions.product")
_NUMBER = "infusions.infusion"
_OF_EVENTS = ("responses.response", "mrd.result", "mrd.value", "toxicities.grade", "counts.value", "therapies.therapy",
              "toxicities.CRS.grade", "toxicities.ICANS.grade")  # fmt: skip
_OF_ROWS = ("toxicities.kind", "toxicities.grade", "toxicities.date", "therapies.kind")
_FEWEST_TURNED = 4
_MOST_TURNED = 300
"""A longer first column holds patients, not names of columns."""
_MANY_DAYS = 0.5
"""A column of times holds numbers in at least this share of its cells."""


@dataclass(frozen=True)
class Shape:
    """What the rows of a table are.

    Attributes
    ----------
    infusions
        Numbers of the infusions that stand side by side, in order.
    sheet
        Words of the sheet's name.
    identifier
        Header of the column that says whose a row is.
    of_one
        The sheet's name says of which infusion all of it is.
    """

    row_of: RowOf
    infusions: tuple[int, ...] = ()
    sheet: Words = ()
    identifier: str = ""
    of_one: bool = False

    def holds(self, concept: Concept) -> bool:
        """Tell whether such a table can hold a concept: a column of kinds of toxicity, only where a row is an event."""
        if self.row_of == "event":
            return concept.table != "infusions" or concept.column in ("infusion", "prior_lines", "bulky")
        return concept.table != "counts" and concept.target not in _OF_ROWS and (
            concept.target != _NUMBER or self.row_of == "infusion")  # fmt: skip

    @property
    def in_context(self) -> bool:
        """Whether every row is of an infusion, or the sheet of one, so that headers need not say so."""
        return self.row_of == "infusion" or self.of_one


def shape_of(table: SourceTable, names: Sequence[Name], cells: Mapping[str, ColumnCells]) -> Shape:
    """Tell what the rows of a table are, from its headers, its sheet's name and how often patients occur."""
    sheet = parse(table.name)
    words = sheet.words
    first = matches(names, cells, concepts().values(), context=True, sheet=words)
    by_target = {m.concept.target: m for m in first}
    identifier = by_target.get("patients.patient_id")
    header = identifier.name.header if identifier else ""
    repeated = bool(header) and not cells[header].is_unique
    named = infusions_named(n for n in names if n.certain or not repeated)
    if _is_derived(names, cells, first=first):
        return Shape("derived", named or (1, 2), words, header)
    if sheet.infusion is not None and not named and not repeated:
        return Shape("patient", (sheet.infusion,), words, header, of_one=True)
    exact = {m.concept.target for m in first if m.name_score >= 100}
    numbered = [k for k in named if any(n.infusion == k for n in names)]
    if named and (not repeated or len(numbered) > 1):
        return Shape("patient", _all_up_to(named, exact, names=names), words, header)
    own = [t for t in _OF_INFUSIONS if t in exact and by_target[t].name.infusion is None]
    dated = "infusions.date" in by_target and by_target["infusions.date"].name.infusion is None
    if repeated or _NUMBER in exact:
        of_events = any(t in exact for t in _OF_EVENTS)
        return Shape(
            "infusion" if dated and (own or (_NUMBER in exact and not of_events)) else "event", (), words, header
        )
    if dated and own:
        return Shape("patient", (1,), words, header)
    return Shape("event", (), words, header)


def headers_in_rows(table: SourceTable) -> list[str]:
    """Return texts of the first column that are names of columns: where several are, patients stand side by side."""
    texts = dict.fromkeys(row.texts[0] for row in table.rows if row.texts and row.texts[0])
    if len(texts) > _MOST_TURNED:
        return []
    phrases = {p for c in concepts().values() if c.column != "patient_id" for p in c.phrases}
    named = ((t, parse(t)) for t in texts)
    hits = [t for t, n in named if n.words and any((n.words, c) in phrases for c in (False, n.of_infusion))]
    return hits if len(hits) >= max(_FEWEST_TURNED, len(texts) / 2) else []


def _all_up_to(named: tuple[int, ...], exact: set[str], *, names: Sequence[Name]) -> tuple[int, ...]:
    """Add CART1 where headers name CART2 alone, and columns without a number can only be CART1's."""
    del exact
    unnumbered = any(n.infusion is None and n.of_infusion for n in names)
    return tuple(sorted({*named, 1})) if unnumbered or 1 in named else named


def _is_derived(names: Sequence[Name], cells: Mapping[str, ColumnCells], *, first: Sequence[Match]) -> bool:
    """Tell a sheet of derived times: two of its columns are times or events, and no infusion has a date."""
    derived = [m for m in matches(names, cells, derived_concepts().values(), context=False) if m.name_score >= 100]
    ends = {m.concept.target.removesuffix("_days").removesuffix("_event") for m in derived}
    pairs = [e for e in ends if len({m.concept.target for m in derived if m.concept.target.startswith(f"{e}_")}) > 1]
    dated = any(m.concept.target == "infusions.date" and cells[m.name.header].dates >= _MANY_DAYS for m in first)
    return bool(pairs) and not dated

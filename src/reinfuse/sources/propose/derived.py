"""A wide sheet whose times are already derived: its columns as those of the contract's `sheet`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reinfuse.sources.propose.concepts import Concept, concepts, derived_concepts
from reinfuse.sources.propose.evidence import ColumnCells
from reinfuse.sources.propose.matching import Match, matches
from reinfuse.sources.propose.names import Name
from reinfuse.sources.source_map import WIDE_SHEET

_SAME = ("patients.patient_id", "patients.diagnosis", "patients.sex", "patients.age_years", "infusions.prior_lines",
         "infusions.bulky")  # fmt: skip
_OF_INFUSION = ("infusions.lymphodepletion", "infusions.dose_cells_per_kg")
_OF_INDEX = {
    "responses.response": "response", "mrd.result": "umrd_day28", "toxicities.CRS.grade": "crs_grade",
    "toxicities.ICANS.grade": "icans_grade", "toxicities.NT.grade": "nt_grade",
}  # fmt: skip
_DAY_28 = (None, 28, 30)


def derived_matches(names: Sequence[Name], cells: Mapping[str, ColumnCells]) -> Iterator[tuple[Match, str]]:
    """Yield the columns of the contract's wide sheet, each with what is doubtful of it."""
    all_concepts = concepts()
    among = [*(all_concepts[t] for t in (*_SAME, *_OF_INFUSION, *_OF_INDEX)), *derived_concepts().values()]
    candidates = matches(names, cells, among, context=False)
    last = max((m.infusion for m in candidates if m.infusion is not None), default=None)
    taken: set[str] = set()
    for match in candidates:
        target, doubt = _target(match, last)
        if target and target not in taken:
            taken.add(target)
            concept = Concept(f"{WIDE_SHEET}.{target}", match.concept.role, "", (), match.concept.naming)
            yield replace(match, concept=concept, infusion=None), doubt


def _target(match: Match, last: int | None) -> tuple[str | None, str]:
    """Return the column of the wide sheet, None where it has none, and the doubt."""
    target, k = match.concept.target, match.infusion
    if target in _SAME or match.concept.table == WIDE_SHEET:
        doubt = (
            "an event and a censoring are opposite: write what 1 and 0 mean" if match.concept.role == "censored" else ""
        )
        return match.concept.column, doubt
    if target in _OF_INFUSION:
        if k not in (1, 2):
            return None, ""
        return f"cart{k}_{match.concept.column}", ""
    if k is not None and k != last:
        return None, ""
    if target == "mrd.result" and match.name.day not in _DAY_28:
        return None, ""
    return _OF_INDEX[target], ""

"""What a person answers for a word in a column of doses: cells per kg, or all cells, which the body weight divides."""

from __future__ import annotations

import re
from dataclasses import replace

from reinfuse.sources.gaps import permitted
from reinfuse.sources.source_map import OPEN, Field, SourceMap
from reinfuse.sources.values.doses import WrittenDose, is_possible_per_kg, read_dose

DOSE = "dose_cells_per_kg"
TOTAL = "which the body weight divides"
"""Stands in a question that a plain number does not answer."""
HIGHEST_PER_KG = 5e7
"""Cells per kg above which an answer is confirmed in words: 3e7 was the highest dose (Brentjens 2011)."""
_CONFIRMED = re.compile(r",?\s*\(?confirmed\)?\s*$")
_ALL_CELLS = (1e5, 1e12)
_USUAL_KG = 70
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_POWER = re.compile(r"(\d+(?:[.,]\d+)?)\s*[.·x×*]\s*10\s*\^?\s*(\d{1,2})")


def says_total(filled: Field) -> bool:
    """Tell whether plain numbers of a line of doses are of all cells, which the body weight divides."""
    return bool(filled.weight) and not filled.unit.endswith("/kg")


def read_answer(answer: str) -> WrittenDose | None:
    """Read an answer: ``140e6 cells`` is of all cells, ``2e6 cells/kg`` per kg; of a plain number, neither is said."""
    dose = read_dose(_CONFIRMED.sub("", answer))
    is_total = dose is not None and not dose.per and "cell" in answer.casefold()
    return replace(dose, per="total") if dose is not None and is_total else dose


def is_unlikely(answer: str, *, total: bool) -> bool:
    """Tell whether an answer is of more cells per kg than anybody is given, and nobody confirmed it in words."""
    dose = read_answer(answer)
    if dose is None or dose.per == "total" or (total and not dose.per):
        return False
    return dose.cells > HIGHEST_PER_KG and not _CONFIRMED.search(answer)


def permitted_of(source_map: SourceMap, dictionary: str, *, word: str = "") -> str:
    """Say which answers a word of doses can have where a line divides by the body weight; else nothing."""
    lines = (f for b in source_map.blocks for c, f in b.fields.items() if dictionary in (c, f.values))
    if not dictionary.endswith(DOSE) or not any(says_total(filled) for filled in lines):
        return ""
    power = _POWER.search(word.translate(_RAISED))
    cells = float(power[1].replace(",", ".")) * 10.0 ** int(power[2]) if power else 140e6
    number = f"{cells / 1e6:g}e6"
    per_kg = number if power and cells <= HIGHEST_PER_KG else "2e6"
    return (
        f'of all cells as "{number} cells", {TOTAL}: {cells / _USUAL_KG:.2g} cells/kg at {_USUAL_KG} kg; or per kg as '
        f'"{per_kg} cells/kg", which nothing divides; or "" for an empty cell'
    )


def fault_of(answer: str, *, total: bool) -> str | None:
    """Return why an answer is no dose; `total`: it must say whether it is of all cells or per kg."""
    dose = None if answer == OPEN else read_answer(answer)
    wanted = '"140e6 cells" (all cells) or "2e6 cells/kg"' if total else permitted(DOSE)
    if dose is None or (total and not dose.per):
        return f"answer {wanted}"
    if is_unlikely(answer, total=total) and is_possible_per_kg(dose.cells):
        return (f'{dose.cells:g} cells per kg is more than anybody is known to have been given: answer "{dose.cells:g} '
                f'cells" if it is of all cells, or "{dose.cells:g} cells/kg confirmed"')  # fmt: skip
    low, high = _ALL_CELLS
    if low <= dose.cells <= high if dose.per == "total" else is_possible_per_kg(dose.cells):
        return None
    return f"{dose.cells:g} {'cells' if dose.per == 'total' else 'cells per kg'} is no dose: answer {wanted}"

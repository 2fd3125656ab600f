"""Messy sheets drawn at random, each with its true header and rows: titles, groups, units, totals, notes, gaps."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sources.workbooks import Cell

_GROUPS = (("CART #1", "CART #2"), ("1st CAR-T", "2nd CAR-T"), ("Infusion 1", "Infusion 2"), ("CAR T 1", "CAR T 2"))
_OF_GROUP = ("Date", "LD", "Dose (x10^6/kg)", "CRS", "ICANS", "Best response")
_PATIENT = ("ID", "Dx", "Age", "Sex")
_END = ("PD date", "Last follow-up", "Status", "Comments")
_TITLES = (
    ["CAR-T registry"], ["Repeat infusions, data cut 01/2024"], ["Stand: 31.01.2024"], ["confidential"], ["Dr. Meier"],
    ["Stand:", datetime(2024, 1, 31)], ["Centre", "Ulm"], [None, "version 3"], ["n =", 24],
)  # fmt: skip
_SURNAMES = ("Meier", "Huber", "Yilmaz", "Novak")
_IDS = (
    lambda k: f"P{k + 1:02d}", lambda k: k + 1, lambda k: 4711000 + 37 * k, lambda k: f"UPN-{k}/{19 + k % 4}",
    lambda k: f"{chr(65 + k)}.{chr(75 + k % 9)}.", lambda k: f"{_SURNAMES[k % 4]}, {chr(65 + k)}",
)  # fmt: skip
_LEVELS = {"Dx": ("CLL", "ALL", "NHL", "DLBCL"), "Sex": ("M", "F"), "LD": ("Flu/Cy", "Cy", "Benda", "Flu/Cy 30/500 x3"),
           "Best response": ("CR", "PR", "SD", "PD", "CRi/MRD-"), "Status": ("alive", "dead")}  # fmt: skip


@dataclass(frozen=True)
class RandomSheet:
    """A sheet and its truth: header's rows, composed names, numbers of the rows of patients."""

    rows: Sequence[Sequence[Cell]]
    merges: Sequence[str]
    header_rows: tuple[int, ...]
    names: tuple[str, ...]
    data: tuple[int, ...]


def draw(seed: int) -> RandomSheet:
    """Draw a sheet."""
    rng = random.Random(seed)
    grouped = rng.random() < 0.6
    of_group = [n for n in _OF_GROUP if n == "Date" or rng.random() < 0.7]
    of_group += ["LD"] * (len(of_group) == 1)
    groups = rng.choice(_GROUPS)
    end = [n for n in _END if rng.random() < 0.7]
    leaf = [*_PATIENT, *(of_group * 2 if grouped else [f"{g} {n}" for g in groups for n in of_group]), *end]
    rows: list[list[Cell]] = [list(rng.choice(_TITLES)) for _ in range(rng.choice((0, 0, 1, 2)))]
    merges = [f"A1:{_letter(len(leaf) - 1)}1"] if rows and len(rows[0]) == 1 and rng.random() < 0.3 else []
    rows += [[]] * (rng.choice((0, 1)) if rows else 0)
    first = len(rows) + 1
    names = list(leaf)
    if grouped:
        names = _group(rng, rows, merges, groups, len(of_group), leaf)
    rows.append(list(leaf))
    leaf = [n.rpartition(" | ")[2] for n in names]
    if rng.random() < 0.15 and any("Dose" in n for n in leaf):
        rows.append(["mg" if "Dose" in n else None for n in leaf])
        names = [f"{n} | mg" if "Dose" in n else n for n in names]
    header_rows = tuple(range(first, len(rows) + 1))
    data = []
    ids = rng.choice(_IDS)
    for k in range(rng.choice((3, 5, 8, 20))):
        if k and rng.random() < 0.05:
            rows.append([])
        rows.append(_patient(rng, ids(k), leaf, text=seed % 5 == 0))
        data.append(len(rows))
    _below(rng, rows, leaf, data)
    return RandomSheet(rows, merges, header_rows, tuple(names), tuple(data))


def _group(rng, rows, merges, groups, width, leaf) -> list[str]:
    """Add the row of groups, merged or not; return the composed names."""
    above: list[Cell] = [None] * len(leaf)
    names = list(leaf)
    merged = rng.random() < 0.7
    for k, group in enumerate(groups):
        at = len(_PATIENT) + k * width
        above[at] = group
        for j in range(at, at + width):
            names[j] = f"{group} | {leaf[j]}"
        if merged:
            merges.append(f"{_letter(at)}{len(rows) + 1}:{_letter(at + width - 1)}{len(rows) + 1}")
    if merged and rng.random() < 0.5:
        above[0] = "Patient"
        merges.append(f"A{len(rows) + 1}:{_letter(len(_PATIENT) - 1)}{len(rows) + 1}")
        names[: len(_PATIENT)] = [f"Patient | {n}" for n in _PATIENT]
    rows.append(above)
    if merged and above[0] is None and rng.random() < 0.5:
        _stretch(rows, merges, leaf, (*range(len(_PATIENT)), *range(len(_PATIENT) + len(groups) * width, len(leaf))))
    return names


def _stretch(rows, merges, leaf, positions) -> None:
    """Let labels of columns without a group stand over both rows."""
    for j in positions:
        rows[-1][j] = leaf[j]
        leaf[j] = None
        merges.append(f"{_letter(j)}{len(rows)}:{_letter(j)}{len(rows) + 1}")


def _letter(position: int) -> str:
    return chr(65 + position) if position < 26 else f"A{chr(65 + position - 26)}"


def _patient(rng: random.Random, identifier: Cell, leaf: Sequence[str], *, text: bool) -> list[Cell]:
    day = datetime(2019, 1, 1) + timedelta(days=rng.randrange(1500))
    cells: list[Cell] = []
    for name in leaf:
        kind = next((n for n in (*_LEVELS, "ID", "Age", "Dose", "CRS", "ICANS", "Comments") if n in name), "Date")
        day += timedelta(days=rng.randrange(200))
        values = {"ID": identifier, "Age": rng.randrange(18, 80), "Dose": rng.choice((1, 2, 2.5, 3)),
                  "CRS": rng.randrange(4), "ICANS": rng.randrange(3), "Date": day,
                  "Comments": rng.choice((None, None, "allo-SCT declined", "steroids"))}  # fmt: skip
        value = values[kind] if kind in values else rng.choice(_LEVELS[kind])
        if isinstance(value, datetime) and text:
            value = value.strftime("%d.%m.%Y")
        cells.append(None if name != "ID" and rng.random() < 0.1 else value)
    return cells


def _below(rng: random.Random, rows: list[list[Cell]], leaf: Sequence[str], data: Sequence[int]) -> None:
    """Add what often stands below a table: totals, notes."""
    if rng.random() < 0.4:
        rows.extend([[]] * rng.choice((0, 1)))
        columns = [
            [r[j] for r in (rows[i - 1] for i in data) if isinstance(r[j], int | float)] for j in range(len(leaf))
        ]
        mean = rng.random() < 0.5
        label = rng.choice((None, "Mean" if mean else "Total"))
        rows.append([label, *(_summary(c, mean) for c in columns[1:])])
    if rng.random() < 0.3:
        rows.extend([[], ["* bridging therapy in 3 patients"], ["NR = no response"]])


def _summary(column: Sequence[float], mean: bool) -> Cell:
    if not column:
        return None
    return round(sum(column) / len(column), 2) if mean else sum(column)

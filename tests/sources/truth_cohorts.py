"""The truth of an unseen book as a cohort of its own, so that endpoints are derived from what its centre meant.

A truth may list one progression twice: as the result of an assessment whose day is the header's (30), and with its day
in a column of its own. An import has it once, on the day that is recorded, where that lies up to 31 days behind the
header's: with both, PFS would end on the header's day, on which nobody was seen. Where the recorded day comes first,
both rows stay, and PFS counts from the first.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

from unseen_books import BOOKS, told_twice

from reinfuse.study.cohort_reading import read_cohort

_REGIMENS = {"Cy-Flu": "Flu/Cy", "Other": "bendamustine", "None": "none"}
_DAYS = {"mixed_1": (28, 90), "mixed_4": (30, 90), "mixed_6": (28, 90), "mixed_7": (28, 90), "mixed_2": (91, 91)}
"""Days of the first and second assessment without a date, as the headers of the book say; others: 28 and 91."""


def meant_cohort(name: str, folder: Path):
    """Return the cohort that the centre of a book meant."""
    truth = BOOKS[name]["truth"]
    given = {(i["patient_id"], i["infusion"]): date.fromisoformat(i["date"]) for i in truth["infusions"]}
    last = [{**p, "last_contact": p["last_contact"] or p["death"]} for p in truth["patients"]]
    _write(folder / "patients.csv", last)
    _write(folder / "infusions.csv", ({**{k: v for k, v in i.items() if k != "lymphodepletion_class"},
                                       "lymphodepletion": _regimen(i)} for i in truth["infusions"]))  # fmt: skip
    _write(folder / "responses.csv", _dated(truth["responses"], given, days=_DAYS.get(name, (28, 91))))
    return read_cohort(folder)


def _regimen(infusion) -> str:
    own = infusion["lymphodepletion_class"] or ""
    return _REGIMENS.get(own, own)


def _dated(responses, given: Mapping, *, days: tuple[int, int]) -> Iterator[dict[str, str]]:
    """Yield responses; one without a date is of the day that its header says, and before the next infusion."""
    undated: Counter[tuple[str, int]] = Counter()
    for one in responses:
        key = one["patient_id"], one["infusion"]
        day = one["date"]
        if not day:
            undated[key] += 1
            if told_twice(one, responses):
                continue
            placed = given[key] + timedelta(days[min(undated[key], 2) - 1])
            following = given.get((key[0], key[1] + 1), date.max)
            day = min(placed, following - timedelta(1)).isoformat()
        yield {"patient_id": one["patient_id"], "date": day, "response": one["response"]}


def _write(path: Path, rows: Iterable[Mapping]) -> None:
    listed = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(listed[0]))
        writer.writeheader()
        writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in listed)

"""Books of 46 invented centres by people who had not seen the program (`books/`), each with the truth beside it.

`targets` holds what a fair reader accepts for each column, `answers` what the centre answers to a question, by its
place or its text, `truth` the patients, infusions, responses and toxicities that it meant. Thirty truths are by who
made the book; sixteen (`truth_by`) were worked out afterwards from the cells alone, by one who knew the program.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import openpyxl

from reinfuse.cohort.lymphodepletion import regimen_class
from reinfuse.sources.questions import answered, fault, questions

BOOKS = {path.stem: json.loads(path.read_text(encoding="utf-8"))
         for path in sorted((Path(__file__).parent / "books").glob("*.json"))}  # fmt: skip
LIMIT = 1e-4
_USUAL = {"ids": "keep", "empty_grades": "missing"}
"""What a centre answers to a question, where its book does not say otherwise; to all others: yes."""
_ROUNDED = 0.01
"""Share by which a dose per kg may differ: weights in pounds are rounded in the truths."""


def write(name: str, folder: Path) -> Path:
    """Write a book as its centre keeps it: a workbook, or a text file."""
    book = BOOKS[name]
    if "separator" in book:
        path = folder / f"{name}.csv"
        with path.open("w", encoding=book["encoding"], newline="") as file:
            csv.writer(file, delimiter=book["separator"]).writerows(book["sheets"][0]["rows"])
        return path
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for one in book["sheets"]:
        sheet = workbook.create_sheet(one["title"])
        sheet.sheet_state = "hidden" if one.get("hidden") else "visible"
        for i, row in enumerate(one["rows"], 1):
            for j, value in enumerate(row, 1):
                sheet.cell(i, j, _cell(value))
        for top, left, bottom, right in one["merges"]:
            sheet.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    path = folder / f"{name}.xlsx"
    workbook.save(path)
    return path


def _cell(value):
    dated = isinstance(value, str) and value.startswith("date:")
    return datetime.fromisoformat(value.removeprefix("date:")) if dated else value


def judged(name: str, source, proposals) -> Iterator[tuple[object, list[str]]]:
    """Yield each proposal with the targets that a fair reader accepts."""
    columns = [(t.name, c.header) for t in source.tables if t.columns and t.rows for c in t.columns]
    truth = BOOKS[name]["targets"]
    every = {_plain(h): targets for sheet in truth.values() for h, targets in sheet.items()}
    for (sheet, header), proposal in zip(columns, proposals, strict=True):
        assert proposal.source == header
        own = {_plain(h): targets for h, targets in truth.get(sheet, {}).items()}
        if header.startswith("redcap_"):  # what REDCap says of the row itself
            yield proposal, ["ignore", "infusions.infusion", "toxicities.infusion"]
            continue
        boxes = next((t for h, t in every.items() if h.startswith(f"{_plain(header)} (choice=")), "ignore")
        yield proposal, own.get(_plain(header), every.get(_plain(header), boxes)).split("|")


def _plain(header: str) -> str:
    return " ".join(header.split())


def is_right(target: str, accepted: list[str]) -> bool:
    """Tell whether a target is one of the accepted ones; ``infusions.*`` accepts every column of that table."""
    table = re.sub(r"\[\d\]", "", target.rpartition(".")[0])
    wild = {a.removesuffix(".*") for a in accepted if a.endswith(".*")}
    return target in accepted or table in wild or target.rpartition(".")[0] in wild


def confirmed(name: str, source_map):
    """Return the map with the answers of the centre; what it does not list is right as proposed."""
    told, done = BOOKS[name]["answers"], set()
    while left := [q for q in questions(source_map) if (q.line, q.text) not in done]:
        question = left[0]
        done.add((question.line, question.text))
        usual = told.get(question.text, _USUAL.get(question.setting, "yes"))
        answer = told.get(f"{question.line}#{question.setting}", usual)
        assert fault(question, answer, source_map=source_map) is None, (question, answer)
        source_map = answered(source_map, question, answer)
    return source_map


def differing(truth: Mapping[str, list], tables) -> Iterator[str]:
    """Yield what an imported cohort tells otherwise than its truth; a date that the truth leaves open may be any."""
    rows = {n: [dict(zip(t.columns, (c.text for c in r), strict=True)) for r in t.rows] for n, t in tables.items()}
    patients = {r["patient_id"]: r for r in rows["patients"]}
    if set(patients) != {p["patient_id"] for p in truth["patients"]}:
        yield f"patients {sorted(patients)}"
    for one in truth["patients"]:
        for column in ("diagnosis", "sex", "age_years", "last_contact", "death", "death_cause"):
            meant, read = _text(one[column]), patients[one["patient_id"]].get(column, "")
            if meant != read and not (column == "last_contact" and not read and meant == one["death"]):
                yield f"{one['patient_id']} {column}: {meant!r}, read {read!r}"
    yield from _infusions(truth["infusions"], rows["infusions"])
    most = Counter((r["patient_id"], r["response"]) for r in truth["responses"])
    least = Counter(
        (r["patient_id"], r["response"]) for r in truth["responses"] if not told_twice(r, truth["responses"])
    )
    read = Counter((r["patient_id"], r["response"]) for r in rows["responses"])
    yield from (f"responses {key}" for key in (least - read) + (read - most))
    dated = Counter((r["patient_id"], r["response"], r["date"]) for r in truth["responses"] if r["date"])
    yield from (f"response {k}" for k in dated - Counter((*key,) for key in _dates(rows["responses"])))
    meant = Counter((r["patient_id"], _text(r["infusion"]), r["kind"], _text(r["grade"]))
                    for r in truth["toxicities"] if r["grade"] is not None)  # fmt: skip
    read = Counter((r["patient_id"], r["infusion"], r["kind"], r["grade"]) for r in rows["toxicities"])
    yield from (f"toxicity {key}" for key in (meant - read) + (read - meant))
    meant = Counter((r["patient_id"], r["result"]) for r in truth["mrd"])
    yield from (f"mrd {key}" for key in meant - Counter((r["patient_id"], _result(r)) for r in rows.get("mrd", [])))


def told_twice(one, responses) -> bool:
    """Tell whether an undated progression has its day in another row of the truth, after the same infusion."""
    return one["response"] == "PD" and not one["date"] and any(
        r["response"] == "PD" and r["date"] and (r["patient_id"], r["infusion"]) == (one["patient_id"], one["infusion"])
        for r in responses)  # fmt: skip


def _infusions(truth, rows) -> Iterator[str]:
    read = {(r["patient_id"], r["infusion"]): r for r in rows}
    if set(read) != {(r["patient_id"], str(r["infusion"])) for r in truth}:
        yield f"infusions {sorted(read)}"
    for one in truth:
        key = one["patient_id"], str(one["infusion"])
        row, dose = read[key], one["dose_cells_per_kg"]
        text = row.get("dose_cells_per_kg", "")
        same = abs(float(text) / dose - 1) <= _ROUNDED if dose and text else not dose and not text
        regimen = regimen_class(row["lymphodepletion"]) if row.get("lymphodepletion") else None
        if (row["date"], regimen) != (one["date"], one["lymphodepletion_class"]) or not same:
            yield f"infusion {key}: {one}, read {row}"


def _dates(rows) -> Iterator[tuple[str, str, str]]:
    yield from ((r["patient_id"], r["response"], r["date"]) for r in rows)


def _text(value) -> str:
    return "" if value is None else str(value)


def _result(row) -> str:
    by_value = "undetectable" if float(row.get("value") or 1) < LIMIT else "detectable"
    return row.get("result") or (by_value if row.get("value") else "")

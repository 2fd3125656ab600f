"""The tables of the synthetic cohort, written the same each time, byte for byte."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from pathlib import Path

from reinfuse.data.synthetic_cohort.counts import COUNTS_SEED, Row, count_rows
from reinfuse.data.synthetic_cohort.margins import CRITERIA, ONSET, REASONS, SEED
from reinfuse.data.synthetic_cohort.patients import Patient, draw_cohort

HEADERS = {
    "patients": "patient_id last_contact death death_cause diagnosis histology sex age_years",
    "infusions": "patient_id infusion day product dose_cells_per_kg lymphodepletion reason prior_lines bulky",
    "responses": "patient_id day response criteria",
    "mrd": "patient_id day result value method compartment",
    "counts": "patient_id day value unit lloq below_lloq subset",
    "toxicities": "patient_id infusion kind grade day",
    "therapies": "patient_id day therapy kind",
}


def patient_row(p: Patient) -> Row:
    """Return the row of the table patients."""
    end = p.interval + p.last_day
    return (p.patient_id, end, end if p.cause else "", p.cause, p.diagnosis, p.histology, p.sex, p.age)


def infusion_rows(rng: random.Random, p: Patient) -> list[Row]:
    """Return both infusions; CART1 and each therapy between the two is a line of therapy before CART2."""
    since = 1 + sum(day < 0 for day, _, _ in p.therapies)
    lines = str(max(1, int(p.lines) - since)) if p.lines else ""
    changed = p.diagnosis == "NHL" and p.bulky == "yes" and rng.random() < 0.3
    product = "CD19 CAR-T (synthetic)"
    return [
        (p.patient_id, 1, 0, product, round(p.doses[0]), p.regimens[0], "", lines, "no" if changed else p.bulky),
        (p.patient_id, 2, p.interval, product, round(p.doses[1]), p.regimens[1], REASONS[p.reason], p.lines, p.bulky),
    ]


def response_rows(p: Patient) -> list[Row]:
    """Return every assessment of response."""
    visits = [*p.before, *((p.interval + day, response) for day, response in p.after)]
    return [(p.patient_id, day, response, CRITERIA[p.diagnosis]) for day, response in visits]


def mrd_row(rng: random.Random, p: Patient, day: int, *, undetectable: bool) -> Row:
    """Return one test; a detectable one has a value, the fraction of leukocytes."""
    value = "" if undetectable else f"{10 ** rng.uniform(-3.3, -0.7):.2g}"
    compartment = "marrow" if p.diagnosis == "ALL" else rng.choice(("blood", "marrow"))
    return (p.patient_id, day, "undetectable" if undetectable else "detectable", value, "flow", compartment)


def mrd_rows(rng: random.Random, p: Patient) -> list[Row]:
    """Return the tests of patients with leukaemia: about day 28 of either infusion, and later in responders."""
    rows: list[Row] = []
    day, response = p.before[0]
    if p.diagnosis != "NHL" and rng.random() < 0.8:
        rows.append(mrd_row(rng, p, day, undetectable=response == "CR" and rng.random() < 0.85))
    if p.mrd != "-":
        rows.append(mrd_row(rng, p, p.interval + 28 + rng.randint(-4, 7), undetectable=p.mrd == "U"))
    if p.mrd == "U":
        later = [day for day, response in p.after if 80 < day < 400 and response in ("CR", "PR")]
        rows += [mrd_row(rng, p, p.interval + day, undetectable=True) for day in later]
    return rows


def toxicity_rows(rng: random.Random, p: Patient) -> list[Row]:
    """Return the worst grades; grade 0 has no day."""
    rows: list[Row] = []
    for (infusion, kind), grade in p.grades.items():
        day = (infusion - 1) * p.interval + rng.randint(*ONSET[kind])
        rows.append((p.patient_id, infusion, kind, grade, day if grade else ""))
    return rows


def therapy_rows(p: Patient) -> list[Row]:
    """Return the therapies other than the infusions and their lymphodepletion."""
    return [(p.patient_id, p.interval + day, therapy, kind) for day, therapy, kind in p.therapies]


def write(folder: Path, table: str, rows: Iterable[Row]) -> None:
    """Write one table."""
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADERS[table].split())
        writer.writerows(rows)


def write_cohort(folder: Path) -> None:
    """Draw the cohort and write its tables into a folder."""
    rng = random.Random(SEED)
    patients = draw_cohort(rng)
    write(folder, "patients", [patient_row(p) for p in patients])
    write(folder, "infusions", [row for p in patients for row in infusion_rows(rng, p)])
    write(folder, "responses", [row for p in patients for row in response_rows(p)])
    write(folder, "mrd", [row for p in patients for row in mrd_rows(rng, p)])
    apart = random.Random(COUNTS_SEED)
    write(folder, "counts", [row for p in patients for row in count_rows(apart, p)])
    write(folder, "toxicities", [row for p in patients for row in toxicity_rows(rng, p)])
    write(folder, "therapies", [row for p in patients for row in therapy_rows(p)])

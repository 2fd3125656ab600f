"""The synthetic patients: what `COURSES` leaves open is drawn with a fixed seed.

Drawn are age, sex, histology, the interval between the infusions, the course after the first infusion (CART1), grades
of toxicity, and the visits between those set by hand.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from reinfuse.data.synthetic_cohort.margins import (
    AGES,
    COURSES,
    GRADES,
    HISTOLOGIES,
    INTERVALS,
    LINES,
    REGIMENS,
    VISITS,
    WOMEN,
)

Visit = tuple[int, str]


@dataclass(frozen=True)
class Patient:
    """A synthetic patient. Days of `after` and `therapies` count from CART2, those of `before` from CART1."""

    patient_id: str
    diagnosis: str
    doses: tuple[float, float]
    regimens: tuple[str, str]
    reason: str
    bulky: str
    lines: str
    mrd: str
    before: list[Visit]
    after: list[Visit]
    interval: int
    last_day: int
    cause: str
    therapies: list[tuple[int, str, str]]
    sex: str
    age: int
    histology: str
    grades: dict[tuple[int, str], int] = field(default_factory=dict)


def between(rng: random.Random, first: int, last: int, *, response: str) -> list[Visit]:
    """Draw the visits after the day `first` and before the day `last`, all with the same response."""
    planned = [day + rng.randint(-7, 7) for day in VISITS]
    return [(day, response) for day in planned if first + 30 < day < last - 20]


def course_after(rng: random.Random, text: str) -> list[Visit]:
    """Read the visits after CART2 and draw those that `..` stands for."""
    visits: list[Visit] = []
    for word in text.replace(".. ", "..").split():
        visit = word.removeprefix("..")
        response = visit.lstrip("0123456789")
        day = int(visit.removesuffix(response))
        if word != visit:
            visits += between(rng, visits[-1][0], day, response=visits[-1][1])
        visits.append((day, response))
    return visits


def course_before(rng: random.Random, diagnosis: str, reason: str, *, interval: int) -> list[Visit]:
    """Draw the visits between CART1 and CART2 so that they bear out the reason for CART2."""
    day = rng.randint(25, 31)
    bad = interval - rng.randint(14, 40)
    stable = "SD" if diagnosis == "ALL" else rng.choice(("PR", "PR", "SD"))
    if reason == "N":
        return [(day, rng.choice(("PD", "PD", "SD")))]
    if reason == "S":
        return [(day, stable), (interval - rng.randint(5, 12), stable)]
    first = "CR" if reason == "R" else stable
    word = "relapse" if diagnosis == "ALL" and reason == "R" else "PD"
    return [(day, first), *between(rng, day, bad, response=first), (bad, word)]


def read_therapies(text: str) -> list[tuple[int, str, str]]:
    """Read `day therapy: kind; ...`."""
    words = [part.replace(": ", " ").split() for part in filter(None, text.split("; "))]
    return [(int(w[0]), " ".join(w[1:-1]), w[-1]) for w in words]


def draw_patient(rng: random.Random, patient_id: str, line: str, *, sex: str) -> Patient:
    """Read one line of `COURSES` and draw what it leaves open."""
    diagnosis, first, second, reason, bulky, lines, mrd, visits, last, cause, therapies = line.split("|")
    (regimen1, dose1), (regimen2, dose2) = first.split(), second.split()
    typical, least, most = INTERVALS[reason]
    interval = min(
        most - rng.randint(0, 9), max(least + rng.randint(0, 9), round(typical * rng.lognormvariate(0, 0.75)))
    )
    drawn_lines = str(1 + rng.choice(LINES.get(diagnosis, (0,))))
    low, mode, high = AGES[diagnosis]
    return Patient(
        patient_id, diagnosis, (float(dose1), float(dose2)),
        (rng.choice(REGIMENS[regimen1]), rng.choice(REGIMENS[regimen2])), reason, bulky.replace("?", ""),
        {"*": drawn_lines, "?": ""}.get(lines, lines), mrd, course_before(rng, diagnosis, reason, interval=interval),
        course_after(rng, visits), interval, int(last), cause.replace("-", ""), read_therapies(therapies), sex,
        round(rng.triangular(low, high, mode)), rng.choice(HISTOLOGIES[diagnosis]),
    )  # fmt: skip


def draw_grades(rng: random.Random, patients: Sequence[Patient]) -> None:
    """Give out the grades of `GRADES`: the worse of them rather to a higher dose, and NT rather where CRS is bad."""
    for infusion in (1, 2):
        burden = {p.patient_id: p.doses[infusion - 1] ** 0.2 / 10 + rng.gauss(0, 1) for p in patients}
        for kind in ("CRS", "NT"):
            ranked = sorted(patients, key=lambda p: burden[p.patient_id] + rng.gauss(0, 0.8))
            grades = [grade for grade, n in enumerate(GRADES[infusion, kind]) for _ in range(n)]
            for patient, grade in zip(ranked, grades, strict=True):
                patient.grades[infusion, kind] = grade


def draw_cohort(rng: random.Random) -> list[Patient]:
    """Draw all patients, in the order of their identifiers, which tell nothing of the course."""
    lines = COURSES.strip().splitlines()
    sexes = {}
    for diagnosis, women in WOMEN.items():
        n = sum(line.startswith(diagnosis) for line in lines)
        sexes[diagnosis] = rng.sample(["F"] * women + ["M"] * (n - women), n)
    numbers = rng.sample(range(1, len(lines) + 1), len(lines))
    patients = [
        draw_patient(rng, f"SYN-{number:02d}", line, sex=sexes[line[:3]].pop())
        for number, line in zip(numbers, lines, strict=True)
    ]
    patients.sort(key=lambda p: p.patient_id)
    draw_grades(rng, patients)
    return patients

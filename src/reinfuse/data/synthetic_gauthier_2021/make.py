"""Write the synthetic cohort of this folder: 44 made-up patients with two CD19 CAR-T infusions each.

No row describes a person. `COURSES` sets by hand what the published margins of the reference study depend on
(Gauthier et al., Blood 2021;137(3):323-335, NCT01865617): diagnosis, regimens, doses, the course after the second
infusion (CART2) and survival. Everything else is drawn with a fixed seed: age, sex, histology, the interval between
the infusions, the course after the first infusion (CART1), tests for measurable residual disease, grades of
toxicity and the visits between those set by hand. Ages, sexes and lines of therapy follow the margins of the
trial's first 133 patients (Blood 2018;131(1):121, Table 1).

Counts of CAR-T cells follow the curve of Stein et al. (CPT Pharmacometrics Syst Pharmacol 2019;8:285-295) for
tisagenlecleucel: exponential growth to a peak, then a fast decline of effector and a slow one of memory cells. Its
typical peak day, growth and contraction are kept. Peaks and memory by group are invented, so that the cells persist
after CART2 where both factors are favourable, are lost in weeks to months where one is, and early where none is.

Days: day 0 is CART1. In `COURSES` days count from CART2. `python make.py` writes the same files each time, byte
for byte; `about.toml` and `published.csv` are kept by hand.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SEED = 20226065
"""Picked so that no drawn column (age, sex, interval, lines, grades) happens to go with a factor or response."""
Row = tuple[object, ...]
Visit = tuple[int, str]

# Columns: diagnosis; regimen and dose before CART1; the same before CART2; reason for CART2; bulky; prior lines at
# CART2 (* = drawn, ? = missing); MRD about day 28 (U undetectable, D detectable, - not tested); visits after CART2
# (.. = visits drawn in between); last day; cause of death (- = alive); other therapies (day therapy: kind).
# Regimens: F Cy-Flu, C Cy, E Cy + etoposide, B bendamustine, N none, ? missing.
# Reasons: R relapse, P progression, S persistent disease, N no response.
COURSES = """
ALL|F 2e5|F 2e6|R|no|*|U|28CR .. 150relapse|412|disease|163 inotuzumab ozogamicin: anticancer
ALL|F 2e6|F 2e7|R|no|*|U|29CR 92CR 160CR 260CR 520CR|1150|-|171 allogeneic transplant: allo-HCT
ALL|F 2e5|F 2e6|R|no|*|D|27PD|131|disease|
ALL|F 2e5|F 2e6|R|no|?|D|30SD 61PD|203|disease|75 inotuzumab ozogamicin: anticancer
ALL|F 2e6|F 2e7|N|no|*|D|28SD 95CR 210CR|1066|-|41 blinatumomab: anticancer
ALL|F 2e5|C 2e6|R|no|*|-|24PD|96|disease|
ALL|F 2e6|F 2e6|R|no|*|D|28PD|77|disease|
ALL|C 2e5|F 2e6|R|no|*|D|27CR .. 85relapse|268|disease|97 vincristine + dexamethasone: anticancer
ALL|C 2e5|F 2e6|R|no|*|D|26PD|58|disease|
ALL|C 2e5|F 2e7|R|yes|*|D|30SD 58PD|164|disease|
ALL|E 2e5|F 2e6|N|no|*|D|29SD 55PD|905|-|63 inotuzumab ozogamicin: anticancer; 128 allogeneic transplant: allo-HCT
ALL|C 2e6|C 2e7|R|no|*|-|21PD|49|disease|
ALL|E 2e5|F 2e6|S|no|*|-|28NE 43PD|118|disease|
ALL|C 2e6|F 1.1e6|R|no|*|D|28PD|92|disease|
CLL|F 2e6|F 2e7|P|no|6|U|29PR 92CR .. 1033PD|1702|-|1060 venetoclax + rituximab: anticancer
CLL|F 2e6|F 2e7|P|yes|5|U|28CR .. 1688CR|1816|-|210 intravenous immunoglobulin: supportive
CLL|F 2e5|B 2e6|S|no|7|U|30PR .. 338PD|905|other|352 ibrutinib: anticancer
CLL|F 2e6|F 2e7|N|yes|6|D|28SD 61PD|213|disease|-21 ibrutinib: anticancer
CLL|F 2e5|B 2e6|N|yes|8|D|27SD 92PD|402|disease|104 venetoclax + obinutuzumab: anticancer
CLL|F 2e6|F 2e6|P|yes|6|-|28SD|44|treatment|
CLL|F 2e7|F 2e6|P|yes|4|D|33PD|187|disease|48 venetoclax: anticancer
CLL|C 2e5|F 2e6|N|yes|7|D|29PD|98|disease|
CLL|B 2e6|F 2e7|P|no|5|-|27PD|141|disease|
NHL|F 2e6|F 2e7|R|no|*|-|28CR .. 1218CR|1302|-|
NHL|F 2e6|F 2e7|P|no|*|-|30PR 95CR .. 1560CR|1655|-|
NHL|F 2e6|F 2e7|R|yes|*|-|29CR .. 425PD|1244|-|440 lenalidomide + rituximab: anticancer
NHL|F 2e6|C 2e7|R|no|*|-|27PR .. 179PD|701|disease|190 polatuzumab vedotin + rituximab: anticancer
NHL|F 2e5|F 2e6|P|yes|*|-|31PR 76PD|168|disease|
NHL|F 2e6|F 2e7|S|?|*|-|28PR 123PR 214PD|790|-|123 radiotherapy: radiation
NHL|F 2e6|F 2e7|P|no|*|-|30PR .. 213PD|640|disease|228 lenalidomide: anticancer
NHL|F 2e6|F 2e7|R|no|*|-|29PR 183NE 294PD|1008|-|310 radiotherapy: radiation
NHL|F 2e6|F 2e7|P|yes|*|-|28SD 88PD|350|disease|-18 radiotherapy: radiation; 99 ibrutinib: anticancer
NHL|F 2e6|F 1.5e7|N|no|*|-|29PD|142|disease|
NHL|F 2e5|F 2e7|N|yes|*|-||19|disease|
NHL|F 2e6|B 2e7|P|no|*|-|27SD 60PD|850|-|72 tafasitamab + lenalidomide: anticancer
NHL|F 2e7|F 2e7|R|no|*|-|32CR 94PD|590|disease|110 pembrolizumab: anticancer
NHL|F 2e6|F 2e6|N|yes|*|-|28PD|121|disease|
NHL|C 2e7|F 2e6|P|no|*|-|30PD|88|disease|
NHL|E 2e6|N 2e6|P|yes|*|-|28SD 57PD|244|disease|70 gemcitabine + oxaliplatin: anticancer
NHL|C 2e6|F 2e7|R|no|*|-|28PR 117PD|480|disease|131 radiotherapy: radiation
NHL|E 2e6|F 2e7|S|no|*|-|31SD 90PD|199|disease|
NHL|C 2e5|F 2e6|P|yes|*|-|26PD|73|disease|
NHL|B 2e6|F 2e7|N|no|*|-|28SD 112PD|612|-|123 venetoclax: anticancer
NHL|? 2e6|F 2e7|R|no|*|-|30PR .. 148PD|815|unknown|160 lenalidomide + rituximab: anticancer
"""

REGIMENS = {"F": ("Cy/Flu", "Cy-Flu", "fludarabine + cyclophosphamide"), "C": ("Cy",), "E": ("Cy + etoposide",),
            "B": ("bendamustine",), "N": ("none",), "?": ("",)}  # fmt: skip
REASONS = {"R": "relapse", "P": "progression", "S": "persistent disease", "N": "no response"}
INTERVALS = {"R": (230.0, 90, 1200), "P": (170.0, 75, 1200), "S": (100.0, 50, 240), "N": (70.0, 35, 180)}
"""Median, least and greatest interval in days between the infusions, by the reason for the second."""
AGES = {"ALL": (20, 31, 73), "CLL": (40, 66, 73), "NHL": (28, 69, 70)}
"""Least, most frequent and greatest age in years."""
WOMEN = {"ALL": 6, "CLL": 3, "NHL": 4}
LINES = {"ALL": (1, 2, 2, 3, 3, 3, 4, 4, 5, 7), "NHL": (2, 3, 3, 4, 4, 4, 5, 5, 6, 8)}
HISTOLOGIES = {"ALL": ("B-ALL",), "CLL": ("CLL",), "NHL": ("DLBCL", "DLBCL", "DLBCL", "transformed FL", "FL", "MCL")}
CRITERIA = {"ALL": "NCCN", "CLL": "iwCLL", "NHL": "Lugano"}
COUNTS_SEED = 2019
"""Counts are drawn apart, so that they change no other table; this seed was not picked."""
LLOQ = 10
"""Limit of quantification of the counts in copies/ug: invented."""
PEAK_DAY, GROWTH, CONTRACTION = 9.3, 3900.0, 0.16
"""Of the curve of counts: day of the peak, peak divided by the start, loss of effector cells a day."""
CURVES = {
    (1, "Cy-Flu"): (15000.0, 0.005, 0.015), (1, "other"): (4000.0, 0.003, 0.03),
    (2, 2): (15000.0, 0.012, 0.003), (2, 1): (5000.0, 0.008, 0.03), (2, 0): (400.0, 0.0, 0.0),
}  # fmt: skip
"""Peak (copies/ug), share of memory cells, their loss a day: by regimen at CART1, favourable factors at CART2."""
COUNT_VISITS = ((7, 1), (10, 1), (14, 1), (21, 1), (28, 2), (60, 5), (90, 7), (180, 10), (270, 14), (365, 14),
                (730, 21), (1095, 21), (1460, 21), (1825, 21))  # fmt: skip
"""Days after an infusion and by how many days they are missed at most; before them day 1 or 3."""
# As centres' records are: two patients without a count after CART2, one with all of them below the limit, one who died
# early and was last counted before the peak, and two counted twice on one day, the results not the same.
NOT_COUNTED, ALL_BELOW, STILL_RISING, COUNTED_TWICE = ("SYN-14", "SYN-24"), "SYN-33", "SYN-38", ("SYN-06", "SYN-35")
VISITS = (91, 182, 273, 365, 547, 730, 912, 1095, 1460, 1825)
GRADES = {
    (1, "CRS"): (14, 14, 11, 4, 1), (1, "NT"): (29, 7, 4, 3, 1),
    (2, "CRS"): (18, 12, 10, 3, 1), (2, "NT"): (28, 7, 4, 4, 1),
}  # fmt: skip
"""Patients with grade 0, 1, 2, 3 and 4, by infusion and kind."""
ONSET = {"CRS": (1, 6), "NT": (3, 9)}
HEADERS = {
    "patients": "patient_id last_contact death death_cause diagnosis histology sex age_years",
    "infusions": "patient_id infusion day product dose_cells_per_kg lymphodepletion reason prior_lines bulky",
    "responses": "patient_id day response criteria",
    "mrd": "patient_id day result value method compartment",
    "counts": "patient_id day value unit lloq below_lloq subset",
    "toxicities": "patient_id infusion kind grade day",
    "therapies": "patient_id day therapy kind",
}


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


@dataclass(frozen=True)
class Curve:
    """Counts after one infusion: peak (copies/ug), its day, share of memory cells, loss a day of either kind."""

    peak: float
    peak_day: float
    memory: float
    contraction: float
    decline: float

    def at(self, day: float) -> float:
        """Return the count on a day since the infusion."""
        since = day - self.peak_day
        if since < 0:
            return self.peak * math.pow(GROWTH, since / self.peak_day)
        effector, memory = (1 - self.memory) * math.exp(-self.contraction * since), math.exp(-self.decline * since)
        return self.peak * (effector + self.memory * memory)


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


def draw_curve(rng: random.Random, p: Patient, *, infusion: int) -> Curve:
    """Draw a patient's curve; a peak after CART2 is higher in who responded at the first visit."""
    flu, raised = p.regimens[0] in REGIMENS["F"], p.doses[1] > p.doses[0]
    peak, memory, decline = CURVES[(1, "Cy-Flu" if flu else "other") if infusion == 1 else (2, flu + raised)]
    if infusion == 2:
        peak *= 1.6 if p.after and p.after[0][1] in ("CR", "PR") else 0.7
    return Curve(
        0.0 if infusion == 2 and p.patient_id == ALL_BELOW else peak * rng.lognormvariate(0, 0.9),
        PEAK_DAY * rng.lognormvariate(0, 0.2), memory * rng.lognormvariate(0, 0.6),
        CONTRACTION * rng.lognormvariate(0, 0.25), decline * rng.lognormvariate(0, 0.5),
    )  # fmt: skip


def count_days(rng: random.Random, end: int, visits: Sequence[Visit]) -> list[int]:
    """Draw the days of counts up to `end`; some are missed, and few follow a progression."""
    planned = [rng.choice((1, 3)), *(day + rng.randint(-by, by) for day, by in COUNT_VISITS)]
    days = [day for day in planned if day <= end and rng.random() > 0.08]
    worse = next((day for day, response in visits if response in ("PD", "relapse")), end)
    if rng.random() < 0.75:
        days = days[: sum(day <= worse for day in days) + 2]
    return days


def count_row(rng: random.Random, p: Patient, day: int, *, count: float) -> Row:
    """Return one count with its error; below the limit the limit stands."""
    count *= rng.lognormvariate(0, 0.4)
    below = count < LLOQ
    return (p.patient_id, day, LLOQ if below else round(count), "copies/ug", LLOQ, "yes" if below else "no", "total")


def count_rows(rng: random.Random, p: Patient) -> list[Row]:
    """Return the counts: after CART1, what was left before CART2, and after CART2."""
    first, second = draw_curve(rng, p, infusion=1), draw_curve(rng, p, infusion=2)
    rows = [count_row(rng, p, day, count=first.at(day)) for day in count_days(rng, p.interval - 10, p.before)]
    if rng.random() > 0.08:
        left = p.interval - rng.choice((0, 0, 1, 6))
        rows.append(count_row(rng, p, left, count=first.at(left)))
    end = int(second.peak_day) if p.patient_id == STILL_RISING else p.last_day
    days = [] if p.patient_id in NOT_COUNTED else count_days(rng, end, p.after)
    days = sorted(days + days[3:4]) if p.patient_id in COUNTED_TWICE else days
    return rows + [count_row(rng, p, p.interval + day, count=second.at(day)) for day in days]


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


def main() -> None:
    """Draw the cohort and write its tables beside this script."""
    rng, folder = random.Random(SEED), Path(__file__).resolve().parent
    patients = draw_cohort(rng)
    write(folder, "patients", [patient_row(p) for p in patients])
    write(folder, "infusions", [row for p in patients for row in infusion_rows(rng, p)])
    write(folder, "responses", [row for p in patients for row in response_rows(p)])
    write(folder, "mrd", [row for p in patients for row in mrd_rows(rng, p)])
    apart = random.Random(COUNTS_SEED)
    write(folder, "counts", [row for p in patients for row in count_rows(apart, p)])
    write(folder, "toxicities", [row for p in patients for row in toxicity_rows(rng, p)])
    write(folder, "therapies", [row for p in patients for row in therapy_rows(p)])


if __name__ == "__main__":
    main()

"""The synthetic counts of CAR-T cells, drawn apart from the other tables.

They follow the curve of Stein et al. (CPT Pharmacometrics Syst Pharmacol 2019;8:285-295) for tisagenlecleucel:
exponential growth to a peak, then a fast decline of effector and a slow one of memory cells. Its typical peak day,
growth and contraction are kept. Peaks and memory by group are invented, so that the cells persist after CART2 where
both factors are favourable, are lost in weeks to months where one is, and early where none is.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from reinfuse.data.synthetic_cohort.margins import REGIMENS
from reinfuse.data.synthetic_cohort.patients import Patient, Visit

Row = tuple[object, ...]
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


@dataclass(frozen=True)
class CountCurve:
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


def draw_curve(rng: random.Random, p: Patient, *, infusion: int) -> CountCurve:
    """Draw a patient's curve; a peak after CART2 is higher in who responded at the first visit."""
    flu, raised = p.regimens[0] in REGIMENS["F"], p.doses[1] > p.doses[0]
    peak, memory, decline = CURVES[(1, "Cy-Flu" if flu else "other") if infusion == 1 else (2, flu + raised)]
    if infusion == 2:
        peak *= 1.6 if p.after and p.after[0][1] in ("CR", "PR") else 0.7
    return CountCurve(
        0.0 if infusion == 2 and p.patient_id == ALL_BELOW else peak * rng.lognormvariate(0, 0.9),
        PEAK_DAY * rng.lognormvariate(0, 0.2), memory * rng.lognormvariate(0, 0.6),
        CONTRACTION * rng.lognormvariate(0, 0.25), decline * rng.lognormvariate(0, 0.5),
    )  # fmt: skip


def count_days(rng: random.Random, end: int, *, visits: Sequence[Visit]) -> list[int]:
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
    rows = [count_row(rng, p, day, count=first.at(day)) for day in count_days(rng, p.interval - 10, visits=p.before)]
    if rng.random() > 0.08:
        left = p.interval - rng.choice((0, 0, 1, 6))
        rows.append(count_row(rng, p, left, count=first.at(left)))
    end = int(second.peak_day) if p.patient_id == STILL_RISING else p.last_day
    days = [] if p.patient_id in NOT_COUNTED else count_days(rng, end, visits=p.after)
    days = sorted(days + days[3:4]) if p.patient_id in COUNTED_TWICE else days
    return rows + [count_row(rng, p, p.interval + day, count=second.at(day)) for day in days]

"""Profiles and non-compartmental parameters, by hand and against published worked examples of PKNCA."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from helpers import read
from reinfuse.kinetics.nca import area, folds, nca, persistence, terminal_phase
from reinfuse.kinetics.profiles import Profile, profiles
from reinfuse.plan.kinetics_rules import BelowRules, NcaRules

LENIENT = NcaRules(least_r2=0.0, least_span=0.0)


def profile(days, values, below=None, until=None):
    low = np.zeros(len(days), dtype=bool) if below is None else np.array(below, dtype=bool)
    return Profile("P", 1, "total", "cells/uL", np.array(days, dtype=float), np.array(values, dtype=float), low,
                   until=until)  # fmt: skip


def value(parameters, code):
    return next(p for p in parameters if p.code == code)


def test_areas_by_hand():
    """Up: a triangle of 4 x 8 / 2 = 16; down from 8 to 2 in 4 days: (8 - 2) / ln 4 x 4."""
    day, counts = np.array([0.0, 4.0, 8.0]), np.array([0.0, 8.0, 2.0])
    assert area(day, counts, 4.0) == pytest.approx(16)
    assert area(day, counts, 8.0) == pytest.approx(16 + 4 * 6 / math.log(4))
    assert area(day, counts, 6.0) == pytest.approx(16 + 2 * 4 / math.log(2))  # at day 6 the curve is at 4
    assert area(day, counts, 2.0) == pytest.approx(4)  # a smaller triangle
    assert area(day, counts, 20.0) == pytest.approx(area(day, counts, 8.0))
    flat = area(np.array([0.0, 2.0]), np.array([3.0, 3.0]), 2.0)
    assert flat == pytest.approx(6)


def test_a_fall_to_zero_is_linear():
    assert area(np.array([0.0, 2.0]), np.array([4.0, 0.0]), 2.0) == pytest.approx(4)


def test_half_lives_of_published_examples():
    """PKNCA, tests of the half-life: 1, 0.5, 0.25, 0.1251 at 0 to 3; the peak is no point of the terminal phase."""
    phase, why = terminal_phase(profile([1, 2, 3, 4], [1, 0.5, 0.25, 0.1251]), LENIENT)
    assert why is None
    assert math.log(2) / phase.slope == pytest.approx(1.000577, abs=1e-5)
    assert (phase.points, phase.first, phase.last) == (3, 2.0, 4.0)
    exact, _ = terminal_phase(profile([0.5, 1, 2, 3, 4], [0.1, 8, 4, 2, 1]), LENIENT)
    assert math.log(2) / exact.slope == pytest.approx(1)
    assert exact.r2 == pytest.approx(1)


def test_theophylline_of_the_first_subject():
    """Area to the last sample and terminal phase, worked out once more here from the definition."""
    day = [0.25, 0.57, 1.12, 2.02, 3.82, 5.10, 7.03, 9.05, 12.12, 24.37]
    counts = [2.84, 6.57, 10.50, 9.66, 8.58, 8.36, 7.47, 6.89, 5.94, 3.28]
    one = profile(day, counts)
    phase, _ = terminal_phase(one, LENIENT)
    x, y = np.array(day[-3:]), np.log(counts[-3:])
    assert phase.points == 3
    assert phase.slope == pytest.approx(-np.polyfit(x, y, 1)[0])
    assert math.log(2) / phase.slope == pytest.approx(14.3, abs=0.05)
    total, (a, c) = 0.0, (0.0, 0.0)
    for b, d in zip(day, counts, strict=True):
        total += (b - a) * ((c - d) / math.log(c / d) if d < c else (c + d) / 2)
        a, c = b, d
    assert value(nca(one), "AUCLST").value == pytest.approx(total)


def test_the_extremes():
    parameters = nca(profile([3, 7, 10, 28], [5, 90, 90, 2]))
    assert [value(parameters, c).value for c in ("CMAX", "TMAX", "CLST", "TLST")] == [90, 7, 2, 28]


def test_a_peak_at_the_last_count_is_told():
    parameters = nca(profile([3, 7], [5, 90]))
    assert value(parameters, "TMAX").reason == "the peak is the last count: it may lie later"
    assert value(parameters, "LAMZHL").reason == "0 counts after the peak, fewer than 3"
    assert value(parameters, "AUCINT28").reason == "no count at or after day 21"


def test_everything_below_the_limit_and_a_single_count():
    low = nca(profile([3, 7, 14], [1, 1, 1], [1, 1, 1]))
    assert value(low, "CMAX").value is None
    assert value(low, "CMAX").reason == "every count is below the limit of quantification"
    assert value(low, "TBLQ").value == 3
    one = nca(profile([7], [50]))
    assert value(one, "CMAX").value == 50
    assert value(one, "AUCLST").value == pytest.approx(175)
    assert value(one, "TBLQ").value is None


def test_counts_below_the_limit_by_their_place():
    """Before the peak 0, between missing, after the last half the limit, then 0; each rule can be chosen."""
    one = profile([2, 6, 10, 14, 21, 28], [1, 16, 1, 8, 1, 1], [1, 0, 1, 0, 1, 1])
    up, flat = 4 * 16 / 2, 8 * (16 - 8) / math.log(2)
    tail = 7 * (8 - 0.5) / math.log(16) + 7 * 0.5 / 2
    assert value(nca(one), "AUCINT28").value == pytest.approx(up + flat + tail)
    zero = NcaRules(below=BelowRules(between="zero", after="zero"))
    assert value(nca(one, zero), "AUCINT28").value == pytest.approx(up + 4 * 8 + 4 * 4 + 7 * 4)
    half = NcaRules(below=BelowRules(before="half", between="half", after="missing"))
    first = 2 * 0.5 / 2 + 4 * 16.5 / 2
    middle = 4 * 15.5 / math.log(32) + 4 * 8.5 / 2
    assert value(nca(one, half), "AUCLST").value == pytest.approx(first + middle)


def test_areas_beyond_the_last_count_say_how():
    falling = profile([1, 5, 9, 13, 17, 24], [1, 64, 32, 16, 8, 64 / 2 ** (19 / 4)])
    made = value(nca(falling), "AUCINT28")
    slope = math.log(2) / 4
    tail = falling.value[-1] * (1 - math.exp(-slope * 4)) / slope
    assert made.value == pytest.approx(value(nca(falling), "AUCLST").value + tail)
    assert made.reason == "from day 24 on along the terminal slope"
    cut = profile([1, 5, 22], [1, 64, 8], until=25.0)
    assert value(nca(cut), "AUCINT28").reason == "the next infusion came on day 25"
    assert value(nca(profile([1, 5, 22], [1, 64, 8])), "AUCINT28").reason == "to day 22, the last count"


def test_half_lives_are_refused_with_the_reason():
    rising = profile([1, 2, 5, 9, 14], [9, 1, 2, 3, 4])
    assert terminal_phase(rising)[1] == "no terminal decline"
    noisy = profile([1, 2, 3, 4, 5], [90, 5, 9, 2, 8])
    assert terminal_phase(noisy)[1].startswith("adjusted R2 ")
    short = profile([1, 2, 3, 4], [90, 10, 9.9, 9.8])
    assert terminal_phase(short)[1] == "the counts span 0.0 half-lives, fewer than 1"


@pytest.mark.parametrize(("below", "interval"), [
    ([0, 0, 0, 0], (28.0, None)), ([0, 0, 1, 1], (7.0, 14.0)), ([0, 0, 0, 1], (14.0, None)),
    ([0, 1, 0, 0], (28.0, None)),
    ([1, 1, 0, 0], (28.0, None)), ([0, 1, 1, 0], (3.0, 7.0)), ([1, 1, 1, 1], (0.0, 3.0)), ([1, 0, 1, 1], (7.0, 14.0)),
])  # fmt: skip
def test_persistence_ends_with_the_first_of_two_results_below(below, interval):
    assert persistence(profile([3, 7, 14, 28], [1, 1, 1, 1], below)) == interval


def test_time_above_a_level_by_hand():
    """Up from 0 to 8 in 4 days: above 4 from day 2; down from 8 to 2 in 4 days: 4 is passed after 2 days."""
    rules = NcaRules(above=4.0)
    assert value(nca(profile([4, 8], [8, 2]), rules), "TABOVE").value == pytest.approx(4)
    assert value(nca(profile([4, 8], [3, 2]), rules), "TABOVE").value == 0


@pytest.mark.parametrize(("limits", "days"), [([10, 10], 0.0), ([10, 20], None), ([10, math.nan], None)])
def test_time_above_a_level_where_every_count_is_below_the_limit(limits, days):
    """Below 10 is not above 10; below 20, or below a limit that nobody knows, may be."""
    above = value(nca(profile([7, 14], limits, [1, 1]), NcaRules(above=10.0)), "TABOVE")
    assert above.value == days
    assert above.reason.startswith("every count is below the limit of quantification")


RULES = list(itertools.product(("zero", "missing", "half"), repeat=3))


@pytest.mark.parametrize("level", [5e-324, 1e-300, 0.5, 1e300, 1.7e308])
def test_every_profile_has_its_parameters_under_every_rule(level):
    """All patterns of counts below the limit, with known and unknown limits: nothing fails, and no time is negative."""
    for below in itertools.product((False, True), repeat=4):
        for unknown in (False, True):
            counts = [math.nan if low and unknown else count for count, low in zip((9, 1, 1, 4), below, strict=True)]
            one = profile([3, 7, 14, 28], counts, below)
            for rules in RULES:
                parameters = nca(one, NcaRules(BelowRules(*rules), (0.5, 28.0, 1e5), level))
                numbers = [p.value for p in parameters if p.value is not None and p.code != "R2ADJ"]
                assert all(0 <= number < math.inf for number in numbers)
                assert all(p.reason for p in parameters if p.value is None)


COHORT = {
    "patients": "patient_id,last_contact,death,diagnosis\nA,400,,CLL",
    "infusions": """patient_id,infusion,day,dose_cells_per_kg,lymphodepletion
        A,1,0,1e6,Cy
        A,2,100,2e6,Cy/Flu""",
}


def test_counts_belong_to_the_latest_infusion_and_the_residue_is_told(tmp_path):
    counts = """patient_id,day,value,unit,lloq,below_lloq,subset
        A,-3,0,cells/uL,1,yes,
        A,7,50,cells/uL,1,,
        A,60,2,cells/uL,1,,
        A,100,1.5,cells/uL,1,,
        A,107,300,cells/uL,1,,
        A,107,300,cells/uL,1,,
        A,128,0.5,cells/uL,1,,
        A,107,90000,copies/ug,,,
        A,107,40,cells/uL,1,,CD8"""
    of_cohort = profiles(read(tmp_path, **COHORT, counts=counts))
    keys = [(p.infusion, p.subset, p.unit) for p in of_cohort.profiles]
    assert keys == [
        (1, "total", "cells/uL"),
        (2, "CD8", "cells/uL"),
        (2, "total", "cells/uL"),
        (2, "total", "copies/ug"),
    ]
    first, second = of_cohort.profiles[0], of_cohort.profiles[2]
    assert (first.day.tolist(), first.value.tolist(), first.until) == ([7, 60, 100], [50, 2, 1.5], 100)
    assert (second.day.tolist(), second.residue) == ([7, 28], 1.5)
    assert second.value[0] == pytest.approx(300)
    assert second.below.tolist() == [False, True]
    assert of_cohort.notes == ("counts before the first infusion, left out: 1 times",
                           "more than one count of a subset and unit on one day, averaged: 1 times")  # fmt: skip


def test_units_are_never_mixed_in_a_fold(tmp_path):
    counts = """patient_id,day,value,unit
        A,7,50,cells/uL
        A,107,300,cells/uL
        A,108,90000,copies/ug"""
    of_cohort = profiles(read(tmp_path, **COHORT, counts=counts)).profiles
    assert folds([(p, nca(p)) for p in of_cohort]) == {("A", 2, "total", "cells/uL"): pytest.approx(6)}


def test_zeros_are_below_the_limit_and_a_cohort_without_counts_has_no_profile(tmp_path):
    of_cohort = profiles(
        read(tmp_path, **COHORT, counts="patient_id,day,value,unit\nA,7,0,cells/uL\nA,9,0,cells/uL")
    ).profiles
    assert of_cohort[0].below.tolist() == [True, True]
    assert value(nca(of_cohort[0]), "CMAX").value is None
    assert profiles(read(tmp_path, **COHORT)).profiles == ()

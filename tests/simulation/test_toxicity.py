"""What a protocol costs: published rates given back, by hand, and their uncertainty."""

import numpy as np
import pytest
from scipy.special import expit, logit

from reinfuse.simulation.model import toxicities
from reinfuse.simulation.trial.protocol import Infusion
from reinfuse.simulation.trial.toxicity import NAMES, rates_of_members

RATES = rates_of_members(4000)


def infusion(lymphodepletion, dose, **courses):
    return Infusion(lymphodepletion=lymphodepletion, dose_cells_per_kg=dose, **courses)


def test_a_course_has_the_published_rates():
    of = RATES.of(infusion("Cy-Flu", 2e6))
    assert set(of) == set(NAMES)
    assert of["prolonged_neutropenia"].mean() == pytest.approx(33 / 173, abs=0.005)
    assert np.quantile(of["prolonged_neutropenia"], [0.025, 0.975]) == pytest.approx(
        [0.139, 0.254], abs=0.008
    )  # Jeffreys


def test_infections_of_the_trial_are_given_back():
    """35, 86 and 12 patients by dose; 104 of 133 after Cy-Flu, the others after half of it."""
    n = sum(count * share * RATES.of(infusion(ld, dose))["infection_28_days"]
            for dose, count in ((2e5, 35), (2e6, 86), (2e7, 12))
            for ld, share in (("Cy-Flu", 104 / 133), ("Cy", 29 / 133)))  # fmt: skip
    assert n.mean() == pytest.approx(30, abs=0.6)


def test_severe_neurotoxicity_at_cart2_of_the_reference_study_is_given_back():
    share = sum(w * RATES.of(infusion("Cy-Flu", dose))["neurotoxicity_grade_3"]
                for dose, w in ((2e7, 36 / 44), (2e6, 8 / 44)))  # fmt: skip
    assert share.mean() == pytest.approx(5.5 / 45, abs=0.005)  # Jeffreys' mean of 5 of 44


def test_two_courses_by_hand_and_none():
    one, two, none = (RATES.of(infusion("Cy-Flu", 2e6, cy=c, flu=c)) for c in (1.0, 2.0, 0.0))
    for name in ("prolonged_neutropenia", "infection_28_days"):
        assert two[name] == pytest.approx(1 - (1 - one[name]) ** 2)
        assert np.all(none[name] == 0)
    ratio = np.median(logit(one["neurotoxicity_grade_3"]) - logit(none["neurotoxicity_grade_3"]))
    assert ratio == pytest.approx(0.3097, abs=0.04)


def test_a_tenfold_dose_has_the_published_ratios():
    low, high = (RATES.of(infusion("Cy-Flu", dose)) for dose in (2e6, 2e7))
    hazards = np.log1p(-high["infection_28_days"]) / np.log1p(-low["infection_28_days"])
    assert np.median(hazards) == pytest.approx(3.15, rel=0.05)
    odds = logit(high["neurotoxicity_grade_3"]) - logit(low["neurotoxicity_grade_3"])
    assert np.median(odds) == pytest.approx(1.0141, abs=0.03)  # glm of R on the published numbers
    smaller = RATES.of(infusion("Cy-Flu", 2e5))
    assert np.array_equal(smaller["infection_28_days"], low["infection_28_days"])


def test_the_declared_effects_are_those_of_the_published_numbers():
    """The slope solves the score equations of a logistic regression; R's glm gives 1.01407 (0.40902)."""
    slope, intercept = toxicities.NEUROTOXICITY_DOSE.log_ratio, -1.2376871
    dose, events, n = (np.array(column) for column in zip(*toxicities.NEUROTOXICITY_BY_DOSE, strict=True))
    x = np.log10(dose / 2e6)
    share = expit(intercept + slope * x)
    assert np.sum((events - n * share) * x) == pytest.approx(0, abs=0.01)
    information = np.array([[np.sum(n * share * (1 - share) * a * b) for a in (1, x)] for b in (1, x)])
    assert np.linalg.inv(information)[1, 1] ** 0.5 == pytest.approx(toxicities.NEUROTOXICITY_DOSE.error, abs=1e-3)
    flu = np.log((23 / 81) / (5 / 24))
    assert toxicities.NEUROTOXICITY_FLU.log_ratio == pytest.approx(flu, abs=1e-3)
    assert toxicities.NEUROTOXICITY_FLU.error == pytest.approx((1 / 23 + 1 / 81 + 1 / 5 + 1 / 24) ** 0.5, abs=1e-3)
    infection = toxicities.INFECTION_BY_DOSE
    assert infection.log_ratio == pytest.approx(np.log(3.15), abs=1e-3)
    assert infection.error == pytest.approx(np.log(8.01 / 1.24) / 3.919928, abs=1e-3)


def test_every_number_has_its_source():
    for one in (*toxicities.RATES, *toxicities.EFFECTS):
        assert any(name in one.source for name in ("Hill 2018", "Juluri 2022", "Gust 2017", "Gauthier 2021"))
    assert rates_of_members(50) is rates_of_members(50)

"""Toxicity of an infusion beside severe CRS, by published rates (`model.toxicities`), in each member of an ensemble.

A course has a hazard; that of an infusion grows with its courses and, of infections, with the dose. The rates are
uncertain: each member has its own, drawn from Jeffreys' posterior of the published numbers and from the errors of the
published effects. They depend on the protocol and the member alone, not on the patient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import expit

from reinfuse.arrays import Floats
from reinfuse.simulation.calibration.reference_study import HIGH, LOW
from reinfuse.simulation.calibration.summary_statistics import RAISED
from reinfuse.simulation.model.toxicities import (
    INFECTION,
    INFECTION_BY_DOSE,
    NEUROTOXICITY,
    NEUROTOXICITY_DOSE,
    NEUROTOXICITY_FLU,
    PROLONGED_NEUTROPENIA,
    PublishedEffect,
    PublishedRate,
)
from reinfuse.simulation.trial.protocol import Infusion

NAMES = (NEUROTOXICITY.name, INFECTION.name, PROLONGED_NEUTROPENIA.name)
_REFERENCE_DOSE = 2e6
_TRIAL = ((2e5, 35), (2e6, 86), (2e7, 12))
"""Doses of the 133 patients in whom infections were counted (Hill 2018, table 1)."""
_WITHOUT_FLU = 29 / 133
_HALF = 0.5
"""Of Jeffreys' prior; and the courses of cyclophosphamide alone."""
_SEED = 20180104
_HALVINGS = 80


@dataclass(frozen=True)
class ToxicityRates:
    """Rates of each member; arrays of shape (members,).

    Attributes
    ----------
    neutropenia, infection
        Hazard of a course, of infection at 2e6 cells/kg or less.
    infection_by_dose
        Log hazard ratio of a tenfold dose above it.
    neurotoxicity, by_dose, by_fludarabine
        Log odds of severe neurotoxicity at 2e6 cells/kg without fludarabine, and what a tenfold dose and a course add.
    """

    neutropenia: Floats
    infection: Floats
    infection_by_dose: Floats
    neurotoxicity: Floats
    by_dose: Floats
    by_fludarabine: Floats

    def of(self, infusion: Infusion) -> Mapping[str, Floats]:
        """Return the probability of each toxicity of an infusion in each member."""
        cy, flu = infusion.courses
        courses, tenfolds = (cy + flu) / 2, np.log10(infusion.dose_cells_per_kg / _REFERENCE_DOSE)
        raised = np.exp(self.infection_by_dose * max(tenfolds, 0.0))
        return {
            NEUROTOXICITY.name: expit(self.neurotoxicity + self.by_dose * tenfolds + self.by_fludarabine * flu),
            INFECTION.name: -np.expm1(-courses * self.infection * raised),
            PROLONGED_NEUTROPENIA.name: -np.expm1(-courses * self.neutropenia),
        }

    def burden(self, infusion: Infusion) -> Floats:
        """Return the expected number of these toxicities of an infusion, in each member."""
        expected: Floats = np.sum(list(self.of(infusion).values()), axis=0)
        return expected


@lru_cache(maxsize=8)
def rates_of_members(members: int) -> ToxicityRates:
    """Return the rates of the members of an ensemble."""
    random = np.random.default_rng([_SEED, members])

    def rate(of: PublishedRate) -> Floats:
        drawn: Floats = random.beta(of.events + _HALF, of.n - of.events + _HALF, members)
        return drawn

    def effect(of: PublishedEffect) -> Floats:
        drawn: Floats = of.log_ratio + of.error * random.standard_normal(members)
        return drawn

    infection_by_dose, by_dose, by_flu = (effect(e) for e in (INFECTION_BY_DOSE, NEUROTOXICITY_DOSE, NEUROTOXICITY_FLU))
    return ToxicityRates(
        -np.log1p(-rate(PROLONGED_NEUTROPENIA)), _infection(rate(INFECTION), infection_by_dose), infection_by_dose,
        _neurotoxicity(rate(NEUROTOXICITY), by_dose, by_flu), by_dose, by_flu,
    )  # fmt: skip


def _infection(rate: Floats, by_dose: Floats) -> Floats:
    """Return the hazard of a course with which the trial's doses and regimens give the rate."""
    n = sum(count for _, count in _TRIAL)

    def mean(hazard: Floats) -> Floats:
        total = np.zeros(len(rate))
        for dose, count in _TRIAL:
            raised = hazard * np.exp(by_dose * max(np.log10(dose / _REFERENCE_DOSE), 0.0))
            for courses, share in ((1.0, 1 - _WITHOUT_FLU), (_HALF, _WITHOUT_FLU)):
                total -= count / n * share * np.expm1(-courses * raised)
        return total

    return _solved(mean, rate, low=0.0, high=20.0)


def _neurotoxicity(rate: Floats, by_dose: Floats, by_flu: Floats) -> Floats:
    """Return the log odds with which CART2 of the reference study, after Cy-Flu, has the rate."""
    doses = ((HIGH, RAISED), (LOW, 1 - RAISED))

    def mean(intercept: Floats) -> Floats:
        total = np.zeros(len(rate))
        for dose, share in doses:
            total += share * expit(intercept + by_flu + by_dose * np.log10(dose / _REFERENCE_DOSE))
        return total

    return _solved(mean, rate, low=-30.0, high=30.0)


def _solved(of: Callable[[Floats], Floats], value: Floats, *, low: float, high: float) -> Floats:
    """Return where an increasing function has each value, by bisection."""
    least, most = np.full(len(value), low), np.full(len(value), high)
    for _ in range(_HALVINGS):
        middle: Floats = (least + most) / 2
        below = of(middle) < value
        least, most = np.where(below, middle, least), np.where(below, most, middle)
    value_at: Floats = (least + most) / 2
    return value_at

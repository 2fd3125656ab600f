"""What a protocol costs beside severe CRS: published rates of toxicity, declared once, each with its source.

Code, `docs/virtual.md` and `reinfuse virtual parameters` take them from here. A rate whose size could not be read is
not used; `NOT_USED` says which.
"""

from __future__ import annotations

from dataclasses import dataclass

HILL = "Hill 2018, Blood 131:121 (NCT01865617, 133 patients, 104 after Cy-Flu)"
JULURI = "Juluri 2022, Blood Adv, PMC9006285 (NCT01865617, 173 patients)"
GUST = "Gust 2017, Cancer Discov 7:1404, table 1 (NCT01865617, 133 patients)"
GAUTHIER = "Gauthier 2021, Blood 137:323"
SCORDO = "Scordo 2023, Blood Adv, doi 10.1182/bloodadvances.2023010302 (199 patients, axicabtagene ciloleucel)"


@dataclass(frozen=True)
class PublishedRate:
    """A published number of patients with a toxicity, of all; `worked_out`: how it comes from what is printed."""

    name: str
    label: str
    events: int
    n: int
    source: str
    worked_out: str = ""


@dataclass(frozen=True)
class PublishedEffect:
    """A published effect on a toxicity: the logarithm of a ratio and its standard error.

    Attributes
    ----------
    per
        What it is an effect of: a tenfold dose, or a course of fludarabine.
    """

    name: str
    label: str
    log_ratio: float
    error: float
    per: str
    source: str
    worked_out: str


PROLONGED_NEUTROPENIA = PublishedRate(
    "prolonged_neutropenia", "Neutrophils not recovered by day 28", 33, 173, JULURI,
    "cumulative incidence of recovery 81 %, so 19 % of 173",
)  # fmt: skip
INFECTION = PublishedRate("infection_28_days", "Any infection within 28 days", 30, 133, HILL)
NEUROTOXICITY = PublishedRate(
    "neurotoxicity_grade_3", "Neurotoxicity of grade 3 or more (CTCAE) after CART2", 5, 44, GAUTHIER, "11 % of 44"
)
RATES = (PROLONGED_NEUTROPENIA, INFECTION, NEUROTOXICITY)
NEUROTOXICITY_BY_DOSE = ((2e5, 5, 35), (2e6, 16, 86), (2e7, 7, 12))
"""Dose (cells/kg), patients with neurotoxicity of grade 3 to 5, patients (Gust 2017; the last worked out from the
totals, 28 of 133)."""
INFECTION_BY_DOSE = PublishedEffect(
    "infection_by_dose", "Infection: hazard ratio of a tenfold dose above 2e6/kg", 1.1474, 0.4759, "tenfold dose", HILL,
    "unadjusted hazard ratio of 2e7 vs 2e6, 3.15 (1.24 to 8.01); 2e6 and 2e5 were alike",
)  # fmt: skip
NEUROTOXICITY_DOSE = PublishedEffect(
    "neurotoxicity_by_dose", "Severe neurotoxicity: odds ratio of a tenfold dose", 1.0141, 0.4090, "tenfold dose", GUST,
    "logistic regression of 5 of 35, 16 of 86 and 7 of 12 on the logarithm of the dose",
)  # fmt: skip
NEUROTOXICITY_FLU = PublishedEffect(
    "neurotoxicity_by_fludarabine", "Severe neurotoxicity: odds ratio of a course of fludarabine", 0.3097, 0.5454,
    "course of fludarabine", GUST, "unadjusted: 23 of 104 after Cy-Flu, 5 of 29 after others",
)  # fmt: skip
EFFECTS = (INFECTION_BY_DOSE, NEUROTOXICITY_DOSE, NEUROTOXICITY_FLU)


@dataclass(frozen=True)
class ExposureClass:
    """A class of fludarabine exposure (AUC of the course, mg h/L, from `low` on) with what was published of it."""

    name: str
    low: float
    pfs_1_year: float
    relapse_6_months: float


EXPOSURE = (
    ExposureClass("low", 0.0, 0.39, 0.54),
    ExposureClass("optimal", 18.0, 0.66, 0.28),
    ExposureClass("high", 20.0, 0.46, 0.30),
)
"""Classes of Scordo 2023: below 18, 18 to 20, above 20 mg h/L; PFS at one year, progression by six months."""
CHARGES = (
    "charged to each infusion with lymphodepletion, by its courses (the mean of both drugs' courses: no rate of either "
    "alone was found): neutrophils not recovered by day 28, 33 of 173; any infection within 28 days, 30 of 133, its "
    "hazard 3.15 times as high with a tenfold dose above 2e6/kg",
    "neurotoxicity of grade 3 or more: log odds rise with the logarithm of the dose and with courses of fludarabine "
    "(published numbers), calibrated to 5 of 44 at CART2 of the reference study",
)
NOT_RECOVERED = (
    "neutropenia of grade 3 or more in 21 of 70 patients on day 30 and 3 of 31 after a year (Logue 2021, "
    "Haematologica, PMC8017820)"
)
NOT_USED = (
    "without lymphodepletion: no rate of infection or cytopenia was found, so the whole rate is charged to it",
    "tumour and neurotoxicity: more marrow disease, more neurotoxicity (Gust 2017), size not read",
    "fludarabine exposure and neurotoxicity: more of any grade above 20 mg h/L (Scordo 2023), size not read; so "
    "classes of exposure are reported with what was published of them, and not charged",
    "thrombocytopenia: 25 % without recovery by day 28 (Juluri 2022), not charged besides neutropenia",
    f"marrow that has not recovered when the next course begins: {NOT_RECOVERED}; no rate of harm by interval was "
    "found",
)


def exposure_class(auc: float) -> ExposureClass:
    """Return the class of a fludarabine exposure (AUC of the course, mg h/L)."""
    return [c for c in EXPOSURE if auc >= c.low][-1]

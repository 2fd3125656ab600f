"""The declaration of every input table: its check, its documentation and its empty template come from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from reinfuse.cohort.endpoint_catalog import ENDPOINTS, BuiltInEndpoint

Kind = Literal["id", "text", "choice", "yes_no", "number", "integer", "date", "day", "when", "regimen"]
"""`when` is a date or a day, whichever the cohort uses; `regimen` is a lymphodepletion in free text."""

NO_SYNONYMS: Mapping[str, str] = MappingProxyType({})

RESPONSES = ("CR", "CRi", "nPR", "PR", "SD", "PD", "NE")
"""Best first. NE: not evaluable."""

RESPONSE_WORDS = {
    "relapse": "PD", "relapsed": "PD", "progression": "PD", "progressive disease": "PD", "pmd": "PD",
    "stable disease": "SD", "nmr": "SD", "partial response": "PR", "partial remission": "PR", "pmr": "PR",
    "complete response": "CR", "complete remission": "CR", "cmr": "CR", "not evaluable": "NE",
    "not evaluated": "NE", "not assessed": "NE",
}  # fmt: skip

DIAGNOSIS_WORDS = {
    "all": "ALL", "b-all": "ALL", "acute lymphoblastic leukemia": "ALL", "acute lymphoblastic leukaemia": "ALL",
    "cll": "CLL", "cll/sll": "CLL", "chronic lymphocytic leukemia": "CLL",
    "chronic lymphocytic leukaemia": "CLL", "nhl": "NHL", "b-nhl": "NHL",
    "non-hodgkin lymphoma": "NHL", "non-hodgkin's lymphoma": "NHL",
}  # fmt: skip

MRD_WORDS = {
    "negative": "undetectable", "neg": "undetectable", "umrd": "undetectable", "not detected": "undetectable",
    "mrd-": "undetectable", "positive": "detectable", "pos": "detectable", "detected": "detectable",
    "mrd+": "detectable",
}  # fmt: skip

GRADES = (0, 5)
DOSE_RANGE = (1e3, 1e9)
DAYS = (-36500, 36500)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an input table.

    Attributes
    ----------
    required
        The column must be there.
    filled
        No cell of it may be empty.
    low, high
        Inclusive range of a number.
    words
        Other spellings that are understood, in lower case, and what they are read as.
    free
        Texts other than the choices are kept as they stand.
    empty_tells
        An empty cell says something (no death: alive), so that a word for `not known` is a problem.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    filled: bool = False
    choices: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=lambda: NO_SYNONYMS)
    free: bool = False
    empty_tells: bool = False
    low: float | None = None
    high: float | None = None
    unit: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One input table. `timed`: ``must`` or ``may`` carry a `date` or a `day` column, or ``no``.

    `also` holds columns of another table that are understood in this one too.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    required: bool = False
    timed: Literal["must", "may", "no"] = "must"
    key: tuple[str, ...] = ()
    also: tuple[Column, ...] = ()

    def column(self, name: str) -> Column | None:
        """Return the declared column of that name, if there is one."""
        return next((c for c in (*self.columns, *self.also) if c.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the declared columns, in order."""
        return tuple(c.name for c in self.columns)


_PATIENT = Column("patient_id", "id", "patient identifier, identical in every table", True, True, example="P01")
_DATE = Column("date", "date", "ISO 8601 date (YYYY-MM-DD); or use `day`", filled=True, example="2024-03-15")
_DAY = Column(
    "day", "day", "whole days; day 0 = first CAR-T infusion, negative before; or use `date`", filled=True,
    low=DAYS[0], high=DAYS[1], unit="days", example="0",
)  # fmt: skip
_INFUSION = Column("infusion", "integer", "number of the CAR-T infusion: 1, 2, ...", True, True, low=1, high=20)
_SEX = Column("sex", "choice", "sex", choices=("F", "M", "other"), words={"female": "F", "male": "M"}, example="F")
_AGE = Column("age_years", "number", "age at CART1", low=0, high=120, unit="years", example="61")
_DIAGNOSIS = Column(
    "diagnosis", "choice", "ALL, CLL, NHL, or another text", choices=("ALL", "CLL", "NHL"),
    words=DIAGNOSIS_WORDS, free=True, example="CLL",
)  # fmt: skip
_PRIOR = Column("prior_lines", "number", "prior lines of therapy", low=0, high=50, unit="lines", example="5")
_BULKY = Column("bulky", "yes_no", "bulky disease before the infusion", example="yes")


def _dose(name: str, required: bool = False) -> Column:
    meaning = "CAR-positive viable T cells per kg of body weight (not the total number of cells)"
    return Column(
        name, "number", meaning, required, low=DOSE_RANGE[0], high=DOSE_RANGE[1], unit="cells/kg", example="2e6"
    )


def _regimen(name: str, required: bool = False) -> Column:
    meaning = "chemotherapy before the infusion, free text: `Cy/Flu`, `fludarabine + cyclophosphamide`, `none`"
    return Column(name, "regimen", meaning, required, example="Cy/Flu")


def grade_column(name: str, kind: str) -> Column:
    """Return the wide sheet's column for the worst grade of one kind of toxicity."""
    return Column(name, "integer", f"worst grade of {kind} after the index infusion", low=GRADES[0], high=GRADES[1])


PATIENTS = TableSchema(
    "patients", "one row per patient", timed="no", required=True, key=("patient_id",), also=(_PRIOR, _BULKY),
    columns=(
        _PATIENT,
        Column("last_contact", "when", "date or day on which the patient was last known alive", True),
        Column("death", "when", "date or day of death; empty = alive at last contact", True,
               empty_tells=True),
        Column("death_cause", "choice", "cause of death", choices=("disease", "treatment", "other", "unknown")),
        Column("diagnosis", "choice", _DIAGNOSIS.meaning, True, choices=_DIAGNOSIS.choices,
               words=DIAGNOSIS_WORDS, free=True, example="CLL"),
        Column("histology", "text", "histology"),
        _SEX,
        _AGE,
    ),
)  # fmt: skip

INFUSIONS = TableSchema(
    "infusions", "one row per CAR-T infusion", required=True, key=("patient_id", "infusion"),
    also=(_DIAGNOSIS, _SEX, _AGE),
    columns=(
        _PATIENT, _INFUSION, _DATE, _DAY,
        Column("product", "text", "CAR-T product"),
        _dose("dose_cells_per_kg", True),
        _regimen("lymphodepletion", True),
        Column("reason", "choice", "reason for the infusion; `planned` soon after another: part of it (split dose)",
               choices=("relapse", "progression", "persistent disease", "no response", "planned")),
        _PRIOR, _BULKY,
    ),
)  # fmt: skip

RESPONSES_TABLE = TableSchema(
    "responses", "one row per response assessment",
    columns=(
        _PATIENT, _DATE, _DAY,
        Column("response", "choice", "response at this assessment; `relapse` counts as PD", True, True,
               choices=RESPONSES, words=RESPONSE_WORDS, example="PR"),
        Column("criteria", "choice", "criteria used", choices=("iwCLL", "Lugano", "NCCN"), free=True),
        Column("size", "number", "tumour size, such as the sum of products of diameters, in one unit; baseline: last "
               "value up to the infusion", low=0),
    ),
)  # fmt: skip

MRD = TableSchema(
    "mrd", "one row per test for measurable residual disease; `result` or `value`, or both",
    columns=(
        _PATIENT, _DATE, _DAY,
        Column("result", "choice", "result of the test", choices=("undetectable", "detectable"), words=MRD_WORDS),
        Column("value", "number", "leukaemic cells as a fraction of leukocytes", low=0, high=1, unit="fraction"),
        Column("method", "choice", "assay", choices=("flow", "NGS", "PCR"), free=True),
        Column("compartment", "choice", "sample", choices=("blood", "marrow"), free=True,
               words={"bone marrow": "marrow", "bm": "marrow", "pb": "blood", "peripheral blood": "blood"}),
    ),
)  # fmt: skip

COUNTS = TableSchema(
    "counts", "one row per count of CAR-T cells",
    columns=(
        _PATIENT, _DATE, _DAY,
        Column("value", "number", "the count; 0 or the limit if below the limit", True, low=0),
        Column("unit", "choice", "unit of the count", True, True, choices=("cells/uL", "copies/ug"),
               words={"cells/µl": "cells/uL", "cells/μl": "cells/uL", "copies/µg": "copies/ug",
                      "copies/μg": "copies/ug"}),
        Column("lloq", "number", "lower limit of quantification, in the same unit", low=0),
        Column("below_lloq", "yes_no", "the count is below that limit"),
        Column("subset", "choice", "cell subset", choices=("total", "CD4", "CD8")),
    ),
)  # fmt: skip

TOXICITIES = TableSchema(
    "toxicities", "one row per toxicity of an infusion", timed="may",
    columns=(
        _PATIENT, _INFUSION,
        Column("kind", "choice", "CRS, ICANS, NT (neurotoxicity by CTCAE), or another text", True, True,
               choices=("CRS", "ICANS", "NT"), free=True, example="CRS",
               words={"cytokine release syndrome": "CRS", "neurotoxicity": "NT"}),
        Column("grade", "integer", "grade of severity", True, True, low=GRADES[0], high=GRADES[1], example="2"),
        Column("date", "date", _DATE.meaning), Column("day", "day", _DAY.meaning, low=DAYS[0], high=DAYS[1]),
    ),
)  # fmt: skip

THERAPIES = TableSchema(
    "therapies", "one row per therapy other than CAR-T infusions and their lymphodepletion",
    columns=(
        _PATIENT, _DATE, _DAY,
        Column("therapy", "text", "therapy given", True, example="ibrutinib"),
        Column("kind", "choice", "kind of therapy; all but `supportive` count as new anticancer therapy",
               choices=("anticancer", "allo-HCT", "auto-HCT", "radiation", "supportive"),
               words={"allo hct": "allo-HCT", "allo-sct": "allo-HCT", "auto hct": "auto-HCT",
                      "auto-sct": "auto-HCT", "radiotherapy": "radiation"}),
    ),
)  # fmt: skip

TABLES: Mapping[str, TableSchema] = MappingProxyType(
    {t.name: t for t in (PATIENTS, INFUSIONS, RESPONSES_TABLE, MRD, COUNTS, TOXICITIES, THERAPIES)}
)


def _flag(name: str, what: str) -> Column:
    words = {"1": "yes", "0": "no"}
    return Column(name, "yes_no", f"1 = {what}, 0 = censored (yes/no, true/false are read too)", words=words)


def _days(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning, low=0, high=DAYS[1], unit="days")


def _timed(endpoint: BuiltInEndpoint) -> tuple[Column, Column]:
    """Return the columns of a time to event."""
    time, event = endpoint.columns
    return _days(time, endpoint.duration), _flag(event, endpoint.event)


WIDE = TableSchema(
    "sheet", "wide sheet: one row per patient, times already derived", timed="no", key=("patient_id",),
    columns=(
        Column("patient_id", "id", "patient identifier", example="P01"),
        _DIAGNOSIS, _SEX, _AGE, _PRIOR, _BULKY,
        _regimen("cart1_lymphodepletion"), _dose("cart1_dose_cells_per_kg"),
        _regimen("cart2_lymphodepletion"), _dose("cart2_dose_cells_per_kg"),
        Column("interval_days", "number", "days from CART1 to CART2", low=0, high=DAYS[1], unit="days"),
        Column("response", "choice", "best response after the index infusion; empty = not assessed",
               choices=RESPONSES, words=RESPONSE_WORDS),
        *(Column(e.name, "yes_no", e.label[:1].lower() + e.label[1:]) for e in ENDPOINTS.values()
          if e.kind == "binary" and e.column and e.name != "response"),
        grade_column("crs_grade", "CRS"), grade_column("icans_grade", "ICANS"),
        grade_column("nt_grade", "neurotoxicity by CTCAE"),
        *(column for e in ENDPOINTS.values() if e.kind == "time" for column in _timed(e)),
        _days("first_assessment_day", "day of the first adequate assessment after the index infusion, from which the "
              "default landmark of response follows"),
        _days("response_day", "day of the first response after the index infusion, for landmark analyses"),
        _days("umrd_day28_day", "day of the MRD test that counts as that of day 28"),
        Column("umrd_day28_compartment", "text", "compartment of that test, and compartments with discordant tests"),
        _days("transplant_day", "day of the first allogeneic transplant after the index infusion"),
        Column("best_size_change", "number", "best change in tumour size from baseline after the index infusion",
               low=-100, unit="percent"),
    ),
)  # fmt: skip

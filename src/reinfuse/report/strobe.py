"""The STROBE checklist for cohort studies: where each item stands in the report, and what only the authors can fill.

Items: von Elm E, et al. Lancet 2007;370:1453-1457; what each asks is said in our own, shorter words.
"""

from __future__ import annotations

from collections.abc import Callable

from reinfuse.findings import Findings
from reinfuse.report import numbers
from reinfuse.report.document import Row, Table

AUTHORS = "Only the authors"
_Where = Callable[["_Held"], str]


def checklist(findings: Findings) -> Table:
    """Return the checklist, true of exactly what was run."""
    held = _Held(findings)
    rows = tuple(Row(item, (asks, where if isinstance(where, str) else where(held))) for item, asks, where in ITEMS)
    notes = (f"{AUTHORS}: what no software can know; the text after it says what is wanted",)
    return Table("strobe", "STROBE items and where they stand", ("Item", "Asks for", "Where"), rows, notes)


class _Held:
    """What the findings hold."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.analyses = {e.analysis for e in findings.estimates if e.estimate is not None}
        self.missing = any(e.statistic == "missing" and e.estimate for e in findings.estimates)
        self.hidden = any(numbers.hidden(e) for e in findings.estimates)
        self.excluded = any((e.term or "").startswith("excluded") for e in findings.estimates if e.analysis == "flow")
        self.follow_up = any(e.statistic == "median_follow_up" and e.estimate is not None for e in findings.estimates)
        self.models = {e.model for e in findings.estimates if e.analysis == "association"}

    def sections(self, *pairs: tuple[str, str]) -> str:
        """Return the names of the sections whose analysis was run."""
        return "; ".join(dict.fromkeys(name for analysis, name in pairs if analysis in self.analyses))


def _models(held: _Held) -> str:
    if not held.models:
        return "No model was asked for"
    kinds = {"univariable": "unadjusted", "multivariable": "adjusted"}
    told = " and ".join(kinds[m] for m in ("univariable", "multivariable") if m in held.models)
    return f"Factors associated with outcome ({told})"


def _sensitivity(held: _Held) -> str:
    found = held.sections(("calibrated", "How sure: simulated reference distribution"), ("permutation", "permutation"),
                          ("sensitivity", "E-values"), ("influence", "single patients"),
                          ("proportional", "proportional hazards"), ("imputation", "imputation"))  # fmt: skip
    return found or "None was asked for"


def _other(held: _Held) -> str:
    found = held.sections(("averaging", "How sure: model averaging"), ("landmark", "Factors learnt after the infusion"),
                          ("time_dependent", "Factors learnt after the infusion"), ("competing", "Competing events"),
                          ("standardised", "Combinations of protocols"),
                          ("paired", "This infusion and the one before"))  # fmt: skip
    return found or "None was asked for"


def _excluded(held: _Held) -> str:
    if held.excluded:
        return ", with reasons"
    return "" if held.hidden else "; nobody in the data was excluded"


def _missing(held: _Held) -> str:
    how = "multiple imputation beside complete cases" if "imputation" in held.analyses else "complete cases"
    return f"Methods: {how}" if held.models else "Patients: those not known are counted"


def _outcomes(held: _Held) -> str:
    return held.sections(("response", "Response"), ("survival", "Time to event"), ("competing", "Time to event"),
                         ("toxicity", "Toxicity")) or "No outcome is in these data"  # fmt: skip


def _absolute(held: _Held) -> str:
    return held.sections(("response", "Response, in shares of patients"), ("survival", "Time to event, at set months"),
                         ("standardised", "Combinations of protocols")) or "No outcome is in these data"  # fmt: skip


def _power(held: _Held) -> str:
    shown = "What this cohort could have seen; " if "power" in held.analyses else ""
    return f"{shown}{AUTHORS}: why these patients, and no more"


ITEMS: tuple[tuple[str, str, str | _Where], ...] = (
    ("1 Title, abstract", "the design in the title, a balanced summary", f"Summary; {AUTHORS}: the abstract"),
    ("2 Background", "why the study was done", f"{AUTHORS}: what was known before"),
    ("3 Objectives", "what was asked", "What was asked"),
    ("4 Design", "the design, early on", "What was asked; Methods"),
    ("5 Setting", "places, dates of treatment and follow-up", f"{AUTHORS}: centres and years"),
    ("6 Participants", "who could take part, how they were followed", f"{AUTHORS}: criteria and follow-up visits"),
    ("7 Variables", "outcomes, factors, confounders defined", "What was asked; Methods: Rules"),
    ("8 Measurement", "sources and methods of assessment", f"Methods: Rules; {AUTHORS}: assays, imaging, who assessed"),
    ("9 Bias", "what was done about bias", "Limits; How sure are these associations?"),
    ("10 Study size", "how the size came about", _power),
    ("11 Numbers as factors", "how they were used and grouped", "What was asked: each factor with its unit"),
    ("12a Methods", "all statistical methods", "Methods"),
    ("12b Subgroups", "how subgroups and interactions were examined",
     lambda held: f"{_outcomes(held)}: by population; interactions were not examined"),
    ("12c Missing data", "how missing data were dealt with", _missing),
    ("12d Loss to follow-up", "how it was dealt with", "Methods: Rules (censoring)"),
    ("12e Sensitivity", "sensitivity analyses", _sensitivity),
    ("13 Numbers", "patients at each stage, reasons, a diagram",
     lambda held: f"Patients: flow{_excluded(held)}; {AUTHORS}: those screened or treated but not in the data"),
    ("14a Characteristics", "who the patients were", "Patients"),
    ("14b Missing values", "how many for each variable",
     lambda held: "Patients: rows `not known`" if held.missing or held.hidden else "Patients: no value is missing"),
    ("14c Follow-up", "how long",
     lambda held: "Time to event: median follow-up" if held.follow_up else f"{AUTHORS}: not in these data"),
    ("15 Outcomes", "numbers of events", _outcomes),
    ("16a Main results", "unadjusted and adjusted estimates with intervals", _models),
    ("16b Categories", "boundaries of grouped numbers", "What was asked"),
    ("16c Absolute risk", "relative risks put into absolute ones", _absolute),
    ("17 Other analyses", "subgroups, sensitivity, others", _other),
    ("18 Key results", "by objective", "Summary"),
    ("19 Limitations", "bias, imprecision, their direction", f"Limits; {AUTHORS}: the direction of bias"),
    ("20 Interpretation", "cautious, with other evidence", f"{AUTHORS}: results of other studies"),
    ("21 Generalisability", "to whom it applies", f"{AUTHORS}: which other patients these are like"),
    ("22 Funding", "source and role of funders", f"{AUTHORS}: money and interests"),
)  # fmt: skip
"""Item, what it asks for, and where it stands."""
